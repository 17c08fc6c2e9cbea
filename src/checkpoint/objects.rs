//! Objects: ids in and out, writing, and bringing what was written to the disk for good.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;
use gix::objs::Write as _;

use super::repository::Repository;
use crate::model::Oid;

/// Files written since the last `Repository::sync`.
#[derive(Default)]
pub(super) struct Unsynced {
    objects: BTreeSet<PathBuf>,
    refs: BTreeSet<PathBuf>,
}

/// Returns git's form of an id.
pub(super) fn git_id(id: &Oid) -> anyhow::Result<gix::ObjectId> {
    gix::ObjectId::from_hex(id.as_str().as_bytes())
        .with_context(|| format!("cannot read object id `{id}`"))
}

/// Returns our form of an id.
pub(super) fn oid(id: impl AsRef<gix::hash::oid>) -> Oid {
    Oid::try_from(id.as_ref().to_hex().to_string()).expect("git prints ids in hexadecimal digits")
}

/// Returns a tree as git stores it; its entries have to be in order.
pub(super) fn tree_bytes(tree: &gix::objs::Tree) -> anyhow::Result<Vec<u8>> {
    use gix::objs::WriteTo;
    let mut bytes = Vec::new();
    tree.write_to(&mut bytes)
        .context("cannot put a tree into bytes")?;
    Ok(bytes)
}

impl Repository {
    /// Writes an object unless it is there, and remembers it for `sync`.
    pub(super) fn store(
        &self,
        git: &gix::Repository,
        kind: gix::objs::Kind,
        bytes: &[u8],
    ) -> anyhow::Result<gix::ObjectId> {
        let id = gix::objs::compute_hash(git.object_hash(), kind, bytes)?;
        if git.objects.exists_without_refresh(&id) {
            return Ok(id);
        }
        let write = || git.objects.write_buf_with_known_id(kind, bytes, id);
        // `git gc` removes an empty fan-out folder between our making it and our using it.
        write().or_else(|_| write()).with_context(|| {
            format!(
                "cannot write an object to `{}`",
                self.common_directory().display()
            )
        })?;
        let digits = id.to_hex().to_string();
        let path = git
            .objects
            .store_ref()
            .path()
            .join(&digits[..2])
            .join(&digits[2..]);
        self.unsynced().objects.insert(path);
        Ok(id)
    }

    /// Writes a tree; the order of its entries does not matter.
    pub(super) fn store_tree(
        &self,
        git: &gix::Repository,
        mut tree: gix::objs::Tree,
    ) -> anyhow::Result<gix::ObjectId> {
        tree.entries.sort();
        self.store(git, gix::objs::Kind::Tree, &tree_bytes(&tree)?)
    }

    /// Brings every object and ref written through this handle or its clones since the last call to the disk for good.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.sync_objects()?;
        let refs = std::mem::take(&mut self.unsynced().refs);
        flush(&refs, self.common_directory()).inspect_err(|_| self.unsynced().refs.extend(refs))
    }

    /// Brings new objects to the disk; done before a ref names them, so that no power cut leaves a branch without its commit.
    pub(super) fn sync_objects(&self) -> anyhow::Result<()> {
        let objects = std::mem::take(&mut self.unsynced().objects);
        let top = self.git().objects.store_ref().path().to_owned();
        flush(&objects, &top).inspect_err(|_| self.unsynced().objects.extend(objects))
    }

    /// Remembers that a branch and its log were written.
    pub(super) fn ref_written(&self, name: &str) {
        let common = self.common_directory();
        let mut unsynced = self.unsynced();
        unsynced.refs.insert(common.join(name));
        unsynced.refs.insert(common.join("logs").join(name));
    }
}

/// Flushes the files, then the folders they are in up to `top`.
fn flush(files: &BTreeSet<PathBuf>, top: &Path) -> anyhow::Result<()> {
    let mut folders = BTreeSet::new();
    for file in files {
        flush_one(file)?;
        let above = file
            .ancestors()
            .skip(1)
            .take_while(|folder| folder.starts_with(top));
        folders.extend(above.map(Path::to_owned));
    }
    folders.iter().try_for_each(|folder| flush_one(folder))
}

fn flush_one(path: &Path) -> anyhow::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        // Packed in the meantime by a `git gc`, which flushes what it writes.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("cannot bring `{}` to the disk", path.display())),
    }
}
