//! Putting what a step changed onto a tree that has moved on since the step began.
//!
//! Whole entries are taken from one side or the other, never lines: two steps that change one file in different places would be
//! merged into something that neither of them, one after the other, would have left.

use std::collections::BTreeMap;

use anyhow::Context;
use gix::objs::Tree;
use gix::objs::tree::{Entry, EntryKind};

use super::objects::{git_id, oid, tree_bytes};
use super::repository::Repository;
use super::snapshot::Snapshot;
use super::tree::{entries, join};
use crate::model::Oid;

/// What became of a graft.
pub enum Graft {
    Done(Snapshot),
    /// Both sides changed these paths, in different ways.
    Conflict(Vec<String>),
}

impl Repository {
    /// Returns what the tree `onto` becomes by the changes that lead from `base` to the snapshot.
    pub fn graft(&self, onto: &Oid, base: &Oid, snapshot: Snapshot) -> anyhow::Result<Graft> {
        if onto == base {
            return Ok(Graft::Done(snapshot));
        }
        let grafting = || format!("cannot put a step's changes onto tree `{onto}`");
        let git = self.git();
        let mut merge = Merge {
            repository: self,
            git: &git,
            conflicts: Vec::new(),
        };
        let merge_top = || -> anyhow::Result<Vec<Entry>> {
            let base = entries(&git, git_id(base)?)?;
            let ours = entries(&git, git_id(onto)?)?;
            merge.folder(b"", base, ours, snapshot.root.entries)
        };
        let mut top = merge_top().with_context(grafting)?;
        if !merge.conflicts.is_empty() {
            return Ok(Graft::Conflict(merge.conflicts));
        }
        top.sort();
        let root = Tree { entries: top };
        let bytes = tree_bytes(&root)?;
        let kind = gix::objs::Kind::Tree;
        let tree = oid(gix::objs::compute_hash(git.object_hash(), kind, &bytes)?);
        Ok(Graft::Done(Snapshot {
            changes: self.changes_to(onto, &tree, &bytes)?,
            refused: snapshot.refused,
            exact: false,
            tree,
            root,
        }))
    }
}

struct Merge<'a> {
    repository: &'a Repository,
    git: &'a gix::Repository,
    conflicts: Vec<String>,
}

/// The same name on three sides.
#[derive(Default)]
struct Sides {
    base: Option<Entry>,
    ours: Option<Entry>,
    theirs: Option<Entry>,
}

