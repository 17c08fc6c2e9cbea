//! A run that is cut off anywhere goes on from its last checkpoint, in this clone or another, and ends as if nothing had happened.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::path::PathBuf;
use std::sync::OnceLock;

use rustix::process::Signal;
use support::process::Running;
use support::{TASK, TestEnvironment};

const FIVE_STEPS: [&str; 3] = ["--pattern-id", "five-steps", TASK];
const SLOW: [&str; 4] = ["--verbose", "--pattern-id", "slow", TASK];
const ASKING: [&str; 3] = ["--pattern-id", "asking", TASK];

/// Returns the files of a commit with their bytes' names, but for what is about the course of a run.
fn files(environment: &TestEnvironment, commit: &str) -> String {
    let tree = environment.git(&["ls-tree", "-r", "--full-tree", commit]);
    let about_the_run =
        |line: &&str| line.contains("\t.orchestrate/runs/") || line.contains("/evidence/");
    let lines: Vec<&str> = tree.lines().filter(|line| !about_the_run(line)).collect();
    lines.join("\n")
}

/// Returns what a run of five steps leaves that nothing cuts off.
fn unbroken() -> &'static str {
    static FILES: OnceLock<String> = OnceLock::new();
    FILES.get_or_init(|| {
        let environment = TestEnvironment::new();
        environment.orchestrate(&FIVE_STEPS).exits(0);
        files(&environment, "main")
    })
}

/// Makes sure that the run of five steps ended as it would have without a break.
#[track_caller]
fn check_end(environment: &TestEnvironment) {
    assert_eq!(files(environment, "main"), unbroken());
    check_clean(environment, 5);
    let subjects = environment.git(&["log", "--format=%s", "main"]);
    for once in ["research:", "plan:", "report:", "learn:", "orchestrate:"] {
        let number = subjects
            .lines()
            .filter(|line| line.starts_with(once))
            .count();
        assert_eq!(number, 1, "`{once}` in\n{subjects}");
    }
}

/// Makes sure that each step was committed once, and that nothing is left lying about.
#[track_caller]
fn check_clean(environment: &TestEnvironment, steps: usize) {
    let trailer = "--format=%(trailers:key=Orchestrate-Step,valueonly,separator=)";
    let history = environment.git(&["log", "--reverse", trailer, "main"]);
    let done: Vec<&str> = history.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(done.len(), steps, "{done:?}");
    for (index, step) in done.iter().enumerate() {
        assert!(
            step.starts_with(&format!("{}/{steps} ", index + 1)),
            "{done:?}"
        );
    }
    environment.git(&["fsck", "--strict"]);
    let worktrees = environment.git(&["worktree", "list", "--porcelain"]);
    assert_eq!(worktrees.matches("worktree ").count(), 1, "{worktrees}");
    assert_eq!(environment.git(&["status", "--porcelain"]), "");
    assert_eq!(environment.state(), Vec::<PathBuf>::new());
    environment.wait_until_nothing_runs();
}

/// Kills the run once it has said each of `words` in turn, and goes on with it.
#[track_caller]
fn kill_after(words: &[&str]) {
    let environment = TestEnvironment::new();
    let mut run = environment.start(&FIVE_STEPS);
    words.iter().for_each(|word| run.wait_for(word));
    run.kill();
    environment.orchestrate(&["--resume", "test"]).exits(0);
    check_end(&environment);
}

/// Kills the run while it begins: there is something to go on with, or everything is as if it had never been started.
#[track_caller]
fn kill_early(word: &str) {
    let environment = TestEnvironment::new();
    let mut run = environment.start(&FIVE_STEPS);
    run.wait_for(word);
    run.kill();
    let branches = environment.git(&["branch", "--list", "orchestrate/*"]);
    if branches.is_empty() {
        environment.orchestrate(&["--resume", "test"]).exits(2);
        environment.orchestrate(&FIVE_STEPS).exits(0);
    } else {
        environment.orchestrate(&["--resume", "test"]).exits(0);
    }
    check_end(&environment);
}

