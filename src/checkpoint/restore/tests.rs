use std::os::unix::fs::{PermissionsExt, symlink};

use crate::checkpoint::Worktree;
use crate::checkpoint::fixture::{Fixture, id, write};
use crate::model::Oid;

/// Commits the user's folder as it is and returns the commit's tree.
fn commit(fixture: &Fixture) -> Oid {
    let commit = fixture.commit(&[]);
    fixture.repository.tree_of(&commit).unwrap()
}

fn status(fixture: &Fixture, worktree: &crate::checkpoint::Worktree) -> String {
    fixture.git_in(
        worktree.path(),
        &[
            "status",
            "--porcelain",
            "--ignored",
            "--untracked-files=all",
        ],
    )
}

#[test]
fn everything_that_the_tree_lacks_goes() {
    let fixture = Fixture::new();
    fixture.write("a", "1");
    fixture.write("deep/er/b", "2");
    fixture.write("script", "3");
    fixture.make_executable("script");
    symlink("deep/er/b", fixture.path("link")).unwrap();
    fixture.write(".gitignore", "ignored\n");
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    let top = worktree.path();
    write(&top.join("extra/x"), b"1");
    write(&top.join("ignored"), b"1");
    write(&top.join("deep/.git/config"), b"[core]\n");
    write(&top.join("a"), b"2");
    std::fs::remove_dir_all(top.join("deep/er")).unwrap();
    symlink("/etc", top.join("deep/er")).unwrap();
    std::fs::remove_file(top.join("link")).unwrap();
    write(&top.join("link/now/a/folder"), b"1");
    std::fs::set_permissions(top.join("script"), PermissionsExt::from_mode(0o644)).unwrap();
    std::fs::write(top.join(".git"), "gitdir: /elsewhere\n").unwrap();
    worktree.restore(&tree).unwrap();
    assert_eq!(status(&fixture, &worktree), "");
    assert_eq!(
        std::fs::read_link(top.join("link")).unwrap().to_str(),
        Some("deep/er/b")
    );
    let snapshot = worktree.snapshot(&tree).unwrap();
    assert_eq!((snapshot.tree, snapshot.refused.len()), (tree, 0));
}

