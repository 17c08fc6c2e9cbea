//! The part of a snapshot that a step must not have touched: `.orchestrate/`.

use std::collections::BTreeSet;

use gix::objs::tree::Entry;

use super::folder::{FOLDER_DEPTH_MAX, Folder, Kind, Stamp};
use super::tree::{entries, join};
use super::walk::{Found, Walk};

/// Our own folder, which a step may read and not change.
pub(super) const OURS: &[u8] = b".orchestrate";

impl Walk<'_> {
    /// Says in which paths a part of our folder differs from its entry in the parent tree.
    pub(super) fn compare(
        &mut self,
        folder: &Folder,
        prefix: &[u8],
        name: &[u8],
        known: Option<&Entry>,
        depth: usize,
    ) -> anyhow::Result<()> {
        let path = join(prefix, name);
        let same = match (folder.look(name)?, known) {
            (None, None) => true,
            (None, Some(_)) if self.hidden.is_some_and(|hidden| hidden.as_bytes() == path) => true,
            (Some(stamp), _) if stamp.kind == Kind::Folder && depth < FOLDER_DEPTH_MAX => {
                let before = match known.filter(|entry| entry.mode.is_tree()) {
                    Some(entry) => entries(&self.git, entry.oid)?,
                    None => Vec::new(),
                };
                let inner = folder.enter_unlocked(name)?;
                let mut names: BTreeSet<Vec<u8>> = inner.names()?.into_iter().collect();
                names.extend(before.iter().map(|entry| entry.filename.to_vec()));
                for name in names {
                    let known = before.iter().find(|entry| entry.filename == name);
                    self.compare(&inner, &path, &name, known, depth + 1)?;
                }
                true
            }
            (Some(stamp), Some(entry)) if same_kind(&stamp, entry) => {
                let path = path.clone();
                let found = Found {
                    folder,
                    name,
                    path,
                    stamp,
                };
                // Only the id is wanted: what a step has put there must not even become an object.
                let id = self.content(&found, |walk, bytes| {
                    let kind = gix::objs::Kind::Blob;
                    Ok(gix::objs::compute_hash(
                        walk.git.object_hash(),
                        kind,
                        bytes,
                    )?)
                })?;
                id.is_none_or(|id| id == entry.oid)
            }
            _ => false,
        };
        if !same {
            self.refuse(&path, "was changed by the step, and is kept as it was");
        }
        Ok(())
    }
}

fn same_kind(stamp: &Stamp, entry: &Entry) -> bool {
    match stamp.kind {
        Kind::File => entry.mode.is_blob() && entry.mode.is_executable() == stamp.executable(),
        Kind::Link => entry.mode.is_link(),
        Kind::Folder | Kind::Other(_) => false,
    }
}