#[test]
fn a_run_killed_while_it_is_planned_can_be_started_again() {
    kill_early("Phase 2");
}

#[test]
fn a_run_killed_when_its_plan_is_made_can_be_had_again() {
    kill_early("Plan complete");
}

#[test]
fn a_run_killed_when_it_begins_can_be_had_again() {
    kill_early("Phase 3");
}

#[test]
fn a_run_that_cannot_begin_leaves_nothing_behind() {
    let environment = TestEnvironment::new();
    // No file may grow beyond so many blocks: an object of the run's first commits does not fit.
    for blocks in 1..=3 {
        let script =
            format!("trap '' XFSZ; ulimit -f {blocks}; orchestrate --pattern-id mended '{TASK}'");
        let mut shell = environment.command("sh");
        Running::new(shell.args(["-c", &script])).end();
        if !environment
            .git(&["branch", "--list", "orchestrate/*"])
            .is_empty()
        {
            break;
        }
        let worktrees = environment.git(&["worktree", "list", "--porcelain"]);
        assert_eq!(worktrees.matches("worktree ").count(), 1, "{worktrees}");
        let kept = environment.state();
        let beside_locks = kept.iter().filter(|file| !file.ends_with("lock"));
        assert_eq!(beside_locks.count(), 0, "{kept:?}");
    }
}

/// What is said when a step is done.
const DONE: &str = "✓ Complete";

#[test]
fn a_run_killed_before_its_first_step_is_complete_after_resuming() {
    kill_after(&["[Step 1/5]"]);
}

#[test]
fn a_run_killed_after_step_1_is_complete_after_resuming() {
    kill_after(&[DONE; 1]);
}

#[test]
fn a_run_killed_after_step_2_is_complete_after_resuming() {
    kill_after(&[DONE; 2]);
}

#[test]
fn a_run_killed_after_step_3_is_complete_after_resuming() {
    kill_after(&[DONE; 3]);
}

#[test]
fn a_run_killed_after_step_4_is_complete_after_resuming() {
    kill_after(&[DONE; 4]);
}

#[test]
fn a_run_killed_after_step_5_is_complete_after_resuming() {
    kill_after(&[DONE; 5]);
}

#[test]
fn a_run_killed_before_it_has_learned_is_complete_after_resuming() {
    kill_after(&["Workflow complete"]);
}

#[test]
fn a_run_killed_before_it_is_merged_is_complete_after_resuming() {
    kill_after(&["Learning complete"]);
}

#[test]
fn a_run_killed_after_each_step_in_turn_is_complete_in_the_end() {
    let environment = TestEnvironment::new();
    let mut run = environment.start(&FIVE_STEPS);
    for _ in 0..5 {
        run.wait_for(DONE);
        run.kill();
        run = environment.start(&["--resume", "test"]);
    }
    run.end().exits(0);
    check_end(&environment);
}

/// Starts the run with the step that waits, and returns when it waits.
fn waiting(environment: &TestEnvironment) -> Running {
    let mut run = environment.start(&SLOW);
    run.wait_for("waiting for go");
    run
}

#[test]
fn a_run_killed_during_a_step_repeats_that_step_alone() {
    let environment = TestEnvironment::new();
    waiting(&environment).kill();
    environment.wait_until_nothing_runs();
    environment.go();
    let resumed = environment.orchestrate(&["--resume", "test"]).exits(0);
    assert!(!resumed.stderr.contains("[Step 1/3]"), "{}", resumed.stderr);
    check_clean(&environment, 3);
}

#[track_caller]
fn stop_by(signal: Signal, code: i32) {
    let environment = TestEnvironment::new();
    let run = waiting(&environment);
    run.signal(signal);
    let ran = run.end().exits(code);
    assert!(
        ran.stdout.contains("orchestrate --resume"),
        "{}",
        ran.stdout
    );
    environment.wait_until_nothing_runs();
    assert_eq!(environment.git(&["status", "--porcelain"]), "");
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
    check_clean(&environment, 3);
}

#[test]
fn ctrl_c_ends_everything_and_the_run_can_go_on() {
    stop_by(Signal::INT, 130);
}

