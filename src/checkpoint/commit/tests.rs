use super::Commit;
use crate::checkpoint::fixture::{Fixture, id};
use crate::checkpoint::{Head, NewCommit};
use crate::model::Oid;

fn check_trailer(message: &str, key: &str, expected: Option<&str>) {
    let zero = Oid::try_from("0".repeat(40)).unwrap();
    let commit = Commit {
        id: zero.clone(),
        parents: Vec::new(),
        tree: zero,
        message: message.into(),
        time_s: 0,
    };
    assert_eq!(commit.trailer(key), expected, "{message:?}");
}

#[test]
fn trailers_stand_in_the_last_paragraph() {
    check_trailer("subject\n\nRun: a\n", "Run", Some("a"));
    check_trailer(
        "subject\n\nRun: a\nStep: 1/2 x: y\n",
        "step",
        Some("1/2 x: y"),
    );
    check_trailer("subject\n\nRun: a\nRun: b", "Run", Some("b"));
    check_trailer("subject\n\nRun: a\n\nother text", "Run", None);
    check_trailer("Run: a", "Run", None);
    check_trailer("", "Run", None);
}

#[test]
fn commits_are_what_git_reads() {
    let fixture = Fixture::new();
    let repository = &fixture.repository;
    let root = repository
        .empty_root_commit(&repository.identity(), 1_700_000_000)
        .unwrap();
    let tree = fixture.tree(&[("a.txt", b"1"), ("b/c.txt", b"2")]);
    let new = NewCommit {
        branch: "orchestrate/run",
        expected: None,
        tree: &tree,
        parents: std::slice::from_ref(&root),
        message: "step: done\n\nOrchestrate-Run: run\n",
        identity: &repository.identity(),
        time_s: 1_700_000_001,
    };
    let first = repository.commit(&new).unwrap();
    repository.sync().unwrap();
    assert_eq!(
        fixture.git(&["rev-parse", "orchestrate/run"]).trim(),
        first.as_str()
    );
    let shown = fixture.git(&[
        "log",
        "-1",
        "--format=%an <%ae> %ct %s|%(trailers:only,unfold)",
        "orchestrate/run",
    ]);
    assert_eq!(
        shown.trim(),
        "orchestrate <orchestrate@localhost> 1700000001 step: done|Orchestrate-Run: run"
    );
    assert_eq!(
        fixture
            .git(&["reflog", "--format=%gs", "orchestrate/run"])
            .trim(),
        "commit: step: done"
    );
    let history = repository.history(&first, None).unwrap();
    assert_eq!(history.len(), 2);
    assert_eq!(history[0].trailer("Orchestrate-Run"), Some("run"));
    assert_eq!((&history[1].id, history[1].time_s), (&root, 1_700_000_000));
    assert_eq!(repository.history(&first, Some(&root)).unwrap().len(), 1);
    assert_eq!(repository.read_commit(&first).unwrap(), history[0]);
    fixture.fsck();
}

#[test]
fn a_branch_that_has_moved_is_left_alone() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let repository = &fixture.repository;
    let base = fixture.head();
    let identity = repository.identity();
    let mut new = NewCommit {
        branch: "run",
        expected: None,
        tree: &fixture.tree(&[("a", b"2")]),
        parents: std::slice::from_ref(&base),
        message: "one",
        identity: &identity,
        time_s: 5,
    };
    let first = repository.commit(&new).unwrap();
    fixture.check_busy(repository.commit(&new));
    new.expected = Some(&base);
    fixture.check_busy(repository.commit(&new));
    fixture.git(&["branch", "-D", "run"]);
    new.expected = Some(&first);
    fixture.check_busy(repository.commit(&new));
    assert_eq!(repository.branch_tip("run").unwrap(), None);
}

#[test]
fn a_lock_of_somebody_else_means_busy() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let base = fixture.head();
    fixture.git(&["branch", "run"]);
    let lock = fixture
        .repository
        .common_directory()
        .join("refs/heads/run.lock");
    std::fs::write(&lock, "").unwrap();
    let new = NewCommit {
        branch: "run",
        expected: Some(&base),
        tree: &fixture.tree(&[("a", b"2")]),
        parents: std::slice::from_ref(&base),
        message: "one",
        identity: &fixture.repository.identity(),
        time_s: 5,
    };
    fixture.check_busy(fixture.repository.commit(&new));
    std::fs::remove_file(lock).unwrap();
    fixture.repository.commit(&new).unwrap();
}

