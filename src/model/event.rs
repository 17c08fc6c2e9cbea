//! What happened in a run: facts, never how to show them.

use serde::{Deserialize, Serialize};

use super::{AgentUse, Digest, Finding, Oid, PlanId, PluginId, RunId, StepId};

/// One entry of a run's log.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Event {
    pub at: jiff::Timestamp,
    pub event: EventKind,
}

/// What an event says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum EventKind {
    RunStarted {
        run: RunId,
        plan: PlanId,
        digest: Digest,
        base: Oid,
        /// The user's branch that the result is for; none when HEAD was detached.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        onto: Option<String>,
        sandbox: String,
        tool: String,
    },
    RunResumed {
        sandbox: String,
        tool: String,
    },
    StepStarted {
        step: StepId,
    },
    /// What an earlier run left for the very same step is taken over, once the checks have passed on it.
    StepReused {
        step: StepId,
        run: RunId,
        commit: Oid,
    },
    AttemptStarted {
        step: StepId,
        plugin: PluginId,
        attempt: u32,
    },
    AttemptFailed {
        step: StepId,
        plugin: PluginId,
        attempt: u32,
        failure: Failure,
        duration_ms: u64,
        /// What an agent used.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<AgentUse>,
    },
    RemedyChosen {
        step: StepId,
        plugin: PluginId,
        remedy: String,
        note: String,
    },
    /// What a step before it left in the same paths came first, so the step begins anew on top of that; no attempt is spent.
    StepRepeated {
        step: StepId,
        paths: Vec<String>,
    },
    RetryPlanned {
        step: StepId,
        wait_ms: u64,
    },
    FallbackChosen {
        step: StepId,
        plugin: PluginId,
    },
    StepFinished {
        step: StepId,
        plugin: PluginId,
        attempts: u32,
        duration_ms: u64,
        findings: Vec<Finding>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        services: Vec<ServiceUse>,
        /// What an agent used in the attempt that went well.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        used: Option<AgentUse>,
        /// The tree of the repository's files as the step left them, without our own folder.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        files: Option<Oid>,
    },
    RunPaused {
        step: StepId,
        reason: String,
        actions: Vec<String>,
    },
    RunFailed {
        step: StepId,
        reason: String,
        /// `max-time` ended it, which says nothing about the pattern.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        out_of_time: bool,
    },
    RunInterrupted {
        signal: String,
    },
    RunFinished {
        duration_ms: u64,
    },
    /// The evidence record was written and the run's branch is complete.
    RunLearned {
        pattern: String,
    },
}

impl EventKind {
    /// Returns the name that the event has in a log.
    pub fn name(&self) -> &'static str {
        use EventKind::*;
        match self {
            RunStarted { .. } => "run-started",
            RunResumed { .. } => "run-resumed",
            StepStarted { .. } => "step-started",
            StepReused { .. } => "step-reused",
            AttemptStarted { .. } => "attempt-started",
            AttemptFailed { .. } => "attempt-failed",
            RemedyChosen { .. } => "remedy-chosen",
            StepRepeated { .. } => "step-repeated",
            RetryPlanned { .. } => "retry-planned",
            FallbackChosen { .. } => "fallback-chosen",
            StepFinished { .. } => "step-finished",
            RunPaused { .. } => "run-paused",
            RunFailed { .. } => "run-failed",
            RunInterrupted { .. } => "run-interrupted",
            RunFinished { .. } => "run-finished",
            RunLearned { .. } => "run-learned",
        }
    }

    /// Says whether the event uses up what a plan allows: after a power cut it must not be had again.
    pub fn is_spent(&self) -> bool {
        use EventKind::*;
        matches!(
            self,
            AttemptFailed { .. } | RemedyChosen { .. } | FallbackChosen { .. }
        )
    }

    /// Says whether the event closes its segment of the log: it counts only once a commit holds it.
    pub fn closes_segment(&self) -> bool {
        use EventKind::*;
        matches!(
            self,
            RunStarted { .. }
                | StepFinished { .. }
                | RunPaused { .. }
                | RunFailed { .. }
                | RunInterrupted { .. }
                | RunFinished { .. }
                | RunLearned { .. }
        )
    }
}

/// Why an attempt failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    pub kind: FailureKind,
    pub message: String,
    /// The end of what was printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    /// What a person has to do first; empty when nobody has to.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// How long to wait before the next attempt, where whoever failed has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wait_ms: Option<u64>,
}

/// What went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FailureKind {
    /// A template or an insert does not fit the repository.
    Template,
    Command,
    Check,
    Environment,
    Service,
    Timeout,
    /// The step changed what it had not declared.
    Writes,
    /// An agent ended without having done its work.
    Agent,
    /// An MCP server did not start, went away, or did not keep to the protocol.
    Server,
    /// The model of an agent could not be reached, or had no time.
    Model,
    /// An agent was refused what it needs: its login, a tool, its plugin, its request.
    Refused,
    /// What the plan lets a step use is used up.
    Budget,
    /// What the step left would give a secret away.
    Secret,
}

impl FailureKind {
    /// Says whether the same attempt could end otherwise.
    pub fn may_pass(self) -> bool {
        use FailureKind::*;
        !matches!(self, Template | Writes | Refused | Budget | Secret)
    }
}

/// A service that a step was given, and in which form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceUse {
    pub service: String,
    /// Whether it was the real thing.
    pub real: bool,
    pub how: String,
}
