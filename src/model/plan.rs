//! A plan: the steps for one task, as people review them and as they run.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::inside::is_above;
use super::{
    AgentTask, Capability, Check, Constraints, Digest, McpCall, PatternId, PluginId, StepId,
};

/// The file `plan.yaml`: everything that will run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    pub schema: u32,
    /// The version of the rules by which a plan runs.
    pub engine: u32,
    pub task: String,
    #[serde(default, skip_serializing_if = "Constraints::is_empty")]
    pub constraints: Constraints,
    /// What was read out of the task, so that a misreading shows.
    pub understood: Vec<Understood>,
    /// What a reviewer should know: unused notes, dropped wishes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// The pattern that the plan follows; a plan without one was composed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pattern: Option<PatternId>,
    pub steps: Vec<Step>,
}

/// A capability that the task was understood to need.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Understood {
    pub capability: Capability,
    pub because: String,
    pub fills: Fills,
}

/// Whether a needed capability is in the plan.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fills {
    Planned,
    LeftOut,
}

/// One step: something to do, what does it, and how it is known to be done.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Step {
    pub id: StepId,
    pub title: String,
    pub doing: String,
    pub provides: Vec<Capability>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub needs: Vec<StepId>,
    /// Why this plugin.
    pub why: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub runners_up: Vec<RunnerUp>,
    pub action: Action,
    /// Tried in order, under the same checks, when the action has failed for good.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Action>,
    pub checks: Vec<Check>,
    /// Lines for the report.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub results: BTreeMap<String, String>,
    pub attempts_max: u32,
    pub backoff_ms: u64,
    pub timeout_s: u64,
    /// Where what the step does can be seen.
    #[serde(default, skip_serializing_if = "Effects::is_default")]
    pub effects: Effects,
}

/// Where what a step does can be seen.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Effects {
    /// In the files that it leaves: it can be done again from a clean start.
    #[default]
    Files,
    /// Outside of them, as with a deployment: it is never done twice unless a person says so.
    External,
}

impl Effects {
    fn is_default(&self) -> bool {
        *self == Effects::default()
    }
}

/// Says whether two steps declare that they write to the same path, whichever of their actions is taken.
pub fn may_meet(a: &Step, b: &Step) -> bool {
    let writes = |step: &Step| -> Vec<String> {
        let actions = step.actions();
        actions.flat_map(|action| action.writes.clone()).collect()
    };
    let others = writes(b);
    let meet = |one: &String, other: &String| is_above(one, other) || is_above(other, one);
    writes(a)
        .iter()
        .any(|one| others.iter().any(|other| meet(one, other)))
}

/// What carries a step out: a plugin, through a runner, with its inputs and its grants.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Action {
    pub plugin: PluginId,
    pub digest: Digest,
    pub runner: Runner,
    /// Plain values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub inputs: BTreeMap<String, Value>,
    /// Inputs that are outputs of earlier steps.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub connections: BTreeMap<String, Connection>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub outputs: BTreeMap<String, Output>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<Environment>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<CommandLine>,
    /// What the agent is asked to do, where the runner is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentTask>,
    /// The tool that is called, where the runner is `mcp`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mcp: Option<McpCall>,
    pub writes: Vec<String>,
    /// Files and folders that were there before the plan and that the action depends on, beside those that it writes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reads: Vec<String>,
    #[serde(default, skip_serializing_if = "Grants::is_empty")]
    pub grants: Grants,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remedies: Vec<Remedy>,
}

/// A plugin that could also have done a step, and why it does not.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunnerUp {
    pub plugin: PluginId,
    pub why_not: String,
}

/// How a step is carried out.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Runner {
    /// Renders the plugin's templates and runs its declared commands.
    Template,
    /// Runs programs of the plugin, or of the system, with the inputs in a file.
    Command,
    /// Calls a tool of one of the plugin's MCP servers.
    Mcp,
    /// Has a coding agent do it, with the plugin loaded.
    Agent,
}

impl fmt::Display for Runner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Runner::Template => f.write_str("template"),
            Runner::Command => f.write_str("command"),
            Runner::Mcp => f.write_str("mcp"),
            Runner::Agent => f.write_str("agent"),
        }
    }
}

/// An output of an earlier step, written `step.output`.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Connection {
    pub step: StepId,
    pub output: String,
}

