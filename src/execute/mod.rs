//! Carries a plan out: step by step, with retries, remedies, fallbacks, a person's help, and a graceful end.
//!
//! It knows no git and no file of ours: a host prepares a step's folder, verifies and integrates its result, and writes events
//! down. What is done next follows from the plan and the events alone, so resuming is the same code.
//!
//! To add a runner: a variant of `model::Runner`, a file in `runner`, and an arm in `runner::run`.

mod interrupt;
mod recovery;
mod runner;

use std::time::{Duration, Instant};

use anyhow::Result;

use crate::model::{
    Action, AgentUse, Event, EventKind, Failure, FailureKind, Finding, Plan, Remedy, RunState,
    Runner, ServiceUse, Step, StepId,
};
use crate::workspace::{Line, Workspace, failure};
pub use interrupt::{Signal, watch};
use recovery::Next;
pub use runner::render as rehearse_step;

/// What `execute` needs from above, asked for one call at a time and in order.
pub trait Host {
    /// Returns a clean folder for an attempt at the step, or why the step cannot begin.
    fn prepare(&mut self, step: &Step, action: &Action) -> Result<Result<Workspace, Failure>>;
    /// Checks what the attempt left.
    fn verify(&mut self, step: &Step, workspace: &mut Workspace) -> Result<Verdict>;
    /// Takes over what the attempt left, or says why it may not be.
    fn integrate(&mut self, action: &Action, workspace: &Workspace) -> Result<Result<(), Failure>>;
    /// Writes an event down; it is on disk, and committed where it closes a segment, when this returns.
    fn emit(&mut self, event: EventKind) -> Result<Event>;
    /// Asks a person to do something; false where nobody can be asked.
    fn ask(&mut self, step: &Step, reason: &str, actions: &[String]) -> Result<bool>;
    /// Waits before the next attempt.
    fn wait(&mut self, duration: Duration);
    /// Says which signal asked to stop, if one did.
    fn stopped(&self) -> Option<String>;
    /// Shows what a program prints while it runs.
    fn show(&mut self, line: Line<'_>);
}

/// What the checks of a step found.
pub struct Verdict {
    pub findings: Vec<Finding>,
    pub failure: Option<Failure>,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Finished,
    Paused,
    Failed,
    Interrupted,
}

/// Carries out what is left of the plan, and returns with the state that its events amount to.
pub fn execute(plan: &Plan, state: RunState, host: &mut dyn Host) -> Result<(RunState, Ended)> {
    let limit = plan.constraints.max_time_s.map(Duration::from_secs);
    let deadline = limit.map(|limit| Instant::now() + limit);
    let mut execution = Execution {
        plan,
        state,
        host,
        deadline,
    };
    let ended = execution.run()?;
    Ok((execution.state, ended))
}

struct Execution<'a> {
    plan: &'a Plan,
    state: RunState,
    host: &'a mut dyn Host,
    /// When `max-time` is used up.
    deadline: Option<Instant>,
}

/// What an attempt that went well leaves.
struct Success {
    findings: Vec<Finding>,
    services: Vec<ServiceUse>,
    used: Option<AgentUse>,
}

