//! Putting in order what a process left that was killed, whoever looks at the repository next.

use anyhow::Result;

use super::slots;
use crate::checkpoint::{LeftBy, Repository};
use crate::model::RunId;
use crate::store::{Folders, RunFolder, RunLock};

/// Puts every run in order whose process is gone; returns what was done in sentences, and what could not be done.
pub fn recover_all(repository: &Repository, folders: &Folders) -> Vec<String> {
    let git = repository.common_directory();
    let runs = match folders.runs(git) {
        Ok(runs) => runs,
        Err(error) => return vec![format!("{error:#}")],
    };
    let mut said = Vec::new();
    for run in runs {
        let folder = folders.run(git, &run);
        // Somebody who carries the run out now looks after it.
        let wanted = folder.is_unsettled() && !RunLock::is_held(&folder.lock());
        match if wanted {
            recover(repository, &folder, &run)
        } else {
            Ok(Vec::new())
        } {
            Ok(done) => said.extend(
                done.into_iter()
                    .map(|done| format!("run `{run}` was cut off: {done}")),
            ),
            // Somebody else was first.
            Err(_) if !folder.is_unsettled() || RunLock::is_held(&folder.lock()) => {}
            Err(error) => said.push(format!(
                "run `{run}` was cut off, and cannot be put in order: {error:#}"
            )),
        }
    }
    said
}

fn recover(repository: &Repository, folder: &RunFolder, run: &RunId) -> Result<Vec<String>> {
    let lock = RunLock::take(&folder.lock(), run)?;
    let left = lock.left().iter().map(|holder| LeftBy {
        process: holder.process,
        since: holder.since,
        rebooted: holder.rebooted,
    });
    let left: Vec<LeftBy> = left.collect();
    let settled = settle(repository, folder, run, &left);
    if settled.is_err() {
        lock.leave();
    }
    settled
}

fn settle(
    repository: &Repository,
    folder: &RunFolder,
    run: &RunId,
    left: &[LeftBy],
) -> Result<Vec<String>> {
    let done = repository.recover(&folder.journal(), left)?;
    if repository.branch_tip(&run.branch())?.is_none() {
        // It was cut off before its first commit: there is nothing to go on with.
        slots::remove(repository, folder, true)?;
        folder.remove()?;
    }
    Ok(done)
}
