//! What an earlier run has done already, found by what it was done with.
//!
//! A step's key is over its definition with its plugins' digests, the files that the run began with, and the keys of the steps that
//! it comes after: those it needs, and those that may write where it writes. Whatever else was edited leaves it as it is.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, anyhow};
use serde_json::json;

use super::history::{self, Stored};
use super::host::RunHost;
use super::{Note, Project};
use crate::checkpoint::Graft;
use crate::execute::Reused;
use crate::model::{ENGINE, Hint, Oid, Plan, PluginId, RunId, Step, StepId, Trouble, may_meet};
use crate::store::paths;
use crate::tree;

/// How many hexadecimal digits of a key are kept.
const KEY_DIGITS: usize = 32;

/// How many runs are looked through, newest first.
const RUNS_MAX: usize = 100;

/// Finished steps of earlier runs by their keys.
#[derive(Default)]
pub struct Reusable {
    done: BTreeMap<String, Reused>,
    /// Only these steps; all without it.
    only: Option<BTreeSet<StepId>>,
}

impl Reusable {
    /// Returns what all runs have done that have a branch here, or under a remote.
    pub fn of_all(project: &Project) -> Result<Reusable> {
        let (mut runs, _) = history::runs(project)?;
        runs.reverse();
        let mut reusable = Reusable::default();
        for run in runs.into_iter().take(RUNS_MAX) {
            let stored = history::load(&project.repository, &run.run)?;
            reusable.add(project, &run.run, &stored)?;
        }
        Ok(reusable)
    }

    /// Returns what the run has done in the steps before `from`.
    pub fn before(project: &Project, run: &RunId, stored: &Stored, from: &str) -> Result<Reusable> {
        let steps = &stored.plan.steps;
        let place = steps.iter().position(|step| step.id.as_str() == from);
        let names = || {
            steps
                .iter()
                .map(|step| format!("`{}`", step.id))
                .collect::<Vec<_>>()
                .join(", ")
        };
        let place = place
            .ok_or_else(|| anyhow!("there is no step `{from}` in run `{run}`"))
            .kind(Trouble::Request)
            .hint(format!("its steps are {}", names()))?;
        let mut reusable = Reusable {
            only: Some(steps[..place].iter().map(|step| step.id.clone()).collect()),
            ..Reusable::default()
        };
        reusable.add(project, run, stored)?;
        Ok(reusable)
    }

    fn add(&mut self, project: &Project, run: &RunId, stored: &Stored) -> Result<()> {
        let base = history::base(&stored.events);
        for commit in project.repository.history(&stored.tip, base.as_ref())? {
            let (Some(key), Some(plugin)) = (commit.trailer("Orchestrate-Key"), plugin_of(&commit))
            else {
                continue;
            };
            let done = Reused {
                run: run.clone(),
                commit: commit.id.clone(),
                plugin,
            };
            self.done.entry(key.to_owned()).or_insert(done);
        }
        Ok(())
    }
}

fn plugin_of(commit: &crate::checkpoint::Commit) -> Option<PluginId> {
    let (plugin, _) = commit.trailer("Orchestrate-Plugin")?.split_once('#')?;
    plugin.to_owned().try_into().ok()
}

/// Returns the key of each step of a plan that begins on `base`.
pub fn keys(project: &Project, plan: &Plan, base: &Oid) -> Result<BTreeMap<StepId, String>> {
    let repository = &project.repository;
    let input = repository.tree_without(
        &repository.tree_of(base)?,
        paths::ROOT.trim_end_matches('/'),
    )?;
    let mut keys: BTreeMap<StepId, String> = BTreeMap::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let comes_after =
            |earlier: &&Step| step.needs.contains(&earlier.id) || may_meet(step, earlier);
        let after: Vec<&String> = plan.steps[..index]
            .iter()
            .filter(comes_after)
            .map(|earlier| &keys[&earlier.id])
            .collect();
        let definition = json!({
            "engine": ENGINE, "input": input, "after": after, "id": step.id, "action": step.action, "fallbacks": step.fallbacks,
            "checks": step.checks,
        });
        let digest = tree::of_bytes(definition.to_string().as_bytes());
        keys.insert(step.id.clone(), digest.short(KEY_DIGITS).to_owned());
    }
    Ok(keys)
}

impl RunHost<'_> {
    /// Brings a worktree to what the step left in an earlier run, where one has the same key; says why it may be taken.
    pub fn reuse_step(
        &mut self,
        step: &Step,
    ) -> Result<Option<(Reused, crate::workspace::Workspace)>> {
        let wanted = self
            .reusable
            .only
            .as_ref()
            .is_none_or(|only| only.contains(&step.id));
        let key = self.keys.get(&step.id).filter(|_| wanted);
        let found = key.and_then(|key| self.reusable.done.get(key)).cloned();
        // What a fallback left was made by another action than the one that would run now.
        let Some(done) = found.filter(|done| done.plugin == step.action.plugin) else {
            return Ok(None);
        };
        let repository = &self.session.project.repository;
        let commit = repository.read_commit(&done.commit)?;
        let parent = commit
            .parents
            .first()
            .context("the commit of a step has a parent")?;
        let workspace = match self.prepare_workspace(step, &step.action)? {
            Ok(workspace) => workspace,
            Err(_) => return Ok(None),
        };
        let slot = self.slots.at(&workspace.directory)?;
        let (before, after) = (repository.tree_of(parent)?, commit.tree);
        let tip = repository.tree_of(&self.tip)?;
        let ours = repository.with_ours_of(&after, &before)?;
        let Graft::Done(snapshot) = repository.graft(&tip, &before, ours)? else {
            let text = format!(
                "step `{}` of run `{}` does not fit here any more, and runs anew",
                step.id, done.run
            );
            self.watch.note(Note::Warning { text });
            self.slots.release(&workspace.directory);
            return Ok(None);
        };
        let tree = repository.with_snapshot(&snapshot, &[])?;
        slot.worktree.prepare(&tree, None)?;
        Ok(Some((done, workspace)))
    }
}