impl Merge<'_> {
    fn folder(
        &mut self,
        prefix: &[u8],
        base: Vec<Entry>,
        ours: Vec<Entry>,
        theirs: Vec<Entry>,
    ) -> anyhow::Result<Vec<Entry>> {
        let mut names: BTreeMap<Vec<u8>, Sides> = BTreeMap::new();
        let mut add = |side: Vec<Entry>, place: fn(&mut Sides) -> &mut Option<Entry>| {
            for entry in side {
                let sides = names.entry(entry.filename.to_vec()).or_default();
                *place(sides) = Some(entry);
            }
        };
        add(base, |sides| &mut sides.base);
        add(ours, |sides| &mut sides.ours);
        add(theirs, |sides| &mut sides.theirs);
        let mut merged = Vec::new();
        for (name, sides) in names {
            merged.extend(self.entry(&join(prefix, &name), sides)?);
        }
        Ok(merged)
    }

    fn entry(&mut self, path: &[u8], sides: Sides) -> anyhow::Result<Option<Entry>> {
        let Sides { base, ours, theirs } = sides;
        if theirs == base || theirs == ours {
            return Ok(ours);
        }
        if ours == base {
            return Ok(theirs);
        }
        let folders = [&base, &ours, &theirs]
            .into_iter()
            .all(|side| side.as_ref().is_none_or(|entry| entry.mode.is_tree()));
        // Whoever takes a whole folder away does not agree with one who changed something in it.
        let (true, Some(ours), Some(theirs)) = (folders, ours, theirs) else {
            self.conflicts
                .push(String::from_utf8_lossy(path).into_owned());
            return Ok(None);
        };
        let inside = |entry: Option<gix::ObjectId>| match entry {
            Some(tree) => entries(self.git, tree),
            None => Ok(Vec::new()),
        };
        let (base, left, right) = (
            inside(base.map(|entry| entry.oid))?,
            inside(Some(ours.oid))?,
            inside(Some(theirs.oid))?,
        );
        let merged = self.folder(path, base, left, right)?;
        if merged.is_empty() {
            return Ok(None);
        }
        let oid = self
            .repository
            .store_tree(self.git, Tree { entries: merged })?;
        Ok(Some(Entry {
            mode: EntryKind::Tree.into(),
            filename: ours.filename,
            oid,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::Graft;
    use crate::checkpoint::Worktree;
    use crate::checkpoint::fixture::Fixture;

    const BASE: &[(&str, &[u8])] = &[("a/1", b"1"), ("a/2", b"2"), ("b", b"b")];

    /// Grafts a step that began at `BASE` and left `theirs` onto `ours`; returns the files, or the conflicts.
    fn graft(ours: &[(&str, &[u8])], theirs: &[(&str, &[u8])]) -> Result<Vec<String>, Vec<String>> {
        let fixture = Fixture::with_commit(&[("seed", b"")]);
        let repository = &fixture.repository;
        let (base, onto) = (fixture.tree(BASE), fixture.tree(ours));
        let path = fixture.outside("worktree");
        let worktree = Worktree::open_or_add(repository, &path, &fixture.head()).unwrap();
        worktree.restore(&fixture.tree(theirs)).unwrap();
        let snapshot = worktree.snapshot(&base).unwrap();
        match repository.graft(&onto, &base, snapshot).unwrap() {
            Graft::Conflict(paths) => Err(paths),
            Graft::Done(snapshot) => {
                let tree = repository.with_snapshot(&snapshot, &[]).unwrap();
                assert_eq!(tree, snapshot.tree);
                let read = |path: &String| {
                    let bytes = repository.read_file(&tree, path).unwrap().unwrap();
                    format!("{path}={}", String::from_utf8(bytes).unwrap())
                };
                let files = repository.list_files(&tree, "").unwrap();
                Ok(files.iter().map(read).collect())
            }
        }
    }

    #[test]
    fn changes_in_different_paths_come_together() {
        let files = graft(
            &[
                ("a/1", b"ours"),
                ("a/2", b"2"),
                ("b", b"b"),
                ("new/ours", b"o"),
            ],
            &[("a/1", b"1"), ("a/2", b"theirs"), ("new/theirs", b"t")],
        );
        let expected = ["a/1=ours", "a/2=theirs", "new/ours=o", "new/theirs=t"];
        assert_eq!(files.unwrap(), expected);
    }

    #[test]
    fn the_same_change_on_both_sides_is_none_to_quarrel_about() {
        let same: &[(&str, &[u8])] = &[("a/1", b"same"), ("b", b"b")];
        assert_eq!(graft(same, same).unwrap(), ["a/1=same", "b=b"]);
    }

    #[test]
    fn different_changes_of_one_path_are_a_conflict() {
        let check = |ours: &[(&str, &[u8])], theirs: &[(&str, &[u8])], expected: &[&str]| {
            assert_eq!(graft(ours, theirs).unwrap_err(), expected);
        };
        check(
            &[("a/1", b"x"), ("a/2", b"2")],
            &[("a/1", b"y"), ("a/2", b"2")],
            &["a/1"],
        );
        // One took a file away that the other changed; one put a file where the other has a folder.
        check(
            &[("a/2", b"2"), ("b", b"b")],
            &[("a/1", b"y"), ("a/2", b"2"), ("b", b"b")],
            &["a/1"],
        );
        check(
            &[("n", b"file")],
            &[
                ("n/f", b"folder"),
                ("a/1", b"1"),
                ("a/2", b"2"),
                ("b", b"b"),
            ],
            &["n"],
        );
        check(
            &[("b", b"b")],
            &[("a/1", b"y"), ("a/2", b"2"), ("b", b"b")],
            &["a"],
        );
    }
}
