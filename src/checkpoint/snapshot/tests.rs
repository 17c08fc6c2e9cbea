use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;

use proptest::prelude::*;

use crate::checkpoint::ChangeKind::{Added, Deleted, Modified, TypeChanged};
use crate::checkpoint::fixture::{Fixture, id, make_executable, write};
use crate::checkpoint::{ChangeKind, Snapshot, Worktree};
use crate::model::Oid;

struct Step {
    fixture: Fixture,
    worktree: Worktree,
    tree: Oid,
}

impl Step {
    fn new(files: &[(&str, &[u8])]) -> Step {
        Step::of(Fixture::with_commit(files))
    }

    fn of(fixture: Fixture) -> Step {
        let tree = fixture.repository.tree_of(&fixture.head()).unwrap();
        let worktree = fixture.worktree();
        worktree.restore(&tree).unwrap();
        Step {
            fixture,
            worktree,
            tree,
        }
    }

    fn write(&self, path: &str, text: &str) {
        write(&self.worktree.path().join(path), text.as_bytes());
    }

    /// Takes a snapshot and writes its tree, as a commit without files of its own would.
    fn snapshot(&self) -> Snapshot {
        let snapshot = self.worktree.snapshot(&self.tree).unwrap();
        let written = self
            .fixture
            .repository
            .with_snapshot(&snapshot, &[])
            .unwrap();
        assert_eq!(written, snapshot.tree);
        snapshot
    }

    /// Takes a snapshot and compares it with what is expected, and its tree with what git says of it.
    fn check(&self, changes: &[(&str, ChangeKind)], refused: &[&str]) -> Snapshot {
        let snapshot = self.snapshot();
        let found: Vec<_> = snapshot
            .changes
            .iter()
            .map(|change| (change.path.as_str(), change.kind))
            .collect();
        assert_eq!(found, changes);
        assert_eq!(snapshot.refused, refused);
        self.fixture.fsck();
        snapshot
    }
}

#[test]
fn a_step_adds_changes_and_deletes() {
    let step = Step::new(&[
        ("keep", b"1"),
        ("change", b"1"),
        ("gone/a", b"1"),
        ("file", b"1"),
        ("folder/a", b"1"),
    ]);
    let top = step.worktree.path();
    step.write("change", "2");
    step.write("new/deep/file", "x");
    std::fs::create_dir(top.join("empty")).unwrap();
    std::fs::remove_dir_all(top.join("gone")).unwrap();
    std::fs::remove_file(top.join("file")).unwrap();
    step.write("file/inside", "1");
    std::fs::remove_dir_all(top.join("folder")).unwrap();
    step.write("folder", "1");
    make_executable(&top.join("keep"));
    symlink("/etc/passwd", top.join("link")).unwrap();
    let snapshot = step.check(
        &[
            ("change", Modified),
            ("file", Deleted),
            ("file/inside", Added),
            ("folder", Added),
            ("folder/a", Deleted),
            ("gone/a", Deleted),
            ("keep", Modified),
            ("link", Added),
            ("new/deep/file", Added),
        ],
        &[],
    );
    let listing = step.fixture.git(&["ls-tree", "-r", snapshot.tree.as_str()]);
    assert!(
        listing.contains("120000 blob") && listing.contains("100755 blob"),
        "{listing}"
    );
    // Another worktree gets exactly the same.
    let second = Worktree::open_or_add(
        &step.fixture.repository,
        &step.fixture.outside("second"),
        &step.fixture.head(),
    );
    let second = second.unwrap();
    second.restore(&snapshot.tree).unwrap();
    let found = second.snapshot(&step.tree).unwrap();
    assert_eq!(
        (&found.tree, &found.changes),
        (&snapshot.tree, &snapshot.changes)
    );
    // Where the step worked an empty folder is left, which no tree has.
    assert!(snapshot.held().is_none() && found.held().is_some());
}

#[test]
fn a_file_turned_into_a_link_says_so() {
    let step = Step::new(&[("a", b"1")]);
    std::fs::remove_file(step.worktree.path().join("a")).unwrap();
    symlink("b", step.worktree.path().join("a")).unwrap();
    step.check(&[("a", TypeChanged)], &[]);
}

