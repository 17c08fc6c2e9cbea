//! A tree of git's object database, read without a checkout: no filter, no hook, and no link that the system follows.

use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use anyhow::{Context, Result, bail, ensure};
use gix::ObjectId;
use gix::objs::tree::EntryKind;

use super::{Entry, FILE_BYTES_MAX, Kind};
use crate::model::Oid;

/// The most bytes that the list of one folder may have.
const LIST_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest path that is walked, in bytes, and the most links on the way to one file.
const PATH_BYTES_MAX: usize = 4096;
const LINKS_MAX: usize = 40;

/// A tree object, and the repository it is read from; several threads may read at once.
pub struct Git {
    repository: gix::ThreadSafeRepository,
    path: PathBuf,
    root: ObjectId,
    /// Handles that no thread is using, each with what it has mapped and inflated.
    idle: Mutex<Vec<gix::Repository>>,
    /// Folders by their object, since one folder is often in many places.
    folders: RwLock<HashMap<ObjectId, Folder>>,
}

/// What is in a folder, in byte order of the names.
type Folder = Arc<Vec<Node>>;

/// One name in a folder.
#[derive(Clone)]
struct Node {
    name: String,
    /// Whether the name is the one that git has, and one that a path can hold.
    is_exact: bool,
    id: ObjectId,
    kind: EntryKind,
}

impl Git {
    /// Opens the tree object of a repository, which is trusted with nothing but its objects.
    pub fn open(repository: &Path, tree: &Oid) -> Result<Git> {
        let cannot = || format!("cannot open the repository `{}`", repository.display());
        let options = gix::open::Options::isolated().open_path_as_is(true);
        let shared =
            gix::ThreadSafeRepository::open_opts(repository, options).with_context(cannot)?;
        let git = Git {
            repository: shared,
            path: repository.to_path_buf(),
            root: ObjectId::from_hex(tree.as_str().as_bytes())?,
            idle: Mutex::default(),
            folders: RwLock::default(),
        };
        git.folder(git.root)?;
        Ok(git)
    }

    /// Returns where the repository is, and the tree's id.
    pub fn name(&self) -> String {
        format!(
            "tree {} of `{}`",
            self.root.to_hex_with_len(12),
            self.path.display()
        )
    }

