//! Objects: ids in and out, and writing them.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use gix::zlib::{Compression, stream::deflate};

use super::repository::Repository;
use crate::model::Oid;

/// How often a folder for objects is made anew: `git gc` removes an empty one between our making it and our using it.
const FOLDERS_MADE_MAX: usize = 5;

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
    /// Writes an object unless it is there, and remembers it for the journal and for `sync`.
    pub(super) fn store(
        &self,
        git: &gix::Repository,
        kind: gix::objs::Kind,
        bytes: &[u8],
    ) -> anyhow::Result<gix::ObjectId> {
        let id = gix::objs::compute_hash(git.object_hash(), kind, bytes)?;
        let path = object_path(git, &id);
        if !git.objects.exists_without_refresh(&id) {
            write_object(&path, kind, bytes)?;
        } else if !path.exists() {
            // Git flushes its packs.
            return Ok(id);
        }
        self.unsynced().written(kind, bytes, path);
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
}

/// Returns the file that an object has when it is in no pack.
pub(super) fn object_path(git: &gix::Repository, id: &gix::ObjectId) -> PathBuf {
    let digits = id.to_hex().to_string();
    let objects = git.objects.store_ref().path();
    objects.join(&digits[..2]).join(&digits[2..])
}

/// Writes an object's file, all of it or nothing. Gix does the same under a name that nobody can tell from that of another
/// program; after a crash ours is known by its process, and even if it stays `git gc` removes it in time.
pub(super) fn write_object(path: &Path, kind: gix::objs::Kind, bytes: &[u8]) -> anyhow::Result<()> {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let folder = path.parent().unwrap_or(path);
    let name = format!("{}{number}", temporary_prefix(std::process::id()));
    let temporary = folder.join(name);
    let objects = folder.parent().unwrap_or(folder);
    let writing = || format!("cannot write an object to `{}`", objects.display());
    let write = || -> std::io::Result<()> {
        let file = create(folder, &temporary)?;
        let mut packed = deflate::Write::new(file, Compression::BEST_SPEED);
        packed.write_all(&gix::objs::encode::loose_header(kind, bytes.len() as u64))?;
        packed.write_all(bytes)?;
        packed.flush()?;
        std::fs::rename(&temporary, path)
    };
    write()
        .inspect_err(|_| drop(std::fs::remove_file(&temporary)))
        .with_context(writing)
}

/// Returns what the names of the files begin with that a process has not finished writing.
pub(super) fn temporary_prefix(process: u32) -> String {
    format!("tmp_obj_orchestrate_{process}_")
}

fn create(folder: &Path, path: &Path) -> std::io::Result<std::fs::File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o444);
    for _ in 0..FOLDERS_MADE_MAX {
        match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            result => return result,
        }
        match std::fs::create_dir(folder) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    options.open(path)
}
