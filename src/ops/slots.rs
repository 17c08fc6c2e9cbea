//! The worktrees that the steps of a run work in, one for each that is in flight.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::session::Session;
use crate::checkpoint::{Held, Repository, Worktree};
use crate::model::Oid;
use crate::store::RunFolder;

/// The records of runs: no step needs them, and they grow with every one.
const HIDDEN: &str = ".orchestrate/runs";

/// A worktree with the commit that it was last brought to.
pub struct Slot {
    number: usize,
    pub worktree: Worktree,
    pub base: Oid,
    /// What it holds, as long as nobody has worked in it since that was seen.
    held: Option<Held>,
}

impl Slot {
    /// Returns the name of its folders beside the worktree.
    pub fn name(&self) -> String {
        self.number.to_string()
    }
}

/// The worktrees of a run.
#[derive(Default)]
pub struct Slots {
    free: Vec<Slot>,
    taken: Vec<Slot>,
}

impl Slots {
    /// Returns the first worktree, brought to `tip`; a person finds there what the run has come to.
    pub fn show(&mut self, session: &Session<'_>, tip: &Oid) -> Result<()> {
        let worktree = &self.take(session, tip)?.worktree;
        let path = worktree.path().to_path_buf();
        worktree.restore(&session.project.repository.tree_of(tip)?)?;
        self.release(&path);
        Ok(())
    }

    /// Returns a worktree that nobody works in, brought to `tip`.
    pub fn take(&mut self, session: &Session<'_>, tip: &Oid) -> Result<&Slot> {
        let repository = &session.project.repository;
        let first = (0..).find(|number| !self.taken.iter().any(|slot| slot.number == *number));
        let number = first.context("there is always another number")?;
        let free = self.free.iter().position(|slot| slot.number == number);
        let mut slot = match free {
            Some(place) => self.free.remove(place),
            None => Slot {
                number,
                worktree: Worktree::open_or_add(repository, &session.folder.worktree(number), tip)?
                    .hiding(HIDDEN),
                base: tip.clone(),
                held: None,
            },
        };
        slot.base = tip.clone();
        slot.worktree.set_head(tip)?;
        let held = slot.held.take();
        slot.worktree.prepare(&repository.tree_of(tip)?, held)?;
        self.taken.push(slot);
        self.taken.last().context("it was put there")
    }

    /// Returns the worktree at `path`, which somebody works in.
    pub fn at(&self, path: &Path) -> Result<&Slot> {
        let slot = self.taken.iter().find(|slot| slot.worktree.path() == path);
        slot.with_context(|| format!("`{}` is no worktree of this run", path.display()))
    }

    /// Remembers what the worktree at `path` holds, now that nobody works in it any more.
    pub fn seen(&mut self, path: &Path, held: Option<Held>) {
        let mut taken = self.taken.iter_mut();
        if let Some(slot) = taken.find(|slot| slot.worktree.path() == path) {
            slot.held = held;
        }
    }

    /// Takes a worktree back.
    pub fn release(&mut self, path: &Path) {
        if let Some(place) = self
            .taken
            .iter()
            .position(|slot| slot.worktree.path() == path)
        {
            self.free.push(self.taken.remove(place));
        }
    }
}

/// Removes the worktrees of a run, from whichever session of it they are; without `all` the first one stays.
pub fn remove(repository: &Repository, folder: &RunFolder, all: bool) -> Result<()> {
    let kept = folder.worktree(0);
    let removed = |path: &PathBuf| all || *path != kept;
    let mut worktrees = folder.worktrees()?.into_iter().filter(removed);
    worktrees.try_for_each(|path| Worktree::remove_at(repository, &path))
}