#[test]
fn nothing_outside_is_touched_through_links() {
    let fixture = Fixture::with_commit(&[("folder/file", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    let outside = fixture.outside("outside");
    write(&outside.join("file"), b"precious");
    write(&outside.join("other"), b"precious");
    std::fs::remove_dir_all(worktree.path().join("folder")).unwrap();
    symlink(&outside, worktree.path().join("folder")).unwrap();
    symlink(&outside, worktree.path().join("extra")).unwrap();
    worktree.restore(&tree).unwrap();
    assert_eq!(std::fs::read(outside.join("file")).unwrap(), b"precious");
    assert_eq!(std::fs::read(outside.join("other")).unwrap(), b"precious");
    assert_eq!(
        std::fs::read(worktree.path().join("folder/file")).unwrap(),
        b"1"
    );
}

#[test]
fn a_folder_deeper_than_any_stack_is_removed() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    let mut folder = worktree.folder().unwrap();
    for _ in 0..1_100 {
        folder.make(b"d").unwrap();
        folder.write(b"f", b"", false).unwrap();
        folder = folder.enter(b"d").unwrap();
    }
    let refused = worktree.snapshot(&tree).unwrap().refused;
    assert!(refused[0].contains("folders deep"), "{refused:?}");
    worktree.restore(&tree).unwrap();
    assert_eq!(status(&fixture, &worktree), "");
}

#[test]
fn read_only_folders_and_unreadable_files_are_mended() {
    let fixture = Fixture::with_commit(&[("folder/file", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    let mode = |path: &str| {
        std::fs::metadata(worktree.path().join(path))
            .unwrap()
            .permissions()
            .mode()
            & 0o7777
    };
    let set = |path: &str, mode: u32| {
        std::fs::set_permissions(worktree.path().join(path), PermissionsExt::from_mode(mode))
            .unwrap();
    };
    write(&worktree.path().join("cache/mod/x"), b"1");
    set("cache/mod/x", 0o444);
    set("cache/mod", 0o555);
    set("folder/file", 0o4000);
    set("folder", 0o000);
    worktree.restore(&tree).unwrap();
    assert!(!worktree.path().join("cache").exists());
    assert_eq!(mode("folder") & 0o700, 0o700);
    assert_eq!(mode("folder/file") & 0o7600, 0o600);
}

#[test]
fn hard_links_are_cut() {
    let fixture = Fixture::with_commit(&[("a", b"1"), ("b", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    std::fs::remove_file(worktree.path().join("b")).unwrap();
    std::fs::hard_link(worktree.path().join("a"), worktree.path().join("b")).unwrap();
    worktree.restore(&tree).unwrap();
    std::fs::write(worktree.path().join("a"), "2").unwrap();
    assert_eq!(std::fs::read(worktree.path().join("b")).unwrap(), b"1");
}

#[test]
fn a_change_that_keeps_size_and_time_is_seen() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    let path = worktree.path().join("a");
    for round in 0..20 {
        let modified = std::fs::metadata(&path).unwrap().modified().unwrap();
        std::fs::write(&path, "2").unwrap();
        std::fs::File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let snapshot = worktree.snapshot(&tree).unwrap();
        assert_eq!(snapshot.changes.len(), 1, "round {round}");
        worktree.restore(&tree).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"1", "round {round}");
    }
}

#[test]
fn a_tree_with_a_git_directory_is_refused() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let worktree = fixture.worktree();
    let blob = fixture.git(&["rev-parse", "HEAD:a"]);
    let listing = fixture.outside("listing");
    for name in [".git", ".GIT", "git~1"] {
        std::fs::write(&listing, format!("100644 blob {}\t{name}\n", blob.trim())).unwrap();
        let script = format!("git mktree < '{}'", listing.display());
        let tree = fixture.git(&["-c", &format!("alias.make=!{script}"), "make"]);
        let error = worktree.restore(&id(&tree)).unwrap_err();
        assert!(format!("{error:#}").contains(name), "{error:#}");
    }
    assert!(worktree.path().join(".git").is_file());
}

#[test]
fn a_submodule_is_an_empty_folder() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let head = fixture.head();
    fixture.git(&[
        "update-index",
        "--add",
        "--cacheinfo",
        &format!("160000,{head},sub"),
    ]);
    let tree = id(&fixture.git(&["write-tree"]));
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    let snapshot = worktree.snapshot(&tree).unwrap();
    assert_eq!((&snapshot.tree, snapshot.refused.len()), (&tree, 0));
    write(&worktree.path().join("sub/.git/config"), b"[core]\n");
    let snapshot = worktree.snapshot(&tree).unwrap();
    assert_eq!(
        snapshot.refused,
        ["`sub` is a submodule: what is in it is not recorded"]
    );
    assert_eq!(snapshot.tree, tree);
    worktree.restore(&tree).unwrap();
    assert!(!worktree.path().join("sub/.git").exists());
    std::fs::remove_dir(worktree.path().join("sub")).unwrap();
    assert_eq!(worktree.snapshot(&tree).unwrap().tree, tree);
}

#[test]
fn what_somebody_else_did_to_the_index_is_undone() {
    let fixture = Fixture::with_commit(&[("a", b"1"), ("b", b"1")]);
    let tree = commit(&fixture);
    let worktree = fixture.worktree();
    worktree.restore(&tree).unwrap();
    worktree.set_head(&fixture.head()).unwrap();
    fixture.git_in(worktree.path(), &["rm", "--quiet", "--cached", "a"]);
    assert_ne!(status(&fixture, &worktree), "");
    worktree.restore(&tree).unwrap();
    assert_eq!(status(&fixture, &worktree), "");
}

#[test]
fn a_step_does_not_see_what_is_hidden_and_may_not_make_it() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let hidden = ".orchestrate/runs";
    let tree = fixture.tree(&[
        ("a", b"1"),
        (".orchestrate/runs/r/log", b"1"),
        (".orchestrate/plan", b"p"),
    ]);
    let path = fixture.outside("hiding");
    let worktree = Worktree::open_or_add(&fixture.repository, &path, &fixture.head())
        .unwrap()
        .hiding(hidden);
    worktree.prepare(&tree, None).unwrap();
    assert!(!path.join(hidden).exists() && path.join(".orchestrate/plan").exists());
    std::fs::write(path.join("a"), "2").unwrap();
    let snapshot = worktree.snapshot(&tree).unwrap();
    assert_eq!(snapshot.refused, [""; 0]);
    let after = fixture.repository.with_snapshot(&snapshot, &[]).unwrap();
    let log = fixture
        .repository
        .read_file(&after, ".orchestrate/runs/r/log")
        .unwrap();
    assert_eq!(log.unwrap(), b"1");
    std::fs::create_dir_all(path.join(hidden)).unwrap();
    std::fs::write(path.join(hidden).join("x"), "x").unwrap();
    // What was there before is missing, and what is there is new.
    assert_eq!(worktree.snapshot(&tree).unwrap().refused.len(), 2);
    worktree.restore(&tree).unwrap();
    assert!(path.join(".orchestrate/runs/r/log").exists());
}
