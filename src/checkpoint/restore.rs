//! Putting exactly one tree into a worktree.

use std::collections::HashMap;

use anyhow::Context;
use gix::objs::tree::{Entry, EntryKind};

use super::folder::{FOLDER_DEPTH_MAX, Folder, Kind, Stamp};
use super::objects::git_id;
use super::protected::forbidden;
use super::snapshot::Held;
use super::stamps::{Stamps, now};
use super::tree::{entries, join};
use super::worktree::Worktree;
use crate::model::{Hint, Oid, Trouble};

impl Worktree {
    /// Makes the folder hold exactly a tree, byte for byte: what the tree lacks is removed, ignored files too.
    ///
    /// The index of the worktree becomes that tree as well, so that `git status` in it is clean when `HEAD` has the tree.
    /// Fails with `Trouble::Integrity` when the tree has names that git forbids.
    pub fn restore(&self, tree: &Oid) -> anyhow::Result<()> {
        self.bring_to(tree, None, None)?;
        self.write_index(git_id(tree)?)
    }

    /// Does the same for a step, without the hidden folder and without the index, which no step needs.
    ///
    /// Where it is known what the folder holds, only what differs from that is looked at.
    pub fn prepare(&self, tree: &Oid, held: Option<Held>) -> anyhow::Result<()> {
        self.bring_to(tree, self.hidden(), held)
    }

    fn bring_to(
        &self,
        tree: &Oid,
        hidden: Option<&'static str>,
        held: Option<Held>,
    ) -> anyhow::Result<()> {
        let folder = self.folder()?;
        self.mend_pointer(&folder)?;
        let tree = git_id(tree)?;
        let known = std::mem::take(&mut *self.stamps());
        let (learnt, known) = match held {
            Some(_) => (known, Stamps::default()),
            None => (known.successor(), known),
        };
        let mut restore = Restore {
            git: self.repository().git(),
            learnt,
            known,
            hidden,
        };
        let result = match held {
            Some(Held(from)) => restore.change(&folder, b"", from, tree, 0),
            None => restore.folder(&folder, b"", tree, 0),
        };
        *self.stamps() = restore.learnt;
        result.with_context(|| format!("cannot restore worktree `{}`", self.path().display()))
    }

    /// Writes the index of the worktree, so that git commands in it compare with `tree` without reading every file.
    fn write_index(&self, tree: gix::ObjectId) -> anyhow::Result<()> {
        let write = || -> anyhow::Result<()> {
            let mut stamps = self.stamps();
            if stamps
                .indexed()
                .is_some_and(|indexed| *indexed == (tree, self.index_stamp()))
            {
                return Ok(());
            }
            let mut index = self.repository().git().index_from_tree(&tree)?;
            for (entry, path) in index.entries_mut_with_paths() {
                if let Some(known) = stamps.get(path).filter(|known| known.id == entry.id) {
                    entry.stat = stat(&known.stamp);
                }
            }
            let mut bytes = Vec::new();
            index.write_to(&mut bytes, gix::index::write::Options::default())?;
            self.write("index", &bytes)?;
            stamps.set_indexed(tree, self.index_stamp());
            Ok(())
        };
        write().with_context(|| format!("cannot write the index of `{}`", self.path().display()))
    }
}

struct Restore {
    git: gix::Repository,
    known: Stamps,
    learnt: Stamps,
    hidden: Option<&'static str>,
}

impl Restore {
    fn folder(
        &mut self,
        folder: &Folder,
        prefix: &[u8],
        tree: gix::ObjectId,
        depth: usize,
    ) -> anyhow::Result<()> {
        let wanted = self.wanted(prefix, entries(&self.git, tree)?, depth)?;
        for name in folder.names()? {
            let is_pointer = depth == 0 && name == b".git";
            if !is_pointer && !wanted.contains_key(&name) {
                folder.remove(&name)?;
            }
        }
        wanted
            .iter()
            .try_for_each(|(name, entry)| self.entry(folder, prefix, name, entry, depth))
    }

    /// Turns a folder that holds exactly `from` into `tree`.
    fn change(
        &mut self,
        folder: &Folder,
        prefix: &[u8],
        from: Vec<Entry>,
        tree: gix::ObjectId,
        depth: usize,
    ) -> anyhow::Result<()> {
        let from = self.wanted(prefix, from, depth)?;
        let wanted = self.wanted(prefix, entries(&self.git, tree)?, depth)?;
        for name in from.keys().filter(|name| !wanted.contains_key(*name)) {
            folder.remove(name)?;
        }
        for (name, entry) in &wanted {
            match from.get(name) {
                Some(there) if there == entry => {}
                Some(there) if there.mode.is_tree() && entry.mode.is_tree() => {
                    let inner = open_or_make(folder, name)?;
                    let from = entries(&self.git, there.oid)?;
                    self.change(&inner, &join(prefix, name), from, entry.oid, depth + 1)?;
                }
                _ => self.entry(folder, prefix, name, entry, depth)?,
            }
        }
        Ok(())
    }