#[test]
fn ignored_files_count_only_when_they_are_tracked() {
    let fixture = Fixture::new();
    fixture.write(".gitignore", "*.log\n/build/\n!keep.log\n");
    fixture.write("sub/.gitignore", "local\n/only-here\n");
    fixture.write("tracked.log", "1");
    fixture.write("build/tracked/a", "1");
    fixture.git(&["add", "--all", "--force"]);
    let step = Step::of({
        fixture.commit(&[]);
        fixture
    });
    step.fixture.write(".git/info/exclude", "excluded\n");
    for path in [
        "x.log",
        "build/out",
        "build/tracked/b",
        "sub/local",
        "sub/deep/local",
        "sub/only-here",
        "excluded",
        "sub/excluded/x",
    ] {
        step.write(path, "ignored");
    }
    step.write("tracked.log", "2");
    step.write("build/tracked/a", "2");
    step.write("keep.log", "1");
    step.write("sub/deep/only-here", "1");
    step.write("local", "1");
    let snapshot = step.check(
        &[
            ("build/tracked/a", Modified),
            ("keep.log", Added),
            ("local", Added),
            ("sub/deep/only-here", Added),
            ("tracked.log", Modified),
        ],
        &[],
    );
    // Git agrees about what counts.
    step.fixture.git_in(step.worktree.path(), &["add", "--all"]);
    let theirs = step.fixture.git_in(step.worktree.path(), &["write-tree"]);
    assert_eq!(id(&theirs), snapshot.tree);
}

#[test]
fn what_git_must_not_have_is_refused_by_name() {
    let step = Step::new(&[("a", b"1"), (".gitignore", b"ignored/\n")]);
    let top = step.worktree.path();
    step.write("nested/.git/config", "[core]\n\tfsmonitor = evil\n");
    step.write("nested/file", "1");
    step.write("ignored/.git/config", "");
    step.write("pointer/.git", "gitdir: /x\n");
    step.write(".GIT/config", "");
    step.write("git~1", "");
    symlink("x", top.join(".gitmodules")).unwrap();
    std::fs::write(top.join(std::ffi::OsStr::from_bytes(b"\xff")), "").unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(top.join("socket")).unwrap();
    let pipe = std::process::Command::new("mkfifo")
        .arg(top.join("pipe"))
        .status()
        .unwrap();
    assert!(pipe.success());
    let snapshot = step.snapshot();
    let names: Vec<&str> = snapshot
        .refused
        .iter()
        .map(|text| text.split('`').nth(1).unwrap())
        .collect();
    let expected = [
        ".GIT",
        ".gitmodules",
        "git~1",
        "nested/.git",
        "pipe",
        "pointer/.git",
        "socket",
        "\u{fffd}",
    ];
    assert_eq!(names, expected);
    assert_eq!(snapshot.changes.len(), 1);
    step.fixture.fsck();
}

#[test]
fn a_changed_pointer_is_refused_and_put_back() {
    let step = Step::new(&[("a", b"1")]);
    let pointer = step.worktree.path().join(".git");
    let before = std::fs::read(&pointer).unwrap();
    let check = || {
        step.check(&[], &["`.git` was changed"]);
        step.worktree.restore(&step.tree).unwrap();
        assert_eq!(std::fs::read(&pointer).unwrap(), before);
        step.check(&[], &[]);
    };
    std::fs::write(&pointer, "gitdir: /elsewhere\n").unwrap();
    check();
    std::fs::remove_file(&pointer).unwrap();
    check();
    std::fs::remove_file(&pointer).unwrap();
    write(&pointer.join("config"), b"");
    check();
    std::fs::remove_file(&pointer).unwrap();
    symlink("/dev/zero", &pointer).unwrap();
    check();
}

#[test]
fn our_own_folder_stays_as_it_was() {
    let step = Step::new(&[
        (".orchestrate/config.yaml", b"1"),
        (".orchestrate/plans/p/plan.yaml", b"1"),
        ("a", b"1"),
    ]);
    step.check(&[], &[]);
    step.write(".orchestrate/config.yaml", "2");
    step.write(".orchestrate/new/file", "2");
    step.write(".Orchestrate/file", "2");
    std::fs::remove_dir_all(step.worktree.path().join(".orchestrate/plans")).unwrap();
    step.write("a", "2");
    step.check(
        &[("a", Modified)],
        &[
            "`.Orchestrate` is not recorded: it is `.orchestrate` on other file systems",
            "`.orchestrate/config.yaml` was changed by the step, and is kept as it was",
            "`.orchestrate/new/file` was changed by the step, and is kept as it was",
            "`.orchestrate/plans` was changed by the step, and is kept as it was",
        ],
    );
    std::fs::remove_dir_all(step.worktree.path().join(".orchestrate")).unwrap();
    symlink("/tmp", step.worktree.path().join(".orchestrate")).unwrap();
    let refused = step.snapshot().refused;
    assert!(
        refused.contains(&"`.orchestrate` was changed by the step, and is kept as it was".into()),
        "{refused:?}"
    );
}

