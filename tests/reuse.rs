//! What a run has done is taken over by the next one where nothing that it was done with has changed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use support::TestEnvironment;
use support::plans::{PLAN, Scripted};
use support::process::{Ran, Running};

/// A step that leaves the time at which it ran.
fn step(number: usize, needs: &[usize]) -> Scripted {
    Scripted {
        needs: needs.to_vec(),
        writes: vec![format!("out/{number}")],
        script: format!("mkdir -p out; date +%s%N > out/{number}"),
        leaves: format!("out/{number}"),
        more: Vec::new(),
    }
}

/// Runs orchestrate with another end of the run's name than `test`.
fn as_run(environment: &TestEnvironment, name: &str, arguments: &[&str]) -> Ran {
    let mut command = environment.orchestrate_command(arguments);
    Running::new(command.env("ORCHESTRATE_RUN", name)).end()
}

fn left(environment: &TestEnvironment, run: &str, number: usize) -> String {
    let branch = format!("orchestrate/{PLAN}.{run}");
    environment.git(&["show", &format!("{branch}:out/{number}")])
}

#[test]
fn an_edited_step_runs_again_with_what_depends_on_it() {
    let environment = TestEnvironment::new();
    let mut steps = vec![step(1, &[]), step(2, &[1]), step(3, &[2]), step(4, &[1])];
    steps[2].script = "false".to_owned();
    environment.save_plan(&steps);
    environment
        .orchestrate(&["--execute", PLAN, "--jobs", "1"])
        .exits(1);
    steps[1].script.push_str("; echo edited >> out/2");
    steps[2] = step(3, &[2]);
    environment.write_plan(&steps);
    let ran = as_run(
        &environment,
        "again",
        &["--execute", PLAN, "--reuse", "--jobs", "1"],
    )
    .exits(0);
    assert_eq!(
        ran.stderr.matches("Taken over from run").count(),
        1,
        "{}",
        ran.stderr
    );
    assert_eq!(
        left(&environment, "again", 1),
        left(&environment, "test", 1)
    );
    assert!(left(&environment, "again", 2).ends_with("edited\n"));
    let branch = format!("orchestrate/{PLAN}.again");
    let trailers = environment.git(&[
        "log",
        "--format=%(trailers:key=Orchestrate-Reused,valueonly,separator=)",
        &branch,
    ]);
    assert_eq!(trailers.trim(), format!("{PLAN}.test"));
    // A third one finds everything, also what the second one has taken over.
    let ran = as_run(
        &environment,
        "third",
        &["--execute", PLAN, "--reuse", "--no-merge"],
    )
    .exits(0);
    assert_eq!(
        ran.stderr.matches("Taken over from run").count(),
        4,
        "{}",
        ran.stderr
    );
}

#[test]
fn another_input_is_another_step() {
    let environment = TestEnvironment::new();
    environment.save_plan(&[step(1, &[])]);
    environment
        .orchestrate(&["--execute", PLAN, "--no-merge"])
        .exits(0);
    std::fs::write(environment.project("input"), "other").unwrap();
    environment.commit("Another input");
    let ran = as_run(&environment, "again", &["--execute", PLAN, "--reuse"]).exits(0);
    assert!(!ran.stderr.contains("Taken over"), "{}", ran.stderr);
}

#[test]
fn a_reused_step_is_checked_again() {
    let environment = TestEnvironment::new();
    environment.save_plan(&[step(1, &[])]);
    environment
        .orchestrate(&["--execute", PLAN, "--no-merge"])
        .exits(0);
    let again = ["--json", "--execute", PLAN, "--reuse", "--no-merge"];
    let ran = as_run(&environment, "again", &again).exits(0);
    assert_eq!(ran.json()["checks"]["passed"], 1, "{}", ran.stdout);
    // What somebody did to the earlier result does not pass, and the step runs anew.
    let branch = format!("refs/heads/orchestrate/{PLAN}.test");
    let other = environment.git(&["commit-tree", "-p", "main", "-m", "x", "main^{tree}"]);
    let message = environment.git(&[
        "log",
        "-1",
        "--format=%B",
        "--grep=Orchestrate-Key",
        &branch,
    ]);
    let forged = environment.git(&[
        "commit-tree",
        "-p",
        other.trim(),
        "-m",
        &message,
        "main^{tree}",
    ]);
    environment.git(&[
        "update-ref",
        "-d",
        &format!("refs/heads/orchestrate/{PLAN}.again"),
    ]);
    environment.git(&[
        "replace",
        environment
            .git(&[
                "log",
                "-1",
                "--format=%H",
                "--grep=Orchestrate-Key",
                &branch,
            ])
            .trim(),
        forged.trim(),
    ]);
    let ran = as_run(&environment, "anew", &again).exits(0);
    assert!(ran.stderr.contains("Taken over"), "{}", ran.stderr);
    assert!(ran.stderr.contains("Status: Running"), "{}", ran.stderr);
}

#[test]
fn a_run_goes_on_from_any_earlier_step() {
    let environment = TestEnvironment::new();
    environment.save_plan(&[step(1, &[]), step(2, &[]), step(3, &[])]);
    environment
        .orchestrate(&["--execute", PLAN, "--no-merge"])
        .exits(0);
    let ran = as_run(&environment, "again", &["--resume", "test", "--from", "s2"]).exits(0);
    assert_eq!(
        ran.stderr.matches("Taken over from run").count(),
        1,
        "{}",
        ran.stderr
    );
    assert_eq!(
        left(&environment, "again", 1),
        left(&environment, "test", 1)
    );
    for number in [2, 3] {
        assert_ne!(
            left(&environment, "again", number),
            left(&environment, "test", number)
        );
    }
    let unknown = as_run(&environment, "more", &["--resume", "test", "--from", "s9"]).exits(2);
    assert!(
        unknown.stderr.contains("its steps are `s1`, `s2`, `s3`"),
        "{}",
        unknown.stderr
    );
}

#[test]
fn effects_outside_the_files_are_not_repeated_without_asking() {
    let environment = TestEnvironment::new();
    let mut steps = vec![step(1, &[]), step(2, &[1])];
    steps[1].script =
        "echo deploying; [ -e out/1 ] && sleep 0.2; mkdir -p out; date > out/2; exec sleep 30"
            .to_owned();
    steps[1].more = vec!["effects: external".to_owned()];
    environment.save_plan(&steps);
    let mut run = environment.start(&["--verbose", "--execute", PLAN]);
    run.wait_for("deploying");
    run.kill();
    environment.wait_until_nothing_runs();
    let paused = environment.orchestrate(&["--resume", "test"]).exits(3);
    assert!(
        paused.stdout.contains("was begun before"),
        "{}",
        paused.stdout
    );
    assert!(paused.stderr.contains("--repeat s2"), "{}", paused.stderr);
    let mut run = environment.start(&["--verbose", "--resume", "test", "--repeat", "s2"]);
    run.wait_for("deploying");
    run.kill();
}
