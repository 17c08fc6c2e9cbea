//! The `.gitignore` files of a worktree, one on top of the other.

use std::path::Path;

use anyhow::Context;
use gix::bstr::BStr;
use gix::glob::pattern::Case;
use gix::ignore::Search;
use gix::ignore::search::Ignore;

use super::folder::{Folder, Kind, name_to_path};
use super::repository::Repository;
use super::tree::join;

/// How much of a `.gitignore` is read; a longer one does not count.
const BYTES_MAX: u64 = 1 << 20;

/// What is ignored at the present place of a walk. The user's own global list does not count: a checkpoint is the same for
/// everybody.
pub(super) struct Ignores {
    search: Search,
    case: Case,
}

impl Ignores {
    /// Starts with the repository's `info/exclude`.
    pub fn new(repository: &Repository, git: &gix::Repository) -> anyhow::Result<Ignores> {
        let search = Search::from_git_dir(
            repository.common_directory(),
            None,
            &mut Vec::new(),
            Ignore::default(),
        )
        .context("cannot read `info/exclude`")?;
        let fold = git
            .config_snapshot()
            .boolean("core.ignoreCase")
            .unwrap_or(false);
        let case = if fold { Case::Fold } else { Case::Sensitive };
        Ok(Ignores { search, case })
    }

    /// Takes up the `.gitignore` of a folder, if it is a regular file; returns whether it did.
    pub fn enter(&mut self, folder: &Folder, prefix: &[u8]) -> anyhow::Result<bool> {
        let name = b".gitignore";
        if !matches!(folder.look(name)?, Some(stamp) if stamp.kind == Kind::File) {
            return Ok(false);
        }
        let Some(bytes) = folder.read(name, BYTES_MAX)? else {
            return Ok(false);
        };
        let source = name_to_path(&join(prefix, name)).to_owned();
        self.search
            .add_patterns_buffer(&bytes, source, Some(Path::new("")), Ignore::default())
            .context("cannot read a `.gitignore`")?;
        Ok(true)
    }

    /// Leaves a folder whose `.gitignore` was taken up.
    pub fn leave(&mut self) {
        self.search.patterns.pop();
    }

    /// Returns whether the lists so far say that a path is to be ignored.
    pub fn matches(&self, path: &[u8], is_folder: bool) -> bool {
        self.search
            .pattern_matching_relative_path(BStr::new(path), Some(is_folder), self.case)
            .is_some_and(|found| !found.pattern.is_negative())
    }
}