#[test]
fn a_file_too_large_is_refused_and_the_rest_recorded() {
    let step = Step::new(&[("a", b"1")]);
    let large = std::fs::File::create(step.worktree.path().join("large")).unwrap();
    large.set_len(5 << 30).unwrap();
    step.write("b", "1");
    step.check(
        &[("b", Added)],
        &["`large` is not recorded: it is larger than 512 MiB"],
    );
}

#[test]
fn bytes_are_taken_as_they_are() {
    let fixture = Fixture::new();
    fixture.git(&["config", "core.autocrlf", "true"]);
    fixture.git(&["config", "filter.evil.clean", "touch ran"]);
    fixture.git(&["config", "filter.evil.smudge", "touch ran"]);
    fixture.git(&["config", "filter.evil.required", "true"]);
    let tree = fixture.tree(&[
        ("a.txt", b"1\r\n2\n"),
        (".gitattributes", b"* filter=evil text=auto\n"),
    ]);
    let repository = Fixture::open(&fixture.path(""));
    let commit = repository
        .write_commit(&tree, &[], "m", &repository.identity(), 1)
        .unwrap();
    let worktree = Worktree::open_or_add(&repository, &fixture.outside("w"), &commit).unwrap();
    worktree.restore(&tree).unwrap();
    assert_eq!(
        std::fs::read(worktree.path().join("a.txt")).unwrap(),
        b"1\r\n2\n"
    );
    write(&worktree.path().join("b.txt"), b"x\r\n");
    let snapshot = worktree.snapshot(&tree).unwrap();
    let written = repository.with_snapshot(&snapshot, &[]).unwrap();
    let recorded = repository.read_file(&written, "b.txt").unwrap();
    assert_eq!(recorded.as_deref(), Some(&b"x\r\n"[..]));
    assert!(!worktree.path().join("ran").exists());
}

#[test]
fn sha256_repositories_work() {
    let fixture = Fixture::with_arguments(&["--object-format=sha256"]);
    fixture.commit(&[("a", b"1"), ("b/c", b"2")]);
    let step = Step::of(fixture);
    assert_eq!(step.tree.as_str().len(), 64);
    step.write("b/d", "3");
    let snapshot = step.check(&[("b/d", Added)], &[]);
    let repository = &step.fixture.repository;
    let parent = step.fixture.head();
    let commit = repository
        .write_commit(&snapshot.tree, &[parent], "m", &repository.identity(), 1)
        .unwrap();
    step.worktree.set_head(&commit).unwrap();
    step.worktree.restore(&snapshot.tree).unwrap();
    assert_eq!(
        step.fixture
            .git_in(step.worktree.path(), &["status", "--porcelain"]),
        ""
    );
    step.fixture.fsck();
}

#[test]
fn checkouts_that_are_sparse_or_linked_themselves_work() {
    let fixture = Fixture::with_commit(&[("in/a", b"1"), ("out/b", b"2")]);
    fixture.git(&["sparse-checkout", "set", "--sparse-index", "in"]);
    assert!(fixture.repository.is_clean().unwrap());
    let step = Step::of(fixture);
    assert!(step.worktree.path().join("out/b").exists());
    step.write("out/b", "3");
    step.check(&[("out/b", Modified)], &[]);
    let linked = step.fixture.outside("linked");
    step.fixture
        .git(&["worktree", "add", "--quiet", linked.to_str().unwrap()]);
    let repository = Fixture::open(&linked);
    assert_eq!(
        repository.common_directory(),
        step.fixture.repository.common_directory()
    );
    let path = step.fixture.outside("second");
    let second = Worktree::open_or_add(&repository, &path, &step.fixture.head()).unwrap();
    second.restore(&step.tree).unwrap();
    assert_eq!(
        step.fixture
            .git_in(second.path(), &["status", "--porcelain"]),
        ""
    );
}

#[derive(Debug, Clone)]
enum Node {
    File(Vec<u8>, bool),
    Link(String),
    Folder(std::collections::BTreeMap<String, Node>),
}

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[a-c]{1,2}",
        1 => "[ -.0-~]{1,4}",
        1 => "\\PC{1,3}",
        1 => Just("\n\t".to_owned()),
    ]
    .prop_filter("a name for git", |name| {
        !name.contains('/')
            && name != "."
            && name != ".."
            && crate::checkpoint::protected::forbidden(name.as_bytes(), true).is_none()
    })
}

