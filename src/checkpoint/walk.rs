//! The walk through a worktree that turns its folders into trees.

use std::collections::HashMap;

use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind, EntryMode};

use super::folder::{FOLDER_DEPTH_MAX, Folder, Kind, Stamp};
use super::ignores::Ignores;
use super::ours::OURS;
use super::protected::forbidden;
use super::repository::Repository;
use super::restore::fits;
use super::stamps::{Stamps, now};
use super::tree::{entries, join};

/// The largest file that is recorded, in bytes; it is held in memory as a whole.
const FILE_BYTES_MAX: u64 = 512 << 20;

/// Where the walk is.
struct Place {
    prefix: Vec<u8>,
    depth: usize,
    /// A folder above is ignored: only what the parent tree has counts here.
    ignored: bool,
}

impl Place {
    /// Returns whether a name is the `.git` file or our own folder, which are no part of the walk.
    fn is_special(&self, name: &[u8]) -> bool {
        self.depth == 0 && (name == b".git" || name == OURS)
    }
}

/// A file or link on the way.
pub(super) struct Found<'a> {
    pub folder: &'a Folder,
    pub name: &'a [u8],
    pub path: Vec<u8>,
    pub stamp: Stamp,
}

/// Says why bytes, or a path, must not be recorded.
pub(super) type Forbidden<'a> = &'a dyn Fn(&[u8]) -> Option<String>;

/// A walk in progress.
pub(super) struct Walk<'a> {
    repository: &'a Repository,
    pub git: gix::Repository,
    ignores: Ignores,
    known: Stamps,
    learnt: Stamps,
    refused: Vec<String>,
    forbidden: Forbidden<'a>,
    /// A part of our own folder that may be missing.
    pub hidden: Option<&'static str>,
    /// The paths that are looked at, where it is known that nothing else was written.
    only: Option<&'a [String]>,
    /// Whether nothing was met that the tree does not have.
    exact: bool,
}

/// What a walk has learnt.
pub(super) struct Learnt {
    pub stamps: Stamps,
    /// One sentence for each thing that is refused.
    pub refused: Vec<String>,
    /// Whether the folder holds the tree and nothing else.
    pub exact: bool,
}

