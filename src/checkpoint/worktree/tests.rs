use crate::checkpoint::Worktree;
use crate::checkpoint::fixture::{Fixture, write};

#[test]
fn git_lists_the_worktree_and_finds_it_clean() {
    let fixture = Fixture::with_commit(&[("a", b"1"), ("b/c", b"2")]);
    let head = fixture.head();
    let worktree = fixture.worktree();
    worktree
        .restore(&fixture.repository.tree_of(&head).unwrap())
        .unwrap();
    worktree.set_head(&head).unwrap();
    let list = fixture.git(&["worktree", "list", "--porcelain"]);
    let expected = format!(
        "worktree {}\nHEAD {head}\ndetached",
        worktree.path().display()
    );
    assert!(list.contains(&expected), "{list}");
    assert_eq!(
        fixture.git_in(worktree.path(), &["status", "--porcelain", "--ignored"]),
        ""
    );
    assert_eq!(fixture.git(&["worktree", "prune", "--verbose"]), "");
    fixture.fsck();
    let path = worktree.path().to_owned();
    Worktree::remove_at(&fixture.repository, worktree.path()).unwrap();
    assert!(!path.exists());
    assert!(!fixture.git(&["worktree", "list"]).contains("detached"));
    assert_eq!(fixture.git(&["status", "--porcelain"]), "");
}

#[test]
fn an_existing_worktree_is_reused_with_its_files() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let first = fixture.worktree();
    write(&first.path().join("mine"), b"x");
    let again = fixture.worktree();
    assert_eq!(again.administration, first.administration);
    assert!(again.path().join("mine").exists());
}

#[test]
fn a_half_made_worktree_is_mended() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let worktree = fixture.worktree();
    let administration = worktree.administration.clone();
    for name in ["HEAD", "commondir"] {
        std::fs::remove_file(administration.join(name)).unwrap();
        fixture.worktree();
        assert!(administration.join(name).exists(), "{name}");
    }
    std::fs::write(administration.join("HEAD"), "").unwrap();
    std::fs::write(administration.join("locked"), "initializing").unwrap();
    std::fs::remove_dir_all(worktree.path()).unwrap();
    let again = fixture.worktree();
    assert_eq!(again.administration, administration);
    assert!(!administration.join("locked").exists());
    assert_eq!(
        fixture.git_in(again.path(), &["rev-parse", "HEAD"]).trim(),
        fixture.head().as_str()
    );
}

#[test]
fn a_pruned_worktree_is_registered_anew() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let worktree = fixture.worktree();
    std::fs::remove_dir_all(&worktree.administration).unwrap();
    let again = fixture.worktree();
    assert_eq!(again.administration, worktree.administration);
    assert!(fixture.git(&["worktree", "list"]).contains("detached"));
}

#[test]
fn the_folder_of_another_repository_is_not_taken() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let other = fixture.outside("other");
    fixture.git(&["init", "--quiet", other.to_str().unwrap()]);
    fixture.check_busy(Worktree::open_or_add(
        &fixture.repository,
        &other,
        &fixture.head(),
    ));
    assert!(other.join(".git/HEAD").exists());
}

#[test]
fn worktrees_with_one_name_have_places_of_their_own() {
    let fixture = Fixture::with_commit(&[("a", b"1")]);
    let head = fixture.head();
    let open = |path: &str| {
        Worktree::open_or_add(&fixture.repository, &fixture.outside(path), &head).unwrap()
    };
    let (one, two) = (open("one/run.1"), open("two/run.1"));
    assert_ne!(one.administration, two.administration);
    Worktree::remove_at(&fixture.repository, one.path()).unwrap();
    assert!(
        fixture
            .git(&["worktree", "list"])
            .contains(two.path().to_str().unwrap())
    );
}