fn folder() -> impl Strategy<Value = std::collections::BTreeMap<String, Node>> {
    let leaf = prop_oneof![
        3 => (prop::collection::vec(any::<u8>(), 0..20), any::<bool>()).prop_map(|(bytes, bit)| Node::File(bytes, bit)),
        1 => "[a-z/.]{1,8}".prop_map(Node::Link),
    ];
    let node = leaf.prop_recursive(3, 20, 5, |inner| {
        prop::collection::btree_map(name(), inner, 1..5).prop_map(Node::Folder)
    });
    prop::collection::btree_map(name(), node, 1..6)
}

fn make(top: &std::path::Path, nodes: &std::collections::BTreeMap<String, Node>) {
    std::fs::create_dir_all(top).unwrap();
    for (name, node) in nodes {
        let path = top.join(name);
        match node {
            Node::File(bytes, executable) => {
                write(&path, bytes);
                if *executable {
                    make_executable(&path);
                }
            }
            Node::Link(target) => symlink(target, &path).unwrap(),
            Node::Folder(inner) => make(&path, inner),
        }
    }
}

fn clear(top: &std::path::Path) {
    for entry in std::fs::read_dir(top).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => std::fs::remove_dir_all(entry.path()).unwrap(),
            false if entry.file_name() != ".git" => std::fs::remove_file(entry.path()).unwrap(),
            false => {}
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn restore_and_snapshot_are_inverse(one in folder(), two in folder()) {
        let step = Step::new(&[("first", b"1")]);
        let top = step.worktree.path();
        let mut trees = Vec::new();
        for nodes in [&one, &two] {
            clear(top);
            make(top, nodes);
            let snapshot = step.snapshot();
            prop_assert!(snapshot.refused.is_empty(), "{:?}", snapshot.refused);
            step.fixture.git_in(top, &["add", "--all", "--force"]);
            let theirs = step.fixture.git_in(top, &["write-tree"]);
            prop_assert_eq!(&snapshot.tree, &id(&theirs));
            trees.push(snapshot.tree);
        }
        for tree in [&trees[0], &trees[1], &trees[0]] {
            step.worktree.restore(tree).unwrap();
            prop_assert_eq!(&step.snapshot().tree, tree);
            step.fixture.git_in(top, &["add", "--all", "--force"]);
            prop_assert_eq!(tree, &id(&step.fixture.git_in(top, &["write-tree"])));
        }
        step.fixture.fsck();
    }
}

/// What is written in one round, and what others have changed when the next one begins, by path.
type Round = (Vec<(&'static str, u8)>, Vec<(&'static str, u8)>);

fn round() -> impl Strategy<Value = Round> {
    let path = prop::sample::select(vec![
        "a", "b/1", "b/2", "c/d/1", "c/d/2", "c/e", "f/1", "f/g",
    ]);
    let writes = || prop::collection::vec((path.clone(), 0..3_u8), 0..4);
    (writes(), writes())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn looking_at_what_was_written_alone_sees_the_same(rounds in prop::collection::vec(round(), 1..5)) {
        let step = Step::new(&[("b/1", b"0"), ("c/e", b"0"), (".gitignore", b"f/g\n")]);
        let (repository, worktree) = (&step.fixture.repository, &step.worktree);
        let mut tree = step.tree.clone();
        let mut held = None;
        for (written, elsewhere) in rounds {
            worktree.prepare(&tree, held.take()).unwrap();
            let whole = worktree.snapshot(&tree).unwrap();
            prop_assert_eq!((&whole.tree, whole.held().is_some()), (&tree, true));
            for (path, content) in &written {
                write(&worktree.path().join(path), &[*content]);
            }
            let paths: Vec<String> = written.iter().map(|(path, _)| path.to_string()).collect();
            let known = worktree.snapshot_without(&tree, Some(&paths), &|_| None).unwrap();
            let whole = worktree.snapshot(&tree).unwrap();
            prop_assert_eq!(&known, &whole);
            held = known.held();
            prop_assert_eq!(held.is_none(), worktree.path().join("f/g").exists());
            let files: Vec<(String, Vec<u8>)> =
                elsewhere.iter().filter(|(path, _)| *path != "f/g").map(|(path, content)| (path.to_string(), vec![*content])).collect();
            tree = repository.with_snapshot(&known, &files).unwrap();
            // Now and then somebody took a whole folder away.
            if elsewhere.len() == 3 {
                tree = repository.with_files(&step.tree, &files).unwrap();
            }
        }
    }
}
