//! A run leaves the user's work alone: what is staged, changed, untracked, ignored or stashed, and where HEAD is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use support::{TASK, TestEnvironment};

const FIVE_STEPS: [&str; 3] = ["--pattern-id", "five-steps", TASK];

/// Everything of the user's that a run could touch.
#[derive(Debug, PartialEq)]
struct Work {
    /// The bytes of every file outside git's folder, with the time of its last change.
    files: BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)>,
    index: Vec<u8>,
    head: String,
    branch: String,
    stashes: String,
    config: String,
    hooks: Vec<PathBuf>,
}

fn work(environment: &TestEnvironment) -> Work {
    let mut files = BTreeMap::new();
    collect(&environment.project(""), &mut files);
    let read = |name: &str| fs::read_to_string(environment.project(name)).unwrap();
    let hooks = fs::read_dir(environment.project(".git/hooks"));
    let mut hooks: Vec<PathBuf> = hooks
        .into_iter()
        .flatten()
        .map(|hook| hook.unwrap().path())
        .collect();
    hooks.sort();
    Work {
        files,
        index: fs::read(environment.project(".git/index")).unwrap(),
        head: read(".git/HEAD"),
        branch: environment.git(&["rev-parse", "main"]),
        stashes: environment.git(&["stash", "list", "--format=%H %s"]),
        config: read(".git/config"),
        hooks,
    }
}

fn collect(folder: &Path, files: &mut BTreeMap<PathBuf, (Vec<u8>, std::time::SystemTime)>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.file_name().unwrap() == ".git" {
            continue;
        }
        match path.is_dir() {
            true => collect(&path, files),
            false => {
                let changed = path.metadata().unwrap().modified().unwrap();
                files.insert(path.clone(), (fs::read(&path).unwrap(), changed));
            }
        }
    }
}