    /// Returns the entries of a folder by name, without the hidden one.
    fn wanted(
        &self,
        prefix: &[u8],
        entries: Vec<Entry>,
        depth: usize,
    ) -> anyhow::Result<HashMap<Vec<u8>, Entry>> {
        anyhow::ensure!(
            depth < FOLDER_DEPTH_MAX,
            "its folders are more than {FOLDER_DEPTH_MAX} deep"
        );
        let shown = |entry: &Entry| {
            let hidden = self.hidden.map(str::as_bytes);
            hidden.is_none_or(|hidden| join(prefix, &entry.filename) != hidden)
        };
        let entries = entries.into_iter().filter(shown);
        Ok(entries
            .map(|entry| (entry.filename.to_vec(), entry))
            .collect())
    }

    fn entry(
        &mut self,
        folder: &Folder,
        prefix: &[u8],
        name: &[u8],
        entry: &Entry,
        depth: usize,
    ) -> anyhow::Result<()> {
        let path = join(prefix, name);
        refuse_forbidden(&path, entry)?;
        match entry.mode.kind() {
            EntryKind::Tree => {
                let inner = open_or_make(folder, name)?;
                self.folder(&inner, &path, entry.oid, depth + 1)
            }
            // A submodule stays what it is in a fresh clone: an empty folder.
            EntryKind::Commit => {
                let inner = open_or_make(folder, name)?;
                let names = inner.names()?;
                names.iter().try_for_each(|name| inner.remove(name))
            }
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                self.file(folder, name, &path, entry)
            }
        }
    }

    fn file(
        &mut self,
        folder: &Folder,
        name: &[u8],
        path: &[u8],
        entry: &Entry,
    ) -> anyhow::Result<()> {
        let taken = now();
        let found = folder.look(name)?;
        if let Some(stamp) = found
            .as_ref()
            .filter(|stamp| fits(stamp, entry.mode.kind()))
        {
            if let Some(known) = self
                .known
                .unchanged(path, stamp)
                .filter(|known| known.id == entry.oid)
            {
                self.learnt.keep(path, known.clone());
                return Ok(());
            }
            if self.holds(folder, name, stamp, entry)? {
                self.learnt.learn(path, stamp.clone(), entry.oid, taken);
                return Ok(());
            }
        }
        if found.is_some() {
            folder.remove(name)?;
        }
        let bytes = self.git.find_blob(entry.oid)?.detach().data;
        match entry.mode.kind() {
            EntryKind::Link => folder.link(name, &bytes)?,
            kind => folder.write(name, &bytes, kind == EntryKind::BlobExecutable)?,
        }
        let taken = now();
        if let Some(stamp) = folder.look(name)? {
            self.learnt.learn(path, stamp, entry.oid, taken);
        }
        Ok(())
    }

    /// Returns whether a file or link has the content of an entry.
    fn holds(
        &self,
        folder: &Folder,
        name: &[u8],
        stamp: &Stamp,
        entry: &Entry,
    ) -> anyhow::Result<bool> {
        if stamp.size != self.git.find_header(entry.oid)?.size() {
            return Ok(false);
        }
        let bytes = match stamp.kind {
            Kind::Link => Some(folder.read_link(name)?),
            _ => folder.read(name, stamp.size)?,
        };
        let Some(bytes) = bytes else { return Ok(false) };
        let id = gix::objs::compute_hash(self.git.object_hash(), gix::objs::Kind::Blob, &bytes)?;
        Ok(id == entry.oid)
    }
}

/// Returns whether what stands on the disk could be left as it is, but for its content.
pub(super) fn fits(stamp: &Stamp, kind: EntryKind) -> bool {
    // A second hard link would carry a later change into another file.
    let plain = stamp.mode & 0o7000 == 0 && stamp.mode & 0o600 == 0o600 && stamp.links == 1;
    match (stamp.kind, kind) {
        (Kind::File, EntryKind::Blob) => plain && !stamp.executable(),
        (Kind::File, EntryKind::BlobExecutable) => plain && stamp.executable(),
        (Kind::Link, EntryKind::Link) => true,
        _ => false,
    }
}

fn open_or_make(folder: &Folder, name: &[u8]) -> anyhow::Result<Folder> {
    match folder.look(name)? {
        Some(stamp) if stamp.kind == Kind::Folder => {}
        Some(_) => {
            folder.remove(name)?;
            folder.make(name)?;
        }
        None => folder.make(name)?,
    }
    folder.enter_unlocked(name)
}

fn refuse_forbidden(path: &[u8], entry: &Entry) -> anyhow::Result<()> {
    match forbidden(&entry.filename, entry.mode.is_link()) {
        None => Ok(()),
        Some(why) => {
            let path = String::from_utf8_lossy(path);
            Err(anyhow::anyhow!("the tree has `{path}`: {why}")).kind(Trouble::Integrity)
        }
    }
}

fn stat(stamp: &Stamp) -> gix::index::entry::Stat {
    let time = |(seconds, nanoseconds): (i64, u32)| gix::index::entry::stat::Time {
        secs: seconds as u32,
        nsecs: nanoseconds,
    };
    gix::index::entry::Stat {
        mtime: time(stamp.modified),
        ctime: time(stamp.changed),
        // Git cuts these numbers to 32 bits in the same way.
        dev: stamp.device as u32,
        ino: stamp.inode as u32,
        uid: stamp.user,
        gid: stamp.group,
        size: stamp.size as u32,
    }
}

#[cfg(test)]
mod tests;
