//! A pattern: a proven sequence of steps, and the evidence for it.

use serde::{Deserialize, Serialize};

use super::{Capability, PatternId, PlanId, PluginId, RunId};

/// The file `pattern.yaml`. Its statistics are computed from the evidence beside it and stored nowhere.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pattern {
    pub schema: u32,
    pub id: PatternId,
    pub title: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<String>,
    pub steps: Vec<PatternStep>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub known_issues: Vec<KnownIssue>,
}

/// One step of a pattern.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PatternStep {
    pub capability: Capability,
    pub plugin: PluginId,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<PluginId>,
}

/// Something that went wrong before, and what mended it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KnownIssue {
    pub plugin: PluginId,
    pub issue: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// The one record that a run adds to its pattern.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evidence {
    pub schema: u32,
    pub run: RunId,
    pub plan: PlanId,
    pub at: jiff::Timestamp,
    pub result: Result,
    pub duration_ms: u64,
    pub plugins: Vec<PluginId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub issues: Vec<IssueSeen>,
}

/// How the run ended for its pattern.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Result {
    Success,
    Failure,
}

/// A failure that the run met and got over.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IssueSeen {
    pub plugin: PluginId,
    pub issue: String,
    pub mended_by: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How often a pattern worked, as far as the records say.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Odds {
    pub successes: u32,
    pub runs: u32,
    /// The middle of the posterior, 0 to 1.
    pub rate: f64,
    /// The 95 % interval of the posterior, 0 to 1.
    pub low: f64,
    pub high: f64,
    pub standing: Standing,
}

/// How well a pattern is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No runs yet.
    Untried,
    /// 1 to 4 runs, or too few successes for more.
    Discovered,
    /// 5 to 19 runs, at least 80 % of them successes.
    Validated,
    /// 20 or more runs, at least 90 % of them successes.
    Learned,
    /// 5 or more runs, under 60 % of them successes.
    Deprecated,
}
