//! What an attempt at a step finds: a clean worktree, its plugin's files, its inputs, its environment, its services.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use serde_json::Value;

use super::host::{RunHost, gives_away};
use super::slots::Slot;
use crate::checkpoint::Repository;
use crate::model::{Action, Failure, FailureKind, Plan, ServiceUse, Step};
use crate::sandbox::{Provided, provide_port, provide_redis};
use crate::secret::Secrets;
use crate::workspace::{self, Changes, Folders, Workspace};

impl RunHost<'_> {
    /// Returns the workspace of an attempt, or why it cannot begin.
    pub fn prepare_workspace(
        &mut self,
        step: &Step,
        action: &Action,
    ) -> Result<Result<Workspace, Failure>> {
        let slot = self.slots.take(self.session, &self.tip)?;
        let changes = changes(slot, &self.session.project.repository, &self.hidden)?;
        let (name, directory) = (slot.name(), slot.worktree.path().to_path_buf());
        let log = self.step_logs.entry(step.id.clone()).or_default();
        log.write(&format!("== attempt with {}\n", action.plugin));
        let (plugin, files) = self.session.plugin(action)?;
        let of_plugin = format!("{}-{}", action.plugin.name, action.digest.short(12));
        let folder = self.session.folder.plugin(&name, &of_plugin)?;
        workspace::lay_out(&folder, &files)?;
        let scratch = self.session.folder.scratch(&name)?;
        let values = self.plan.values(
            action,
            plugin.spec.iter().flat_map(|spec| spec.inputs.keys()),
            |step| self.action_used(step),
        );
        let folders = Folders {
            directory,
            scratch: canonical(scratch)?,
            plugin: canonical(folder)?,
        };
        let mut workspace = Workspace::new(folders, files, values, self.sandbox.clone());
        workspace.cancel = self.stop.cancel.clone();
        workspace.changes = Some(changes);
        workspace.agent = self.tools.ready(self.session.project, action)?;
        workspace.server = self.tools.server(self.session.project, action)?;
        workspace.secrets = self.tools.granted(action);
        workspace.hidden = self.hidden.clone();
        workspace.budget_times = self.budget_times;
        if let Some(before) = self.state.step(&step.id) {
            workspace.spent = before.used.clone();
        }
        workspace.python = self.python_for(action);
        for service in &action.grants.services {
            if let Some(failure) = self.provide(service, step, action, &mut workspace)? {
                self.slots.release(&workspace.directory);
                return Ok(Err(failure));
            }
        }
        Ok(Ok(workspace))
    }

    fn action_used(&self, step: &Step) -> Action {
        let state = self.state.step(&step.id);
        state
            .map_or(&step.action, |state| state.action_of(step))
            .clone()
    }

    fn python_for(&self, action: &Action) -> Option<workspace::Python> {
        let environment = action.environment.as_ref()?;
        Some(workspace::Python {
            tool: self.tools.python.clone()?,
            cache: self.session.project.folders.cache.clone(),
            manifest: environment.python.clone(),
            may_download: action
                .grants
                .network
                .iter()
                .any(|grant| grant == "python-packages"),
            built: None,
        })
    }

    /// Gives the workspace a service; returns why the step cannot begin where a person has to act first.
    fn provide(
        &mut self,
        service: &str,
        step: &Step,
        action: &Action,
        workspace: &mut Workspace,
    ) -> Result<Option<Failure>> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let provided = match service {
            "redis" => {
                let url = redis_url(self.plan, action);
                provide_redis(url.as_deref(), &path, &workspace.scratch, &self.sandbox)?
            }
            "port" => provide_port()?,
            other => anyhow::bail!("step `{}` asks for the unknown service `{other}`", step.id),
        };
        match provided {
            Provided::Real {
                how,
                environment,
                ports,
                running,
            } => {
                workspace.services.push(ServiceUse {
                    service: service.to_string(),
                    real: true,
                    how,
                });
                workspace.service_environment.extend(environment);
                workspace.ports.extend(ports);
                workspace.running.extend(running);
            }
            Provided::Substitute { why } => {
                workspace.services.push(ServiceUse {
                    service: service.to_string(),
                    real: false,
                    how: why,
                });
            }
            Provided::Absent { what, actions } => {
                let mut failure = workspace::failure(FailureKind::Service, what, "");
                failure.actions = actions;
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }
}

/// Returns the Redis that the plan or the person names: a port set by a note, else `REDIS_URL`.
fn redis_url(plan: &Plan, action: &Action) -> Option<String> {
    const USUAL: u64 = 6379;
    let actions = plan
        .steps
        .iter()
        .map(|step| &step.action)
        .chain(std::iter::once(action));
    let port = actions
        .filter_map(|action| action.inputs.get("redis_port").and_then(Value::as_u64))
        .find(|port| *port != USUAL);
    match port {
        Some(port) => Some(format!("redis://127.0.0.1:{port}/0")),
        None => std::env::var("REDIS_URL")
            .ok()
            .filter(|url| !url.is_empty()),
    }
}

/// Returns what tells the files that an attempt changed.
fn changes(slot: &Slot, repository: &Repository, hidden: &Secrets) -> Result<Changes> {
    let (worktree, hidden) = (Arc::clone(&slot.worktree), hidden.clone());
    let base = repository.tree_of(&slot.base)?;
    Ok(Arc::new(move || {
        let snapshot =
            worktree.snapshot_without(&base, None, &|bytes| gives_away(&hidden, bytes))?;
        let changes = snapshot.changes.into_iter();
        Ok(changes.map(|change| change.path).collect())
    }))
}

fn canonical(path: PathBuf) -> Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("cannot find `{}`", path.display()))
}
