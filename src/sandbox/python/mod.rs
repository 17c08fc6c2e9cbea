//! The Python environments that steps run in: built once, never changed, shared by all runs that want the same.
//!
//! It does not choose packages or versions, and no step writes into an environment: another set of requirements is
//! another environment, beside the first in the cache. Nothing is ever removed from the cache but a build cut off.
//!
//! To add a tool that builds environments: a field of `PythonTool`, and its two commands in `build`.

mod build;
mod interpreter;
mod manifest;
mod package_index;
mod site;

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::Context;

use super::{Cancel, Sandbox, program};
use crate::model::{Hint, Trouble};
use build::Builder;
use interpreter::Interpreter;
pub use manifest::{add_requirement, requirements};
use site::Site;

/// What builds environments: the interpreters found, and uv where there is one.
#[derive(Debug)]
pub struct PythonTool {
    uv: Option<PathBuf>,
    interpreters: Vec<PathBuf>,
    path: OsString,
    chosen: OnceLock<Interpreter>,
}

/// A finished environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonEnvironment {
    /// The folder to put first in a step's PATH.
    pub bin: PathBuf,
    /// The environment's own folder.
    pub root: PathBuf,
    /// What a step must be able to read: the environment, and the interpreter it was made from.
    pub read: Vec<PathBuf>,
}

/// Finds what can build environments in the search path `path`.
/// Fails with `Trouble::Missing` where there is no Python.
pub fn find_python(path: &OsStr) -> anyhow::Result<PythonTool> {
    let uv = program::find_all("uv", path).next();
    let interpreters: Vec<PathBuf> = program::find_all("python3", path).collect();
    if interpreters.is_empty() {
        let (found, advice) = match &uv {
            Some(_) => (
                "there is `uv` but no `python3` in PATH",
                "`uv python install --default` installs one",
            ),
            None => (
                "there is neither `python3` nor `uv` in PATH",
                "install Python 3 with its venv module (Debian, Ubuntu: `apt install python3-venv`)",
            ),
        };
        return Err(anyhow::anyhow!(found))
            .kind(Trouble::Missing)
            .hint(advice);
    }
    Ok(PythonTool {
        uv,
        interpreters,
        path: path.to_owned(),
        chosen: OnceLock::new(),
    })
}

impl PythonTool {
    /// Returns the environment with exactly these requirements below `cache`, building it if it is not there yet.
    /// Needs a package index when it builds; two processes that want the same wait for each other.
    pub fn ensure(
        &self,
        cache: &Path,
        requirements: &[String],
        sandbox: &Sandbox,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<PythonEnvironment> {
        requirements
            .iter()
            .try_for_each(|requirement| manifest::check(requirement))?;
        let interpreter = self.interpreter(sandbox, cancel)?;
        let site = Site::new(cache, &interpreter, requirements)?;
        let environment = site.environment(&interpreter);
        if site.is_ready() {
            return Ok(environment);
        }
        // Released when it goes out of scope, and by the kernel when we are killed.
        let _lock = site.lock(cancel, on_line)?;
        if !site.is_ready() {
            site.clear()?;
            let builder = Builder {
                tool: self,
                interpreter: &interpreter,
                site: &site,
                sandbox,
                cancel,
            };
            let built = builder.build(requirements, on_line);
            site.finish(built.is_ok())?;
            built.context("cannot build the Python environment")?;
        }
        Ok(environment)
    }

    /// Returns the first interpreter in the path that says who it is when asked in the sandbox.
    fn interpreter(&self, sandbox: &Sandbox, cancel: &Cancel) -> anyhow::Result<Interpreter> {
        if let Some(known) = self.chosen.get() {
            return Ok(known.clone());
        }
        let mut refusals = Vec::new();
        for file in &self.interpreters {
            match interpreter::ask(file, &self.path, sandbox, cancel)? {
                Ok(found) => return Ok(self.chosen.get_or_init(|| found).clone()),
                Err(why) => refusals.push(format!("`{}`: {why}", file.display())),
            }
        }
        Err(anyhow::anyhow!(
            "no `python3` in PATH works in the sandbox: {}",
            refusals.join("; ")
        ))
        .kind(Trouble::Missing)
        .hint("put the interpreter's own `bin` folder into PATH, before any shim")
    }
}

/// Returns `path` as text, which is all that a command's arguments can be.
fn text(path: &Path) -> anyhow::Result<String> {
    let text = path
        .to_str()
        .with_context(|| format!("the path `{}` is not UTF-8", path.display()))?;
    Ok(text.to_owned())
}

fn interrupted_if(cancelled: bool) -> anyhow::Result<()> {
    if cancelled {
        return Err(anyhow::anyhow!(
            "building the Python environment was cancelled"
        ))
        .kind(Trouble::Interrupted);
    }
    Ok(())
}
