//! What the tools are called with, each with its schema.

use anyhow::{Result, anyhow};
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::{Hint, Trouble};

/// How many plugins a search returns at most.
pub const HITS_MAX: usize = 50;

fn hits() -> usize {
    10
}

/// Reads the arguments of a tool; what is missing or unknown is an error.
pub fn read<T: DeserializeOwned>(arguments: Value) -> Result<T> {
    serde_json::from_value(arguments)
        .map_err(|error| anyhow!("the arguments do not fit: {error}"))
        .kind(Trouble::Request)
}

/// What is looked for.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SearchPlugins {
    /// What is to be done, in your words; up to three words are looked up as they are.
    pub request: String,
    /// The most that are returned.
    #[serde(default = "hits")]
    #[schemars(range(min = 1, max = HITS_MAX))]
    pub limit: usize,
}

/// Which plugin is asked about, and for what.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExplainPlugin {
    /// The plugin, `name@marketplace` or its name.
    pub plugin: String,
    /// What is to be done, in your words.
    pub request: String,
}

/// A question.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Question {
    /// The question, in a sentence.
    pub question: String,
}

/// What is to be planned.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanTask {
    /// What to do, in a sentence, with constraints in brackets, such as `[prefer: fastapi] [avoid: redis]`.
    pub task: String,
    /// The pattern to follow; the best one without it.
    #[serde(default)]
    #[schemars(with = "String")]
    pub pattern: Option<String>,
}

/// Which plan is shown.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ShowPlan {
    /// The plan's name, or the beginning or end of it.
    pub plan: String,
}

/// Which plan is carried out.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExecutePlan {
    /// The plan's name, or the beginning or end of it.
    pub plan: String,
    /// The digest of the plan that the person has seen.
    pub digest: String,
}

/// Which run is meant.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NamedRun {
    /// The run's name, or the beginning or end of it.
    pub run: String,
}

/// No arguments.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}
