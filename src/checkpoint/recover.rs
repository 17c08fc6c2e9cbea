//! Putting right what a process left that was killed, or that lost its power.
//!
//! Only what is provably ours is touched: objects and moves that the journal holds, files that bear the dead process's number, a
//! lock that holds what the journal was about to write. An object that is not what its name says is nobody's.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use anyhow::Context;
use gix::refs::FullName;

use super::folder::{Folder, Kind};
use super::journal::{Journal, Move, Record, decode};
use super::objects::{object_path, temporary_prefix, write_object};
use super::repository::Repository;
use super::swap::{Swap, value};
use super::worktree::aside_prefix;
use crate::model::Oid;

/// A process that ended without putting things in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftBy {
    pub process: u32,
    /// When it began.
    pub since: SystemTime,
    /// Whether the machine was started anew since: then what was not flushed may be lost.
    pub rebooted: bool,
}

impl Repository {
    /// Writes down every checkpoint in `path` from now on before git has it, so that one flush makes it durable.
    pub fn open_journal(&self, path: &Path) -> anyhow::Result<()> {
        let journal = Journal::open(path, self.git().object_hash())?;
        self.sync_objects()?;
        self.unsynced().journal = Some(journal);
        Ok(())
    }

    /// Ends the journal; git is flushed first.
    pub fn close_journal(&self) -> anyhow::Result<()> {
        self.sync()?;
        self.unsynced().journal = None;
        Ok(())
    }

