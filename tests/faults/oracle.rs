//! What has to be so after a run was cut off, and once it has gone on to its end.

use std::path::{Path, PathBuf};

use super::instants::Instant;
use super::support::TestEnvironment;
use super::support::plans::{PLAN, Scripted};
use super::support::process::Ran;

pub const RUN: [&str; 4] = ["--execute", PLAN, "--jobs", "2"];
const STEPS: usize = 5;

/// Returns a repository with a plan of five steps, of which two run side by side.
pub fn environment() -> TestEnvironment {
    with_plan(TestEnvironment::new())
}

/// Returns the same in a folder.
pub fn environment_in(folder: &Path) -> TestEnvironment {
    with_plan(TestEnvironment::new_in(folder))
}

fn with_plan(environment: TestEnvironment) -> TestEnvironment {
    let step = |number: usize, needs: &[usize]| Scripted {
        needs: needs.to_vec(),
        writes: vec![format!("out/{number}")],
        script: format!("mkdir -p out; echo {number} > out/{number}; cat out/*"),
        leaves: format!("out/{number}"),
        more: Vec::new(),
    };
    environment.save_plan(&[
        step(1, &[]),
        step(2, &[1]),
        step(3, &[1]),
        step(4, &[2, 3]),
        step(5, &[4]),
    ]);
    environment
}

/// What a run leaves that nothing cuts off.
pub struct Unbroken {
    files: String,
}

impl Unbroken {
    pub fn new(arguments: &[&str]) -> Unbroken {
        let environment = environment();
        environment.orchestrate(arguments).exits(0);
        Unbroken {
            files: files(&environment),
        }
    }
}

/// Returns the files of the user's branch with their bytes' names, but for what is about the course of a run.
fn files(environment: &TestEnvironment) -> String {
    let tree = environment.git(&["ls-tree", "-r", "--full-tree", "main"]);
    let about_the_run =
        |line: &&str| line.contains("\t.orchestrate/runs/") || line.contains("/evidence/");
    let lines: Vec<&str> = tree.lines().filter(|line| !about_the_run(line)).collect();
    lines.join("\n")
}

fn steps_in(environment: &TestEnvironment, of: &str) -> usize {
    let trailer = "--format=%(trailers:key=Orchestrate-Step,valueonly,separator=)";
    let history = environment.git(&["log", trailer, of]);
    history.lines().filter(|line| !line.is_empty()).count()
}

/// The user's folder is theirs, whatever was cut off; and what was said to be done is kept once somebody looks at it.
#[track_caller]
pub fn check_killed(environment: &TestEnvironment, ran: &Ran, instant: &Instant) {
    assert_eq!(ran.code, -9, "{instant}: it was not killed\n{}", ran.stderr);
    check_kept(environment, ran, instant);
}

/// An error has a message that names something, and costs nothing that was done.
#[track_caller]
pub fn check_failed(environment: &TestEnvironment, ran: &Ran, instant: &Instant, inject: &str) {
    let said = format!("{inject}\n{}", ran.stderr);
    assert!(
        ran.code >= 0 && ran.code != 101 && ran.code != 70,
        "{instant}: {said}"
    );
    assert!(!ran.stderr.contains("panicked"), "{instant}: {said}");
    // Nothing can be said where writing to the screen is what fails.
    if ran.code != 0 && !inject.contains("write:") {
        assert!(
            ran.stderr.contains('`') && ran.stderr.contains("cause: "),
            "{instant}: {said}"
        );
    }
    check_kept(environment, ran, instant);
}

/// What was said to be done is kept, and the user's folder is as it was.
#[track_caller]
pub fn check_kept(environment: &TestEnvironment, ran: &Ran, instant: &Instant) {
    environment.orchestrate(&["run", "list"]).exits(0);
    environment.git(&["fsck", "--strict"]);
    let said = ran.stderr.matches("✓ Complete").count();
    let branches = environment.git(&["branch", "--list", "orchestrate/2*"]);
    let kept = match branches.is_empty() {
        true => 0,
        false => steps_in(environment, "--glob=refs/heads/orchestrate/2*"),
    };
    assert!(
        kept >= said,
        "{instant}: {said} steps were said to be done, and {kept} are kept"
    );
    let status = environment.git(&["status", "--porcelain"]);
    assert_eq!(status, "", "{instant}: {}", ran.stderr);
}

/// The run ended as it would have without a break, and nothing is left lying about.
#[track_caller]
pub fn check_end(environment: &TestEnvironment, unbroken: &Unbroken, instant: &Instant) {
    assert_eq!(files(environment), unbroken.files, "{instant}");
    assert_eq!(steps_in(environment, "main"), STEPS, "{instant}");
    let found = environment.git(&["fsck", "--strict"]);
    assert!(
        !found.contains("error") && !found.contains("missing"),
        "{instant}: {found}"
    );
    let worktrees = environment.git(&["worktree", "list", "--porcelain"]);
    assert_eq!(
        worktrees.matches("worktree ").count(),
        1,
        "{instant}: {worktrees}"
    );
    assert_eq!(environment.git(&["status", "--porcelain"]), "", "{instant}");
    assert_eq!(environment.state(), Vec::<PathBuf>::new(), "{instant}");
    let mut stale = Vec::new();
    let mut folders = vec![environment.project(".git")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if entry.file_type().unwrap().is_dir() {
                folders.push(entry.path());
            } else if name.ends_with(".lock") || name.contains("tmp") {
                stale.push(entry.path());
            }
        }
    }
    assert_eq!(stale, Vec::<PathBuf>::new(), "{instant}");
    environment.wait_until_nothing_runs();
}
