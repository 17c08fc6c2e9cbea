//! Where a step works: its folder, its scratch folder, its plugin's files, its programs and the services it was given.
//!
//! Both a step's programs and its checks are started here, through the sandbox, so both find the same surroundings. What a step is
//! granted is decided in the plan; this module only turns the grant into a policy.
//!
//! A new kind of environment goes beside `Python`; a new service is a row in `sandbox::Service`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::model::{Action, Failure, FailureKind, PluginFile, ServiceUse};
use crate::sandbox::{Background, Cancel, Command, Ending, Network, Outcome, Policy, PythonEnvironment, PythonTool, Sandbox, requirements};

/// The most characters of output that a failure keeps.
const OUTPUT_MAX: usize = 4000;

/// Everything a step and its checks have.
pub struct Workspace {
    /// The worktree: what a step leaves here is its result.
    pub directory: PathBuf,
    /// Emptied for every attempt.
    pub scratch: PathBuf,
    /// The plugin's files, laid out for its programs; they are not written again.
    pub plugin: PathBuf,
    pub files: BTreeMap<String, PluginFile>,
    /// The inputs by name; an optional one that nobody gives is null.
    pub values: Map<String, Value>,
    pub services: Vec<ServiceUse>,
    pub service_environment: BTreeMap<String, String>,
    pub ports: BTreeSet<u16>,
    /// Started for this attempt, and ended with it.
    pub running: Vec<Background>,
    pub python: Option<Python>,
    pub sandbox: Sandbox,
    pub cancel: Cancel,
}

/// The Python environment of the project in the worktree.
pub struct Python {
    pub tool: Arc<PythonTool>,
    /// Where environments are kept, outside every repository.
    pub cache: PathBuf,
    /// Its `pyproject.toml`, relative to the worktree.
    pub manifest: String,
    /// Whether the plan grants the package index.
    pub may_download: bool,
    pub built: Option<PythonEnvironment>,
}

/// What a program may do with the worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    /// Checks look and do not touch, so what was checked is what is committed.
    Read,
}

impl Workspace {
    /// Builds the environment that the worktree's manifest asks for; does nothing where there is none, or where it has not changed.
    pub fn build_environment(&mut self, on_line: &mut dyn FnMut(&str)) -> Result<Result<(), Failure>> {
        let Some(python) = &mut self.python else {
            return Ok(Ok(()));
        };
        let path = self.directory.join(&python.manifest);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Ok(())),
            Err(error) => return Err(error).with_context(|| format!("cannot read `{}`", path.display())),
        };
        let wanted = match requirements(&text).with_context(|| format!("cannot read `{}`", python.manifest)) {
            Ok(wanted) => wanted,
            Err(error) => return Ok(Err(failure(FailureKind::Environment, format!("{error:#}"), ""))),
        };
        if !wanted.is_empty() && !python.may_download {
            let message = format!("`{}` asks for packages, and the plan grants no `python-packages`", python.manifest);
            return Ok(Err(failure(FailureKind::Environment, message, "")));
        }
        match python.tool.ensure(&python.cache, &wanted, &self.sandbox, &self.cancel, on_line) {
            Ok(environment) => {
                python.built = Some(environment);
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(failure(FailureKind::Environment, format!("{error:#}"), ""))),
        }
    }

    /// Runs a program of the step; `${scratch}` and `${plugin}` in its arguments are the folders of these names.
    pub fn run(&self, argv: &[String], access: Access, timeout: Duration, on_line: &mut dyn FnMut(&str)) -> Result<Outcome> {
        let mut policy = Policy {
            read: vec![self.directory.clone(), self.plugin.clone()],
            write: vec![self.scratch.clone()],
            network: match self.ports.is_empty() {
                true => Network::Off,
                false => Network::Ports(self.ports.clone()),
            },
        };
        if access == Access::Write {
            policy.write.push(self.directory.clone());
        }
        policy.read.extend(self.built().iter().flat_map(|python| python.read.clone()));
        let command = Command {
            argv: argv.iter().map(|argument| self.fill(argument)).collect(),
            directory: self.directory.clone(),
            environment: self.environment(),
            policy,
            timeout,
        };
        self.sandbox.run(&command, &self.cancel, on_line)
    }

    fn built(&self) -> Option<&PythonEnvironment> {
        self.python.as_ref().and_then(|python| python.built.as_ref())
    }

    /// Returns `text` with the names of folders filled in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("${scratch}", &self.scratch.display().to_string())
            .replace("${plugin}", &self.plugin.display().to_string())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let scratch = self.scratch.display().to_string();
        let mut path = String::from("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(python) = self.built() {
            path = format!("{}:{path}", python.bin.display());
        }
        let mut environment = BTreeMap::from([
            ("PATH".to_string(), path),
            ("HOME".to_string(), scratch.clone()),
            ("TMPDIR".to_string(), scratch),
            ("LANG".to_string(), "C.UTF-8".to_string()),
            ("PYTHONDONTWRITEBYTECODE".to_string(), "1".to_string()),
        ]);
        environment.extend(self.service_environment.clone());
        environment
    }
}