    /// Brings what the journal at `path` holds into git, and tidies up after the processes that left it; nobody may write to the
    /// journal meanwhile. Returns a sentence for each thing that was done.
    pub fn recover(&self, path: &Path, left: &[LeftBy]) -> anyhow::Result<Vec<String>> {
        let bytes = match std::fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            other => {
                other.with_context(|| format!("cannot read the journal `{}`", path.display()))?
            }
        };
        let records = decode(&bytes, self.git().object_hash());
        let mut done = Vec::new();
        for left in left {
            self.remove_temporary(left, &mut done)?;
            self.put_back_aside(left, &mut done)?;
        }
        if left.iter().any(|left| left.rebooted) || self.lost_writes(&records)? {
            // Where the power took even the name of who wrote, any object may be damaged.
            let since = left.iter().map(|left| left.since).min();
            self.remove_damaged(since.unwrap_or(SystemTime::UNIX_EPOCH), &mut done)?;
        }
        self.replay_objects(&records)?;
        self.remember(&records)?;
        for moves in by_reference(&records).values() {
            if !left.is_empty() {
                self.remove_stale_lock(moves, &mut done)?;
            }
            self.replay_moves(moves, &mut done)?;
        }
        self.sync()?;
        if !bytes.is_empty() {
            let file = std::fs::OpenOptions::new().write(true).open(path);
            file.and_then(|file| file.set_len(0))
                .with_context(|| format!("cannot empty the journal `{}`", path.display()))?;
        }
        Ok(done)
    }

    /// Removes the objects that the process had not finished writing.
    fn remove_temporary(&self, left: &LeftBy, done: &mut Vec<String>) -> anyhow::Result<()> {
        let prefix = temporary_prefix(left.process);
        let mut removed = 0;
        for path in self.loose_files()? {
            let name = path.file_name().unwrap_or_default();
            if name.as_encoded_bytes().starts_with(prefix.as_bytes()) {
                remove(&path)?;
                removed += 1;
            }
        }
        if removed > 0 {
            done.push(format!(
                "removed {removed} half-written files of git objects"
            ));
        }
        let git = Folder::open(self.common_directory())?;
        let prefix = aside_prefix(left.process);
        for name in git
            .names()?
            .into_iter()
            .filter(|name| name.starts_with(prefix.as_bytes()))
        {
            git.remove(&name)?;
            done.push("removed what was left of a worktree".to_owned());
        }
        Ok(())
    }

    /// Says whether an object that was written is not there or is empty, as after a power cut.
    fn lost_writes(&self, records: &[Record]) -> anyhow::Result<bool> {
        let git = self.git();
        for (number, record) in records.iter().enumerate() {
            // The last record may have been on its way into git; but an object gets its name only once it is written.
            let all_written = number + 1 < records.len();
            for object in &record.objects {
                let id = gix::objs::compute_hash(git.object_hash(), object.kind, &object.bytes)?;
                let empty = object_path(&git, &id)
                    .metadata()
                    .is_ok_and(|found| found.len() == 0);
                if empty || (all_written && !git.has_object(id)) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Removes the files of objects that are not what their names say: empty ones, and of those written since then
    /// the ones that cannot be read. Gix takes any file for the object, so it would never be written again.
    fn remove_damaged(&self, since: SystemTime, done: &mut Vec<String>) -> anyhow::Result<()> {
        let git = self.git();
        let mut removed = 0;
        for path in self.loose_files()? {
            let (Some(id), Ok(found)) = (id_of(&path), path.metadata()) else {
                continue;
            };
            let recent = found.modified().is_ok_and(|modified| modified >= since);
            if found.len() == 0 || (recent && !is_whole(&git, id)) {
                remove(&path)?;
                removed += 1;
            }
        }
        if removed > 0 {
            done.push(format!(
                "removed {removed} git objects that were cut off before they were on the disk"
            ));
        }
        Ok(())
    }

    /// Returns the files in the folders of loose objects.
    fn loose_files(&self) -> anyhow::Result<Vec<PathBuf>> {
        let objects = self.git().objects.store_ref().path().to_owned();
        let mut files = Vec::new();
        for number in 0..=255 {
            let folder = objects.join(format!("{number:02x}"));
            let entries = match std::fs::read_dir(&folder) {
                Err(error) if error.kind() == ErrorKind::NotFound => continue,
                other => other.with_context(|| format!("cannot list `{}`", folder.display()))?,
            };
            for entry in entries {
                files.push(
                    entry
                        .with_context(|| format!("cannot list `{}`", folder.display()))?
                        .path(),
                );
            }
        }
        Ok(files)
    }

    /// Gives files of the user's the names back that they had before a merge was tried.
    fn put_back_aside(&self, left: &LeftBy, done: &mut Vec<String>) -> anyhow::Result<()> {
        let ending = format!(".{}.aside", left.process);
        let top = self.work_directory().join(".orchestrate");
        if !top.is_dir() {
            return Ok(());
        }
        let mut folders = vec![Folder::open(&top)?];
        while let Some(folder) = folders.pop() {
            for hidden in folder.names()? {
                let kind = folder.look(&hidden)?.map(|stamp| stamp.kind);
                if kind == Some(Kind::Folder) {
                    folders.push(folder.enter(&hidden)?);
                    continue;
                }
                let name = hidden
                    .strip_prefix(b".")
                    .and_then(|name| name.strip_suffix(ending.as_bytes()));
                let Some(name) = name else { continue };
                // The merge got as far as to bring the same bytes under that name.
                match folder.look(name)? {
                    Some(_) => folder.remove(&hidden)?,
                    None => folder.rename(&hidden, name)?,
                }
                let name = String::from_utf8_lossy(name);
                done.push(format!("gave your file `{name}` its name back"));
            }
        }
        Ok(())
    }

    /// Writes what git lacks of the journal's objects, and remembers it for the flush; returns how many there were.
    pub(super) fn replay_objects(&self, records: &[Record]) -> anyhow::Result<usize> {
        let git = self.git();
        let mut lacking = 0;
        for object in records.iter().flat_map(|record| &record.objects) {
            let id = gix::objs::compute_hash(git.object_hash(), object.kind, &object.bytes)?;
            if !git.has_object(id) {
                let path = object_path(&git, &id);
                write_object(&path, object.kind, &object.bytes)?;
                self.unsynced().written(object.kind, &object.bytes, path);
                lacking += 1;
            }
        }
        Ok(lacking)
    }

    /// Remembers the journal's objects for the flush: that they are in git does not say that they are on the disk.
    fn remember(&self, records: &[Record]) -> anyhow::Result<()> {
        let git = self.git();
        for object in records.iter().flat_map(|record| &record.objects) {
            let id = gix::objs::compute_hash(git.object_hash(), object.kind, &object.bytes)?;
            let path = object_path(&git, &id);
            self.unsynced().written(object.kind, &object.bytes, path);
        }
        Ok(())
    }

    /// Removes the lock under which the last of the moves was cut off: it holds nothing, or a part of what the move would write.
    fn remove_stale_lock(&self, moves: &[&Move], done: &mut Vec<String>) -> anyhow::Result<()> {
        let Some(last) = moves.last() else {
            return Ok(());
        };
        let path = self.lock_path(&last.reference);
        let Ok(found) = std::fs::read(&path) else {
            return Ok(());
        };
        let would_be = format!("{}\n", last.to);
        let arrived = self.value_of(&last.reference)? == Some(last.to.clone());
        if !arrived && would_be.as_bytes().starts_with(&found) {
            remove(&path)?;
            done.push(format!("removed the stale lock `{}`", path.display()));
        }
        Ok(())
    }

    /// Moves the ref to where the last of the moves brings it, unless somebody else has moved it.
    fn replay_moves(&self, moves: &[&Move], done: &mut Vec<String>) -> anyhow::Result<()> {
        let (Some(first), Some(last)) = (moves.first(), moves.last()) else {
            return Ok(());
        };
        let found = self.value_of(&last.reference)?;
        let here = self.common_directory().join(&last.reference);
        self.unsynced().wrote_ref(here);
        if found.as_ref() == Some(&last.to) {
            return Ok(());
        }
        let name = last.reference.trim_start_matches("refs/heads/");
        let on_the_way =
            found == first.from || moves.iter().any(|moved| found.as_ref() == Some(&moved.to));
        let lost = found.is_none() && moves.iter().any(|moved| moved.from.is_none());
        let swapped = match on_the_way || lost {
            true => self.swap(&Move {
                from: found.clone(),
                ..(*last).clone()
            })?,
            false => Swap::Elsewhere(found),
        };
        done.push(match swapped {
            Swap::Done => format!("brought branch `{name}` to its last checkpoint, {}", last.to.short()),
            Swap::Elsewhere(found) => format!(
                "left branch `{name}` at {}, where somebody else has moved it; its last checkpoint is {}",
                found.as_ref().map_or("nowhere", Oid::short),
                last.to
            ),
        });
        Ok(())
    }

    /// Returns where a ref is; a file without a ref in it, as a power cut leaves it, is removed.
    fn value_of(&self, reference: &str) -> anyhow::Result<Option<Oid>> {
        let path = self.common_directory().join(reference);
        let blank = |bytes: Vec<u8>| {
            bytes
                .iter()
                .all(|&byte| byte == 0 || byte.is_ascii_whitespace())
        };
        if std::fs::read(&path).is_ok_and(blank) {
            remove(&path)?;
        }
        value(&self.git(), &FullName::try_from(reference)?)
            .with_context(|| format!("cannot read `{reference}`"))
    }
}

fn by_reference(records: &[Record]) -> BTreeMap<&str, Vec<&Move>> {
    let mut moves: BTreeMap<&str, Vec<&Move>> = BTreeMap::new();
    for record in records {
        let of_one = moves.entry(record.moved.reference.as_str()).or_default();
        of_one.push(&record.moved);
    }
    moves
}

/// Returns the id that a loose object's file is named after.
fn id_of(path: &Path) -> Option<gix::ObjectId> {
    let name = path.file_name()?.to_str()?;
    let folder = path.parent()?.file_name()?.to_str()?;
    gix::ObjectId::from_hex(format!("{folder}{name}").as_bytes()).ok()
}

fn is_whole(git: &gix::Repository, id: gix::ObjectId) -> bool {
    let Ok(object) = git.find_object(id) else {
        return false;
    };
    gix::objs::compute_hash(git.object_hash(), object.kind, &object.data)
        .is_ok_and(|found| found == id)
}

fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
