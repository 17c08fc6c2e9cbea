//! What was written and may still be lost when the power fails, and bringing it to the disk for good.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context;

use super::journal::Journal;
use super::repository::Repository;

/// The largest object, and the most bytes in all, that wait in memory for the journal; what does not fit is flushed in git.
const OBJECT_BYTES_MAX: usize = 1 << 20;
const WAITING_BYTES_MAX: usize = 8 << 20;

/// From so many files on, the whole file system is flushed rather than each of them.
const FLUSHES_MAX: usize = 512;

/// Files written since the last `Repository::sync`.
#[derive(Default)]
pub(super) struct Unsynced {
    objects: BTreeSet<PathBuf>,
    refs: BTreeSet<PathBuf>,
    /// Objects that the journal does not hold yet.
    waiting: Vec<Waiting>,
    waiting_bytes: usize,
    /// Where the run keeps what git may lose; without one every commit flushes git itself.
    pub journal: Option<Journal>,
}

/// An object that the journal does not hold yet.
struct Waiting {
    kind: gix::objs::Kind,
    path: PathBuf,
    /// None for one that is too large.
    bytes: Option<Vec<u8>>,
}

/// An object for the journal.
pub(super) struct Fresh {
    pub kind: gix::objs::Kind,
    pub bytes: Vec<u8>,
}

impl Unsynced {
    /// Remembers that an object was written.
    pub fn written(&mut self, kind: gix::objs::Kind, bytes: &[u8], path: PathBuf) {
        if self.journal.is_some() {
            let fits = bytes.len() <= OBJECT_BYTES_MAX
                && self.waiting_bytes + bytes.len() <= WAITING_BYTES_MAX;
            self.waiting_bytes += if fits { bytes.len() } else { 0 };
            self.waiting.push(Waiting {
                kind,
                path: path.clone(),
                bytes: fits.then(|| bytes.to_vec()),
            });
        }
        self.objects.insert(path);
    }

    /// Returns what the journal has to hold, once what is too large for it is on the disk for good.
    pub fn take_fresh(&mut self, top: &Path) -> anyhow::Result<Vec<Fresh>> {
        let large = self.waiting.iter().filter(|object| object.bytes.is_none());
        let large: BTreeSet<PathBuf> = large.map(|object| object.path.clone()).collect();
        flush(&large, top)?;
        self.objects.retain(|path| !large.contains(path));
        self.waiting_bytes = 0;
        let waiting = std::mem::take(&mut self.waiting).into_iter();
        let fresh = waiting.filter_map(|object| {
            let kind = object.kind;
            object.bytes.map(|bytes| Fresh { kind, bytes })
        });
        Ok(fresh.collect())
    }

    /// Gives back what the journal could not take.
    pub fn put_back(&mut self, fresh: Vec<Fresh>) {
        for object in fresh {
            self.waiting_bytes += object.bytes.len();
            self.waiting.push(Waiting {
                kind: object.kind,
                path: PathBuf::new(),
                bytes: Some(object.bytes),
            });
        }
    }

    /// Remembers that a ref or its log was written.
    pub fn wrote_ref(&mut self, path: PathBuf) {
        self.refs.insert(path);
    }
}

impl Repository {
    /// Brings every object and ref written through this handle or its clones since the last call to the disk for good. The
    /// journal is not needed for them any more, and is emptied.
    pub fn sync(&self) -> anyhow::Result<()> {
        self.sync_objects()?;
        let mut unsynced = self.unsynced();
        let refs = std::mem::take(&mut unsynced.refs);
        if let Err(error) = flush(&refs, self.common_directory()) {
            unsynced.refs.extend(refs);
            return Err(error);
        }
        let Some(mut journal) = unsynced.journal.take() else {
            return Ok(());
        };
        drop(unsynced);
        // A `git gc --prune=now` may have taken objects before the branch had them; the journal still has.
        let cut = journal
            .records()
            .and_then(|records| self.replay_objects(&records))
            .and_then(|lost| match lost {
                0 => journal.cut(),
                _ => self.sync_objects().and_then(|()| journal.cut()),
            });
        self.unsynced().journal = Some(journal);
        cut
    }

    /// Brings new objects to the disk; done before a ref names them, so that no power cut leaves a branch without its commit.
    pub(super) fn sync_objects(&self) -> anyhow::Result<()> {
        let top = self.git().objects.store_ref().path().to_owned();
        let mut unsynced = self.unsynced();
        let objects = std::mem::take(&mut unsynced.objects);
        if let Err(error) = flush(&objects, &top) {
            unsynced.objects.extend(objects);
            return Err(error);
        }
        unsynced.waiting.clear();
        unsynced.waiting_bytes = 0;
        Ok(())
    }
}

/// Flushes the files, then the folders they are in up to `top`.
pub(super) fn flush(files: &BTreeSet<PathBuf>, top: &Path) -> anyhow::Result<()> {
    if cfg!(target_os = "linux") && files.len() > FLUSHES_MAX {
        return flush_all(top);
    }
    let mut folders = BTreeSet::new();
    for file in files {
        flush_one(file)?;
        let above = file.ancestors().skip(1);
        folders.extend(
            above
                .take_while(|folder| folder.starts_with(top))
                .map(Path::to_owned),
        );
    }
    folders.iter().try_for_each(|folder| flush_one(folder))
}

/// Flushes the file system that a folder is on, where the platform can: whoever wrote there, git's own programs flush nothing.
pub(super) fn flush_all(folder: &Path) -> anyhow::Result<()> {
    let flushing = || format!("cannot bring what is in `{}` to the disk", folder.display());
    let file = File::open(folder).with_context(flushing)?;
    #[cfg(target_os = "linux")]
    rustix::fs::syncfs(&file).with_context(flushing)?;
    #[cfg(not(target_os = "linux"))]
    drop(file);
    Ok(())
}

fn flush_one(path: &Path) -> anyhow::Result<()> {
    match File::open(path).and_then(|file| file.sync_all()) {
        // Packed in the meantime by a `git gc`, which flushes what it writes.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        result => result.with_context(|| format!("cannot bring `{}` to the disk", path.display())),
    }
}