#[test]
fn a_polite_end_can_go_on_as_well() {
    stop_by(Signal::TERM, 143);
}

#[test]
fn the_step_that_was_stopped_is_neither_failed_nor_counted() {
    let environment = TestEnvironment::new();
    let run = waiting(&environment);
    run.signal(Signal::INT);
    run.end().exits(130);
    environment.go();
    let ran = environment
        .orchestrate(&["--json", "--resume", "test"])
        .exits(0);
    let steps = &ran.json()["steps"];
    assert_eq!(steps[1]["attempts"], 1, "{steps}");
}

#[test]
fn a_second_process_is_told_who_carries_the_run_out() {
    let environment = TestEnvironment::new();
    let run = waiting(&environment);
    let second = environment.orchestrate(&["--resume", "test"]).exits(6);
    assert!(
        second.stderr.contains("is being carried out by process"),
        "{}",
        second.stderr
    );
    environment.orchestrate(&["run", "list"]).exits(0);
    environment.go();
    run.end().exits(0);
    check_clean(&environment, 3);
}

#[test]
fn a_run_goes_on_in_a_fresh_clone() {
    let environment = TestEnvironment::new();
    environment.orchestrate(&ASKING).exits(3);
    let run = environment.run_branch().replace("orchestrate/", "");
    environment.git(&["clone", "--quiet", ".", "../clone"]);
    resume_in_clone(&environment, &run);
}

#[test]
fn a_run_in_a_fresh_clone_is_found_by_the_end_of_its_name() {
    let environment = TestEnvironment::new();
    environment.orchestrate(&ASKING).exits(3);
    environment.git(&["clone", "--quiet", ".", "../clone"]);
    let listed = environment.orchestrate(&["-C", "../clone", "status"]);
    assert!(listed.stdout.contains("paused"), "{}", listed.stdout);
    resume_in_clone(&environment, "test");
}

#[test]
fn a_run_goes_on_in_a_clone_that_fetched_its_branch() {
    let environment = TestEnvironment::new();
    environment.git(&["clone", "--quiet", ".", "../clone"]);
    environment.orchestrate(&ASKING).exits(3);
    let branch = environment.run_branch();
    let fetch = ["fetch", "--quiet", "origin", &format!("{branch}:{branch}")];
    environment.git_in("clone", &fetch);
    resume_in_clone(&environment, "test");
}

#[track_caller]
fn resume_in_clone(environment: &TestEnvironment, run: &str) {
    std::fs::write(environment.path("clone/go"), "").unwrap();
    environment
        .orchestrate(&["-C", "../clone", "--resume", run])
        .exits(0);
    let subjects = environment.git_in("clone", &["log", "--format=%s", "main~1..main"]);
    assert_eq!(subjects.matches("\nstep ").count(), 2, "{subjects}");
    assert_eq!(
        environment.git_in("clone", &["status", "--porcelain"]),
        "?? go\n"
    );
    environment.git_in("clone", &["fsck", "--strict"]);
    assert_eq!(
        environment.git(&["log", "--format=%s", "main"]),
        "Use the fixtures\n"
    );
}

#[test]
fn a_paused_run_can_be_tried_again_and_again() {
    let environment = TestEnvironment::new();
    environment.orchestrate(&ASKING).exits(3);
    environment.orchestrate(&["--resume", "test"]).exits(3);
    environment.orchestrate(&["--resume", "test"]).exits(3);
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
    check_clean(&environment, 2);
}

#[test]
fn a_finished_run_has_nothing_left_to_do() {
    let environment = TestEnvironment::new();
    environment.orchestrate(&FIVE_STEPS).exits(0);
    let commits = environment.git(&["rev-list", "--all"]);
    let again = environment
        .orchestrate(&["--json", "--resume", "test"])
        .exits(0);
    assert_eq!(again.json()["status"], "done");
    assert!(!again.stderr.contains("not merged"), "{}", again.stderr);
    assert_eq!(environment.git(&["rev-list", "--all"]), commits);
    check_end(&environment);
}
