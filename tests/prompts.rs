//! What is asked on a terminal, played through a pseudo-terminal.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::process::Stdio;

use rexpect::process::WaitStatus;
use rexpect::session::{Options, PtySession, spawn_with_options};
use support::{PATIENCE, TASK, TestEnvironment};

const TESTING: &str = "Build a REST API [domain: testing]";

/// Starts orchestrate on a terminal.
fn start(environment: &TestEnvironment, arguments: &[&str]) -> PtySession {
    let options = Options::new()
        .timeout_ms(Some(PATIENCE.as_millis() as u64))
        .strip_ansi_escape_codes(true);
    let mut command = environment.orchestrate_command(arguments);
    command
        .env("TERM", "xterm")
        .stdin(Stdio::inherit())
        .stdout(Stdio::inherit())
        .stderr(Stdio::inherit());
    spawn_with_options(command, options).unwrap()
}

/// Waits for the end, and for everything that is still to be read before it.
#[track_caller]
fn exits(mut terminal: PtySession, code: i32) -> String {
    let rest = terminal.exp_eof().unwrap();
    match terminal.process().wait().unwrap() {
        WaitStatus::Exited(_, found) => assert_eq!(found, code, "{rest}"),
        other => panic!("{other:?}: {rest}"),
    }
    rest
}

#[test]
fn a_pattern_is_chosen_by_its_number() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--show-patterns", TESTING]);
    terminal.exp_string("3. All five steps").unwrap();
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_line("3").unwrap();
    terminal.exp_string("[Step 5/5]").unwrap();
    exits(terminal, 0);
}

#[test]
fn an_empty_answer_takes_the_recommended_pattern() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--show-patterns", TESTING]);
    terminal.exp_string("Recommended").unwrap();
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_line("").unwrap();
    terminal.exp_string("keys: not found").unwrap();
    terminal.exp_string("Applying remedy").unwrap();
    exits(terminal, 0);
}

#[test]
fn a_number_that_is_not_there_is_asked_about_again() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--show-patterns", TESTING]);
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_line("9").unwrap();
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_line("1").unwrap();
    terminal.exp_string("Selected pattern: \"mended\"").unwrap();
    exits(terminal, 0);
}

#[test]
fn no_answer_chooses_nothing() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--show-patterns", TESTING]);
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_control('d').unwrap();
    exits(terminal, 0);
    assert_eq!(environment.git(&["branch", "--list"]), "* main\n");
}

#[test]
fn ctrl_c_before_there_is_a_run_changes_nothing() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--show-patterns", TESTING]);
    terminal.exp_string("Choose pattern [1/2/3]").unwrap();
    terminal.send_control('c').unwrap();
    assert!(exits(terminal, 130).contains("nothing was changed"));
    assert_eq!(environment.git(&["branch", "--list"]), "* main\n");
}

#[test]
fn a_person_who_has_acted_says_yes() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--pattern-id", "asking", TASK]);
    terminal.exp_string("Manual action required").unwrap();
    terminal
        .exp_string("Start the cache server: touch go")
        .unwrap();
    terminal.exp_string("Retry after fixing? [y/n]").unwrap();
    environment.go();
    terminal.send_line("y").unwrap();
    terminal.exp_string("Retry successful").unwrap();
    exits(terminal, 0);
    assert_eq!(environment.git(&["status", "--porcelain"]), "");
}

#[test]
fn a_person_who_says_yes_too_early_is_asked_again() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--pattern-id", "asking", TASK]);
    terminal.exp_string("Retry after fixing? [y/n]").unwrap();
    terminal.send_line("y").unwrap();
    terminal.exp_string("Retry after fixing? [y/n]").unwrap();
    terminal.send_line("n").unwrap();
    exits(terminal, 3);
}

#[test]
fn a_person_who_says_no_can_go_on_later() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--pattern-id", "asking", TASK]);
    terminal.exp_string("Retry after fixing? [y/n]").unwrap();
    terminal.send_line("n").unwrap();
    assert!(exits(terminal, 3).contains("orchestrate --resume"));
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
}

#[test]
fn ctrl_c_at_a_question_interrupts() {
    let environment = TestEnvironment::new();
    let mut terminal = start(&environment, &["--pattern-id", "asking", TASK]);
    terminal.exp_string("Retry after fixing? [y/n]").unwrap();
    terminal.send_control('c').unwrap();
    exits(terminal, 130);
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
}

#[test]
fn ctrl_c_on_a_terminal_stops_the_step_as_well() {
    let environment = TestEnvironment::new();
    let arguments = ["--verbose", "--pattern-id", "slow", TASK];
    let mut terminal = start(&environment, &arguments);
    terminal.exp_string("waiting for go").unwrap();
    terminal.send_control('c').unwrap();
    exits(terminal, 130);
    environment.wait_until_nothing_runs();
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
}

#[test]
fn who_asks_for_json_is_asked_nothing() {
    let environment = TestEnvironment::new();
    let arguments = ["--json", "--pattern-id", "asking", TASK];
    exits(start(&environment, &arguments), 3);
}