#[test]
fn an_unborn_branch_gets_an_empty_root_commit_once() {
    let fixture = Fixture::new();
    let repository = &fixture.repository;
    std::fs::write(fixture.path("staged"), "x").unwrap();
    fixture.git(&["add", "staged"]);
    let root = repository
        .empty_root_commit(&repository.identity(), 7)
        .unwrap();
    let name = "main".to_owned();
    let commit = Some(root.clone());
    assert_eq!(repository.head().unwrap(), Head::Branch { name, commit });
    assert_eq!(fixture.git(&["ls-tree", "-r", root.as_str()]), "");
    assert_eq!(fixture.git(&["status", "--porcelain"]).trim(), "A  staged");
    assert!(
        repository
            .empty_root_commit(&repository.identity(), 8)
            .is_err()
    );
    fixture.fsck();
}

#[test]
fn a_shallow_history_ends_at_its_border() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    fixture.git(&["commit", "--allow-empty", "-m", "two"]);
    fixture.git(&["commit", "--allow-empty", "-m", "three"]);
    let clone = fixture.outside("clone");
    let url = format!("file://{}", fixture.repository.work_directory().display());
    fixture.git(&["clone", "--depth=2", &url, clone.to_str().unwrap()]);
    let shallow = Fixture::open(&clone);
    assert_eq!(shallow.history(&fixture.head(), None).unwrap().len(), 2);
    assert_eq!(
        shallow
            .history(&id(&fixture.git(&["rev-parse", "HEAD"])), None)
            .unwrap()[1]
            .message,
        "two\n"
    );
}

/// Returns a repository with a branch `run`, its commit, and the tree of that.
fn with_branch() -> (Fixture, Oid, Oid) {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let base = fixture.head();
    fixture.git(&["branch", "run"]);
    let tree = fixture.repository.tree_of(&base).unwrap();
    (fixture, base, tree)
}

#[test]
fn writers_side_by_side_lose_nothing() {
    let (fixture, base, tree) = with_branch();
    let write = |writer: i64| {
        let repository = fixture.repository.clone();
        for number in 0..10 {
            let attempt = || {
                let tip = repository.branch_tip("run").unwrap().unwrap().commit;
                repository.commit(&NewCommit {
                    branch: "run",
                    expected: Some(&tip),
                    tree: &tree,
                    parents: std::slice::from_ref(&tip),
                    message: "one",
                    identity: &repository.identity(),
                    time_s: 100 * writer + number,
                })
            };
            while let Err(error) = attempt() {
                fixture.check_busy::<()>(Err(error));
            }
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || write(writer));
        }
    });
    check_history(&fixture, &base, 40);
}

#[test]
fn a_writer_is_not_led_astray_by_git_packing_refs() {
    let (fixture, base, tree) = with_branch();
    let repository = fixture.repository.clone();
    let write = || {
        let mut tip = repository.branch_tip("run").unwrap().unwrap().commit;
        for number in 0..40 {
            let written = repository.commit(&NewCommit {
                branch: "run",
                expected: Some(&tip),
                tree: &tree,
                parents: std::slice::from_ref(&tip),
                message: "one",
                identity: &repository.identity(),
                time_s: number,
            });
            tip = written.unwrap();
            let found = repository.branch_tip("run").unwrap().unwrap();
            assert_eq!(found.commit, tip);
        }
    };
    std::thread::scope(|scope| {
        let writing = scope.spawn(write);
        while !writing.is_finished() {
            fixture.git(&["pack-refs", "--all"]);
        }
    });
    check_history(&fixture, &base, 40);
}

#[track_caller]
fn check_history(fixture: &Fixture, base: &Oid, commits: usize) {
    let tip = fixture
        .repository
        .branch_tip("run")
        .unwrap()
        .unwrap()
        .commit;
    assert_eq!(
        fixture.repository.history(&tip, Some(base)).unwrap().len(),
        commits
    );
    fixture.fsck();
}
