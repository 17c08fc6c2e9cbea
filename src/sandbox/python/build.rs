//! Builds one environment with uv, or with the interpreter's own venv and pip.

use std::fs;
use std::time::Duration;

use anyhow::Context;

use super::interpreter::Interpreter;
use super::package_index::Settings;
use super::site::{Site, create};
use super::{PythonTool, interrupted_if, text};
use crate::model::{Hint, Trouble};
use crate::sandbox::{Cancel, Command, Ending, Network, Outcome, Policy, Sandbox};

/// How long one command of a build may take.
const BUILD_MAX: Duration = Duration::from_secs(20 * 60);
/// How many of a failed tool's last lines are shown.
const LINES_SHOWN: usize = 12;

/// One build of one environment.
pub(super) struct Builder<'a> {
    pub(super) tool: &'a PythonTool,
    pub(super) interpreter: &'a Interpreter,
    pub(super) site: &'a Site,
    pub(super) sandbox: &'a Sandbox,
    pub(super) cancel: &'a Cancel,
}

impl Builder<'_> {
    /// Makes the environment and installs the requirements into it.
    pub(super) fn build(
        &self,
        requirements: &[String],
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<()> {
        let list = self.site.scratch.join("requirements.txt");
        let lines: String = requirements
            .iter()
            .map(|requirement| format!("{requirement}\n"))
            .collect();
        fs::write(&list, lines).with_context(|| format!("cannot write `{}`", list.display()))?;
        let [python, root, list] =
            [&self.interpreter.executable, &self.site.root, &list].map(|path| text(path));
        let (python, root, list) = (python?, root?, list?);
        let inner = format!("{root}/bin/python");
        let (create, install) = match &self.tool.uv {
            Some(uv) => (
                vec![
                    text(uv)?,
                    "venv".into(),
                    "--no-project".into(),
                    "--python".into(),
                    python,
                    root,
                ],
                vec![
                    text(uv)?,
                    "pip".into(),
                    "install".into(),
                    "--compile-bytecode".into(),
                    "--python".into(),
                    inner,
                    "-r".into(),
                    list,
                ],
            ),
            None => (
                vec![python, "-m".into(), "venv".into(), root],
                vec![
                    inner,
                    "-m".into(),
                    "pip".into(),
                    "install".into(),
                    "--no-input".into(),
                    "--disable-pip-version-check".into(),
                    "-r".into(),
                    list,
                ],
            ),
        };
        self.run(create, on_line)?;
        if requirements.is_empty() {
            return Ok(());
        }
        self.run(install, on_line)
    }

    fn run(&self, argv: Vec<String>, on_line: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        let shown = argv.join(" ");
        let outcome = self
            .sandbox
            .run(&self.command(argv)?, self.cancel, on_line)?;
        interrupted_if(outcome.ending == Ending::Cancelled)?;
        if outcome.succeeded() {
            return Ok(());
        }
        explain(
            anyhow::anyhow!("`{shown}` {}:\n{}", outcome.ending, last_lines(&outcome)),
            &outcome.log,
        )
    }

    fn command(&self, argv: Vec<String>) -> anyhow::Result<Command> {
        let site = self.site;
        let caches = [
            ("UV_CACHE_DIR", site.cache.join("uv")),
            ("PIP_CACHE_DIR", site.cache.join("pip")),
        ];
        let settings = Settings::of_the_person();
        let mut environment = settings.environment;
        for (name, folder) in &caches {
            create(folder)?;
            environment.insert((*name).to_owned(), text(folder)?);
        }
        let scratch = text(&site.scratch)?;
        let own = [
            ("HOME", scratch.as_str()),
            ("TMPDIR", &scratch),
            ("LC_ALL", "C.UTF-8"),
            ("NO_COLOR", "1"),
            ("UV_PYTHON_DOWNLOADS", "never"),
            ("UV_NO_PROGRESS", "1"),
        ];
        environment.extend(own.map(|(name, value)| (name.to_owned(), value.to_owned())));
        environment.insert(
            "PATH".to_owned(),
            self.tool.path.to_string_lossy().into_owned(),
        );
        let mut read = settings.read;
        read.extend(self.interpreter.prefixes.iter().cloned());
        read.extend(
            self.tool
                .uv
                .iter()
                .flat_map(|uv| [Some(uv.clone()), uv.canonicalize().ok()])
                .flatten(),
        );
        let mut write = vec![site.root.clone(), site.scratch.clone()];
        write.extend(caches.map(|(_, folder)| folder));
        let policy = Policy {
            read,
            write,
            network: Network::Full,
        };
        Ok(Command {
            argv,
            directory: site.scratch.clone(),
            environment,
            policy,
            timeout: BUILD_MAX,
        })
    }
}

/// Adds what a person can do, where the tool's words tell it.
fn explain(error: anyhow::Error, log: &str) -> anyhow::Result<()> {
    let says = |words: &[&str]| words.iter().any(|word| log.contains(word));
    if says(&[
        "ensurepip is not available",
        "No module named ensurepip",
        "No module named venv",
    ]) {
        return Err(error).kind(Trouble::Missing).hint("install Python's venv module (Debian, Ubuntu: `apt install python3-venv`), or install `uv`");
    }
    if says(UNREACHABLE) {
        return Err(error).kind(Trouble::Missing).hint("the package index did not answer; another one is named by PIP_INDEX_URL or UV_INDEX_URL, a proxy by HTTPS_PROXY");
    }
    if says(&[
        "No matching distribution",
        "not found in the package registry",
        "no version of",
        "No solution found",
    ]) {
        return Err(error).hint("no package fits one of the requirements: look at its name and version in `pyproject.toml`");
    }
    Err(error)
}

/// How pip and uv say that they got no answer.
const UNREACHABLE: &[&str] = &[
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "dns error",
    "Network is unreachable",
    "error sending request",
    "Connection refused",
    "timed out",
    "Failed to fetch",
];

fn last_lines(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome
        .log
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}
