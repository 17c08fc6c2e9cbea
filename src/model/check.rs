//! What is verified after a step, and what was found.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One thing to verify: exactly one of `file`, `changed`, `tests`, `command` and `json` is set.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub id: String,
    /// How the report's results call it; without one it is not listed there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A file, relative to the repository, that has to be there and not be empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// A file or folder, relative to the repository (`.` for all of it), in which the step has to have changed, made or removed something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub changed: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestsCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<CommandCheck>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub json: Option<JsonCheck>,
}

/// A program that runs tests and writes a JUnit report.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestsCheck {
    pub argv: Vec<String>,
    pub junit: String,
    /// The least number of tests that have to pass.
    pub at_least: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
}

/// A program that has to exit 0.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CommandCheck {
    pub argv: Vec<String>,
    /// Its standard output is one flat JSON object of labels and values, shown in the report.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub facts: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout_s: Option<u64>,
}

/// A value in a JSON file: equal to something, or at least so much (a number) or so long (a list, an object, a string).
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JsonCheck {
    pub path: String,
    /// A JSON pointer (RFC 6901).
    pub pointer: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub equals: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_least: Option<u64>,
}

/// The kind of a check, for a `match`.
pub enum Kind<'a> {
    File(&'a str),
    Changed(&'a str),
    Tests(&'a TestsCheck),
    Command(&'a CommandCheck),
    Json(&'a JsonCheck),
}

impl Check {
    /// Returns a check of this name that looks at nothing yet.
    pub fn named(id: &str) -> Check {
        Check {
            id: id.to_string(),
            label: None,
            file: None,
            changed: None,
            tests: None,
            command: None,
            json: None,
        }
    }

    /// Returns what the check is, or why it is none: its kinds exclude each other.
    pub fn kind(&self) -> anyhow::Result<Kind<'_>> {
        let file = self.file.as_deref().map(Kind::File);
        let changed = self.changed.as_deref().map(Kind::Changed);
        let tests = self.tests.as_ref().map(Kind::Tests);
        let command = self.command.as_ref().map(Kind::Command);
        let json = self.json.as_ref().map(Kind::Json);
        let mut kinds = [file, changed, tests, command, json].into_iter().flatten();
        match (kinds.next(), kinds.next()) {
            (Some(kind), None) => Ok(kind),
            _ => anyhow::bail!(
                "check `{}` has to have exactly one of `file`, `changed`, `tests`, `command` and `json`",
                self.id
            ),
        }
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Finding {
    pub check: String,
    pub outcome: Outcome,
    /// What was seen, in one line.
    pub message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// The end of what a failed check printed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub output: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestCounts>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub facts: BTreeMap<String, Value>,
}

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    Passed,
    Failed,
    /// It could not be carried out; never counted as passed.
    Skipped,
}

/// How many tests ended how; `passed` does not hold the substituted ones.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TestCounts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
    /// Passed, but against a stand-in: what stood in, and how many tests used it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub substituted: BTreeMap<String, u32>,
}

impl TestCounts {
    /// Returns how many passed against a stand-in.
    pub fn substituted_total(&self) -> u32 {
        self.substituted.values().sum()
    }

    /// Returns how many tests there were.
    pub fn total(&self) -> u32 {
        self.passed + self.failed + self.skipped + self.substituted_total()
    }
}
