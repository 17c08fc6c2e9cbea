//! Steps that run side by side leave what they would have left one after the other.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use support::TestEnvironment;
use support::plans::{PLAN, Scripted};

/// How many sets of steps are tried; `ORCHESTRATE_SWEEP=full` tries more.
const SETS: u32 = 3;
const SETS_FULL: u32 = 200;

/// A step that reads what it needs, and writes or appends to what it may write.
fn step(number: usize, needs: Vec<usize>, place: usize, shared: bool) -> Scripted {
    let read: String = needs
        .iter()
        .map(|need| format!("cat out/{need}; "))
        .collect();
    let mut step = Scripted {
        writes: vec![format!("out/{number}")],
        script: format!("set -e; mkdir -p out; {{ {read} echo {number}; }} > out/{number}"),
        leaves: format!("out/{number}"),
        needs,
        more: Vec::new(),
    };
    if shared {
        step.writes.push(format!("shared/{place}/"));
        step.script.push_str(&format!(
            "; mkdir -p shared/{place}; echo {number} >> shared/{place}/all"
        ));
    }
    step
}

fn sets() -> impl Strategy<Value = Vec<Scripted>> {
    let one = (any::<u16>(), 0..3_usize, any::<bool>());
    proptest::collection::vec(one, 2..7).prop_map(|drawn| {
        let steps = drawn.into_iter().enumerate();
        let made = steps.map(|(index, (bits, place, shared))| {
            // One need in four, so that some steps wait and others do not.
            let needs = (1..=index).filter(|need| (bits >> (2 * (need % 8))) & 3 == 0);
            step(index + 1, needs.collect(), place, shared)
        });
        made.collect()
    })
}

/// Returns the files that a run leaves, but for what is about the course of the run.
fn run(steps: &[Scripted], jobs: &str) -> String {
    let environment = TestEnvironment::new();
    environment.save_plan(steps);
    environment
        .orchestrate(&["--execute", PLAN, "--jobs", jobs])
        .exits(0);
    environment.git(&["fsck", "--strict"]);
    assert_eq!(environment.state(), Vec::<std::path::PathBuf>::new());
    let tree = environment.git(&["ls-tree", "-r", "main", "--", "out", "shared"]);
    assert!(!tree.is_empty());
    tree
}

#[test]
fn steps_side_by_side_leave_what_they_leave_one_after_the_other() {
    let full = std::env::var("ORCHESTRATE_SWEEP").is_ok_and(|sweep| sweep == "full");
    let cases = if full { SETS_FULL } else { SETS };
    let mut runner = TestRunner::new(Config {
        cases,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    });
    let same = |steps: Vec<Scripted>| {
        assert_eq!(run(&steps, "4"), run(&steps, "1"));
        Ok(())
    };
    runner.run(&sets(), same).unwrap();
}

#[test]
fn independent_steps_run_at_the_same_time() {
    let slow = |number: usize| Scripted {
        writes: vec![format!("out/{number}")],
        script: format!(
            "mkdir -p out; date +%s%N > out/{number}; sleep 1; date +%s%N >> out/{number}"
        ),
        leaves: format!("out/{number}"),
        ..Scripted::default()
    };
    let environment = TestEnvironment::new();
    environment.save_plan(&[slow(1), slow(2)]);
    environment
        .orchestrate(&["--execute", PLAN, "--jobs", "2"])
        .exits(0);
    let times = |number: usize| -> Vec<u128> {
        let text = std::fs::read_to_string(environment.project(&format!("out/{number}"))).unwrap();
        text.lines().map(|line| line.parse().unwrap()).collect()
    };
    let (one, two) = (times(1), times(2));
    assert!(one[0] < two[1] && two[0] < one[1], "{one:?} {two:?}");
}

#[test]
fn what_is_done_beside_a_step_that_fails_is_kept() {
    let fails = Scripted {
        writes: vec!["never".to_owned()],
        script: "sleep 0.3; [ -e out/2 ]".to_owned(),
        leaves: "out/2".to_owned(),
        ..Scripted::default()
    };
    let environment = TestEnvironment::new();
    environment.save_plan(&[
        fails,
        step(2, Vec::new(), 0, false),
        step(3, vec![2], 0, false),
    ]);
    environment
        .orchestrate(&["--execute", PLAN, "--jobs", "2"])
        .exits(1);
    let shown = environment
        .orchestrate(&["--json", "run", "show", "test"])
        .exits(0)
        .json();
    let status: Vec<&str> = shown["steps"]
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["status"].as_str().unwrap())
        .collect();
    assert_eq!(status, ["failed", "done", "waiting"]);
    // What it waits for is there now.
    environment
        .orchestrate(&["--resume", "test", "--jobs", "2"])
        .exits(0);
    environment.git(&["fsck", "--strict"]);
}
