use std::path::Path;

use gix::objs::tree::{Entry as Line, EntryKind};

use super::*;
use crate::tree::Tree;

struct Fixture {
    folder: tempfile::TempDir,
    git: gix::Repository,
}

impl Fixture {
    fn new() -> Fixture {
        let folder = tempfile::tempdir().unwrap();
        let git = gix::init_bare(folder.path()).unwrap();
        Fixture { folder, git }
    }

    fn blob(&self, bytes: &[u8]) -> ObjectId {
        self.git.write_blob(bytes).unwrap().detach()
    }

    fn tree(&self, entries: &[(&[u8], EntryKind, ObjectId)]) -> ObjectId {
        let mut entries: Vec<Line> = entries
            .iter()
            .map(|(name, kind, oid)| Line {
                mode: (*kind).into(),
                filename: (*name).into(),
                oid: *oid,
            })
            .collect();
        entries.sort();
        let tree = gix::objs::Tree { entries };
        self.git.write_object(tree).unwrap().detach()
    }

    fn open(&self, tree: ObjectId) -> Tree {
        open(self.folder.path(), tree)
    }
}

fn open(folder: &Path, tree: ObjectId) -> Tree {
    Tree::git(folder, &Oid::try_from(tree.to_string()).unwrap()).unwrap()
}

#[test]
fn files_are_read_without_a_checkout() {
    let fixture = Fixture::new();
    let text = fixture.blob(b"text");
    let inner = fixture.tree(&[
        (b"file", EntryKind::Blob, text),
        (b"run", EntryKind::BlobExecutable, text),
    ]);
    let root = fixture.tree(&[
        (b"a", EntryKind::Tree, inner),
        (b"a.b", EntryKind::Blob, text),
    ]);
    let tree = fixture.open(root);
    assert_eq!(tree.read("./a/file").unwrap().unwrap(), b"text");
    assert_eq!(tree.read("a/none").unwrap(), None);
    assert_eq!(tree.read("a/file/below").unwrap(), None);
    assert!(tree.read("a").is_err());
    assert!(tree.read("../a").is_err());
    assert_eq!(tree.kind("").unwrap(), Some(Kind::Folder));
    let paths: Vec<String> = tree.files().unwrap().into_keys().collect();
    assert_eq!(paths, ["a.b", "a/file", "a/run"]);
    let below = tree.below("a").unwrap();
    let files = below.files().unwrap();
    assert!(files["run"].executable && !files["file"].executable);
    assert_eq!(tree.id().unwrap(), root.to_string());
    assert_eq!(below.id().unwrap(), inner.to_string());
    assert_eq!(tree.below("none").unwrap().id(), None);
}

#[test]
fn a_link_is_followed_inside_and_refused_outside() {
    let fixture = Fixture::new();
    let link = |target: &str| fixture.blob(target.as_bytes());
    let text = fixture.blob(b"text");
    let inner = fixture.tree(&[
        (b"file", EntryKind::Blob, text),
        (b"up", EntryKind::Link, link("../a/./file")),
        (b"out", EntryKind::Link, link("../../file")),
        (b"round", EntryKind::Link, link("round")),
    ]);
    let root = fixture.tree(&[
        (b"a", EntryKind::Tree, inner),
        (b"folder", EntryKind::Link, link("a")),
        (b"absolute", EntryKind::Link, link("/etc/hostname")),
        (b"nowhere", EntryKind::Link, link("a/none")),
    ]);
    let tree = fixture.open(root);
    assert_eq!(tree.read("a/up").unwrap().unwrap(), b"text");
    assert_eq!(tree.read("folder/up").unwrap().unwrap(), b"text");
    assert_eq!(tree.kind("folder").unwrap(), Some(Kind::Folder));
    assert_eq!(tree.list("folder").unwrap().len(), 4);
    assert_eq!(tree.read("nowhere").unwrap(), None);
    let plain = |entry: &Entry| entry.kind == Kind::File;
    let names = tree.list("a").unwrap().into_iter().filter(plain);
    assert_eq!(names.map(|entry| entry.name).collect::<Vec<_>>(), ["file"]);
    for path in ["a/out", "absolute"] {
        let error = format!("{:#}", tree.read(path).unwrap_err());
        assert!(error.contains("symlink leads out"), "{error}");
    }
    let error = format!("{:#}", tree.read("a/round").unwrap_err());
    assert!(error.contains("symlinks lead to it"), "{error}");
    assert!(tree.files().is_err());
}

