//! Runs that are killed, or whose system calls fail, at any instant: nothing that was done is lost, and they go on unaided.
//!
//! The sweeps need `strace`, and take an even sample of the instants; `ORCHESTRATE_SWEEP=full` takes all of them. A failure names
//! its instant, and `ORCHESTRATE_SWEEP=write:17` repeats that one alone.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

#[path = "../support/mod.rs"]
mod support;

mod instants;
mod oracle;
mod power;

use std::time::Duration;

use instants::{Instant, instants, sample};
use oracle::{RUN, Unbroken, check_end, check_kept, check_killed};
use power::Disk;
use support::TestEnvironment;
use support::process::{Ran, Running};

/// How many instants a small sweep takes.
const KILLS: usize = 60;
const KILLS_OF_RESUME: usize = 25;
const KILLS_AT_RANDOM: usize = 15;
const ERRORS: usize = 60;
const POWER_CUTS: usize = 10;

const RESUME: [&str; 2] = ["--resume", "test"];

/// Runs orchestrate under strace, which does something to it at one instant.
fn traced(environment: &TestEnvironment, arguments: &[&str], inject: &str) -> Ran {
    let mut command = environment.command("strace");
    command.args(["-qq", "-o", "/dev/null", "-e", inject, "orchestrate"]);
    Running::new(command.args(arguments)).end()
}

fn killed(environment: &TestEnvironment, arguments: &[&str], instant: &Instant) -> Ran {
    let ran = traced(environment, arguments, &instant.inject("signal=KILL"));
    environment.wait_until_nothing_runs();
    ran
}

/// Goes on with a run that was killed, or begins it where there is nothing to go on with.
fn go_on(environment: &TestEnvironment) -> Ran {
    match environment
        .git(&["branch", "--list", "orchestrate/2*"])
        .is_empty()
    {
        true => environment.orchestrate(&RUN),
        false => environment.orchestrate(&RESUME),
    }
}

#[test]
#[ignore = "needs strace"]
fn a_run_killed_at_any_system_call_is_complete_in_the_end() {
    let unbroken = Unbroken::new(&RUN);
    for instant in sample(instants(&RUN, |_| {}), KILLS) {
        let environment = oracle::environment();
        let ran = killed(&environment, &RUN, &instant);
        check_killed(&environment, &ran, &instant);
        go_on(&environment).exits(0);
        check_end(&environment, &unbroken, &instant);
    }
}

#[test]
#[ignore = "needs strace"]
fn a_run_killed_while_it_is_resumed_is_complete_in_the_end() {
    let unbroken = Unbroken::new(&RUN);
    let stop_halfway = |environment: &TestEnvironment| {
        let mut run = environment.start(&RUN);
        run.wait_for("✓ Complete");
        run.wait_for("✓ Complete");
        run.kill();
        environment.wait_until_nothing_runs();
    };
    for instant in sample(instants(&RESUME, stop_halfway), KILLS_OF_RESUME) {
        let environment = oracle::environment();
        stop_halfway(&environment);
        let ran = killed(&environment, &RESUME, &instant);
        check_killed(&environment, &ran, &instant);
        go_on(&environment).exits(0);
        check_end(&environment, &unbroken, &instant);
    }
}

#[test]
#[ignore = "takes long"]
fn a_run_killed_at_random_times_is_complete_in_the_end() {
    let unbroken = Unbroken::new(&RUN);
    let count = sample(vec![(); 2000], KILLS_AT_RANDOM).len();
    let started = std::time::Instant::now();
    oracle::environment().orchestrate(&RUN).exits(0);
    let whole = started.elapsed();
    for number in 0..count {
        let environment = oracle::environment();
        let run = environment.start(&RUN);
        // Even steps through the run's time, as fine as the number asks for: the scheduler adds the chance.
        let wait = whole.mul_f64(number as f64 / count as f64);
        std::thread::sleep(wait.max(Duration::from_millis(1)));
        run.kill();
        environment.wait_until_nothing_runs();
        let instant = Instant::at_time(wait);
        go_on(&environment).exits(0);
        check_end(&environment, &unbroken, &instant);
    }
}

#[test]
#[ignore = "needs strace"]
fn a_run_whose_system_calls_fail_says_so_and_can_go_on() {
    let unbroken = Unbroken::new(&RUN);
    let every = instants(&RUN, |_| {});
    let failing = every.into_iter().flat_map(|instant| instant.errors());
    for (instant, inject) in sample(failing.collect(), ERRORS) {
        let environment = oracle::environment();
        let ran = traced(&environment, &RUN, &inject);
        environment.wait_until_nothing_runs();
        oracle::check_failed(&environment, &ran, &instant, &inject);
        if ran.code != 0 {
            go_on(&environment).exits(0);
        }
        check_end(&environment, &unbroken, &instant);
    }
}

#[test]
#[ignore = "needs root, mkfs.ext4 and python3"]
fn a_run_whose_power_is_cut_keeps_what_was_said_to_be_done() {
    let unbroken = Unbroken::new(&RUN);
    let started = std::time::Instant::now();
    oracle::environment().orchestrate(&RUN).exits(0);
    let whole = started.elapsed();
    let count = sample(vec![(); 200], POWER_CUTS).len();
    for number in 0..count {
        let disk = Disk::new();
        let environment = oracle::environment_in(&disk.folder());
        disk.flush();
        let run = environment.start(&RUN);
        let wait = whole.mul_f64((number as f64 + 0.5) / count as f64);
        std::thread::sleep(wait);
        disk.cut();
        // It goes on for a while on a disk that is gone; whatever it says then has to be true as well.
        let ran = run.end();
        environment.wait_until_nothing_runs();
        disk.start_again();
        let instant = Instant::at_time(wait);
        check_kept(&environment, &ran, &instant);
        match ran.code {
            // That its folders are gone was not on the disk yet.
            0 => environment.orchestrate(&["clean"]).exits(0),
            _ => go_on(&environment).exits(0),
        };
        check_end(&environment, &unbroken, &instant);
    }
}
