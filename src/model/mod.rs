//! The nouns: plain data that every other module speaks in, and that is also the format of our files.
//!
//! Nothing here reads a disk, a clock or a process.
//!
//! A noun that only one module uses stays in that module; one that two need gets a file here, named after it.

mod agent;
mod approval;
mod change;
mod check;
mod component;
mod counted;
mod event;
mod fault;
mod fingerprint;
mod hint;
mod id;
mod inside;
mod invisible;
mod mcp;
mod oddity;
mod odds;
mod oid;
mod pattern;
mod plan;
mod plugin;
mod report;
mod research;
mod revision;
mod source;
mod state;
mod task;
mod taxonomy;

pub use agent::{AgentDefaults, AgentTask, AgentUse, Budget, Uses};
pub use approval::{Approval, ApprovalPolicy, ApprovalRule, Bound};
pub use change::{Change, Sign, changes};
pub use check::{
    Check, CommandCheck, Finding, JsonCheck, Kind as CheckKind, Outcome, TestCounts, TestsCheck,
};
pub use component::{Component, Components, Hook, McpServer, Payload};
pub use counted::counted;
pub use event::{Event, EventKind, Failure, FailureKind, ServiceUse};
pub use fault::{Fault, Rule};
pub use fingerprint::fingerprint;
pub use hint::{Hint, Hinted, Kinded, Trouble, hinted};
pub use id::{Capability, Digest, PatternId, PlanId, PluginId, RunId, StepId};
pub use inside::{ANYWHERE, is_inside};
pub use invisible::{beginning, first_line, invisible, visible};
pub use mcp::{McpCall, McpStart};
pub use oddity::{Oddity, Severity};
pub use oid::Oid;
pub use pattern::{
    Evidence, IssueSeen, KnownIssue, Odds, Pattern, PatternStep, Result as EvidenceResult, Standing,
};
pub use plan::{
    Action, CommandLine, Connection, Effects, Environment, Fills, Grants, Output, Plan, Remedy,
    Repair, Runner, RunnerUp, Step, Understood, may_meet,
};
pub use plugin::{
    ExistingFile, Input, OutputSpec, Place, Plugin, PluginFile, PluginSpec, StepText, TemplateFile,
    TemplateInsert,
};
pub use report::{CheckCounts, RunReport, RunStatus, StepReport};
pub use research::{Analysis, By, Candidate, Need, PatternCandidate, ProvenPattern, Research};
pub use revision::Revision;
pub use source::{GitSource, NPM_REGISTRY, NpmSource, Source};
pub use state::{FailureSeen, Phase, RemedySeen, RunState, StepState, StepStatus};
pub use task::{Constraints, Quality, Task};
pub use taxonomy::{
    Domain, Fault as TaxonomyFault, Meaning, Stage, Taxonomy, Technologies, Technology,
};

/// The version of our file formats; a file says it in its first line, `schema: 1`.
pub const SCHEMA: u32 = 1;

/// The version of what a plan means when it runs; an approval binds it.
pub const ENGINE: u32 = 1;