impl Execution<'_> {
    fn run(&mut self) -> Result<Ended> {
        while let Some(next) = self.state.next_step() {
            let id = next.id.clone();
            let step = self
                .plan
                .step(&id)
                .expect("the state has the steps of the plan")
                .clone();
            if let Some(ended) = self.step(&step)? {
                return Ok(ended);
            }
        }
        let duration_ms = self.state.steps.iter().map(|step| step.duration_ms).sum();
        self.emit(EventKind::RunFinished { duration_ms })?;
        Ok(Ended::Finished)
    }

    /// Carries one step out; returns how the run ended if it did.
    fn step(&mut self, step: &Step) -> Result<Option<Ended>> {
        self.emit(EventKind::StepStarted {
            step: step.id.clone(),
        })?;
        loop {
            if let Some(ended) = self.interrupted()? {
                return Ok(Some(ended));
            }
            if let Some(ended) = self.out_of_time(step)? {
                return Ok(Some(ended));
            }
            let began = Instant::now();
            let mut used = AgentUse::default();
            match self.attempt(step, &mut used)? {
                Ok(success) => return self.finish(step, success, began).map(|()| None),
                Err(failure) => {
                    if let Some(ended) = self.recover(step, failure, used, began)? {
                        return Ok(Some(ended));
                    }
                }
            }
        }
    }

    fn attempt(&mut self, step: &Step, used: &mut AgentUse) -> Result<Result<Success, Failure>> {
        let current = self.current(&step.id);
        let action = current.action_of(step).clone();
        let attempt = current.attempts[current.action] + 1;
        let remedies: Vec<Remedy> = action
            .remedies
            .iter()
            .filter(|remedy| current.remedies.contains(&remedy.id))
            .cloned()
            .collect();
        self.emit(EventKind::AttemptStarted {
            step: step.id.clone(),
            plugin: action.plugin.clone(),
            attempt,
        })?;
        let is_agent = action.runner == Runner::Agent;
        let mut workspace = match self.host.prepare(step, &action)? {
            Ok(workspace) => workspace,
            Err(failure) => return Ok(Err(failure)),
        };
        workspace.deadline = self.deadline;
        let verdict = self.work(step, &action, &mut workspace, &remedies);
        used.clone_from(&workspace.used);
        let verdict = match verdict? {
            Ok(verdict) => verdict,
            Err(failure) => return Ok(Err(failure)),
        };
        if workspace.cancel.is_cancelled() {
            return Ok(Err(failure(FailureKind::Command, "it was stopped", "")));
        }
        if let Err(failure) = self.host.integrate(&action, &workspace)? {
            return Ok(Err(failure));
        }
        Ok(Ok(Success {
            findings: verdict.findings,
            services: workspace.services,
            used: is_agent.then_some(workspace.used),
        }))
    }

    /// Runs the action and the checks; who did it is told what they find, as often as the plan allows.
    fn work(
        &mut self,
        step: &Step,
        action: &Action,
        workspace: &mut Workspace,
        remedies: &[Remedy],
    ) -> Result<Result<Verdict, Failure>> {
        let timeout = Duration::from_secs(step.timeout_s);
        let host = &mut *self.host;
        let ran = runner::run(step, action, workspace, remedies, timeout, &mut |line| {
            host.show(line)
        })?;
        let mut done = match ran {
            Ok(done) => done,
            Err(failure) => return Ok(Err(failure)),
        };
        loop {
            let verdict = self.host.verify(step, workspace)?;
            let Some(found) = &verdict.failure else {
                return Ok(Ok(verdict));
            };
            let host = &mut *self.host;
            match done.correct(found, workspace, &mut |line| host.show(line))? {
                Ok(true) => {}
                Ok(false) => return Ok(Err(found.clone())),
                Err(failure) => return Ok(Err(failure)),
            }
        }
    }

    fn finish(&mut self, step: &Step, success: Success, began: Instant) -> Result<()> {
        let current = self.current(&step.id);
        let event = EventKind::StepFinished {
            step: step.id.clone(),
            plugin: current.action_of(step).plugin.clone(),
            attempts: current.failures.len() as u32 + 1,
            duration_ms: current.duration_ms + millis(began),
            findings: success.findings,
            services: success.services,
            used: success.used,
        };
        self.emit(event)
    }

    /// Writes the failure down and does what the plan says about it; returns how the run ended if nothing helps.
    fn recover(
        &mut self,
        step: &Step,
        failure: Failure,
        used: AgentUse,
        began: Instant,
    ) -> Result<Option<Ended>> {
        if let Some(ended) = self.interrupted()? {
            return Ok(Some(ended));
        }
        let current = self.current(&step.id);
        let plugin = current.action_of(step).plugin.clone();
        let attempt = current.attempts[current.action];
        self.emit(EventKind::AttemptFailed {
            step: step.id.clone(),
            plugin: plugin.clone(),
            attempt,
            failure: failure.clone(),
            duration_ms: millis(began),
            used: (used != AgentUse::default()).then_some(used),
        })?;
        if let Some(ended) = self.out_of_time(step)? {
            return Ok(Some(ended));
        }
        match recovery::next(step, self.current(&step.id), &failure) {
            Next::Remedy(remedy) => {
                let note = remedy
                    .note
                    .clone()
                    .unwrap_or_else(|| failure.message.clone());
                let event = EventKind::RemedyChosen {
                    step: step.id.clone(),
                    plugin,
                    remedy: remedy.id.clone(),
                    note,
                };
                self.emit(event).map(|()| None)
            }
            Next::Retry { wait } => {
                self.emit(EventKind::RetryPlanned {
                    step: step.id.clone(),
                    wait_ms: wait.as_millis() as u64,
                })?;
                self.host.wait(wait);
                Ok(None)
            }
            Next::Fallback(action) => {
                let event = EventKind::FallbackChosen {
                    step: step.id.clone(),
                    plugin: action.plugin.clone(),
                };
                self.emit(event).map(|()| None)
            }
            Next::Person(actions) => self.pause(step, &failure.message, actions),
            Next::Abort => self.abort(step, failure.message, false).map(Some),
        }
    }

    fn pause(&mut self, step: &Step, reason: &str, actions: Vec<String>) -> Result<Option<Ended>> {
        if self.host.ask(step, reason, &actions)? {
            return Ok(None);
        }
        if let Some(ended) = self.interrupted()? {
            return Ok(Some(ended));
        }
        let event = EventKind::RunPaused {
            step: step.id.clone(),
            reason: reason.to_string(),
            actions,
        };
        self.emit(event)?;
        Ok(Some(Ended::Paused))
    }

    fn abort(&mut self, step: &Step, reason: String, out_of_time: bool) -> Result<Ended> {
        self.emit(EventKind::RunFailed {
            step: step.id.clone(),
            reason,
            out_of_time,
        })?;
        Ok(Ended::Failed)
    }

    fn interrupted(&mut self) -> Result<Option<Ended>> {
        let Some(signal) = self.host.stopped() else {
            return Ok(None);
        };
        self.emit(EventKind::RunInterrupted { signal })?;
        Ok(Some(Ended::Interrupted))
    }

    fn emit(&mut self, event: EventKind) -> Result<()> {
        let event = self.host.emit(event)?;
        self.state.apply(&event);
        Ok(())
    }

    fn current(&self, id: &StepId) -> &crate::model::StepState {
        self.state
            .step(id)
            .expect("the state has the steps of the plan")
    }

    /// Ends the run where `max-time` is used up.
    fn out_of_time(&mut self, step: &Step) -> Result<Option<Ended>> {
        if self
            .deadline
            .is_none_or(|deadline| Instant::now() < deadline)
        {
            return Ok(None);
        }
        let seconds = self.plan.constraints.max_time_s.unwrap_or_default();
        let reason = format!("`max-time`, {seconds} s, is used up");
        self.abort(step, reason, true).map(Some)
    }
}

fn millis(began: Instant) -> u64 {
    began.elapsed().as_millis() as u64
}
