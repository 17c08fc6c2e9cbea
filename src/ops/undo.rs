//! Taking the merge of a run back, by a new commit on top of whatever came after it.

use anyhow::{Result, anyhow};

use super::{Project, history};
use crate::checkpoint::{Commit, Graft, Head, Merge};
use crate::model::{Hint, Oid, RunId, Trouble};

/// A run that was taken back.
#[derive(Debug, serde::Serialize)]
pub struct Undone {
    pub run: RunId,
    pub branch: String,
    pub commit: Oid,
    pub merge: Oid,
}

/// Takes what the run called `name` brought into the checked out branch out of it again. The record of the run stays.
pub fn undo(project: &Project, name: &str) -> Result<Undone> {
    let repository = &project.repository;
    let run = history::find_run(repository, name)?;
    let Head::Branch {
        name: branch,
        commit: Some(head),
    } = repository.head()?
    else {
        return Err(anyhow!(
            "no branch is checked out to take run `{run}` back from"
        ))
        .kind(Trouble::Request)
        .hint("git switch main");
    };
    let merge = merge_of(project, &run, &head)?;
    if !repository.is_clean()? {
        return Err(anyhow!("there are uncommitted changes in your folder"))
            .kind(Trouble::Request)
            .hint("git stash");
    }
    let (with, without) = (merge.tree.clone(), repository.tree_of(&merge.parents[0])?);
    let back = repository.with_ours_of(&without, &with)?;
    let snapshot = match repository.graft(&repository.tree_of(&head)?, &with, back)? {
        Graft::Done(snapshot) => snapshot,
        Graft::Conflict(paths) => {
            return Err(anyhow!(
                "what came after run `{run}` changed the same files: {}",
                paths.join(", ")
            ))
            .kind(Trouble::Request)
            .hint(format!("git revert -m 1 {}", merge.id));
        }
    };
    if snapshot.changes.is_empty() {
        return Err(anyhow!("nothing of run `{run}` is left in `{branch}`")).kind(Trouble::Request);
    }
    let tree = repository.with_snapshot(&snapshot, &[])?;
    let subject = merge.message.lines().next().unwrap_or_default();
    let message = format!(
        "undo: {subject}\n\nThis takes back what {} merged. The record of the run stays.\n\nOrchestrate-Run: {run}\nOrchestrate-Phase: undo\n",
        merge.id
    );
    let time_s = project.clock.now().as_second();
    let commit = repository.write_commit(
        &tree,
        std::slice::from_ref(&head),
        &message,
        &repository.identity(),
        time_s,
    )?;
    match repository.fast_forward(&branch, &head, &commit)? {
        Merge::Done => {}
        Merge::Refused { why } => {
            return Err(anyhow!("run `{run}` is not taken back: {why}")).kind(Trouble::Busy);
        }
    }
    repository.sync()?;
    Ok(Undone {
        run,
        branch,
        commit,
        merge: merge.id,
    })
}

/// Returns the commit of the checked out branch that brought the run in.
fn merge_of(project: &Project, run: &RunId, head: &Oid) -> Result<Commit> {
    let stored = history::load(&project.repository, run)?;
    let base = history::base(&stored.events);
    let since = project.repository.history(head, base.as_ref())?;
    let merge = since
        .into_iter()
        .find(|commit| commit.parents.get(1) == Some(&stored.tip));
    merge
        .ok_or_else(|| anyhow!("run `{run}` was not merged into what is checked out"))
        .kind(Trouble::Request)
        .hint("git log --first-parent --oneline")
}
