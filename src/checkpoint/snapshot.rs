//! Turning what a step left in its worktree into a tree.

use anyhow::Context;

use super::objects::{git_id, oid, tree_bytes};
use super::tree::Change;
use super::walk::{Learnt, Walk};
use super::worktree::Worktree;
use crate::model::Oid;

/// What a worktree holds, and how that differs from what it started from.
///
/// The tree is not written yet: `Repository::with_snapshot` does that, together with the files that a commit adds to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    pub tree: Oid,
    pub(super) root: gix::objs::Tree,
    pub changes: Vec<Change>,
    /// One sentence for each thing that is in the worktree and not in the tree, though nobody asked to ignore it.
    pub refused: Vec<String>,
    /// Whether the worktree holds the tree and nothing else.
    pub(super) exact: bool,
}

/// The files that a worktree is known to hold, and nothing else.
#[derive(Debug)]
pub struct Held(pub(super) Vec<gix::objs::tree::Entry>);

impl Snapshot {
    /// Returns what the worktree holds, if that is all that is in it.
    pub fn held(&self) -> Option<Held> {
        self.exact.then(|| Held(self.root.entries.clone()))
    }
}

impl Worktree {
    /// Writes the folder's files, byte for byte, and returns the tree of them.
    ///
    /// Files of `parent_tree` always count; others unless a `.gitignore` in the worktree or the repository's `info/exclude`
    /// names them. `.orchestrate/` and submodules stay as they are in `parent_tree`.
    pub fn snapshot(&self, parent_tree: &Oid) -> anyhow::Result<Snapshot> {
        self.snapshot_without(parent_tree, None, &|_| None)
    }

    /// Does the same, and refuses each file whose bytes or path are `forbidden`: nothing of it is written.
    ///
    /// Where the folder held exactly `parent_tree` and only the paths `written` were written since, nothing else is looked at.
    pub fn snapshot_without(
        &self,
        parent_tree: &Oid,
        written: Option<&[String]>,
        forbidden: &dyn Fn(&[u8]) -> Option<String>,
    ) -> anyhow::Result<Snapshot> {
        let folder = self.folder()?;
        let known = std::mem::take(&mut *self.stamps());
        let mut walk = match written {
            Some(paths) => Walk::to(paths, self.repository(), known, forbidden)?,
            None => Walk::new(self.repository(), known, forbidden)?,
        };
        walk.hidden = self.hidden();
        if !self.pointer_is_ours(&folder)? {
            walk.refuse(b".git", "was changed");
        }
        let root = walk.top(&folder, git_id(parent_tree)?);
        let Learnt {
            stamps,
            refused,
            exact,
        } = walk.end();
        *self.stamps() = stamps;
        let root =
            root.with_context(|| format!("cannot record worktree `{}`", self.path().display()))?;
        let bytes = tree_bytes(&root)?;
        let kind = self.repository().git().object_hash();
        let tree = oid(gix::objs::compute_hash(
            kind,
            gix::objs::Kind::Tree,
            &bytes,
        )?);
        Ok(Snapshot {
            changes: self.repository().changes_to(parent_tree, &tree, &bytes)?,
            refused,
            exact,
            tree,
            root,
        })
    }
}

#[cfg(test)]
mod tests;
