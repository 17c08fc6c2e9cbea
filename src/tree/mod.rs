//! A read-only tree of files, wherever it is: in this binary, in memory, in a folder, or in git's object database.
//!
//! Nothing here runs, writes, or leaves the root: `..`, absolute paths and links that lead out are refused, and only regular files
//! are read. A link that stays inside is followed.
//!
//! A new kind of tree is a file here and a variant of `Root`; every function then says what it needs.

mod digest;
mod embedded;
mod folder;
mod git;
mod memory;
mod signature;

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow, ensure};
use gix::validate::path::component;

use crate::model::{Hint, Oid, PluginFile, Trouble, is_inside};
pub use digest::{digest, of_bytes};
pub use embedded::embedded;
use folder::Folder;
use git::Git;
use memory::Memory;

/// The most bytes that one file may have.
pub const FILE_BYTES_MAX: u64 = 16 * 1024 * 1024;
/// The most files and folders, and bytes in all, that one plugin may have.
pub const FILES_MAX: usize = 20_000;
pub const BYTES_MAX: u64 = 256 * 1024 * 1024;
/// The most folders in each other.
const DEPTH_MAX: usize = 40;

/// A folder to read from, and the root that its links may lead to.
#[derive(Debug, Clone)]
pub struct Tree {
    root: Arc<Root>,
    /// Where in the root, without a slash at either end; empty for the root itself.
    prefix: String,
    /// What is in its folders, where they have been looked through.
    known: Option<Arc<Folders>>,
}

/// The names in each folder, by its path from the root.
type Folders = HashMap<String, Vec<Entry>>;

#[derive(Debug)]
enum Root {
    /// A folder in `templates/`.
    Embedded(String),
    Memory(Memory),
    Folder(Folder),
    Git(Box<Git>),
}

/// What a name stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    File,
    Folder,
    /// Only where links are not followed.
    Link,
    Submodule,
    /// A pipe, a socket or a device.
    Special,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// With `\u{fffd}` for what is not UTF-8; such a name cannot be read.
    pub name: String,
    /// What it is, links not followed.
    pub kind: Kind,
}

impl Tree {
    /// Returns the embedded folder `templates/<folder>`.
    pub fn embedded(folder: &str) -> Tree {
        Tree::new(Root::Embedded(folder.to_string()))
    }

    /// Returns a tree of these files, by their paths. One whose path no file can have is left out.
    pub fn memory(mut files: BTreeMap<String, Vec<u8>>) -> Tree {
        files.retain(|path, _| path.split('/').all(is_plain));
        Tree::new(Root::Memory(Memory::new(files)))
    }

    /// Returns a folder of the disk.
    pub fn folder(path: &Path) -> Result<Tree> {
        Ok(Tree::new(Root::Folder(Folder::open(path)?)))
    }

    /// Returns a tree object of a git repository, bare or not.
    pub fn git(repository: &Path, tree: &Oid) -> Result<Tree> {
        let git = Git::open(repository, tree)?;
        Ok(Tree::new(Root::Git(Box::new(git))))
    }

    fn new(root: Root) -> Tree {
        Tree {
            root: Arc::new(root),
            prefix: String::new(),
            known: None,
        }
    }

    /// Returns the folder `path` below this one: relative, without `..`; `""`, `.` and `./` are this folder, and `./a/` is `a`.
    pub fn below(&self, path: &str) -> Result<Tree> {
        let inner = normal(path)?;
        Ok(Tree {
            root: self.root.clone(),
            prefix: join(&self.prefix, &inner),
            known: self.known.clone(),
        })
    }

    /// Returns what changes whenever a file below this folder does: git's id of it, or the digest of what is embedded. A folder of
    /// the disk has none. Links may lead to elsewhere in the root, which the id of a folder below it does not cover.
    pub fn id(&self) -> Option<String> {
        match &*self.root {
            Root::Embedded(folder) => Some(embedded::id(&join(folder, &self.prefix))),
            Root::Memory(_) => Some(digest(&self.files().ok()?).as_str().to_string()),
            Root::Folder(_) => None,
            Root::Git(git) => Some(git.id(&self.prefix).ok()??.to_string()),
        }
    }

