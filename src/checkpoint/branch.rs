//! Branches: where they are, and moving one by compare-and-swap.

use std::collections::BTreeMap;

use anyhow::{Context, anyhow};
use gix::bstr::ByteSlice;

use super::commit::NewCommit;
use super::journal::{Journal, Move, Record};
use super::objects::{git_id, oid};
use super::repository::{Head, Identity, Repository};
use super::swap::Swap;
use crate::model::{Hint, Oid, Trouble};

/// How often a branch is looked at until two looks agree.
const LOOKS_MAX: usize = 100;

/// Where a branch is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tip {
    pub commit: Oid,
    /// The remote it was found under; None for a local branch.
    pub remote: Option<String>,
}

impl Repository {
    /// Returns the tip of a branch by its short name: the local one, else that of a remote, `origin` first.
    pub fn branch_tip(&self, branch: &str) -> anyhow::Result<Option<Tip>> {
        let git = self.git();
        if let Some(commit) = find(&git, &format!("refs/heads/{branch}"))? {
            return Ok(Some(Tip {
                commit,
                remote: None,
            }));
        }
        let mut remotes: Vec<String> = git
            .remote_names()
            .iter()
            .map(|name| name.to_str_lossy().into_owned())
            .collect();
        remotes.sort_by_key(|name| (name != "origin", name.clone()));
        for remote in remotes {
            if let Some(commit) = find(&git, &format!("refs/remotes/{remote}/{branch}"))? {
                return Ok(Some(Tip {
                    commit,
                    remote: Some(remote),
                }));
            }
        }
        Ok(None)
    }

    /// Returns the branch that work is merged into: the one that `origin` names, else git's own default, `main` or `master`,
    /// else what is checked out.
    pub fn base_branch(&self) -> anyhow::Result<Option<String>> {
        let git = self.git();
        let named = git.try_find_reference("refs/remotes/origin/HEAD")?;
        let named = named.and_then(|reference| match reference.target() {
            gix::refs::TargetRef::Symbolic(name) => {
                Some(name.as_bstr().to_str_lossy().into_owned())
            }
            gix::refs::TargetRef::Object(_) => None,
        });
        if let Some(branch) = named
            .as_deref()
            .and_then(|name| name.strip_prefix("refs/remotes/origin/"))
        {
            return Ok(Some(branch.to_owned()));
        }
        let own = git.config_snapshot().string("init.defaultBranch");
        let own = own.map(|name| name.to_str_lossy().into_owned());
        for branch in own.into_iter().chain(["main", "master"].map(str::to_owned)) {
            if self.reviewed_tip(&branch)?.is_some() {
                return Ok(Some(branch));
            }
        }
        match self.head()? {
            Head::Branch { name, commit } => Ok(commit.map(|_| name)),
            Head::Detached { .. } => Ok(None),
        }
    }

    /// Returns the tip of a branch as others have it: that of `origin`, else the local one.
    pub fn reviewed_tip(&self, branch: &str) -> anyhow::Result<Option<Oid>> {
        let git = self.git();
        match find(&git, &format!("refs/remotes/origin/{branch}"))? {
            Some(commit) => Ok(Some(commit)),
            None => find(&git, &format!("refs/heads/{branch}")),
        }
    }

    /// Returns the branches whose short names start with `prefix`, in order: the local ones, and those that only a remote has.
    pub fn branches(&self, prefix: &str) -> anyhow::Result<Vec<(String, Oid)>> {
        let cannot = || self.cannot("list the branches of");
        let git = self.git();
        let references = git.references().with_context(cannot)?;
        let mut branches = BTreeMap::new();
        let remote = references.remote_branches().with_context(cannot)?;
        let local = references.local_branches().with_context(cannot)?;
        // The local ones come last, and take the place of a remote's.
        for (reference, is_remote) in remote.map(|r| (r, true)).chain(local.map(|r| (r, false))) {
            let mut reference = reference
                .map_err(|error| anyhow!("{error}"))
                .with_context(cannot)?;
            let short = reference.name().shorten().to_str_lossy().into_owned();
            let name = match short.split_once('/') {
                Some((_, name)) if is_remote => name.to_owned(),
                _ => short,
            };
            if name.starts_with(prefix) {
                let id = reference.peel_to_id().with_context(cannot)?;
                branches.insert(name, oid(id));
            }
        }
        Ok(branches.into_iter().collect())
    }

    /// Deletes a branch that is where it has to be. Fails with `Trouble::Busy` when it is elsewhere or locked.
    pub fn delete_branch(&self, branch: &str, expected: &Oid) -> anyhow::Result<()> {
        use gix::refs::transaction::{Change, PreviousValue, RefEdit, RefLog};
        let name = format!("refs/heads/{branch}");
        let edit = RefEdit {
            change: Change::Delete {
                expected: PreviousValue::MustExistAndMatch(gix::refs::Target::Object(git_id(
                    expected,
                )?)),
                log: RefLog::AndReference,
            },
            name: name
                .as_str()
                .try_into()
                .map_err(|error| anyhow!("{error}"))?,
            deref: false,
        };
        let deleted = self.git().edit_reference(edit);
        deleted
            .map(drop)
            .with_context(|| format!("cannot delete branch `{branch}`"))
            .kind(Trouble::Busy)
    }

