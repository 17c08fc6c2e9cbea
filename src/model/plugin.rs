//! A plugin, and what its `orchestrate.yaml` says of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    Capability, Check, CommandLine, Components, Environment, McpCall, Oddity, Payload, PluginId,
    Remedy, Runner, Source, StepId,
};

/// A plugin of a marketplace: a folder of components that somebody else wrote.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plugin {
    pub id: PluginId,
    /// What agents put before the names of its components: the name in its manifest, else its own.
    pub namespace: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub version: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keywords: Vec<String>,
    /// As the catalogue says it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub category: String,
    pub place: Place,
    #[serde(default)]
    pub components: Components,
    /// What is fetched when it is used.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payloads: Vec<Payload>,
    /// What its `orchestrate.yaml` says; a plugin without one is known by its text alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spec: Option<PluginSpec>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub oddities: Vec<Oddity>,
}

impl Plugin {
    /// Returns the plugin's description, category and keywords: what it says of itself.
    pub fn about(&self) -> String {
        format!("{} {}", self.description, self.tags())
    }

    /// Returns its category and keywords.
    pub fn tags(&self) -> String {
        let words = [&self.category].into_iter().chain(&self.keywords);
        let words: Vec<&str> = words
            .map(String::as_str)
            .filter(|word| !word.is_empty())
            .collect();
        words.join(" ")
    }

    /// Says whether `word` is a name, a keyword or a technology of the plugin, whatever its case.
    pub fn goes_by(&self, word: &str) -> bool {
        let technologies = self.spec.iter().flat_map(|spec| &spec.technologies);
        let mut names = technologies.chain(&self.keywords);
        self.id.name.eq_ignore_ascii_case(word)
            || self.id.to_string().eq_ignore_ascii_case(word)
            || names.any(|name| name.eq_ignore_ascii_case(word))
    }
}

/// Where a plugin's files are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// In a folder of its marketplace, by the path from the root; empty for the root itself.
    Inside(String),
    /// In a source of its own, which is fetched when it is needed.
    Elsewhere(Source),
}

/// One file of a plugin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PluginFile {
    pub bytes: Vec<u8>,
    pub executable: bool,
}

/// The file `orchestrate.yaml` of a plugin.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginSpec {
    pub schema: u32,
    #[serde(default)]
    pub domain: Option<String>,
    pub provides: Vec<Capability>,
    /// Lower-case words that `prefer` and `avoid` match.
    #[serde(default)]
    pub technologies: Vec<String>,
    pub step: StepText,
    pub runner: Runner,
    #[serde(default)]
    pub inputs: BTreeMap<String, Input>,
    #[serde(default)]
    pub outputs: BTreeMap<String, OutputSpec>,
    #[serde(default)]
    pub files: Vec<TemplateFile>,
    #[serde(default)]
    pub inserts: Vec<TemplateInsert>,
    #[serde(default)]
    pub environment: Option<Environment>,
    #[serde(default)]
    pub commands: Vec<CommandLine>,
    /// The tool that is called, where the runner is `mcp`; the strings of its arguments are templates over the inputs.
    #[serde(default)]
    pub mcp: Option<McpCall>,
    pub checks: Vec<Check>,
    #[serde(default)]
    pub services: Vec<String>,
    #[serde(default)]
    pub network: Vec<String>,
    /// Paths, or folders ending in `/`, that the step may change.
    #[serde(default)]
    pub writes: Vec<String>,
    /// Files and folders of the repository that the step depends on, beside those that it writes.
    #[serde(default)]
    pub reads: Vec<String>,
    #[serde(default)]
    pub remedies: Vec<Remedy>,
    #[serde(default)]
    pub results: BTreeMap<String, String>,
    #[serde(default)]
    pub timeout_s: Option<u64>,
    #[serde(default)]
    pub attempts_max: Option<u32>,
    #[serde(default)]
    pub backoff_ms: Option<u64>,
}

/// How a step that uses the plugin is called.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StepText {
    pub id: StepId,
    /// What the step does, as an order: `Add JWT authentication`.
    pub title: String,
    /// The same while it runs: `Adding JWT authentication`.
    pub doing: String,
}

/// Something a step takes.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Input {
    /// `string`, `integer`, `boolean`, or the type of another plugin's output.
    #[serde(rename = "type")]
    pub kind: String,
    #[serde(default)]
    pub required: bool,
    #[serde(default)]
    pub default: Option<Value>,
    #[serde(default)]
    pub description: Option<String>,
    /// A regular expression, blind to case: a note that matches sets the input to its first group.
    #[serde(default)]
    pub note: Option<String>,
}

impl Input {
    /// Says whether the input is a plain value rather than another step's output.
    pub fn is_plain(&self) -> bool {
        matches!(self.kind.as_str(), "string" | "integer" | "boolean")
    }
}

/// Something a step leaves for later ones.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputSpec {
    #[serde(rename = "type")]
    pub kind: String,
    /// Its strings are templates over the inputs.
    pub value: Value,
}

/// A file made from a template.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateFile {
    pub template: String,
    pub to: String,
    #[serde(default)]
    pub if_exists: ExistingFile,
    /// The input that has to be present.
    #[serde(default)]
    pub when: Option<String>,
    /// The input that has to be absent.
    #[serde(default)]
    pub unless: Option<String>,
}

/// What to do with a file that is already there with other bytes.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExistingFile {
    #[default]
    Refuse,
    Keep,
}

/// Text put beside a line of a file that is already there.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TemplateInsert {
    pub file: String,
    /// The text of the one line that the insert goes before.
    #[serde(default)]
    pub before: Option<String>,
    #[serde(default)]
    pub after: Option<String>,
    pub text: String,
    #[serde(default)]
    pub when: Option<String>,
    #[serde(default)]
    pub unless: Option<String>,
}

impl TemplateFile {
    /// Says whether the file is made with these inputs.
    pub fn applies(&self, values: &Map<String, Value>) -> bool {
        applies(self.when.as_deref(), self.unless.as_deref(), values)
    }
}

impl TemplateInsert {
    /// Says whether the text is put in with these inputs.
    pub fn applies(&self, values: &Map<String, Value>) -> bool {
        applies(self.when.as_deref(), self.unless.as_deref(), values)
    }
}

fn applies(when: Option<&str>, unless: Option<&str>, values: &Map<String, Value>) -> bool {
    let present = |name: &str| values.get(name).is_some_and(|value| !value.is_null());
    when.is_none_or(present) && !unless.is_some_and(present)
}
