//! Removing what ended runs have left on this machine, and the branches of merged ones.

use anyhow::Result;

use super::history;
use super::{Project, slots};
use crate::model::{RunId, RunStatus};
use crate::store::RunLock;

/// What was removed, or would be.
#[derive(Debug, Default, serde::Serialize)]
pub struct Cleaned {
    pub folders: Vec<String>,
    pub branches: Vec<String>,
    /// What was left, and why.
    pub kept: Vec<String>,
}

/// Removes the worktrees and folders of runs that nobody can go on with or has to, and with `branches` the branches of runs whose
/// result is in the checked out branch. A run that waits for something is kept.
pub fn clean(project: &Project, branches: bool, dry_run: bool) -> Result<Cleaned> {
    let mut cleaned = Cleaned::default();
    let git = project.repository.common_directory();
    let (runs, _) = history::runs(project)?;
    for run in project.folders.runs(git)? {
        let folder = project.folders.run(git, &run);
        let status = runs
            .iter()
            .find(|known| known.run == run)
            .map(|known| known.status);
        if RunLock::is_held(&folder.lock()) {
            cleaned
                .kept
                .push(format!("run `{run}`: it is being carried out"));
        } else if status.is_some_and(|status| status != RunStatus::Done) {
            cleaned.kept.push(format!(
                "run `{run}`: it can go on: `orchestrate --resume {run}`"
            ));
        } else {
            cleaned.folders.push(folder.root().display().to_string());
            if !dry_run {
                let _lock = RunLock::take(&folder.lock(), &run)?;
                slots::remove(&project.repository, &folder, true)?;
                folder.remove()?;
            }
        }
    }
    if branches {
        clean_branches(project, dry_run, &mut cleaned)?;
    }
    Ok(cleaned)
}

fn clean_branches(project: &Project, dry_run: bool, cleaned: &mut Cleaned) -> Result<()> {
    let Some(head) = project.base() else {
        return Ok(());
    };
    for (branch, tip) in project.repository.branches("orchestrate/")? {
        let is_run = branch["orchestrate/".len()..].parse::<RunId>().is_ok();
        let here = project
            .repository
            .branch_tip(&branch)?
            .is_some_and(|tip| tip.remote.is_none());
        if is_run && here && project.repository.is_in_history(&tip, &head)? {
            if !dry_run {
                project.repository.delete_branch(&branch, &tip)?;
            }
            cleaned.branches.push(branch);
        }
    }
    Ok(())
}
