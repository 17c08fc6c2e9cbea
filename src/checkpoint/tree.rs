//! Trees: reading files out of them, making new ones, and comparing two.

use anyhow::Context;
use gix::bstr::{BString, ByteSlice};
use gix::diff::tree::recorder;
use gix::objs::tree::{EntryKind, EntryMode};

use super::objects::{git_id, oid, tree_bytes};
use super::ours::OURS;
use super::protected::forbidden;
use super::repository::Repository;
use super::snapshot::Snapshot;
use crate::model::Oid;

/// One path in which two trees differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// With slashes, relative to the top; bytes that are not UTF-8 are replaced.
    pub path: String,
    pub kind: ChangeKind,
}

/// How two trees differ in a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeKind {
    Added,
    /// Other content, or another executable bit.
    Modified,
    Deleted,
    /// A file became a symbolic link, or the reverse.
    TypeChanged,
}

impl Repository {
    /// Returns the bytes of a file in a commit or tree, or None when there is no such file.
    pub fn read_file(&self, treeish: &Oid, path: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let read = || -> anyhow::Result<Option<Vec<u8>>> {
            let git = self.git();
            let tree = git.find_object(git_id(treeish)?)?.peel_to_tree()?;
            match tree.lookup_entry_by_path(path)? {
                Some(entry) if entry.mode().is_blob() => Ok(Some(entry.object()?.detach().data)),
                _ => Ok(None),
            }
        };
        read().with_context(|| format!("cannot read `{path}` in `{treeish}`"))
    }

    /// Returns the paths of all files and links below a folder of a commit or tree, in order; `""` means all.
    pub fn list_files(&self, treeish: &Oid, prefix: &str) -> anyhow::Result<Vec<String>> {
        let list = || -> anyhow::Result<Vec<String>> {
            let git = self.git();
            let mut tree = git.find_object(git_id(treeish)?)?.peel_to_tree()?;
            let prefix = prefix.trim_end_matches('/');
            if !prefix.is_empty() {
                tree = match tree.lookup_entry_by_path(prefix)? {
                    Some(entry) if entry.mode().is_tree() => entry.object()?.into_tree(),
                    _ => return Ok(Vec::new()),
                };
            }
            let mut files = Vec::new();
            collect(&git, tree.id, BString::from(prefix), &mut files)?;
            files.sort();
            Ok(files)
        };
        list().with_context(|| format!("cannot list `{prefix}` in `{treeish}`"))
    }

    /// Returns a tree that has these files in addition, or instead of what stands under their paths.
    pub fn with_files(&self, tree: &Oid, files: &[(String, Vec<u8>)]) -> anyhow::Result<Oid> {
        let git = self.git();
        let root = git
            .find_tree(git_id(tree)?)
            .with_context(|| format!("cannot read tree `{tree}`"))?;
        let root = root
            .decode()
            .with_context(|| format!("cannot read tree `{tree}`"))?
            .into_owned();
        self.write_with_files(&git, root, files)
    }

    /// Returns what a tree would be called without the entry at its top called `name`; it is not written.
    pub fn tree_without(&self, tree: &Oid, name: &str) -> anyhow::Result<Oid> {
        let git = self.git();
        named_without(&git, entries(&git, git_id(tree)?)?, name.as_bytes())
    }

    /// Returns what the tree of a snapshot would be called without our own folder.
    pub fn files_of(&self, snapshot: &Snapshot) -> anyhow::Result<Oid> {
        named_without(&self.git(), snapshot.root.entries.clone(), OURS)
    }

    /// Returns `tree` as a step would have left it: with our own folder as it was in `before`.
    pub fn with_ours_of(&self, tree: &Oid, before: &Oid) -> anyhow::Result<Snapshot> {
        let git = self.git();
        let is_ours = |entry: &gix::objs::tree::Entry| entry.filename == OURS;
        let mut left = entries(&git, git_id(tree)?)?;
        left.retain(|entry| !is_ours(entry));
        left.extend(entries(&git, git_id(before)?)?.into_iter().filter(is_ours));
        left.sort();
        let root = gix::objs::Tree { entries: left };
        let bytes = tree_bytes(&root)?;
        let tree = oid(gix::objs::compute_hash(
            git.object_hash(),
            gix::objs::Kind::Tree,
            &bytes,
        )?);
        Ok(Snapshot {
            changes: self.changes_to(before, &tree, &bytes)?,
            refused: Vec::new(),
            exact: false,
            tree,
            root,
        })
    }