    /// Returns the file at `path`, or none. What is no regular file, is too large, or lies behind a link out of the root is an error.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let full = join(&self.prefix, &normal(path)?);
        if self.known_kind(&full) == Some(None) {
            return Ok(None);
        }
        match &*self.root {
            Root::Embedded(folder) => Ok(embedded::read(folder, &full)),
            Root::Memory(files) => Ok(files.read(&full)),
            Root::Folder(folder) => folder.read(&full),
            Root::Git(git) => git.read(&full),
        }
        .with_context(|| format!("cannot read `{}`", path.escape_debug()))
    }

    /// Returns what `path` is after following links, or none where there is nothing; a link that leaves the root is an error.
    pub fn kind(&self, path: &str) -> Result<Option<Kind>> {
        let full = join(&self.prefix, &normal(path)?);
        match self.known_kind(&full) {
            None | Some(Some(Kind::Link)) => {}
            Some(kind) => return Ok(kind),
        }
        match &*self.root {
            Root::Embedded(folder) => Ok(embedded::kind(folder, &full)),
            Root::Memory(files) => Ok(files.kind(&full)),
            Root::Folder(folder) => folder.kind(&full),
            Root::Git(git) => git.kind(&full),
        }
        .with_context(|| format!("cannot look at `{}`", path.escape_debug()))
    }

    /// Returns the names in the folder at `path`, in byte order; none where there is no such folder.
    pub fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let full = join(&self.prefix, &normal(path)?);
        if let Some(entries) = self.known_folder(&full) {
            return Ok(entries.clone());
        }
        let mut entries = match &*self.root {
            Root::Embedded(folder) => embedded::list(folder, &full),
            Root::Memory(files) => files.list(&full),
            Root::Folder(folder) => folder.list(&full)?,
            Root::Git(git) => git.list(&full)?,
        };
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// Returns what a path is, links not followed, where its folder has been looked through.
    fn known_kind(&self, full: &str) -> Option<Option<Kind>> {
        let (folder, name) = full.rsplit_once('/').unwrap_or(("", full));
        let mut entries = self.known_folder(folder)?.iter();
        let entry = entries.find(|entry| entry.name == name);
        Some(entry.map(|entry| entry.kind))
    }

    fn known_folder(&self, full: &str) -> Option<&Vec<Entry>> {
        self.known.as_ref()?.get(full)
    }

    /// Returns the same tree, whose folders have been listed once and are not listed again. What `walk` refuses is an error.
    pub fn looked_through(&self) -> Result<Tree> {
        let mut folders = Folders::new();
        self.walk_below("", &mut 0, &mut |_, _| Ok(()), &mut |folder, entries| {
            folders.insert(join(&self.prefix, folder), entries.to_vec());
        })?;
        Ok(Tree {
            known: Some(Arc::new(folders)),
            ..self.clone()
        })
    }

    /// Returns what tells a folder of the disk from what it was before, as far as its top tells; none for a tree that never changes.
    pub fn signature_at_top(&self) -> Option<String> {
        self.on_disk().map(|folder| signature::at_top(&folder))
    }

    /// Returns what tells a small folder of the disk from what it was before; none for a large one, or a tree that never changes.
    pub fn signature_of_whole(&self) -> Option<String> {
        self.on_disk()
            .and_then(|folder| signature::of_whole(&folder))
    }

    fn on_disk(&self) -> Option<PathBuf> {
        match &*self.root {
            Root::Embedded(_) | Root::Memory(_) | Root::Git(_) => None,
            Root::Folder(folder) => Some(folder.path().join(&self.prefix)),
        }
    }

    /// Returns every file by its path; a tree that is one file has that file, by its name. A link counts as what it leads to in the root. What `walk` refuses is an error.
    pub fn files(&self) -> Result<BTreeMap<String, PluginFile>> {
        let mut files = BTreeMap::new();
        let mut bytes = 0;
        // Some plugins are one file of a marketplace.
        if self.kind("")? == Some(Kind::File) {
            let name = self.prefix.rsplit('/').next().unwrap_or_default();
            files.insert(name.to_string(), self.file("")?);
            return Ok(files);
        }
        self.walk(&mut |path, kind| {
            if kind == Kind::File {
                let file = self.file(path).kind(Trouble::Integrity)?;
                bytes += file.bytes.len() as u64;
                ensure!(bytes <= BYTES_MAX, "{self} has more than {BYTES_MAX} bytes");
                files.insert(path.to_string(), file);
            }
            Ok(())
        })?;
        Ok(files)
    }

    /// Calls `visit` with the path of every file and submodule, links followed. A link that leads out or nowhere, a special file, a
    /// name that some file system takes for git's own folder, and more than is reasonable are errors.
    pub fn walk(&self, visit: &mut dyn FnMut(&str, Kind) -> Result<()>) -> Result<()> {
        self.walk_below("", &mut 0, visit, &mut |_, _| ())
    }

    fn walk_below(
        &self,
        folder: &str,
        names: &mut usize,
        visit: &mut dyn FnMut(&str, Kind) -> Result<()>,
        enter: &mut dyn FnMut(&str, &[Entry]),
    ) -> Result<()> {
        ensure!(
            folder.split('/').count() <= DEPTH_MAX,
            "{self} is more than {DEPTH_MAX} folders deep"
        );
        let entries = self.list(folder)?;
        enter(folder, &entries);
        for entry in entries {
            *names += 1;
            ensure!(
                *names <= FILES_MAX,
                "{self} has more than {FILES_MAX} files and folders"
            );
            // A clone's own folder is no part of a plugin.
            if folder.is_empty() && entry.name == ".git" {
                continue;
            }
            let path = join(folder, &entry.name);
            match self.regular(&path, entry).kind(Trouble::Integrity)? {
                Kind::Folder => self.walk_below(&path, names, visit, enter)?,
                kind => visit(&path, kind)?,
            }
        }
        Ok(())
    }

    /// Returns what is at the path if it may be there: a file, a folder or a submodule.
    fn regular(&self, path: &str, entry: Entry) -> Result<Kind> {
        let shown = path.escape_debug();
        ensure!(
            !is_git_folder(&entry.name),
            "`{shown}` is a reserved name: git's own folder is called `.git`"
        );
        let kind = match entry.kind {
            Kind::Link => self.kind(path)?,
            kind => Some(kind),
        };
        match kind {
            Some(kind @ (Kind::File | Kind::Folder | Kind::Submodule)) => Ok(kind),
            Some(_) => Err(anyhow!("`{shown}` is a pipe, a socket or a device")),
            None => Err(anyhow!("`{shown}` is a symlink that leads nowhere")),
        }
    }

    fn file(&self, path: &str) -> Result<PluginFile> {
        let bytes = self
            .read(path)?
            .with_context(|| format!("`{}` is gone", path.escape_debug()))?;
        let full = join(&self.prefix, path);
        let executable = match &*self.root {
            Root::Embedded(_) | Root::Memory(_) => false,
            Root::Folder(folder) => folder.is_executable(&full)?,
            Root::Git(git) => git.is_executable(&full)?,
        };
        Ok(PluginFile { bytes, executable })
    }
}