impl<'a> Walk<'a> {
    /// Begins with what is known of the files.
    pub fn new(
        repository: &'a Repository,
        known: Stamps,
        forbidden: Forbidden<'a>,
    ) -> anyhow::Result<Walk<'a>> {
        let git = repository.git();
        Ok(Walk {
            ignores: Ignores::new(repository, &git)?,
            repository,
            git,
            learnt: known.successor(),
            known,
            refused: Vec::new(),
            forbidden,
            hidden: None,
            only: None,
            exact: true,
        })
    }

    /// Begins a walk to these paths alone; everything else counts as it is in the parent tree.
    pub fn to(
        paths: &'a [String],
        repository: &'a Repository,
        known: Stamps,
        forbidden: Forbidden<'a>,
    ) -> anyhow::Result<Walk<'a>> {
        let mut walk = Walk::new(repository, Stamps::default(), forbidden)?;
        walk.learnt = known;
        walk.only = Some(paths);
        Ok(walk)
    }

    /// Returns what was learnt of the files.
    pub fn end(self) -> Learnt {
        Learnt {
            exact: self.exact && self.refused.is_empty(),
            stamps: self.learnt,
            refused: self.refused,
        }
    }

    /// Returns the tree of a worktree's folder.
    ///
    /// The folders below are written; the tree itself is not, as it becomes part of a commit only with more files in it.
    pub fn top(&mut self, folder: &Folder, parent: gix::ObjectId) -> anyhow::Result<Tree> {
        let place = Place {
            prefix: Vec::new(),
            depth: 0,
            ignored: false,
        };
        let before = entries(&self.git, parent)?;
        let mut entries = self.entries(folder, &place, &before)?;
        entries.sort();
        Ok(Tree { entries })
    }

    /// Returns the tree of a folder, or None when nothing in it counts.
    fn folder(
        &mut self,
        folder: &Folder,
        place: &Place,
        parent: Option<gix::ObjectId>,
    ) -> anyhow::Result<Option<gix::ObjectId>> {
        let before = match parent {
            Some(tree) => entries(&self.git, tree)?,
            None => Vec::new(),
        };
        let after = self.entries(folder, place, &before)?;
        self.write(before, after, parent)
    }

    /// Returns what counts in a folder; `before` is what the parent tree has there.
    fn entries(
        &mut self,
        folder: &Folder,
        place: &Place,
        before: &[Entry],
    ) -> anyhow::Result<Vec<Entry>> {
        let by_name: HashMap<&[u8], &Entry> = before
            .iter()
            .map(|entry| (entry.filename.as_slice(), entry))
            .collect();
        let entered = self.ignores.enter(folder, &place.prefix)?;
        let mut after = Vec::new();
        let names = self.names(folder, place)?;
        for name in &names {
            let known = by_name.get(name.as_slice()).copied();
            if !place.is_special(name) && !known.is_some_and(|entry| entry.mode.is_commit()) {
                after.extend(self.entry(folder, place, name, known)?);
            }
        }
        for entry in before
            .iter()
            .filter(|entry| entry.mode.is_commit() && !place.is_special(&entry.filename))
        {
            self.check_submodule(folder, place, entry)?;
            after.push(entry.clone());
        }
        if place.depth == 0 {
            let ours = by_name.get(OURS).copied();
            if self.only.is_none() {
                self.compare(folder, b"", OURS, ours, 0)?;
            }
            after.extend(ours.cloned());
        }
        if self.only.is_some() {
            let elsewhere = before.iter().filter(|entry| {
                !entry.mode.is_commit()
                    && !place.is_special(&entry.filename)
                    && !names.iter().any(|name| *name == entry.filename)
            });
            after.extend(elsewhere.cloned());
        }
        if entered {
            self.ignores.leave();
        }
        Ok(after)
    }

    /// Returns the names to look at in a folder: all, or those on the way to what was written.
    fn names(&self, folder: &Folder, place: &Place) -> anyhow::Result<Vec<Vec<u8>>> {
        let Some(only) = self.only else {
            return folder.names();
        };
        let inside = |path: &'a String| match place.prefix.is_empty() {
            true => Some(path.as_bytes()),
            false => path
                .as_bytes()
                .strip_prefix(place.prefix.as_slice())?
                .strip_prefix(b"/"),
        };
        let names = only.iter().filter_map(inside);
        let mut names: Vec<Vec<u8>> = names
            .filter_map(|path| path.split(|byte| *byte == b'/').next())
            .map(<[u8]>::to_vec)
            .collect();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn write(
        &self,
        before: Vec<Entry>,
        mut after: Vec<Entry>,
        parent: Option<gix::ObjectId>,
    ) -> anyhow::Result<Option<gix::ObjectId>> {
        after.sort();
        if after.is_empty() {
            return Ok(None);
        }
        if before == after {
            return Ok(parent);
        }
        self.repository
            .store_tree(&self.git, gix::objs::Tree { entries: after })
            .map(Some)
    }

    /// Returns the entry for a name, or None when it does not count.
    fn entry(
        &mut self,
        folder: &Folder,
        place: &Place,
        name: &[u8],
        known: Option<&Entry>,
    ) -> anyhow::Result<Option<Entry>> {
        let Some(stamp) = folder.look(name)? else {
            return Ok(None);
        };
        let path = join(&place.prefix, name);
        let is_folder = stamp.kind == Kind::Folder;
        if known.is_none()
            && let Some(why) = forbidden(name, stamp.kind == Kind::Link)
        {
            self.refuse(&path, &format!("is not recorded: {why}"));
            return Ok(None);
        }
        let ignored = place.ignored || self.ignores.matches(&path, is_folder);
        let counts = known.is_some_and(|entry| entry.mode.is_tree() == is_folder);
        if ignored && !counts {
            self.exact = false;
            return Ok(None);
        }
        if known.is_none()
            && let Some(why) = unwanted(name, place)
        {
            self.refuse(&path, &format!("is not recorded: {why}"));
            return Ok(None);
        }
        if is_folder {
            let inner = Place {
                prefix: path,
                depth: place.depth + 1,
                ignored,
            };
            return self.inner_folder(folder, name, &inner, known);
        }
        let found = Found {
            folder,
            name,
            path,
            stamp,
        };
        self.file(&found, known)
    }

    fn inner_folder(
        &mut self,
        folder: &Folder,
        name: &[u8],
        place: &Place,
        known: Option<&Entry>,
    ) -> anyhow::Result<Option<Entry>> {
        if place.depth >= FOLDER_DEPTH_MAX {
            self.refuse(
                &place.prefix,
                &format!("is not recorded: it is more than {FOLDER_DEPTH_MAX} folders deep"),
            );
            return Ok(None);
        }
        let parent = known
            .filter(|entry| entry.mode.is_tree())
            .map(|entry| entry.oid);
        let tree = self.folder(&folder.enter_unlocked(name)?, place, parent)?;
        // Git knows no empty folders.
        self.exact &= tree.is_some();
        Ok(tree.map(|tree| entry(name, EntryKind::Tree, tree, known)))
    }

    fn file(&mut self, found: &Found, known: Option<&Entry>) -> anyhow::Result<Option<Entry>> {
        let kind = match found.stamp.kind {
            Kind::File if found.stamp.executable() => EntryKind::BlobExecutable,
            Kind::File => EntryKind::Blob,
            Kind::Link => EntryKind::Link,
            Kind::Other(what) => {
                self.refuse(&found.path, &format!("is not recorded: it is {what}"));
                return Ok(None);
            }
            Kind::Folder => unreachable!("folders are walked, not read"),
        };
        self.exact &= fits(&found.stamp, kind);
        let content = self.content(found, |walk, bytes| {
            walk.repository
                .store(&walk.git, gix::objs::Kind::Blob, bytes)
        })?;
        Ok(match content {
            Some(id) => Some(entry(found.name, kind, id, known)),
            None => known.cloned(),
        })
    }

    /// Returns the id that `identify` gives to a file's or link's bytes, unless it is known; None when they are refused.
    pub(super) fn content(
        &mut self,
        found: &Found,
        identify: impl FnOnce(&Self, &[u8]) -> anyhow::Result<gix::ObjectId>,
    ) -> anyhow::Result<Option<gix::ObjectId>> {
        if let Some(known) = self.known.unchanged(&found.path, &found.stamp) {
            let id = known.id;
            self.learnt.keep(&found.path, known.clone());
            return Ok(Some(id));
        }
        let taken = now();
        // Looked at again, as the stamp has to be from after `taken`.
        let stamp = found.folder.look(found.name)?;
        let bytes = match found.stamp.kind {
            Kind::Link => found.folder.read_link(found.name).map(Some),
            _ => found.folder.read(found.name, FILE_BYTES_MAX),
        };
        let why = match bytes {
            Ok(Some(bytes)) => {
                // Asked before anything is written: an object stays, whatever becomes of the step.
                let found_in = |bytes: &[u8]| (self.forbidden)(bytes);
                if let Some(why) = found_in(&bytes).or_else(|| found_in(&found.path)) {
                    self.refuse(&found.path, &format!("is not recorded: {why}"));
                    return Ok(None);
                }
                let id = identify(self, &bytes)?;
                if let Some(stamp) = stamp {
                    self.learnt.learn(&found.path, stamp, id, taken);
                }
                return Ok(Some(id));
            }
            Ok(None) => format!("it is larger than {} MiB", FILE_BYTES_MAX >> 20),
            Err(error) => error.root_cause().to_string(),
        };
        self.refuse(&found.path, &format!("is not recorded: {why}"));
        Ok(None)
    }

    /// Says so when something is in the place of a submodule, whose content is never recorded.
    fn check_submodule(
        &mut self,
        folder: &Folder,
        place: &Place,
        entry: &Entry,
    ) -> anyhow::Result<()> {
        let empty = match folder.look(&entry.filename)? {
            None => true,
            Some(stamp) if stamp.kind == Kind::Folder => {
                folder.enter(&entry.filename)?.names()?.is_empty()
            }
            Some(_) => false,
        };
        if !empty {
            self.refuse(
                &join(&place.prefix, &entry.filename),
                "is a submodule: what is in it is not recorded",
            );
        }
        Ok(())
    }

    pub(super) fn refuse(&mut self, path: &[u8], what: &str) {
        self.refused
            .push(format!("`{}` {what}", String::from_utf8_lossy(path)));
    }
}

/// Returns why we take no new file of a name that git would take.
fn unwanted(name: &[u8], place: &Place) -> Option<&'static str> {
    if std::str::from_utf8(name).is_err() {
        return Some("its name is not UTF-8");
    }
    (place.depth == 0 && name.eq_ignore_ascii_case(OURS))
        .then_some("it is `.orchestrate` on other file systems")
}

/// Returns an entry, in the very mode of the known one if that is of the same kind: old trees have modes of their own.
fn entry(name: &[u8], kind: EntryKind, oid: gix::ObjectId, known: Option<&Entry>) -> Entry {
    let mode = match known {
        Some(known) if known.mode.kind() == kind => known.mode,
        _ => EntryMode::from(kind),
    };
    Entry {
        mode,
        filename: name.into(),
        oid,
    }
}