    /// Writes the tree of a snapshot with these files in it, and returns it.
    pub fn with_snapshot(
        &self,
        snapshot: &Snapshot,
        files: &[(String, Vec<u8>)],
    ) -> anyhow::Result<Oid> {
        self.write_with_files(&self.git(), snapshot.root.clone(), files)
    }

    /// Says whether the snapshot has a file at `path`: one that git ignores is not in it.
    pub fn snapshot_holds(&self, snapshot: &Snapshot, path: &str) -> anyhow::Result<bool> {
        let (first, rest) = match path.split_once('/') {
            Some((first, rest)) => (first, Some(rest)),
            None => (path, None),
        };
        let entries = &snapshot.root.entries;
        let Some(entry) = entries.iter().find(|entry| entry.filename == first) else {
            return Ok(false);
        };
        let Some(rest) = rest else {
            return Ok(!entry.mode.is_tree());
        };
        if !entry.mode.is_tree() {
            return Ok(false);
        }
        let look = || -> anyhow::Result<bool> {
            let git = self.git();
            let found = git.find_tree(entry.oid)?.lookup_entry_by_path(rest)?;
            Ok(found.is_some_and(|found| !found.mode().is_tree()))
        };
        look().with_context(|| format!("cannot read `{path}` in a snapshot"))
    }

    fn write_with_files(
        &self,
        git: &gix::Repository,
        root: gix::objs::Tree,
        files: &[(String, Vec<u8>)],
    ) -> anyhow::Result<Oid> {
        let mut editor = gix::objs::tree::Editor::new(root, &git.objects, git.object_hash());
        for (path, bytes) in files {
            let bad = path
                .split('/')
                .find_map(|name| forbidden(name.as_bytes(), false));
            anyhow::ensure!(
                bad.is_none(),
                "`{path}` cannot be the path of a file: {}",
                bad.unwrap_or_default()
            );
            let id = self.store(git, gix::objs::Kind::Blob, bytes)?;
            editor
                .upsert(path.split('/'), EntryKind::Blob, id)
                .with_context(|| format!("cannot put `{path}` into a tree"))?;
        }
        let id = editor.write(|tree| self.store_tree(git, tree.clone()))?;
        Ok(oid(id))
    }

    /// Returns the paths in which two trees differ, in order; renames are a deletion and an addition.
    pub fn changed_paths(&self, from_tree: &Oid, to_tree: &Oid) -> anyhow::Result<Vec<Change>> {
        let to = self
            .git()
            .find_tree(git_id(to_tree)?)
            .with_context(|| format!("cannot read tree `{to_tree}`"))?
            .data
            .clone();
        self.changes_to(from_tree, to_tree, &to)
    }

    /// Does the same for a tree that may not be written yet.
    pub(super) fn changes_to(
        &self,
        from_tree: &Oid,
        to_tree: &Oid,
        to: &[u8],
    ) -> anyhow::Result<Vec<Change>> {
        let compare = || -> anyhow::Result<Vec<Change>> {
            let git = self.git();
            let from = git.find_tree(git_id(from_tree)?)?;
            let mut recorder = gix::diff::tree::Recorder::default();
            let state = gix::diff::tree::State::default();
            gix::diff::tree(
                gix::objs::TreeRefIter::from_bytes(&from.data, git.object_hash()),
                gix::objs::TreeRefIter::from_bytes(to, git.object_hash()),
                state,
                &git.objects,
                &mut recorder,
            )?;
            let mut changes: Vec<Change> =
                recorder.records.into_iter().filter_map(change).collect();
            changes.sort();
            Ok(changes)
        };
        compare().with_context(|| format!("cannot compare trees `{from_tree}` and `{to_tree}`"))
    }
}

fn named_without(
    git: &gix::Repository,
    mut entries: Vec<gix::objs::tree::Entry>,
    name: &[u8],
) -> anyhow::Result<Oid> {
    entries.retain(|entry| entry.filename != name);
    let bytes = tree_bytes(&gix::objs::Tree { entries })?;
    let kind = gix::objs::Kind::Tree;
    Ok(oid(gix::objs::compute_hash(
        git.object_hash(),
        kind,
        &bytes,
    )?))
}

/// Returns the entries of a tree.
pub(super) fn entries(
    git: &gix::Repository,
    tree: gix::ObjectId,
) -> anyhow::Result<Vec<gix::objs::tree::Entry>> {
    let read = || -> anyhow::Result<_> { Ok(git.find_tree(tree)?.decode()?.into_owned().entries) };
    read().with_context(|| format!("cannot read tree `{tree}`"))
}

/// Returns a path inside a folder, with slashes.
pub(super) fn join(prefix: &[u8], name: &[u8]) -> Vec<u8> {
    match prefix {
        b"" => name.to_vec(),
        _ => [prefix, b"/", name].concat(),
    }
}

