//! Where a run stands: a pure function of its plan and its events.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{
    Action, AgentUse, Event, EventKind, Failure, Finding, Oid, Plan, PluginId, RunId, ServiceUse,
    Step, StepId,
};

/// A run at one moment.
#[derive(Debug, Clone, PartialEq)]
pub struct RunState {
    pub phase: Phase,
    /// In the order of the plan.
    pub steps: Vec<StepState>,
    /// The commit that the run started from, and the branch it is for.
    pub base: Option<Oid>,
    pub onto: Option<String>,
    pub sandbox: String,
    pub started: Option<jiff::Timestamp>,
    pub duration_ms: u64,
    elapsed: Duration,
    last: Option<jiff::Timestamp>,
    /// The longest time between two events that the plan allows for.
    pause_max: Duration,
}

/// More than any wait between two attempts, and than what surrounds an attempt.
const PAUSE: Duration = Duration::from_secs(120);

/// What a run is doing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Phase {
    Waiting,
    Running,
    Paused {
        step: StepId,
        reason: String,
        actions: Vec<String>,
    },
    Failed {
        step: StepId,
        reason: String,
    },
    Interrupted {
        signal: String,
    },
    /// Every step is done; the report and the evidence may still be missing.
    Finished,
    Learned,
}

/// Where one step stands.
#[derive(Debug, Clone, PartialEq)]
pub struct StepState {
    pub id: StepId,
    pub status: StepStatus,
    /// How many attempts there were with each of the step's actions.
    pub attempts: Vec<u32>,
    /// Which of the step's actions is being tried: 0 is the first, others are fallbacks.
    pub action: usize,
    pub remedies: BTreeSet<String>,
    /// What went wrong on the way, with the remedy chosen for it.
    pub failures: Vec<FailureSeen>,
    pub findings: Vec<Finding>,
    pub services: Vec<ServiceUse>,
    pub duration_ms: u64,
    /// What agents used in all attempts together.
    pub used: AgentUse,
    /// How many attempts were begun, in all sessions of the run.
    pub begun: u32,
    /// The run whose result was taken over.
    pub reused: Option<RunId>,
}

/// A failed attempt, and what was done about it.
#[derive(Debug, Clone, PartialEq)]
pub struct FailureSeen {
    pub plugin: PluginId,
    pub failure: Failure,
    pub remedy: Option<RemedySeen>,
}

/// A remedy that was applied.
#[derive(Debug, Clone, PartialEq)]
pub struct RemedySeen {
    pub id: String,
    pub note: String,
}

/// The status of a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepStatus {
    Waiting,
    Running,
    Done,
    Failed,
}

impl RunState {
    /// Returns the state of a run of `plan` before anything has happened.
    pub fn new(plan: &Plan) -> RunState {
        let fresh = |step: &Step| StepState {
            id: step.id.clone(),
            status: StepStatus::Waiting,
            attempts: vec![0; 1 + step.fallbacks.len()],
            action: 0,
            remedies: BTreeSet::new(),
            failures: Vec::new(),
            findings: Vec::new(),
            services: Vec::new(),
            duration_ms: 0,
            used: AgentUse::default(),
            begun: 0,
            reused: None,
        };
        RunState {
            phase: Phase::Waiting,
            steps: plan.steps.iter().map(fresh).collect(),
            base: None,
            onto: None,
            sandbox: String::new(),
            started: None,
            duration_ms: 0,
            elapsed: Duration::ZERO,
            last: None,
            pause_max: PAUSE
                + Duration::from_secs(
                    plan.steps
                        .iter()
                        .map(|step| step.timeout_s)
                        .max()
                        .unwrap_or(0),
                ),
        }
    }

    /// Returns the state after `events`.
    pub fn replay(plan: &Plan, events: &[Event]) -> RunState {
        let mut state = RunState::new(plan);
        for event in events {
            state.apply(event);
        }
        state
    }

    /// Returns how long the run has been going on, in all its sessions.
    pub fn elapsed(&self) -> Duration {
        self.elapsed
    }

    /// Counts the time since the event before, as far as it is plausible: clocks jump, and a run lies still between two sessions.
    fn pass(&mut self, event: &Event) {
        let resumed = matches!(
            event.event,
            EventKind::RunStarted { .. } | EventKind::RunResumed { .. }
        );
        if let Some(last) = self.last.filter(|_| !resumed) {
            let passed = Duration::try_from(event.at.duration_since(last)).unwrap_or_default();
            self.elapsed += passed.min(self.pause_max);
        }
        self.last = Some(event.at);
    }

