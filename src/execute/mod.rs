//! Carries a plan out: steps side by side, with retries, remedies, fallbacks, a person's help, and a graceful end.
//!
//! It knows no git and no file of ours: a host prepares a step's folder, integrates its result, and writes events down. What is
//! done next follows from the plan and the events alone, so resuming is the same code. Everything but the programs of steps and
//! their checks happens on the caller's thread, one thing at a time and in the order of the plan.
//!
//! To add a runner: a variant of `model::Runner`, a file in `runner`, and an arm in `runner::run`.

mod execution;
#[cfg(test)]
mod fixture;
mod flight;
mod interrupt;
mod recovery;
mod runner;
mod schedule;

use anyhow::Result;

use crate::model::{
    Action, EventKind, Failure, Finding, Oid, Plan, PluginId, RunId, RunState, Step, StepId,
};
use crate::sandbox::Cancel;
use crate::workspace::{Line, Workspace};
pub use interrupt::{Signal, watch};
pub use runner::render as rehearse_step;

/// What `execute` needs from above, asked for one call at a time and in order.
pub trait Host {
    /// Returns where the run stands after the events so far.
    fn state(&self) -> &RunState;
    /// Returns a clean folder for an attempt at the step, or why the step cannot begin.
    fn prepare(&mut self, step: &Step, action: &Action) -> Result<Result<Workspace, Failure>>;
    /// Returns a folder with what an earlier run left for the very same step, if there is one.
    fn reuse(&mut self, step: &Step) -> Result<Option<(Reused, Workspace)>>;
    /// Takes over what the attempt left, or says why it may not be.
    fn integrate(&mut self, action: &Action, workspace: &Workspace) -> Result<Integrated>;
    /// Takes the folder of an attempt back.
    fn release(&mut self, workspace: Workspace);
    /// Writes an event down, a finished step with the files that were integrated; it is on disk, and committed where it closes a segment, when this returns.
    fn emit(&mut self, event: EventKind) -> Result<()>;
    /// Asks a person to do something; false where nobody can be asked.
    fn ask(&mut self, step: &Step, reason: &str, actions: &[String]) -> Result<bool>;
    /// Says which signal asked to stop, if one did.
    fn stopped(&self) -> Option<String>;
    /// Returns the wish to stop that a signal brings.
    fn cancel(&self) -> Cancel;
    /// Shows what a program of the step prints while it runs.
    fn show(&mut self, step: &StepId, line: Line<'_>);
}

/// A finished step of an earlier run.
#[derive(Debug, Clone)]
pub struct Reused {
    pub run: RunId,
    pub commit: Oid,
    pub plugin: PluginId,
}

/// What became of the result of a step.
pub enum Integrated {
    Taken,
    Refused(Failure),
    /// A step before it in the plan, done meanwhile, changed the same paths in another way.
    Conflict(Vec<String>),
}

/// What the checks of a step found.
pub struct Verdict {
    pub findings: Vec<Finding>,
    pub failure: Option<Failure>,
}

/// Checks what an attempt left; it is called where the attempt ran, beside others.
pub type Verify = fn(&Step, &mut Workspace, &mut dyn FnMut(Line<'_>)) -> Result<Verdict>;

/// How a plan is carried out.
pub struct Way {
    /// The steps with effects outside their files that may be done again though they may have had them.
    pub repeat: Vec<StepId>,
    /// The most steps that run side by side.
    pub jobs: usize,
    pub verify: Verify,
}

/// How an execution ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Finished,
    Paused,
    Failed,
    Interrupted,
}

impl Ended {
    /// Returns how an execution ended whose last event is `event`.
    fn by(event: &EventKind) -> Ended {
        match event {
            EventKind::RunPaused { .. } => Ended::Paused,
            EventKind::RunFailed { .. } => Ended::Failed,
            EventKind::RunInterrupted { .. } => Ended::Interrupted,
            _ => Ended::Finished,
        }
    }
}

/// Carries out what is left of the plan.
pub fn execute(plan: &Plan, way: Way, host: &mut dyn Host) -> Result<Ended> {
    execution::Execution::new(plan, way, host).run()
}
