//! Files into a tree of the object database.

use anyhow::{Context, Result, ensure};
use gix::objs::tree::EntryKind;

use crate::model::{Oid, is_inside};
use crate::tree::is_git_folder;

/// A tree in the making. Its blobs are on the disk at once, and its folders at the end, the root last.
pub struct NewTree<'a> {
    git: &'a gix::Repository,
    editor: gix::object::tree::Editor<'a>,
}

impl<'a> NewTree<'a> {
    pub fn new(git: &'a gix::Repository) -> Result<NewTree<'a>> {
        let empty = git.empty_tree().id;
        let empty = git
            .write_object(gix::objs::Tree::empty())
            .map_or(empty, |id| id.detach());
        Ok(NewTree {
            git,
            editor: git.edit_tree(empty)?,
        })
    }

    /// Adds a file; a later one of the same path takes its place.
    pub fn add(&mut self, path: &str, bytes: &[u8], executable: bool) -> Result<()> {
        ensure!(
            is_inside(path)
                && !path.ends_with('/')
                && !path.contains(char::is_control)
                && !path.split('/').any(is_git_folder),
            "`{}` is no path for a file",
            path.escape_debug()
        );
        let kind = match executable {
            true => EntryKind::BlobExecutable,
            false => EntryKind::Blob,
        };
        let cannot = || format!("cannot keep `{}`", path.escape_debug());
        let blob = self.git.write_blob(bytes).with_context(cannot)?;
        self.editor.upsert(path, kind, blob).with_context(cannot)?;
        Ok(())
    }

    /// Writes the folders, and returns the root's id.
    pub fn finish(mut self) -> Result<Oid> {
        let id = self.editor.write().context("cannot write the folders")?;
        Oid::try_from(id.to_string())
    }
}