fn collect(
    git: &gix::Repository,
    tree: gix::ObjectId,
    prefix: BString,
    files: &mut Vec<String>,
) -> anyhow::Result<()> {
    for entry in entries(git, tree)? {
        let path = BString::from(join(&prefix, &entry.filename));
        match entry.mode.kind() {
            EntryKind::Tree => collect(git, entry.oid, path, files)?,
            EntryKind::Commit => {}
            EntryKind::Blob | EntryKind::BlobExecutable | EntryKind::Link => {
                files.push(path.to_str_lossy().into_owned());
            }
        }
    }
    Ok(())
}

fn change(recorded: recorder::Change) -> Option<Change> {
    let (path, mode, kind) = match recorded {
        recorder::Change::Addition {
            entry_mode, path, ..
        } => (path, entry_mode, ChangeKind::Added),
        recorder::Change::Deletion {
            entry_mode, path, ..
        } => (path, entry_mode, ChangeKind::Deleted),
        recorder::Change::Modification {
            previous_entry_mode,
            entry_mode,
            path,
            ..
        } => (
            path,
            entry_mode,
            modification(previous_entry_mode, entry_mode),
        ),
    };
    (!mode.is_tree()).then(|| Change {
        path: path.to_str_lossy().into_owned(),
        kind,
    })
}

fn modification(from: EntryMode, to: EntryMode) -> ChangeKind {
    let same = (from.is_blob() && to.is_blob()) || from.kind() == to.kind();
    if same {
        ChangeKind::Modified
    } else {
        ChangeKind::TypeChanged
    }
}

#[cfg(test)]
mod tests {
    use crate::checkpoint::ChangeKind::{Added, Deleted, Modified, TypeChanged};
    use crate::checkpoint::fixture::{Fixture, id};

    #[test]
    fn files_go_into_a_tree_and_come_out_again() {
        let fixture = Fixture::new();
        let repository = &fixture.repository;
        let tree = fixture.tree(&[("a", b"1"), ("b/c", b"2"), ("b/d/e", b"3")]);
        let next = repository.with_files(
            &tree,
            &[
                ("b/c".into(), b"new".to_vec()),
                ("f/g".into(), vec![0, 255]),
            ],
        );
        let next = next.unwrap();
        assert_eq!(
            repository.read_file(&next, "b/c").unwrap(),
            Some(b"new".to_vec())
        );
        assert_eq!(
            repository.read_file(&next, "f/g").unwrap(),
            Some(vec![0, 255])
        );
        assert_eq!(repository.read_file(&next, "b").unwrap(), None);
        assert_eq!(repository.read_file(&next, "x/y").unwrap(), None);
        assert_eq!(
            repository.list_files(&next, "").unwrap(),
            ["a", "b/c", "b/d/e", "f/g"]
        );
        assert_eq!(
            repository.list_files(&next, "b/").unwrap(),
            ["b/c", "b/d/e"]
        );
        assert_eq!(repository.list_files(&next, "none").unwrap(), [""; 0]);
        for path in ["../x", "/x", "a/.git/config", "", "a//b"] {
            assert!(
                repository
                    .with_files(&tree, &[(path.into(), Vec::new())])
                    .is_err(),
                "{path:?}"
            );
        }
    }

    #[test]
    fn two_trees_differ_by_path_and_kind() {
        let fixture = Fixture::new();
        fixture.write("same", "1");
        fixture.write("gone/a", "1");
        fixture.write("mode", "1");
        fixture.write("type", "1");
        fixture.write("content", "1");
        let from = id(&fixture.write_tree());
        std::fs::remove_file(fixture.path("gone/a")).unwrap();
        std::fs::remove_file(fixture.path("type")).unwrap();
        std::os::unix::fs::symlink("same", fixture.path("type")).unwrap();
        fixture.make_executable("mode");
        fixture.write("content", "2");
        fixture.write("new/b", "1");
        let to = id(&fixture.write_tree());
        let changes = fixture.repository.changed_paths(&from, &to).unwrap();
        let changes: Vec<_> = changes
            .iter()
            .map(|change| (change.path.as_str(), change.kind))
            .collect();
        let expected = [
            ("content", Modified),
            ("gone/a", Deleted),
            ("mode", Modified),
            ("new/b", Added),
            ("type", TypeChanged),
        ];
        assert_eq!(changes, expected);
        assert!(
            fixture
                .repository
                .changed_paths(&to, &to)
                .unwrap()
                .is_empty()
        );
    }
}
