//! One execution: what is in flight, and what is done about whatever lands.

use std::collections::BTreeMap;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::flight::{self, Attempt, Landed, Message};
use super::recovery::{self, Next};
use super::{Ended, Host, Integrated, Way, schedule};
use crate::model::{
    Action, AgentUse, Effects, EventKind, Failure, Finding, Plan, Remedy, ServiceUse, Step, StepId,
    StepState, StepStatus,
};
use crate::sandbox::Cancel;
use crate::workspace::{Line, Workspace};

/// How long nobody looks whether somebody wants to stop, while nothing runs that would be woken.
const LOOK_PAUSE: Duration = Duration::from_millis(50);

pub struct Execution<'a> {
    plan: &'a Plan,
    way: Way,
    host: &'a mut dyn Host,
    flights: BTreeMap<usize, Flight>,
    messages: Receiver<Message>,
    sender: Sender<Message>,
    /// Ends everything that runs; a signal does so, and `max-time`.
    halt: Cancel,
    /// When `max-time` is used up.
    deadline: Option<Instant>,
    /// How the run ends once everything in flight has landed; nothing new is started.
    ending: Option<EventKind>,
}

/// A step that was started and is not done.
enum Flight {
    /// The next attempt is due then.
    Due(Instant),
    Running,
    /// The attempt went well, and waits until the steps before it in the plan have landed.
    Held(Box<Held>),
}

struct Held {
    action: Action,
    workspace: Workspace,
    began: Instant,
    findings: Vec<Finding>,
}

