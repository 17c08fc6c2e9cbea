use crate::checkpoint::Merge;
use crate::checkpoint::fixture::Fixture;
use crate::model::Oid;

const PLAN: &str = ".orchestrate/plans/p/plan.yaml";

/// Returns a merge commit on top of `main` that adds a plan and a file.
fn merge_commit(fixture: &Fixture) -> Oid {
    let repository = &fixture.repository;
    let head = fixture.head();
    let files = [
        (PLAN.to_owned(), b"plan".to_vec()),
        ("src/new".to_owned(), b"new".to_vec()),
    ];
    let tree = repository
        .with_files(&repository.tree_of(&head).unwrap(), &files)
        .unwrap();
    let identity = repository.identity();
    let tip = repository
        .write_commit(&tree, std::slice::from_ref(&head), "run", &identity, 1)
        .unwrap();
    repository
        .write_commit(&tree, &[head, tip], "merge", &identity, 2)
        .unwrap()
}

fn check_done(fixture: &Fixture) {
    let (from, to) = (fixture.head(), merge_commit(fixture));
    assert_eq!(
        fixture.repository.fast_forward("main", &from, &to).unwrap(),
        Merge::Done
    );
    fixture.repository.sync().unwrap();
    assert_eq!(fixture.head(), to);
    assert_eq!(std::fs::read(fixture.path("src/new")).unwrap(), b"new");
    assert_eq!(std::fs::read(fixture.path(PLAN)).unwrap(), b"plan");
    assert_eq!(
        std::fs::read_dir(fixture.path(".orchestrate/plans/p"))
            .unwrap()
            .count(),
        1
    );
    fixture.fsck();
}

fn check_refused(fixture: &Fixture, from: &Oid, expected: &str) {
    let before = (
        fixture.head(),
        fixture.git(&["status", "--porcelain", "--untracked-files=all"]),
    );
    match fixture
        .repository
        .fast_forward("main", from, &merge_commit(fixture))
        .unwrap()
    {
        Merge::Refused { why } => assert!(why.contains(expected), "{why}"),
        Merge::Done => panic!("it was merged"),
    }
    let after = (
        fixture.head(),
        fixture.git(&["status", "--porcelain", "--untracked-files=all"]),
    );
    assert_eq!(before, after);
}

#[test]
fn a_clean_branch_moves_with_its_files() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    check_done(&fixture);
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_first_run_merges_into_an_empty_root_commit() {
    let fixture = Fixture::new();
    fixture
        .repository
        .empty_root_commit(&fixture.repository.identity(), 1)
        .unwrap();
    check_done(&fixture);
}

#[test]
fn our_own_untracked_plan_does_not_stand_in_the_way() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    fixture.write(PLAN, "plan");
    check_done(&fixture);
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_staged_plan_does_not_stand_in_the_way() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    fixture.write(PLAN, "plan");
    fixture.git(&["add", PLAN]);
    check_done(&fixture);
}

#[test]
fn the_users_own_files_stand_in_the_way() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let head = fixture.head();
    fixture.write(PLAN, "plan");
    fixture.write("src/new", "new");
    check_refused(&fixture, &head, "src/new");
    assert_eq!(std::fs::read(fixture.path(PLAN)).unwrap(), b"plan");
    std::fs::remove_dir_all(fixture.path("src")).unwrap();
    fixture.write(PLAN, "edited");
    check_refused(&fixture, &head, PLAN);
    assert_eq!(std::fs::read(fixture.path(PLAN)).unwrap(), b"edited");
}

#[test]
fn a_branch_that_moved_or_left_is_not_merged_into() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let head = fixture.head();
    fixture.commit(&[("a", b"2")]);
    check_refused(&fixture, &head, "has moved");
    fixture.git(&["checkout", "--quiet", "-b", "other"]);
    check_refused(&fixture, &head, "is not checked out");
}

#[test]
fn hooks_do_not_run() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    fixture.write(".git/hooks/post-merge", "#!/bin/sh\ntouch hook-ran\n");
    fixture.make_executable(".git/hooks/post-merge");
    check_done(&fixture);
    assert!(!fixture.path("hook-ran").exists());
}

fn check_clean(fixture: &Fixture, expected: bool) {
    assert_eq!(fixture.repository.is_clean().unwrap(), expected);
    let theirs = fixture.git(&["status", "--porcelain", "--untracked-files=no"]);
    assert_eq!(theirs.is_empty(), expected, "{theirs}");
}

#[test]
fn clean_means_what_git_means() {
    let fixture = Fixture::with_commit(&[("a", b"1"), ("b", b"1")]);
    check_clean(&fixture, true);
    fixture.write("untracked", "1");
    check_clean(&fixture, true);
    fixture.write("a", "2");
    check_clean(&fixture, false);
    fixture.git(&["add", "a"]);
    check_clean(&fixture, false);
    fixture.git(&["commit", "--quiet", "--message=a"]);
    check_clean(&fixture, true);
    fixture.make_executable("a");
    check_clean(&fixture, false);
    fixture.git(&["checkout", "a"]);
    std::fs::remove_file(fixture.path("b")).unwrap();
    check_clean(&fixture, false);
    fixture.write("b", "1");
    check_clean(&fixture, true);
}

#[test]
fn an_unborn_branch_with_something_staged_is_not_clean() {
    let fixture = Fixture::new();
    check_clean(&fixture, true);
    fixture.write("a", "1");
    fixture.git(&["add", "a"]);
    check_clean(&fixture, false);
}

#[test]
fn an_ignored_file_of_the_users_is_not_overwritten() {
    let fixture = Fixture::with_commit(&[(".gitignore", b"src/\n")]);
    let head = fixture.head();
    fixture.write("src/new", "theirs");
    check_refused(&fixture, &head, "src/new");
    assert_eq!(std::fs::read(fixture.path("src/new")).unwrap(), b"theirs");
}

#[test]
fn the_users_merge_options_change_nothing() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    fixture.git(&["config", "branch.main.mergeOptions", "--squash"]);
    fixture.git(&["config", "merge.autoStash", "true"]);
    fixture.git(&["config", "merge.ff", "false"]);
    check_done(&fixture);
}

#[test]
fn a_merge_that_fails_halfway_leaves_nothing_behind() {
    let fixture = Fixture::with_commit(&[("changed", b"old"), ("zz/kept", b"kept")]);
    let base = fixture.head();
    let tree = fixture.tree(&[
        ("changed", b"new"),
        ("added/file", b"added"),
        ("zz/kept", b"kept"),
        ("filtered", b"x"),
    ]);
    let repository = &fixture.repository;
    let to = repository
        .write_commit(
            &tree,
            std::slice::from_ref(&base),
            "merge",
            &repository.identity(),
            0,
        )
        .unwrap();
    // A filter that has to succeed and does not stands in for a disk that is full.
    fixture.git(&["config", "filter.fails.smudge", "false"]);
    fixture.git(&["config", "filter.fails.required", "true"]);
    std::fs::create_dir_all(fixture.path(".git/info")).unwrap();
    std::fs::write(
        fixture.path(".git/info/attributes"),
        "filtered filter=fails\n",
    )
    .unwrap();
    let merged = repository.fast_forward("main", &base, &to).unwrap();
    assert!(matches!(merged, Merge::Refused { .. }), "{merged:?}");
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
    assert_eq!(fixture.head(), base);
    assert!(!fixture.path("added").exists());
}