impl fmt::Display for Tree {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &*self.root {
            Root::Embedded(folder) => write!(f, "the embedded `{}`", join(folder, &self.prefix)),
            Root::Memory(_) => write!(f, "`{}` in memory", self.prefix),
            Root::Folder(folder) => write!(f, "`{}`", folder.path().join(&self.prefix).display()),
            Root::Git(git) if self.prefix.is_empty() => f.write_str(&git.name()),
            Root::Git(git) => write!(f, "`{}` in {}", self.prefix, git.name()),
        }
    }
}

/// Returns the path without `./` before and `/` after it; one that could leave the root is an error.
fn normal(path: &str) -> Result<String> {
    let mut inner = path;
    while let Some(rest) = inner.strip_prefix("./") {
        inner = rest.trim_start_matches('/');
    }
    let inner = inner.trim_end_matches('/');
    if matches!(inner, "" | ".") && !path.starts_with('/') {
        return Ok(String::new());
    }
    ensure!(
        !path.starts_with('/') && (is_inside(inner) || inner.split('/').all(is_plain)),
        "the path `{}` leaves its root",
        path.escape_debug()
    );
    Ok(inner.to_string())
}

/// Says whether the name is one that a file can have: `.git` is, as a name; what may be done with it is another matter.
fn is_plain(name: &str) -> bool {
    !matches!(name, "" | "." | "..") && !name.contains(['\\', '\0'])
}

fn join(folder: &str, name: &str) -> String {
    match (folder, name) {
        ("", name) => name.to_string(),
        (folder, "") => folder.to_string(),
        (folder, name) => format!("{folder}/{name}"),
    }
}

/// Says whether some file system takes the name for `.git`, by git's own rules for HFS+ and NTFS.
pub fn is_git_folder(name: &str) -> bool {
    let options = component::Options {
        // Windows' own rules would refuse names such as `aux.py`, which git takes.
        protect_windows: false,
        protect_hfs: true,
        protect_ntfs: true,
    };
    let judged = component(name.as_bytes().into(), None, options);
    matches!(judged, Err(component::Error::DotGitDir))
}

#[cfg(test)]
mod tests;