    /// Returns the id of the folder at `path`, or none where there is no folder.
    pub fn id(&self, path: &str) -> Result<Option<Oid>> {
        let folder = self.find(path)?.filter(|node| node.kind == EntryKind::Tree);
        folder
            .map(|node| Oid::try_from(node.id.to_string()))
            .transpose()
    }

    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let Some(node) = self.find(path)? else {
            return Ok(None);
        };
        ensure!(kind(node.kind) == Kind::File, "it is not a regular file");
        self.object(node.id, gix::objs::Kind::Blob, FILE_BYTES_MAX)
            .map(Some)
    }

    pub fn kind(&self, path: &str) -> Result<Option<Kind>> {
        Ok(self.find(path)?.map(|node| kind(node.kind)))
    }

    pub fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let Some(node) = self.find(path)?.filter(|node| node.kind == EntryKind::Tree) else {
            return Ok(Vec::new());
        };
        let folder = self.folder(node.id)?;
        let entry = |node: &Node| Entry {
            name: node.name.clone(),
            kind: kind(node.kind),
        };
        Ok(folder.iter().map(entry).collect())
    }

    pub fn is_executable(&self, path: &str) -> Result<bool> {
        let node = self.find(path)?;
        Ok(node.is_some_and(|node| node.kind == EntryKind::BlobExecutable))
    }

    /// Returns what is at the path once links are followed; a link out of the root is an error.
    fn find(&self, path: &str) -> Result<Option<Node>> {
        let root = Node {
            name: String::new(),
            is_exact: true,
            id: self.root,
            kind: EntryKind::Tree,
        };
        // The folders that have been entered, the innermost last; what is found is on top.
        let mut entered = vec![root];
        let mut links = 0;
        let mut ahead: VecDeque<String> = parts(path).collect();
        while let Some(part) = ahead.pop_front() {
            if part == ".." {
                entered.pop();
                ensure!(!entered.is_empty(), "a symlink leads out of its root");
                continue;
            }
            let above = entered.last().expect("the root is never left");
            if above.kind != EntryKind::Tree {
                return Ok(None);
            }
            let Some(node) = named(&self.folder(above.id)?, &part) else {
                return Ok(None);
            };
            if node.kind != EntryKind::Link {
                entered.push(node);
                continue;
            }
            links += 1;
            ensure!(
                links <= LINKS_MAX,
                "more than {LINKS_MAX} symlinks lead to it"
            );
            for part in parts(&self.target(node.id)?).rev() {
                ahead.push_front(part);
            }
        }
        Ok(entered.pop())
    }

    /// Returns where a link leads, relative to its folder.
    fn target(&self, link: ObjectId) -> Result<String> {
        let bytes = self.object(link, gix::objs::Kind::Blob, PATH_BYTES_MAX as u64)?;
        let target = String::from_utf8(bytes).context("a symlink's path is not UTF-8")?;
        ensure!(!target.starts_with('/'), "a symlink leads out of its root");
        Ok(target)
    }

    fn folder(&self, id: ObjectId) -> Result<Folder> {
        let known = self.folders.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(folder) = known.get(&id) {
            return Ok(folder.clone());
        }
        drop(known);
        let bytes = self.object(id, gix::objs::Kind::Tree, LIST_BYTES_MAX)?;
        let folder = Arc::new(nodes(&bytes, id)?);
        let mut known = self.folders.write().unwrap_or_else(PoisonError::into_inner);
        known.insert(id, folder.clone());
        Ok(folder)
    }

    /// Returns an object's bytes; its kind and size are looked at before it is inflated.
    fn object(&self, id: ObjectId, kind: gix::objs::Kind, bytes_max: u64) -> Result<Vec<u8>> {
        let git = self.idle().pop();
        let git = git.unwrap_or_else(|| self.repository.to_thread_local());
        let header = git.find_header(id)?;
        ensure!(
            header.kind() == kind,
            "object {id} is a {}, not a {kind}",
            header.kind()
        );
        ensure!(
            header.size() <= bytes_max,
            "it has {} bytes, and at most {bytes_max} are read",
            header.size()
        );
        let bytes = git.find_object(id)?.detach().data;
        self.idle().push(git);
        Ok(bytes)
    }

    fn idle(&self) -> MutexGuard<'_, Vec<gix::Repository>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Git {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.name())
    }
}

/// Returns the parts of a relative path that lead anywhere.
fn parts(path: &str) -> impl DoubleEndedIterator<Item = String> {
    let leads = |part: &&str| !matches!(*part, "" | ".");
    path.split('/').filter(leads).map(str::to_string)
}

fn named(folder: &Folder, name: &str) -> Option<Node> {
    let at = folder
        .binary_search_by(|node| node.name.as_str().cmp(name))
        .ok()?;
    folder.get(at).filter(|node| node.is_exact).cloned()
}

/// Reads a tree object. A name that no path can hold is kept with `\u{fffd}` in it, so that it is seen and cannot be read.
fn nodes(bytes: &[u8], id: ObjectId) -> Result<Vec<Node>> {
    let mut nodes = Vec::new();
    for entry in gix::objs::TreeRefIter::from_bytes(bytes, id.kind()) {
        let entry = entry.with_context(|| format!("the tree {id} is damaged"))?;
        let shown = String::from_utf8_lossy(entry.filename);
        let is_exact = shown.as_bytes() == &**entry.filename
            && !matches!(&*shown, "" | "." | "..")
            && !shown.contains(['/', '\\', '\0', '\u{fffd}']);
        nodes.push(Node {
            name: match is_exact {
                true => shown.into_owned(),
                false => format!("{}\u{fffd}", shown.replace(['/', '\\', '\0'], "\u{fffd}")),
            },
            is_exact,
            id: entry.oid.to_owned(),
            kind: entry.mode.kind(),
        });
    }
    nodes.sort_by(|a, b| a.name.cmp(&b.name));
    if let Some(pair) = nodes
        .windows(2)
        .find(|pair| pair[0].name == pair[1].name && pair[0].is_exact)
    {
        bail!(
            "the tree {id} has two things called `{}`",
            pair[0].name.escape_debug()
        );
    }
    Ok(nodes)
}

fn kind(of: EntryKind) -> Kind {
    match of {
        EntryKind::Tree => Kind::Folder,
        EntryKind::Blob | EntryKind::BlobExecutable => Kind::File,
        EntryKind::Link => Kind::Link,
        EntryKind::Commit => Kind::Submodule,
    }
}

#[cfg(test)]
mod tests;
