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

/// One command of a build, and what it is called in messages.
struct Stage {
    name: &'static str,
    argv: Vec<String>,
}

impl Stage {
    fn new(name: &'static str, argv: &[&str]) -> Stage {
        Stage {
            name,
            argv: argv.iter().map(|&word| word.to_owned()).collect(),
        }
    }
}

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
        let [create, install] = self.stages(&text(&list)?)?;
        self.run(create, on_line)?;
        if requirements.is_empty() {
            return Ok(());
        }
        self.run(install, on_line)
    }

    /// Returns the commands that make an environment and that fill it from a list of requirements.
    fn stages(&self, list: &str) -> anyhow::Result<[Stage; 2]> {
        let python = text(&self.interpreter.executable)?;
        let root = text(&self.site.root)?;
        let inner = format!("{root}/bin/python");
        Ok(match &self.tool.uv {
            Some(uv) => {
                let uv = text(uv)?;
                // A step cannot write the compiled form of modules beside them, so this is the time for it.
                let install = [
                    &uv,
                    "pip",
                    "install",
                    "--compile-bytecode",
                    "--python",
                    &inner,
                    "-r",
                    list,
                ];
                [
                    Stage::new(
                        "uv venv",
                        &[&uv, "venv", "--no-project", "--python", &python, &root],
                    ),
                    Stage::new("uv pip install", &install),
                ]
            }
            None => [
                Stage::new("python3 -m venv", &[&python, "-m", "venv", &root]),
                Stage::new(
                    "pip install",
                    &[
                        &inner,
                        "-m",
                        "pip",
                        "install",
                        "--no-input",
                        "--disable-pip-version-check",
                        "-r",
                        list,
                    ],
                ),
            ],
        })
    }

    fn run(&self, stage: Stage, on_line: &mut dyn FnMut(&str)) -> anyhow::Result<()> {
        let outcome = self
            .sandbox
            .run(&self.command(stage.argv)?, self.cancel, on_line)?;
        interrupted_if(outcome.ending == Ending::Cancelled)?;
        if outcome.succeeded() {
            return Ok(());
        }
        let error = anyhow::anyhow!(
            "`{}` {}:\n{}",
            stage.name,
            outcome.ending,
            last_lines(&outcome)
        );
        explain(error, &outcome.log)
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
    let said = |words: &[&str]| words.iter().any(|word| log.contains(word));
    if said(NO_VENV) {
        let advice = "install Python's venv module (Debian, Ubuntu: `apt install python3-venv`), or install `uv`";
        return Err(error).kind(Trouble::Missing).hint(advice);
    }
    if said(NO_ANSWER) {
        let advice = "the package index did not answer: PIP_INDEX_URL or UV_INDEX_URL names another, HTTPS_PROXY a proxy";
        return Err(error).kind(Trouble::Missing).hint(advice);
    }
    if said(NO_PACKAGE) {
        return Err(error).hint(
            "no package of the index fits: look at the names and versions in `pyproject.toml`",
        );
    }
    Err(error)
}

/// How tools say that Python came without the module that makes environments.
const NO_VENV: &[&str] = &[
    "ensurepip is not available",
    "No module named ensurepip",
    "No module named venv",
];
/// How they say that they got no answer.
const NO_ANSWER: &[&str] = &[
    "Failed to establish a new connection",
    "Temporary failure in name resolution",
    "Network is unreachable",
    "Failed to fetch",
    "error sending request",
    "dns error",
    "Read timed out",
];
/// How they say that there is no such package, or not in that version.
const NO_PACKAGE: &[&str] = &["No matching distribution", "No solution found"];

fn last_lines(outcome: &Outcome) -> String {
    let lines: Vec<&str> = outcome
        .log
        .lines()
        .filter(|line| !line.trim().is_empty())
        .collect();
    lines[lines.len().saturating_sub(LINES_SHOWN)..].join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Hinted, Kinded};

    fn check(log: &str, hint: Option<&str>, kind: Option<Trouble>) {
        let error = explain(anyhow::anyhow!("it failed"), log).unwrap_err();
        assert_eq!(error.to_string(), "it failed");
        let hinted = error.downcast_ref::<Hinted>();
        assert_eq!(
            hinted.map(|hinted| hinted.hint.split([':', ' ']).next().unwrap()),
            hint,
            "{log}"
        );
        let kinded = hinted.and_then(|hinted| hinted.inner().downcast_ref::<Kinded>());
        assert_eq!(kinded.map(|kinded| kinded.kind), kind, "{log}");
    }

    #[test]
    fn a_failed_build_says_what_a_person_can_do() {
        let venv = "The virtual environment was not created successfully because ensurepip is not available.  On Debian";
        check(venv, Some("install"), Some(Trouble::Missing));
        check(
            "error: Failed to fetch: `https://example.org/simple/idna/`",
            Some("the"),
            Some(Trouble::Missing),
        );
        check(
            "ERROR: No matching distribution found for idna==0",
            Some("no"),
            None,
        );
        check("error: command 'gcc' failed", None, None);
    }
}