impl TryFrom<String> for Connection {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Connection> {
        let (step, output) = text.split_once('.').ok_or_else(|| {
            anyhow::anyhow!("`{text}` is not an output of a step: it is written `step.output`")
        })?;
        Ok(Connection {
            step: step.parse()?,
            output: output.to_string(),
        })
    }
}

impl From<Connection> for String {
    fn from(connection: Connection) -> String {
        format!("{}.{}", connection.step, connection.output)
    }
}

/// A value that later steps can take.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    #[serde(rename = "type")]
    pub kind: String,
    pub value: Value,
}

/// What has to be built before a step's programs can run.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Environment {
    /// The `pyproject.toml` whose dependencies the environment holds.
    pub python: String,
}

/// A program and its arguments; never a line for a shell.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandLine {
    pub argv: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
}

/// What a step may do beyond writing in its own worktree.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Grants {
    /// `python-packages`: building the environment may reach the Python package index. `model`: the agent may reach its model, and nothing
    /// else. `mcp-server`: the plugin's MCP server is elsewhere, and is spoken with at the address that the plugin declares.
    /// `internet`: the plugin's MCP server, started here, may reach any address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub network: Vec<String>,
    /// `redis`, `port`: what the step may connect to on this machine.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<String>,
    /// Names of environment variables whose values the step is given.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub secrets: Vec<String>,
    /// `hooks`, `mcp-servers`: what of the plugin the agent starts by itself.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub programs: Vec<String>,
    /// Files and folders among `writes` that other tools carry out later, such as `.github/`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub protected: Vec<String>,
}

impl Grants {
    /// Says whether nothing is granted.
    pub fn is_empty(&self) -> bool {
        *self == Grants::default()
    }
}

/// A declared repair for a known failure.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remedy {
    pub id: String,
    /// A regular expression on what the failed command or check printed.
    pub when: String,
    /// Adds this line to the dependencies of the environment's manifest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub require: Option<String>,
    /// Runs this program in the worktree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<CommandLine>,
    /// Asks a person to do these things.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ask: Vec<String>,
    /// What the failure teaches, for the list of known issues.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// The kind of a remedy, for a `match`.
pub enum Repair<'a> {
    Require(&'a str),
    Run(&'a CommandLine),
    Ask(&'a [String]),
}

impl Remedy {
    /// Returns what the remedy does, or why it is none: `require`, `run` and `ask` exclude each other.
    pub fn repair(&self) -> anyhow::Result<Repair<'_>> {
        match (&self.require, &self.run, self.ask.as_slice()) {
            (Some(requirement), None, []) => Ok(Repair::Require(requirement)),
            (None, Some(command), []) => Ok(Repair::Run(command)),
            (None, None, actions) if !actions.is_empty() => Ok(Repair::Ask(actions)),
            _ => anyhow::bail!(
                "remedy `{}` has to have exactly one of `require`, `run` and `ask`",
                self.id
            ),
        }
    }
}

impl Plan {
    /// Returns the step called `id`.
    pub fn step(&self, id: &StepId) -> Option<&Step> {
        self.steps.iter().find(|step| step.id == *id)
    }

    /// Returns the number of the step called `id`, from 1.
    pub fn number(&self, id: &StepId) -> usize {
        1 + self
            .steps
            .iter()
            .position(|step| step.id == *id)
            .unwrap_or(self.steps.len())
    }
}

impl Plan {
    /// Returns the inputs of an action by name: its plain ones, and the outputs of the actions that the steps before really used.
    /// `names` are all that the plugin knows; one that nobody gives is null.
    pub fn values<'a>(
        &self,
        action: &Action,
        names: impl Iterator<Item = &'a String>,
        used: impl Fn(&Step) -> Action,
    ) -> Map<String, Value> {
        let mut values: Map<String, Value> =
            names.map(|name| (name.clone(), Value::Null)).collect();
        values.extend(action.inputs.clone());
        for (name, connection) in &action.connections {
            let made = self.step(&connection.step).and_then(|step| {
                let output = used(step).outputs.remove(&connection.output)?;
                Some(output.value)
            });
            values.insert(name.clone(), made.unwrap_or_default());
        }
        values
    }
}

impl Step {
    /// Returns the action tried first, then the fallbacks.
    pub fn actions(&self) -> impl Iterator<Item = &Action> {
        std::iter::once(&self.action).chain(&self.fallbacks)
    }
}