#[test]
fn a_submodule_is_seen_and_not_entered() {
    let fixture = Fixture::new();
    let commit = fixture.blob(b"elsewhere");
    let root = fixture.tree(&[(b"sub", EntryKind::Commit, commit)]);
    let tree = fixture.open(root);
    assert_eq!(tree.kind("sub").unwrap(), Some(Kind::Submodule));
    assert_eq!(tree.read("sub/file").unwrap(), None);
    assert!(tree.read("sub").is_err());
    assert!(tree.files().unwrap().is_empty());
}

#[test]
fn names_that_no_path_can_hold_are_seen_and_not_read() {
    let fixture = Fixture::new();
    let text = fixture.blob(b"text");
    let mut bytes = Vec::new();
    for name in [&b".."[..], b"a/b", b"\xff", b"a\\b"] {
        bytes.extend([b"100644 ", name, b"\0", text.as_slice()].concat());
    }
    let id = fixture.git.objects.store_ref();
    let loose = gix::odb::loose::Store::at(id.path().to_owned(), gix::hash::Kind::Sha1);
    use gix::objs::Write as _;
    let root = loose.write_buf(gix::objs::Kind::Tree, &bytes).unwrap();
    let tree = fixture.open(root);
    assert_eq!(tree.list("").unwrap().len(), 4);
    for entry in tree.list("").unwrap() {
        assert!(entry.name.contains('\u{fffd}'), "{:?}", entry.name);
        assert!(!matches!(tree.read(&entry.name), Ok(Some(_))));
    }
    assert_eq!(tree.read("a/b").unwrap(), None);
    assert!(tree.files().is_err());
}

#[test]
fn a_tree_of_trees_of_trees_ends() {
    let fixture = Fixture::new();
    let mut tree = fixture.tree(&[(b"f", EntryKind::Blob, fixture.blob(b"x"))]);
    let names: Vec<String> = (0..10).map(|i| format!("d{i}")).collect();
    for _ in 0..10 {
        let entries: Vec<_> = names
            .iter()
            .map(|name| (name.as_bytes(), EntryKind::Tree, tree))
            .collect();
        tree = fixture.tree(&entries);
    }
    let bomb = fixture.open(tree);
    assert!(bomb.files().is_err());
}

#[test]
fn what_is_too_large_is_not_inflated() {
    let fixture = Fixture::new();
    let large = fixture.blob(&vec![0; usize::try_from(FILE_BYTES_MAX).unwrap() + 1]);
    let tree = fixture.open(fixture.tree(&[(b"large", EntryKind::Blob, large)]));
    let error = format!("{:#}", tree.read("large").unwrap_err());
    assert!(error.contains("at most"), "{error}");
}

#[test]
fn threads_read_one_tree() {
    let fixture = Fixture::new();
    let blobs: Vec<(String, ObjectId)> = (0..100)
        .map(|i| (format!("f{i:03}"), fixture.blob(format!("{i}").as_bytes())))
        .collect();
    let entries: Vec<_> = blobs
        .iter()
        .map(|(name, id)| (name.as_bytes(), EntryKind::Blob, *id))
        .collect();
    let tree = fixture.open(fixture.tree(&entries));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for i in 0..100 {
                    let text = tree.read(&format!("f{i:03}")).unwrap().unwrap();
                    assert_eq!(text, format!("{i}").as_bytes());
                }
            });
        }
    });
}