/// Lays the files of a plugin out in `folder`, as its programs find them.
pub fn lay_out(folder: &Path, files: &BTreeMap<String, PluginFile>) -> Result<()> {
    for (name, file) in files {
        let path = folder.join(name);
        let writing = || format!("cannot write `{}`", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).with_context(writing)?;
        std::fs::write(&path, &file.bytes).with_context(writing)?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).with_context(writing)?;
        }
    }
    Ok(())
}

/// Returns the failure of a program that did not end well, or none.
pub fn failure_of(kind: FailureKind, argv: &[String], outcome: &Outcome, timeout: Duration) -> Option<Failure> {
    let program = argv.join(" ");
    let (kind, what) = match &outcome.ending {
        Ending::Exited(0) => return None,
        Ending::Exited(status) => (kind, format!("`{program}` exited with status {status}")),
        Ending::Signalled(signal) => (kind, format!("`{program}` was ended by signal {signal}")),
        Ending::TimedOut => (FailureKind::Timeout, format!("`{program}` was ended after {} s", timeout.as_secs())),
        Ending::Cancelled => (kind, format!("`{program}` was stopped")),
        Ending::NotStarted(why) => (kind, why.clone()),
    };
    let last = last_words(&outcome.log);
    let message = if last.is_empty() { what } else { format!("{what}: {last}") };
    Some(failure(kind, message, &outcome.log))
}

/// Returns a failure with the end of `output`.
pub fn failure(kind: FailureKind, message: impl Into<String>, output: &str) -> Failure {
    Failure { kind, message: printable(&message.into()), output: tail(output), actions: Vec::new() }
}

/// Returns the line that says most: the last one that looks like an error, else the last one.
fn last_words(log: &str) -> String {
    let lines = || log.lines().rev().map(str::trim).filter(|line| !line.is_empty());
    let telling = lines().take(60).find(|line| {
        let lower = line.to_ascii_lowercase();
        line.starts_with("E   ") || lower.contains("error:") || lower.contains("not found") || lower.contains("is not installed")
    });
    let line = telling.or_else(|| lines().next()).unwrap_or_default();
    line.trim_start_matches("E ").trim().chars().take(300).collect()
}

/// Returns the end of `output`, from the start of a line, without characters that YAML or a terminal would stumble over.
pub fn tail(output: &str) -> String {
    let clean = printable(output);
    let start = clean.char_indices().rev().nth(OUTPUT_MAX).map_or(0, |(start, _)| start);
    let tail = &clean[start..];
    match (start, tail.find('\n')) {
        (0, _) | (_, None) => tail.to_string(),
        (_, Some(end)) => tail[end + 1..].to_string(),
    }
}

/// Returns `text` without escape sequences and other characters that do not show.
pub fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\n' | '\t' => clean.push(c),
            c if c.is_control() || crate::yaml::invisible(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if rest.next_if_eq(&'[').is_some() {
        // A control sequence ends with a letter or a sign from `@` to `~`.
        while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
    }
}

/// Returns which of the step's paths `path` is not under, as a person wrote them in `writes`.
pub fn may_write(action: &Action, path: &str) -> bool {
    action.writes.iter().any(|allowed| match allowed.strip_suffix('/') {
        Some(folder) => path.strip_prefix(folder).is_some_and(|rest| rest.starts_with('/')),
        None => path == allowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_printed_becomes_plain_text() {
        assert_eq!(printable("\u{1b}[31mred\u{1b}[0m\u{7}\u{202e}\ttab\r\n"), "red\ttab\n");
        assert_eq!(last_words("a\nE   ModuleNotFoundError: no x\n1 error in 2s\n"), "ModuleNotFoundError: no x");
        assert_eq!(last_words("one\ntwo\n\n"), "two");
        assert!(tail(&"line\n".repeat(5000)).starts_with("line\n"));
        assert!(tail(&"é".repeat(50_000)).chars().count() <= OUTPUT_MAX + 1);
    }
}