impl<'a> Execution<'a> {
    pub fn new(plan: &'a Plan, way: Way, host: &'a mut dyn Host) -> Execution<'a> {
        let (sender, messages) = channel();
        let limit = plan.constraints.max_time_s.map(Duration::from_secs);
        let left = limit.map(|limit| limit.saturating_sub(host.state().elapsed()));
        Execution {
            plan,
            way,
            host,
            flights: BTreeMap::new(),
            messages,
            sender,
            halt: Cancel::new(),
            deadline: left.map(|left| Instant::now() + left),
            ending: None,
        }
    }

    pub fn run(mut self) -> Result<Ended> {
        let halt = self.halt.clone();
        let _registration = self.host.cancel().on_cancel(move || halt.cancel());
        let ended = self.fly();
        // Whatever went wrong, nothing that was started is left running.
        self.halt.cancel();
        while self.is_running() {
            if let Ok(Message::Landed { step, landed }) = self.messages.recv() {
                self.flights.remove(&self.plan.number(&step));
                self.host.release(landed.workspace);
            }
        }
        ended
    }

    fn fly(&mut self) -> Result<Ended> {
        loop {
            self.look_up();
            self.start_what_may()?;
            if self.flights.is_empty() {
                return self.end();
            }
            match self.next_message() {
                Some(Message::Line {
                    step,
                    text,
                    building,
                }) => {
                    let line = if building {
                        Line::Building(&text)
                    } else {
                        Line::Program(&text)
                    };
                    self.host.show(&step, line);
                }
                Some(Message::Landed { step, landed }) => self.landed(&step, *landed)?,
                None => {}
            }
            self.integrate_what_may()?;
        }
    }

    /// Sees whether the run has to end now.
    fn look_up(&mut self) {
        if self.ending.is_none()
            && let Some(signal) = self.host.stopped()
        {
            self.ending = Some(EventKind::RunInterrupted { signal });
        }
        let late = self
            .deadline
            .is_some_and(|deadline| Instant::now() >= deadline);
        if late && self.ending.is_none() {
            let open = self.plan.steps.iter().find(|step| !self.is_done(step));
            let seconds = self.plan.constraints.max_time_s.unwrap_or_default();
            self.ending = open.map(|step| EventKind::RunFailed {
                step: step.id.clone(),
                reason: format!("`max-time`, {seconds} s, is used up"),
                out_of_time: true,
            });
            self.halt.cancel();
        }
        if self.ending.is_some() {
            self.flights
                .retain(|_, flight| !matches!(flight, Flight::Due(_)));
        }
    }

    fn start_what_may(&mut self) -> Result<()> {
        while self.ending.is_none() {
            let now = Instant::now();
            let due = |(number, flight): (&usize, &Flight)| {
                matches!(flight, Flight::Due(at) if *at <= now).then_some(*number)
            };
            let step = match self.flights.iter().find_map(due) {
                Some(number) => &self.plan.steps[number - 1],
                None => {
                    let flying: Vec<&StepId> = self
                        .flights
                        .keys()
                        .map(|number| &self.plan.steps[number - 1].id)
                        .collect();
                    let busy = self
                        .flights
                        .values()
                        .filter(|flight| !matches!(flight, Flight::Held(_)))
                        .count();
                    let next = schedule::next(self.plan, self.host.state(), &flying);
                    // What is held occupies a folder each, so there is a bound on that as well.
                    let Some(step) =
                        next.filter(|_| busy < self.way.jobs && flying.len() < 2 * self.way.jobs)
                    else {
                        return Ok(());
                    };
                    self.host.emit(EventKind::StepStarted {
                        step: step.id.clone(),
                    })?;
                    if self.reuse(step)? || !self.may_begin(step)? {
                        continue;
                    }
                    step
                }
            };
            self.start(step)?;
        }
        Ok(())
    }

    /// Starts an attempt at the step.
    fn start(&mut self, step: &Step) -> Result<()> {
        let number = self.plan.number(&step.id);
        let began = Instant::now();
        let current = self.current(&step.id);
        let action = current.action_of(step).clone();
        let attempt = current.attempts[current.action] + 1;
        let chosen = |remedy: &&Remedy| current.remedies.contains(&remedy.id);
        let remedies: Vec<Remedy> = action.remedies.iter().filter(chosen).cloned().collect();
        self.host.emit(EventKind::AttemptStarted {
            step: step.id.clone(),
            plugin: action.plugin.clone(),
            attempt,
        })?;
        let workspace = match self.host.prepare(step, &action)? {
            Ok(workspace) => workspace,
            Err(failure) => {
                self.flights.remove(&number);
                return self.recover(step, failure, None, began);
            }
        };
        self.fly_with(
            step,
            Attempt {
                step: step.clone(),
                action,
                remedies,
                workspace,
                verify: self.way.verify,
                reused: false,
            },
        )
    }

    fn fly_with(&mut self, step: &Step, mut attempt: Attempt) -> Result<()> {
        attempt.workspace.deadline = self.deadline;
        attempt.workspace.cancel = self.halt.clone();
        flight::start(attempt, self.sender.clone())?;
        self.flights
            .insert(self.plan.number(&step.id), Flight::Running);
        Ok(())
    }

    /// Takes over what an earlier run left for the step, if there is anything; its checks run again.
    fn reuse(&mut self, step: &Step) -> Result<bool> {
        let Some((reused, workspace)) = self.host.reuse(step)? else {
            return Ok(false);
        };
        self.host.emit(EventKind::StepReused {
            step: step.id.clone(),
            run: reused.run,
            commit: reused.commit,
        })?;
        self.fly_with(
            step,
            Attempt {
                step: step.clone(),
                action: step.action.clone(),
                remedies: Vec::new(),
                workspace,
                verify: self.way.verify,
                reused: true,
            },
        )?;
        Ok(true)
    }

    /// Says whether the step may be done: one with effects outside its files is not done again unless a person says so.
    fn may_begin(&mut self, step: &Step) -> Result<bool> {
        let begun = self.current(&step.id).begun > 0;
        if step.effects == Effects::Files || !begun || self.way.repeat.contains(&step.id) {
            return Ok(true);
        }
        let reason = format!(
            "step `{}` was begun before, and may have had its effect already",
            step.id
        );
        let actions = vec![format!("see whether it had, then `--repeat {}`", step.id)];
        if self.host.ask(step, &reason, &actions)? {
            return Ok(true);
        }
        let step = step.id.clone();
        self.ending = Some(EventKind::RunPaused {
            step,
            reason,
            actions,
        });
        Ok(false)
    }

    /// Returns what a step in flight has to say, or nothing when it is time to look around.
    fn next_message(&mut self) -> Option<Message> {
        let due = self.flights.values().filter_map(|flight| match flight {
            Flight::Due(at) => Some(*at),
            _ => None,
        });
        let until = due
            .chain(self.deadline.filter(|_| self.ending.is_none()))
            .min();
        let Some(until) = until else {
            return self.messages.recv().ok();
        };
        let mut pause = until.saturating_duration_since(Instant::now());
        if !self.is_running() {
            pause = pause.min(LOOK_PAUSE);
        }
        self.messages.recv_timeout(pause).ok()
    }

    fn landed(&mut self, id: &StepId, landed: Landed) -> Result<()> {
        let number = self.plan.number(id);
        self.flights.remove(&number);
        let step = &self.plan.steps[number - 1];
        let Landed {
            action,
            workspace,
            began,
            reused,
            outcome,
        } = landed;
        // A panic is a bug of ours wherever it happens.
        match outcome.unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
            Err(error) => {
                self.host.release(workspace);
                Err(error)
            }
            // What passed elsewhere does not pass here: the step is done anew.
            Ok(Err(_)) if reused && !self.halt.is_cancelled() => {
                self.host.release(workspace);
                self.again(step, Duration::ZERO);
                Ok(())
            }
            Ok(Err(failure)) => {
                let used = used(&workspace);
                self.host.release(workspace);
                self.recover(step, failure, used, began)
            }
            Ok(Ok(verdict)) => {
                let findings = verdict.findings;
                let held = Held {
                    action,
                    workspace,
                    began,
                    findings,
                };
                self.flights.insert(number, Flight::Held(Box::new(held)));
                Ok(())
            }
        }
    }

    /// Takes over, in the order of the plan, what went well and has nothing in flight before it.
    fn integrate_what_may(&mut self) -> Result<()> {
        while let Some(first) = self.flights.first_entry() {
            if !matches!(first.get(), Flight::Held(_)) {
                return Ok(());
            }
            let (number, Flight::Held(held)) = first.remove_entry() else {
                return Ok(());
            };
            self.integrate(number, *held)?;
        }
        Ok(())
    }

    fn integrate(&mut self, number: usize, held: Held) -> Result<()> {
        let step = &self.plan.steps[number - 1];
        let Held {
            action,
            workspace,
            began,
            findings,
        } = held;
        let integrated = self.host.integrate(&action, &workspace);
        let services = workspace.services.clone();
        let used = used(&workspace);
        self.host.release(workspace);
        match integrated? {
            Integrated::Taken => self.finish(step, findings, services, used, began),
            Integrated::Refused(failure) => self.recover(step, failure, used, began),
            Integrated::Conflict(paths) => {
                self.host.emit(EventKind::StepRepeated {
                    step: step.id.clone(),
                    paths,
                })?;
                self.flights.insert(number, Flight::Due(Instant::now()));
                Ok(())
            }
        }
    }

    fn finish(
        &mut self,
        step: &Step,
        findings: Vec<Finding>,
        services: Vec<ServiceUse>,
        used: Option<AgentUse>,
        began: Instant,
    ) -> Result<()> {
        let current = self.current(&step.id);
        let event = EventKind::StepFinished {
            step: step.id.clone(),
            plugin: current.action_of(step).plugin.clone(),
            attempts: current.failures.len() as u32 + 1,
            duration_ms: current.duration_ms + millis(began),
            findings,
            services,
            used,
            files: None,
        };
        self.host.emit(event)
    }

    /// Writes the failure down and does what the plan says about it.
    fn recover(
        &mut self,
        step: &Step,
        failure: Failure,
        used: Option<AgentUse>,
        began: Instant,
    ) -> Result<()> {
        self.look_up();
        // An attempt that was stopped has not failed.
        if matches!(
            self.ending,
            Some(
                EventKind::RunInterrupted { .. }
                    | EventKind::RunFailed {
                        out_of_time: true,
                        ..
                    }
            )
        ) {
            return Ok(());
        }
        let current = self.current(&step.id);
        let plugin = current.action_of(step).plugin.clone();
        let attempt = current.attempts[current.action];
        self.host.emit(EventKind::AttemptFailed {
            step: step.id.clone(),
            plugin: plugin.clone(),
            attempt,
            failure: failure.clone(),
            duration_ms: millis(began),
            used,
        })?;
        if self.ending.is_some() {
            return Ok(());
        }
        let id = step.id.clone();
        match recovery::next(step, self.current(&step.id), &failure) {
            Next::Remedy(remedy) => {
                let note = remedy
                    .note
                    .clone()
                    .unwrap_or_else(|| failure.message.clone());
                let remedy = remedy.id.clone();
                self.host.emit(EventKind::RemedyChosen {
                    step: id,
                    plugin,
                    remedy,
                    note,
                })?;
                self.again(step, Duration::ZERO);
            }
            Next::Retry { wait } => {
                let wait_ms = wait.as_millis() as u64;
                self.host
                    .emit(EventKind::RetryPlanned { step: id, wait_ms })?;
                self.again(step, wait);
            }
            Next::Fallback(action) => {
                let plugin = action.plugin.clone();
                self.host
                    .emit(EventKind::FallbackChosen { step: id, plugin })?;
                self.again(step, Duration::ZERO);
            }
            Next::Person(actions) => match self.host.ask(step, &failure.message, &actions)? {
                true => self.again(step, Duration::ZERO),
                false => {
                    let reason = failure.message;
                    self.ending = Some(EventKind::RunPaused {
                        step: id,
                        reason,
                        actions,
                    });
                }
            },
            Next::Abort => {
                let reason = failure.message;
                self.ending = Some(EventKind::RunFailed {
                    step: id,
                    reason,
                    out_of_time: false,
                });
            }
        }
        Ok(())
    }

    /// Tries the step again after a wait.
    fn again(&mut self, step: &Step, wait: Duration) {
        let number = self.plan.number(&step.id);
        self.flights
            .insert(number, Flight::Due(Instant::now() + wait));
    }

    /// Writes down how the run ended, now that nothing is in flight.
    fn end(&mut self) -> Result<Ended> {
        // Somebody who wants to stop while a person is asked is not kept waiting for an answer.
        let open = self.plan.steps.iter().any(|step| !self.is_done(step));
        if let Some(signal) = self.host.stopped().filter(|_| open) {
            self.ending = Some(EventKind::RunInterrupted { signal });
        }
        let event = self.ending.take().unwrap_or_else(|| {
            let steps = self.host.state().steps.iter();
            let duration_ms = steps.map(|step| step.duration_ms).sum();
            EventKind::RunFinished { duration_ms }
        });
        let ended = Ended::by(&event);
        self.host.emit(event)?;
        Ok(ended)
    }

    fn is_running(&self) -> bool {
        self.flights
            .values()
            .any(|flight| matches!(flight, Flight::Running))
    }

    fn is_done(&self, step: &Step) -> bool {
        self.current(&step.id).status == StepStatus::Done
    }

    fn current(&self, id: &StepId) -> &StepState {
        let state = self.host.state().step(id);
        state.expect("the state has the steps of the plan")
    }
}

/// Returns what agents used in an attempt, where one was at work.
fn used(workspace: &Workspace) -> Option<AgentUse> {
    (workspace.used != AgentUse::default()).then(|| workspace.used.clone())
}

fn millis(began: Instant) -> u64 {
    began.elapsed().as_millis() as u64
}
