//! Moving a ref by compare-and-swap, under git's own lock.
//!
//! Gix 0.90 reads the packed refs before it takes the lock, so of two writers with a `git pack-refs` between them each could be
//! told the same old value, and the first one's commit would be lost. Here the value is read once nobody else can change it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, anyhow};
use gix::lock::{File as Lock, acquire::Fail};
use gix::refs::{FullName, Target};

use super::journal::Move;
use super::objects::oid;
use super::repository::Repository;
use crate::model::{Hint, Oid, Trouble};

/// How long is waited for somebody else who moves the same ref.
const LOCK_PATIENCE: Duration = Duration::from_millis(500);

/// What became of a move.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Swap {
    Done,
    /// The ref is somewhere else, and was left alone.
    Elsewhere(Option<Oid>),
}

impl Repository {
    /// Moves a ref if it is where it has to be. Fails with `Trouble::Busy` when somebody else holds its lock.
    pub(super) fn swap(&self, moved: &Move) -> anyhow::Result<Swap> {
        let name = FullName::try_from(moved.reference.as_str())
            .map_err(|error| anyhow!("{error}"))
            .with_context(|| format!("`{}` cannot be the name of a branch", moved.reference))
            .kind(Trouble::Request)?;
        let git = self.git();
        if moved.from.is_none() {
            self.refuse_occupied(&git, &moved.reference)?;
        }
        let path = self.common_directory().join(&moved.reference);
        let moving = || format!("cannot move `{}`", moved.reference);
        let mut lock = self.lock(&path).with_context(moving)?;
        let found = value(&git, &name).with_context(moving)?;
        if found != moved.from {
            return Ok(Swap::Elsewhere(found));
        }
        lock.write_all(format!("{}\n", moved.to).as_bytes())
            .with_context(|| format!("cannot write `{}.lock`", path.display()))?;
        self.write_log(&git, moved).with_context(moving)?;
        // A branch below this one that is gone may have left its folder.
        std::fs::remove_dir(&path).ok();
        lock.commit()
            .map_err(|failed| failed.error)
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        self.unsynced().wrote_ref(path);
        Ok(Swap::Done)
    }

    fn lock(&self, path: &Path) -> anyhow::Result<Lock> {
        let patience = Fail::AfterDurationWithBackoff(LOCK_PATIENCE);
        let boundary = Some(self.common_directory().join("refs"));
        Lock::acquire_to_update_resource(path, patience, boundary, 0).or_else(|error| {
            let locked = error.is_retryable();
            let error: anyhow::Result<Lock> = Err(error.into());
            match locked {
                true => error.kind(Trouble::Busy).hint(format!(
                    "when no git command is running: `rm {}.lock`",
                    path.display()
                )),
                false => error,
            }
        })
    }

    /// Refuses a name whose folder is a branch already.
    fn refuse_occupied(&self, git: &gix::Repository, reference: &str) -> anyhow::Result<()> {
        let above = reference
            .match_indices('/')
            .map(|(end, _)| &reference[..end]);
        for name in above.filter(|name| name.starts_with("refs/heads/")) {
            if value(git, &FullName::try_from(name)?)?.is_some() {
                return Err(anyhow!(
                    "`{reference}` cannot be made: there is a branch `{name}`"
                ))
                .kind(Trouble::Request)
                .hint(format!(
                    "git branch -m {0} {0}-old",
                    name.trim_start_matches("refs/heads/")
                ));
            }
        }
        Ok(())
    }

    /// Adds a line to the ref's log, where logs are kept.
    fn write_log(&self, git: &gix::Repository, moved: &Move) -> anyhow::Result<()> {
        let path = self.common_directory().join("logs").join(&moved.reference);
        let wanted = git.refs.write_reflog != gix::refs::store::WriteReflog::Disable;
        if !wanted && !path.exists() {
            return Ok(());
        }
        let writing = || format!("cannot write `{}`", path.display());
        let nowhere = "0".repeat(moved.to.as_str().len());
        let from = moved.from.as_ref().map_or(nowhere.as_str(), Oid::as_str);
        let line = format!("{from} {} {}\n", moved.to, moved.log);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(writing)?;
        }
        let mut options = std::fs::OpenOptions::new();
        let file = options.create(true).append(true).open(&path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .with_context(writing)?;
        self.unsynced().wrote_ref(path);
        Ok(())
    }

    /// Returns the lock file of a ref.
    pub(super) fn lock_path(&self, reference: &str) -> PathBuf {
        self.common_directory().join(format!("{reference}.lock"))
    }
}

/// Returns where a ref is, read anew: its own file, else the list of packed refs.
pub(super) fn value(git: &gix::Repository, name: &FullName) -> anyhow::Result<Option<Oid>> {
    let target = match git.refs.try_find_loose(name.as_ref())? {
        Some(loose) => Some(loose.target),
        None => match git.refs.open_packed_buffer()? {
            Some(packed) => packed
                .try_find(name.as_ref())?
                .map(|found| Target::Object(found.target())),
            None => None,
        },
    };
    match target {
        None => Ok(None),
        Some(Target::Object(id)) => Ok(Some(oid(id))),
        Some(Target::Symbolic(to)) => Err(anyhow!("it stands for another ref, {to:?}")),
    }
}