    /// Moves the state on by one event.
    pub fn apply(&mut self, event: &Event) {
        self.pass(event);
        match &event.event {
            EventKind::RunStarted {
                base,
                onto,
                sandbox,
                ..
            } => {
                self.phase = Phase::Running;
                self.base = Some(base.clone());
                self.onto = onto.clone();
                self.sandbox = sandbox.clone();
                self.started = Some(event.at);
            }
            EventKind::RunResumed { sandbox, .. } => {
                self.phase = Phase::Running;
                self.sandbox = sandbox.clone();
                self.reopen();
            }
            EventKind::StepStarted { step } => {
                self.at(step, |step| step.status = StepStatus::Running)
            }
            EventKind::StepReused { step, run, .. } => {
                let run = run.clone();
                self.at(step, |step| step.reused = Some(run));
            }
            EventKind::AttemptStarted { step, .. } => {
                self.at(step, |step| {
                    let action = step.action;
                    step.attempts[action] += 1;
                    step.begun += 1;
                    step.reused = None;
                });
            }
            EventKind::AttemptFailed {
                step,
                plugin,
                failure,
                duration_ms,
                used,
                ..
            } => {
                let seen = FailureSeen {
                    plugin: plugin.clone(),
                    failure: failure.clone(),
                    remedy: None,
                };
                self.at(step, |step| {
                    step.failures.push(seen);
                    step.used.add(used.as_ref().unwrap_or(&AgentUse::default()));
                    step.duration_ms += duration_ms;
                });
            }
            EventKind::RemedyChosen {
                step, remedy, note, ..
            } => {
                let chosen = RemedySeen {
                    id: remedy.clone(),
                    note: note.clone(),
                };
                self.at(step, |step| {
                    step.remedies.insert(chosen.id.clone());
                    if let Some(last) = step.failures.last_mut() {
                        last.remedy = Some(chosen);
                    }
                });
            }
            EventKind::StepRepeated { step, .. } => self.at(step, |step| {
                let action = step.action;
                step.attempts[action] = step.attempts[action].saturating_sub(1);
            }),
            EventKind::RetryPlanned { .. } => {}
            EventKind::FallbackChosen { step, .. } => self.at(step, |step| {
                step.action = (step.action + 1).min(step.attempts.len() - 1);
                step.remedies.clear();
            }),
            EventKind::StepFinished {
                step,
                findings,
                services,
                duration_ms,
                used,
                ..
            } => {
                self.at(step, |step| {
                    step.status = StepStatus::Done;
                    step.findings = findings.clone();
                    step.services = services.clone();
                    step.duration_ms = *duration_ms;
                    step.used.add(used.as_ref().unwrap_or(&AgentUse::default()));
                });
            }
            EventKind::RunPaused {
                step,
                reason,
                actions,
            } => {
                self.phase = Phase::Paused {
                    step: step.clone(),
                    reason: reason.clone(),
                    actions: actions.clone(),
                };
                self.at(step, |step| step.status = StepStatus::Waiting);
            }
            EventKind::RunFailed { step, reason, .. } => {
                self.phase = Phase::Failed {
                    step: step.clone(),
                    reason: reason.clone(),
                };
                self.at(step, |step| step.status = StepStatus::Failed);
            }
            EventKind::RunInterrupted { signal } => {
                self.phase = Phase::Interrupted {
                    signal: signal.clone(),
                };
                let running = |step: &&mut StepState| step.status == StepStatus::Running;
                for step in self.steps.iter_mut().filter(running) {
                    step.status = StepStatus::Waiting;
                }
            }
            EventKind::RunFinished { duration_ms } => {
                self.phase = Phase::Finished;
                self.duration_ms = *duration_ms;
            }
            EventKind::RunLearned { .. } => self.phase = Phase::Learned,
        }
    }

    /// Returns the first step that is not done, in the order of the plan.
    pub fn next_step(&self) -> Option<&StepState> {
        self.steps
            .iter()
            .find(|step| step.status != StepStatus::Done)
    }

    /// Returns the state of the step called `id`.
    pub fn step(&self, id: &StepId) -> Option<&StepState> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Returns how many steps are done.
    pub fn done(&self) -> usize {
        self.steps
            .iter()
            .filter(|step| step.status == StepStatus::Done)
            .count()
    }

    fn at(&mut self, id: &StepId, change: impl FnOnce(&mut StepState)) {
        // An event about a step that the plan lacks is refused when the log is read.
        if let Some(step) = self.steps.iter_mut().find(|step| step.id == *id) {
            change(step);
        }
    }

    /// A person has looked at it: what is not done gets its attempts back, and begins with its first action.
    fn reopen(&mut self) {
        for step in self
            .steps
            .iter_mut()
            .filter(|step| step.status != StepStatus::Done)
        {
            step.status = StepStatus::Waiting;
            step.action = 0;
            step.attempts.iter_mut().for_each(|attempts| *attempts = 0);
        }
    }
}

impl StepState {
    /// Returns how many attempts have ended, in all sessions of the run.
    pub fn attempts_ended(&self) -> u32 {
        self.failures.len() as u32 + u32::from(self.status == StepStatus::Done)
    }

    /// Returns the action of `step` that is being tried, or was last.
    pub fn action_of<'a>(&self, step: &'a Step) -> &'a Action {
        step.actions().nth(self.action).unwrap_or(&step.action)
    }
}