fn write(environment: &TestEnvironment, name: &str, text: &str) {
    let path = environment.project(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// Returns a project in which a person is in the middle of everything.
fn busy() -> TestEnvironment {
    let environment = TestEnvironment::new();
    write(&environment, "notes.txt", "one\n");
    write(&environment, "plans.txt", "one\n");
    write(&environment, ".gitignore", "*.log\n");
    environment.commit("Notes");
    write(&environment, "notes.txt", "stashed\n");
    environment.git(&["stash", "--quiet"]);
    write(&environment, "notes.txt", "staged\n");
    environment.git(&["add", "notes.txt"]);
    write(&environment, "notes.txt", "staged and changed\n");
    write(&environment, "plans.txt", "changed\n");
    write(&environment, "new.txt", "untracked\n");
    write(&environment, "build.log", "ignored\n");
    environment
}

/// Runs five steps, whose result is not merged, and makes sure that nothing of the user's has changed.
#[track_caller]
fn check_untouched(environment: &TestEnvironment, arguments: &[&str], why: &str) {
    let before = work(environment);
    let ran = environment.orchestrate(arguments).exits(0);
    assert_eq!(work(environment), before);
    assert!(
        ran.stderr.contains(&format!("not merged: {why}")),
        "{}",
        ran.stderr
    );
    let branch = environment.run_branch();
    assert!(
        ran.stderr.contains(&format!("git merge --no-ff {branch}")),
        "{}",
        ran.stderr
    );
    let made = environment.git(&["show", &format!("{branch}:app/limits.txt")]);
    assert_eq!(made, "limits\n");
}

#[test]
fn work_in_progress_stays_as_it_is() {
    check_untouched(&busy(), &FIVE_STEPS, "there are uncommitted changes");
}

#[test]
fn staged_work_alone_is_enough_to_stay_out() {
    let environment = TestEnvironment::new();
    write(&environment, "notes.txt", "staged\n");
    environment.git(&["add", "notes.txt"]);
    check_untouched(&environment, &FIVE_STEPS, "there are uncommitted changes");
}

#[test]
fn an_untracked_file_in_the_way_is_not_overwritten() {
    let environment = TestEnvironment::new();
    write(&environment, "app/limits.txt", "mine\n");
    check_untouched(&environment, &FIVE_STEPS, "");
}

#[test]
fn an_ignored_file_in_the_way_is_not_overwritten() {
    let environment = TestEnvironment::new();
    // The run does not see it, as it is not committed.
    write(&environment, ".gitignore", "app/\n");
    write(&environment, "app/limits.txt", "mine\n");
    check_untouched(&environment, &FIVE_STEPS, "");
}

#[test]
fn a_folder_in_the_way_of_a_file_stays() {
    let environment = TestEnvironment::new();
    write(&environment, "app/limits.txt/mine.txt", "mine\n");
    check_untouched(&environment, &FIVE_STEPS, "");
}

#[test]
fn who_asks_for_no_merge_gets_none() {
    let environment = TestEnvironment::new();
    let arguments = [&["--no-merge"][..], &FIVE_STEPS].concat();
    check_untouched(&environment, &arguments, "`--no-merge` was given");
}

#[test]
fn a_detached_head_stays_where_it_is() {
    let environment = TestEnvironment::new();
    environment.git(&["checkout", "--quiet", "--detach"]);
    check_untouched(
        &environment,
        &FIVE_STEPS,
        "the run was started on a detached HEAD",
    );
}

#[test]
fn a_git_that_is_at_work_in_the_folder_is_not_disturbed() {
    let environment = TestEnvironment::new();
    write(&environment, ".git/index.lock", "");
    check_untouched(&environment, &FIVE_STEPS, "");
    assert!(environment.project(".git/index.lock").exists());
}

#[test]
fn the_command_that_is_printed_merges() {
    let environment = busy();
    environment.orchestrate(&FIVE_STEPS).exits(0);
    environment.git(&["commit", "--quiet", "--all", "--message", "Mine"]);
    environment.git(&[
        "merge",
        "--quiet",
        "--no-ff",
        "--no-edit",
        &environment.run_branch(),
    ]);
    assert_eq!(
        fs::read_to_string(environment.project("app/limits.txt")).unwrap(),
        "limits\n"
    );
    assert_eq!(
        fs::read_to_string(environment.project("notes.txt")).unwrap(),
        "staged and changed\n"
    );
}

#[test]
fn a_branch_that_moved_meanwhile_is_not_merged_into() {
    let environment = TestEnvironment::new();
    let mut run = environment.start(&["--verbose", "--pattern-id", "slow", TASK]);
    run.wait_for("waiting for go");
    write(&environment, "notes.txt", "meanwhile\n");
    environment.commit("Meanwhile");
    let before = work(&environment);
    environment.go();
    let ran = run.end().exits(0);
    fs::remove_file(environment.project("go")).unwrap();
    assert_eq!(work(&environment), before);
    assert!(
        ran.stderr.contains("not merged: `main` has moved"),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_run_that_fails_or_waits_touches_nothing() {
    for (pattern, code) in [("broken", 1), ("asking", 3), ("straying", 1)] {
        let environment = busy();
        let before = work(&environment);
        environment
            .orchestrate(&["--pattern-id", pattern, TASK])
            .exits(code);
        assert_eq!(work(&environment), before, "{pattern}");
    }
}

#[test]
fn a_clean_branch_gets_one_merge_commit() {
    let environment = TestEnvironment::new();
    write(&environment, "new.txt", "untracked\n");
    environment.orchestrate(&FIVE_STEPS).exits(0);
    assert_eq!(environment.git(&["status", "--porcelain"]), "?? new.txt\n");
    let first_parents = environment.git(&["log", "--first-parent", "--format=%s %p", "main"]);
    assert_eq!(first_parents.lines().count(), 2, "{first_parents}");
    let parents = environment.git(&["rev-parse", "main^1", "main^2"]);
    let branch = environment.git(&["rev-parse", "main~1", &environment.run_branch()]);
    assert_eq!(parents, branch);
    assert_eq!(
        environment.git(&["symbolic-ref", "HEAD"]),
        "refs/heads/main\n"
    );
}

#[test]
fn an_unborn_branch_gets_a_root_and_a_merge() {
    let environment = TestEnvironment::new();
    environment.git(&["init", "--quiet", "../new"]);
    support::copy(
        &environment.project(".orchestrate"),
        &environment.path("new/.orchestrate"),
    );
    let plan = ["-C", "../new", "Build a REST API [domain: testing]"];
    environment.orchestrate(&plan).exits(0);
    let first_parents =
        environment.git_in("new", &["log", "--first-parent", "--format=%s", "main"]);
    assert_eq!(first_parents.lines().count(), 2, "{first_parents}");
    assert_eq!(
        fs::read_to_string(environment.path("new/app/api.txt"))
            .unwrap()
            .lines()
            .next(),
        Some("The API")
    );
}