    /// Says whether `old` is `new` or in its history.
    pub fn is_in_history(&self, old: &Oid, new: &Oid) -> anyhow::Result<bool> {
        let walking = || format!("cannot read the history of `{new}`");
        let (git, old) = (self.git(), git_id(old)?);
        for info in git.rev_walk([git_id(new)?]).all().with_context(walking)? {
            if info.with_context(walking)?.id == old {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Moves the branch of `new` to `commit`, or fails as `commit()` says. With a journal, the move and every object that it needs
    /// are on the disk for good before git knows of it.
    pub(super) fn move_branch(&self, new: &NewCommit, commit: &Oid) -> anyhow::Result<()> {
        let moved = Move {
            reference: format!("refs/heads/{}", new.branch),
            from: new.expected.cloned(),
            to: commit.clone(),
            log: log_line(new),
        };
        self.write_down(&moved)?;
        if let Swap::Elsewhere(found) = self.swap(&moved)? {
            return moved_elsewhere(new, found.as_ref());
        }
        let full = |journal: &Journal| journal.is_full();
        if self.unsynced().journal.as_ref().is_some_and(full) {
            self.sync()?;
        }
        Ok(())
    }

    /// Brings what the move needs to the disk for good.
    fn write_down(&self, moved: &Move) -> anyhow::Result<()> {
        let top = self.git().objects.store_ref().path().to_owned();
        let mut unsynced = self.unsynced();
        if unsynced.journal.is_none() {
            drop(unsynced);
            return self.sync_objects();
        }
        let record = Record {
            objects: unsynced.take_fresh(&top)?,
            moved: moved.clone(),
        };
        let journal = unsynced.journal.as_mut();
        let written = journal.map_or(Ok(()), |journal| journal.append(&record));
        if written.is_err() {
            unsynced.put_back(record.objects);
        }
        written
    }
}

/// Returns who, when and why, as git's logs of refs have it.
fn log_line(new: &NewCommit) -> String {
    let subject = new.message.lines().next().unwrap_or_default();
    let Identity { name, email, .. } = new.identity;
    let time = new.time_s;
    let subject = subject.replace(['\n', '\r', '\0'], " ");
    format!("{name} <{email}> {time} +0000\tcommit: {subject}")
}

fn moved_elsewhere(new: &NewCommit, found: Option<&Oid>) -> anyhow::Result<()> {
    let place =
        |id: Option<&Oid>| id.map_or("nowhere".to_owned(), |id| format!("at {}", id.short()));
    let (expected, found) = (place(new.expected), place(found));
    let message = format!(
        "branch `{}` has moved: expected {expected}, found {found}",
        new.branch
    );
    Err(anyhow!(message)).kind(Trouble::Busy)
}

/// Looks until two looks agree. Gix reads the list of packed refs before it looks for the ref's own file, so a `git pack-refs`
/// that ends in between makes it report what the list said before: an old value, or none.
fn find(git: &gix::Repository, name: &str) -> anyhow::Result<Option<Oid>> {
    let mut found = look(git, name)?;
    for _ in 0..LOOKS_MAX {
        let anew = gix::open_opts(git.git_dir(), git.open_options().clone())
            .with_context(|| format!("cannot open `{}`", git.git_dir().display()))?;
        let again = look(&anew, name)?;
        if again == found {
            return Ok(found);
        }
        found = again;
    }
    anyhow::bail!("`{name}` does not stop changing")
}

fn look(git: &gix::Repository, name: &str) -> anyhow::Result<Option<Oid>> {
    let cannot = || format!("cannot read `{name}`");
    let Some(mut reference) = git.try_find_reference(name).with_context(cannot)? else {
        return Ok(None);
    };
    let id = reference.peel_to_id().with_context(cannot)?;
    Ok(Some(oid(id)))
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::Tip;
    use crate::checkpoint::fixture::Fixture;

    #[test]
    fn branches_are_found_by_prefix() {
        let fixture = Fixture::with_commit(&[("a", b"1")]);
        for name in ["orchestrate/b", "orchestrate/a", "orchestrated", "other"] {
            fixture.git(&["branch", name]);
        }
        fixture.git(&["pack-refs", "--all"]);
        fixture.git(&["branch", "orchestrate/c"]);
        let found = fixture.repository.branches("orchestrate/").unwrap();
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["orchestrate/a", "orchestrate/b", "orchestrate/c"]);
        assert!(found.iter().all(|(_, commit)| *commit == fixture.head()));
    }

    #[test]
    fn a_branch_of_another_clone_is_found_under_its_remote() {
        let fixture = Fixture::with_commit(&[("a", b"1")]);
        fixture.git(&["branch", "orchestrate/run"]);
        let clone = fixture.outside("clone");
        let from = fixture.repository.work_directory().to_str().unwrap();
        fixture.git(&["clone", from, clone.to_str().unwrap()]);
        let there = Fixture::open(&clone);
        let tip = |remote: Option<&str>| {
            Some(Tip {
                commit: fixture.head(),
                remote: remote.map(str::to_owned),
            })
        };
        assert_eq!(
            there.branch_tip("orchestrate/run").unwrap(),
            tip(Some("origin"))
        );
        assert_eq!(there.branch_tip("main").unwrap(), tip(None));
        assert_eq!(there.branch_tip("orchestrate/none").unwrap(), None);
    }
}
