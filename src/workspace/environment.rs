//! The environment that a project's programs run in, built from its manifest.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};

use super::{Line, Workspace, failure, read_plain};
use crate::model::{Failure, FailureKind};
use crate::sandbox::{PythonEnvironment, PythonTool, requirements};

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

impl Workspace {
    /// Builds the environment that the worktree's manifest asks for; does nothing where there is none, or where it is built.
    pub fn build_environment(
        &mut self,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<Result<(), Failure>> {
        let Some(python) = &self.python else {
            return Ok(Ok(()));
        };
        let manifest = match self.manifest(python) {
            Ok(Some(manifest)) => manifest,
            Ok(None) => return Ok(Ok(())),
            Err(error) => {
                let message = format!("{error:#}");
                return Ok(Err(failure(FailureKind::Environment, message, "")));
            }
        };
        match self.built_from(python, &manifest, say) {
            Ok(environment) => {
                if let Some(python) = &mut self.python {
                    python.built = Some(environment);
                }
                Ok(Ok(()))
            }
            Err(error) => Ok(Err(failure(
                FailureKind::Environment,
                format!("{error:#}"),
                "",
            ))),
        }
    }

    fn manifest(&self, python: &Python) -> Result<Option<String>> {
        let Some(bytes) = read_plain(&self.directory.join(&python.manifest))? else {
            return Ok(None);
        };
        let text = String::from_utf8(bytes);
        text.map(Some)
            .with_context(|| format!("`{}` is not UTF-8", python.manifest))
    }

    fn built_from(
        &self,
        python: &Python,
        manifest: &str,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<PythonEnvironment> {
        let wanted =
            requirements(manifest).with_context(|| format!("cannot read `{}`", python.manifest))?;
        anyhow::ensure!(
            wanted.is_empty() || python.may_download,
            "`{}` asks for packages, and the plan grants no `python-packages`",
            python.manifest
        );
        python.tool.ensure(
            &python.cache,
            &wanted,
            &self.sandbox,
            &self.cancel,
            &mut |line| say(Line::Building(line)),
        )
    }
}
