//! The project as a plugin of agents: `ORCHESTRATE_TEST_AGENTS` names the folder that their programs are in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::path::Path;
use std::process::Command;

use support::TestEnvironment;
use support::model::{Model, Turn};
use support::process::{Ran, Running};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Returns a command of an agent that finds the program, and nothing of this machine.
fn agent(environment: &TestEnvironment, program: &str, arguments: &[&str]) -> Command {
    let agents = std::env::var("ORCHESTRATE_TEST_AGENTS").unwrap();
    let mut command = environment.command(Path::new(&agents).join(program));
    let path = format!(
        "{}:{agents}:/usr/local/bin:/usr/bin:/bin",
        environment.path("bin").display()
    );
    command
        .args(arguments)
        .env("PATH", path)
        .env("CLAUDE_CONFIG_DIR", environment.path("home/claude"))
        .env("CODEX_HOME", environment.path("home/codex"))
        .env("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1");
    command
}

fn ran(environment: &TestEnvironment, program: &str, arguments: &[&str]) -> Ran {
    Running::new(&mut agent(environment, program, arguments)).end()
}

#[test]
#[ignore = "needs claude"]
fn the_plugin_and_its_marketplace_are_what_claude_code_asks_for() {
    let environment = TestEnvironment::new();
    for folder in ["", "templates/for-agents"] {
        let folder = root().join(folder).display().to_string();
        let validated = ran(
            &environment,
            "claude",
            &["plugin", "validate", "--strict", "--json", &folder],
        );
        let verdict = validated.exits(0).json();
        assert_eq!(verdict["success"], true, "{verdict}");
    }
    let marketplace = root().display().to_string();
    ran(
        &environment,
        "claude",
        &["plugin", "marketplace", "add", &marketplace],
    )
    .exits(0);
    ran(
        &environment,
        "claude",
        &["plugin", "install", "orchestrate@orchestrate"],
    )
    .exits(0);
    let listed = ran(&environment, "claude", &["plugin", "list", "--json"]).exits(0);
    assert!(
        listed.stdout.contains("orchestrate@orchestrate"),
        "{}",
        listed.stdout
    );
}

#[test]
#[ignore = "needs codex"]
fn codex_installs_the_plugin_from_the_same_marketplace() {
    let environment = TestEnvironment::new();
    std::fs::create_dir_all(environment.path("home/codex")).unwrap();
    let marketplace = root().display().to_string();
    ran(
        &environment,
        "codex",
        &["plugin", "marketplace", "add", &marketplace],
    )
    .exits(0);
    ran(
        &environment,
        "codex",
        &["plugin", "add", "orchestrate@orchestrate", "--json"],
    )
    .exits(0);
    let listed = ran(&environment, "codex", &["plugin", "list", "--json"]).exits(0);
    assert!(
        listed.stdout.contains("orchestrate@orchestrate"),
        "{}",
        listed.stdout
    );
}

#[test]
#[ignore = "needs claude"]
fn a_person_asks_claude_to_orchestrate_and_the_run_completes() {
    let environment = TestEnvironment::new();
    let shell = |line: &str| Turn::Shell(line.to_string());
    let model = Model::new(&[
        shell("orchestrate --plan-only --pattern-id five-steps 'Build a REST API'"),
        shell("orchestrate --execute 2026-11-22"),
        Turn::Say("It is done."),
    ]);
    let plugin = root().join("templates/for-agents").display().to_string();
    let mut command = agent(
        &environment,
        "claude",
        &[
            "-p",
            "/orchestrate:orchestrate Build a REST API",
            "--output-format",
            "stream-json",
            "--verbose",
            "--plugin-dir",
            &plugin,
            "--max-turns",
            "9",
            "--setting-sources",
            "user",
        ],
    );
    command
        .env("ANTHROPIC_API_KEY", "dummy")
        .env("ANTHROPIC_BASE_URL", &model.address);
    let ran = Running::new(&mut command).end().exits(0);
    let asked = model.requests()[0].to_string();
    assert!(
        asked.contains("The task: Build a REST API"),
        "the skill was read"
    );
    assert!(
        ran.stdout.contains(r#""permission_denials":[]"#),
        "{}",
        ran.stdout
    );
    assert!(ran.stdout.contains("Done: 5 steps"), "{}", ran.stdout);
    let branch = environment.run_branch();
    let log = environment.git(&["log", "--first-parent", "--format=%s", &branch]);
    assert!(log.lines().count() >= 5, "{log}");
    let report = environment.git(&["ls-tree", "-r", "--name-only", "HEAD", ".orchestrate/runs"]);
    assert!(report.contains("REPORT.md"), "it was merged: {report}");
    environment.wait_until_nothing_runs();
}
