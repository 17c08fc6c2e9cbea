//! The MCP server of a step: what its declaration means here, with the plugin's folders and the granted variables filled in.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::{Access, Workspace};
use crate::agent::Program;
use crate::model::McpStart;
use crate::sandbox::{Command, Network};

/// An MCP server that a step speaks with.
#[derive(Debug, Clone)]
pub struct Server {
    pub name: String,
    pub start: McpStart,
    /// The program that starts it, where it is one of the person's rather than of the plugin's.
    pub program: Option<Program>,
    /// Whether the plan lets it reach any address of the network.
    pub reaches_internet: bool,
}

/// How a server is reached from this workspace.
pub enum Reached {
    Program(Box<Command>),
    Address {
        url: String,
        headers: BTreeMap<String, String>,
    },
}

/// Folders that a declaration may name; the older names are Claude Code's, the others those of the standard.
const FOLDERS: [&str; 5] = [
    "CLAUDE_PLUGIN_ROOT",
    "CLAUDE_PLUGIN_DATA",
    "CLAUDE_PROJECT_DIR",
    "PLUGIN_ROOT",
    "PLUGIN_DATA",
];
/// Variables that every program of a step has.
const USUAL: [&str; 4] = ["HOME", "LANG", "PATH", "TMPDIR"];
/// What a plugin may keep between its programs.
const DATA: &str = "plugin-data";

/// Returns the names of the variables in `text` that somebody has to give: those without a default that are no folder of ours.
pub fn variables(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let _ = expanded(text, &mut |name, default| {
        if default.is_none() && !FOLDERS.contains(&name) && !USUAL.contains(&name) {
            names.push(name.to_string());
        }
        Ok(String::new())
    });
    names
}

/// Replaces each `${NAME}` and `${NAME:-default}`; anything else after a `$` stays as it is.
fn expanded(
    text: &str,
    value: &mut dyn FnMut(&str, Option<&str>) -> Result<String>,
) -> Result<String> {
    let mut whole = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        let Some(end) = rest[start..].find('}') else {
            break;
        };
        whole.push_str(&rest[..start]);
        let inside = &rest[start + 2..start + end];
        let (name, default) = match inside.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let is_name = !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '.');
        match is_name {
            true => whole.push_str(&value(name, default)?),
            false => whole.push_str(&rest[start..=start + end]),
        }
        rest = &rest[start + end + 1..];
    }
    whole.push_str(rest);
    Ok(whole)
}

impl Workspace {
    /// Returns how the server of this step is reached; a variable that is neither granted nor has a default is an error.
    pub fn reach(&self, timeout: Duration) -> Result<Reached> {
        let server = self
            .server
            .as_ref()
            .context("a step that calls a tool has a server")?;
        let fill_all = |texts: &BTreeMap<String, String>| -> Result<BTreeMap<String, String>> {
            texts
                .iter()
                .map(|(name, text)| Ok((name.clone(), self.with_variables(text)?)))
                .collect()
        };
        match &server.start {
            McpStart::Address { url, headers } => Ok(Reached::Address {
                url: self.with_variables(url)?,
                headers: fill_all(headers)?,
            }),
            McpStart::Program {
                argv,
                environment,
                directory,
            } => {
                let argv: Vec<String> = argv
                    .iter()
                    .map(|word| self.with_variables(word))
                    .collect::<Result<_>>()?;
                let mut command = self.command(&argv, Access::Write, timeout);
                for name in FOLDERS {
                    command
                        .environment
                        .insert(name.to_string(), self.folder(name)?);
                }
                if let Some(program) = &server.program {
                    command.argv[0] = program.file.display().to_string();
                    command.policy.read.extend(program.read.clone());
                    let path = command.environment.entry("PATH".to_string()).or_default();
                    for folder in &program.path {
                        *path = format!("{path}:{}", folder.display());
                    }
                }
                if server.reaches_internet {
                    command.policy.network = Network::Full;
                }
                command.environment.extend(fill_all(environment)?);
                if let Some(directory) = directory {
                    let directory = self.with_variables(directory)?;
                    command.directory = self.plugin.join(directory);
                }
                Ok(Reached::Program(Box::new(command)))
            }
        }
    }

    fn with_variables(&self, text: &str) -> Result<String> {
        expanded(text, &mut |name, default| {
            if FOLDERS.contains(&name) {
                return self.folder(name);
            }
            let secret = self.secrets.iter().find(|secret| secret.name == name);
            let known = match secret {
                Some(secret) => Some(secret.reveal().to_string()),
                None => self.environment().remove(name),
            };
            match known.or(default.map(str::to_string)) {
                Some(value) => Ok(value),
                None => bail!("the variable `{name}` is neither granted nor has a default"),
            }
        })
    }

    fn folder(&self, name: &str) -> Result<String> {
        let folder = match name {
            "CLAUDE_PROJECT_DIR" => self.directory.clone(),
            "CLAUDE_PLUGIN_DATA" | "PLUGIN_DATA" => {
                let data = self.scratch.join(DATA);
                std::fs::create_dir_all(&data)
                    .with_context(|| format!("cannot create `{}`", data.display()))?;
                data
            }
            _ => self.plugin.clone(),
        };
        let folder = folder.display().to_string();
        ensure!(!folder.contains("${"), "`{folder}` contains `${{`");
        Ok(folder)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let found = expanded(text, &mut |name, default| match (name, default) {
            ("A", _) => Ok("1".to_string()),
            (_, Some(default)) => Ok(default.to_string()),
            (name, None) => bail!("{name}"),
        });
        assert_eq!(
            found.unwrap_or_else(|error| format!("no {error}")),
            expected
        );
    }

    #[test]
    fn variables_are_filled_in_and_nothing_else_is() {
        check("x${A}y${A}", "x1y1");
        check("${B:-two words}", "two words");
        check("${B:-}", "");
        check("${B}", "no B");
        check("$A ${} ${a b} ${A", "$A ${} ${a b} ${A");
        check("${input:x}", "${input:x}");
        assert_eq!(
            variables("${A} ${B:-x} ${CLAUDE_PLUGIN_ROOT}/${HOME} ${user_config.key}"),
            ["A", "user_config.key"]
        );
    }
}
