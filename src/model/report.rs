//! The account of a run: what scripts rely on and what a person reads.

use serde::{Deserialize, Serialize};

use super::{AgentUse, Oid, PlanId, PluginId, RunId, StepId};

/// The file `report.yaml`, and the document that `--json` ends with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RunReport {
    pub schema: u32,
    pub status: RunStatus,
    pub plan: PlanId,
    pub run: RunId,
    pub branch: String,
    /// The last commit of the run; after a merge, the merge commit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// The path of REPORT.md in the repository.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merged: Option<bool>,
    pub task: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pattern: Option<String>,
    pub sandbox: String,
    pub duration_ms: u64,
    pub steps: Vec<StepReport>,
    pub checks: CheckCounts,
    /// Why it is not done, and what goes on from here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub actions: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// How a run ended, or where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RunStatus {
    Done,
    Failed,
    Paused,
    Refused,
    Interrupted,
    Running,
}

/// One step in a report.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepReport {
    pub id: StepId,
    pub plugin: PluginId,
    pub status: String,
    pub attempts: u32,
    pub duration_ms: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// What agents used in all attempts together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used: Option<AgentUse>,
}

/// How many checks of the finished steps ended how.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCounts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}
