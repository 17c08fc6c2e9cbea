//! Coding agents: how each is called without a person, what its events say, and when it has really done its work.
//!
//! A row of the table turns an order into a command, and a line that the agent prints into what was heard. The common judge then decides by
//! everything that was heard, never by the exit status alone: agents end with 0 when a tool was denied, a plugin was broken or the model
//! could not be reached. Nothing is started here, and no key is read: which variables make a login is said, and whoever prepares a step
//! looks them up.
//!
//! To add an agent: a file with `AGENT`, beside those that are there, and its line in `AGENTS`. Measure first what it prints when its model
//! answers 401, 429 and 500, when a tool is denied and when it is killed.

mod claude;
mod codex;
mod component;
mod copilot;
mod gemini;
mod heard;
mod judge;
mod opencode;
mod order;
mod program;
mod qwen;
mod ready;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::model::{AgentTask, Budget};
pub use component::{Instructions, find as component, granted};
pub use heard::{Ended, Fault, Heard};
pub use judge::{Hindsight, Judgement, judge};
pub use order::{Order, correction, rules};
pub use program::Program;
pub use ready::{Login, Ready};

/// An agent of the field.
pub struct Agent {
    pub name: &'static str,
    /// What it is called in PATH.
    pub program: &'static str,
    /// The npm package that brings it.
    pub package: &'static str,
    /// Where its package keeps the program that does the work, from the folder of packages; a wrapper passes no signal on.
    pub native: &'static [&'static str],
    /// What it can log in with; the first that the person has is taken.
    pub logins: &'static [Access],
    /// Whether it is given the plugin as a folder and calls the component by its name; else it is told the component's text.
    pub loads_plugins: bool,
    /// Returns how it is called.
    pub invoke: fn(&Call<'_>) -> Invocation,
    /// Takes in an event, and returns what is worth showing of it.
    pub hear: fn(&Value, &mut Heard) -> Option<String>,
}

/// A way to log in.
pub struct Access {
    /// The variable that holds the key.
    pub variable: &'static str,
    /// The variable that holds another address of the model, for whoever has one.
    pub address_variable: &'static str,
    /// The address of the model.
    pub address: &'static str,
}

/// Every agent that is known.
pub const AGENTS: [&Agent; 6] = [
    &claude::AGENT,
    &codex::AGENT,
    &opencode::AGENT,
    &gemini::AGENT,
    &qwen::AGENT,
    &copilot::AGENT,
];

/// Returns the agent called `name`.
pub fn find(name: &str) -> Option<&'static Agent> {
    AGENTS.iter().copied().find(|agent| agent.name == name)
}

/// What an agent is called with.
pub struct Call<'a> {
    pub program: &'a Path,
    pub task: &'a AgentTask,
    pub order: &'a Order,
    /// A folder that takes the place of the person's own.
    pub home: &'a Path,
    /// The plugin, as it is locked.
    pub plugin: &'a Path,
    /// What stands for the model's address.
    pub address: &'a str,
    /// The variable of the login, and what stands for the key.
    pub variable: &'a str,
    pub pass: &'a str,
    /// The session that is gone on with.
    pub session: Option<&'a str>,
    pub budget: Budget,
}

impl Call<'_> {
    /// Returns what the agent is told: the whole order, or in a session that has it the work alone.
    fn text(&self) -> String {
        match self.session {
            Some(_) => self.order.work.clone(),
            None => self.order.whole(),
        }
    }

    /// Says whether the agent may start any program without asking.
    fn allows_programs(&self) -> bool {
        let tools = &self.task.tools;
        tools.iter().any(|tool| tool.eq_ignore_ascii_case("bash"))
    }
}

/// How an agent is started.
#[derive(Debug, Default, PartialEq)]
pub struct Invocation {
    pub argv: Vec<String>,
    pub environment: BTreeMap<String, String>,
    /// Files that it reads when it starts.
    pub files: Vec<(PathBuf, String)>,
}

impl Invocation {
    /// Returns the start of the program of `call` with these arguments.
    fn new(call: &Call<'_>, arguments: &[&str]) -> Invocation {
        let program = call.program.display().to_string();
        let arguments = arguments.iter().map(|text| text.to_string());
        Invocation {
            argv: std::iter::once(program).chain(arguments).collect(),
            ..Invocation::default()
        }
    }

    fn option(&mut self, name: &str, value: impl Into<String>) {
        self.argv.extend([name.to_string(), value.into()]);
    }

    fn variables(&mut self, variables: &[(&str, &str)]) {
        let owned = variables
            .iter()
            .map(|(name, value)| (name.to_string(), value.to_string()));
        self.environment.extend(owned);
    }
}

/// Returns the text at `path`, such as `message.content`; empty where there is none.
fn text<'a>(value: &'a Value, path: &str) -> &'a str {
    at(value, path).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value, path: &str) -> u64 {
    at(value, path).and_then(Value::as_u64).unwrap_or_default()
}

fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(value, |value, key| value.get(key))
}

fn list<'a>(value: &'a Value, path: &str) -> impl Iterator<Item = &'a Value> {
    at(value, path)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

/// Returns the first line of a text, and no more of it than a line on a screen holds.
fn brief(text: &str) -> String {
    const CHARACTERS_MAX: usize = 160;
    let line = text.trim().lines().next().unwrap_or_default();
    match line.char_indices().nth(CHARACTERS_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line.to_string(),
    }
}

/// Returns how a tool and what it is used on are shown.
fn tool(name: &str, input: &Value) -> String {
    const TELLING: [&str; 9] = [
        "command",
        "file_path",
        "filePath",
        "path",
        "pattern",
        "url",
        "skill",
        "subagent_type",
        "query",
    ];
    let telling = TELLING.iter().find_map(|field| match input.get(field)? {
        Value::String(text) => Some(text.clone()),
        Value::Array(items) => {
            let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
            Some(words.join(" "))
        }
        _ => None,
    });
    brief(&format!("→ {name} {}", telling.unwrap_or_default()))
}

#[cfg(test)]
mod tests;
