//! Steps that are one call of a tool of an MCP server. What needs nothing speaks with a server of a few lines for the shell;
//! `ORCHESTRATE_TEST_SERVERS` names the folder that the programs of the well-known servers are in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::process::{Ran, Running};
use support::{TestEnvironment, copy, tests};

const TOKEN: &str = "a-token-that-nobody-sees";

/// A project with the marketplace of servers beside it, and a plan of one step.
struct Story {
    environment: TestEnvironment,
    plan: Value,
}

impl Story {
    /// Plans a call of `tool` of the server of the small plugin; the check is a command of the shell.
    fn new(server: &str, tool: &str, arguments: Value, check: &str) -> Story {
        let environment = TestEnvironment::new();
        copy(&tests("fixtures/mcp"), &environment.path("mcp"));
        let config = "schema: 1\nmarketplaces:\n  mcp: {path: ../mcp}\n";
        fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
        environment.commit("Use the servers");
        let step = json!({
            "id": "call", "title": "Call it", "doing": "Calling it", "provides": ["tests.api"], "why": "it can",
            "action": {
                "plugin": "small@mcp", "digest": format!("sha256:{}", "0".repeat(64)), "runner": "mcp",
                "mcp": {"server": server, "tool": tool, "arguments": arguments},
                "writes": ["greeting.txt", "made.txt"],
            },
            "checks": [{"id": "looked-at", "command": {"argv": ["sh", "-c", check]}}],
            "attempts_max": 1, "backoff_ms": 10, "timeout_s": 20,
        });
        let plan = json!({"engine": 1, "task": "By hand", "understood": [], "steps": [step]});
        Story { environment, plan }
    }

    fn action(&mut self) -> &mut Value {
        &mut self.plan["steps"][0]["action"]
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.environment.orchestrate_command(arguments);
        command.env("SMALL_TOKEN", TOKEN);
        if let Ok(servers) = std::env::var("ORCHESTRATE_TEST_SERVERS") {
            command.env("PATH", format!("{servers}:/usr/local/bin:/usr/bin:/bin"));
        }
        command
    }

    fn ran(&self, arguments: &[&str]) -> Ran {
        Running::new(&mut self.command(arguments)).end()
    }

    /// Takes the plan up, and returns what is said of that.
    fn take_up(&self) -> Ran {
        let text = orchestrate::yaml::print(&self.plan).unwrap();
        let file = self.environment.path("by-hand.yaml");
        fs::write(&file, format!("schema: 1\n{text}")).unwrap();
        self.ran(&["plan", "--from", file.to_str().unwrap()])
    }

    fn start(&self) -> Running {
        let taken = self.take_up().exits(0);
        let plan = taken
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("Plan: "));
        let plan = plan.unwrap().to_string();
        Running::new(&mut self.command(&["--verbose", "--execute", &plan]))
    }

    #[track_caller]
    fn run(&self, code: i32) -> Ran {
        let ran = self.start().end().exits(code);
        let all = self
            .environment
            .git(&["log", "--all", "--patch", "--format=%B"]);
        for text in [&ran.stdout, &ran.stderr, &all] {
            assert!(!text.contains(TOKEN), "{text}");
        }
        self.environment.wait_until_nothing_runs();
        ran
    }

    fn file(&self, path: &str) -> String {
        let branch = self.environment.run_branch();
        self.environment.git(&["show", &format!("{branch}:{path}")])
    }
}

#[test]
fn a_tool_is_called_with_its_progress_in_the_log_and_its_result_in_a_file() {
    let mut story = Story::new(
        "small",
        "greet",
        json!({"who": "${input:who}"}),
        "grep Ada greeting.txt",
    );
    story.action()["inputs"] = json!({"who": "Ada"});
    story.action()["mcp"]["into"] = json!("greeting.txt");
    let ran = story.run(0);
    assert_eq!(story.file("greeting.txt"), "Hello, Ada\n");
    for said in [
        "2 of 2 words found",
        "(no message) small server, at your service",
    ] {
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
    let plans = story.environment.project(".orchestrate/plans");
    let folder = fs::read_dir(plans)
        .unwrap()
        .flatten()
        .next()
        .unwrap()
        .path();
    let page = fs::read_to_string(folder.join("PLAN.md")).unwrap();
    assert!(page.contains("calls the tool `greet` of the MCP server `small` of `small@mcp`; the result becomes `greeting.txt`"), "{page}");
    assert!(page.contains(r#"{"who":"${input:who}"}"#), "{page}");
}

#[test]
fn a_server_works_in_the_step_s_folder_and_its_words_are_the_same_everywhere() {
    let story = Story::new("small", "touch", json!({}), "grep made made.txt");
    let ran = story.run(0);
    assert!(story.file("made.txt").starts_with("made in /"));
    assert!(ran.stderr.contains("wrote made.txt"), "{}", ran.stderr);
}

#[test]
fn a_server_is_given_the_secrets_of_the_plan_and_no_others() {
    let mut story = Story::new("secretive", "greet", json!({"who": "Ada"}), "true");
    let ran = story.take_up().exits(0);
    let plan = ran
        .stdout
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("Plan: ")
        .to_string();
    let refused = story.ran(&["--execute", &plan]).exits(2);
    assert!(
        refused
            .stderr
            .contains("takes the variable `SMALL_TOKEN`, which the plan does not grant"),
        "{}",
        refused.stderr
    );
    story.action()["grants"] = json!({"secrets": ["SMALL_TOKEN"]});
    let ran = story.run(0);
    assert!(
        ran.stderr.contains("[redacted: SMALL_TOKEN], Ada"),
        "{}",
        ran.stderr
    );
}

/// Runs a call that fails, and makes sure that it says so.
#[track_caller]
fn fails(server: &str, tool: &str, arguments: Value, words: &[&str]) {
    let mut story = Story::new(server, tool, arguments, "true");
    if tool == "hang" || server == "deaf" {
        story.plan["steps"][0]["timeout_s"] = json!(2);
    }
    let ran = story.run(1);
    for words in words {
        assert!(ran.stderr.contains(words), "{words}: {}", ran.stderr);
    }
}

#[test]
fn a_tool_that_fails_is_told_from_a_server_that_does() {
    fails(
        "small",
        "fail",
        json!({}),
        &["the tool `fail` of `small` failed: there is no such city"],
    );
    fails(
        "small",
        "refuse",
        json!({}),
        &[
            "the server `small` answered `tools/call` with an error: ",
            "out of order",
        ],
    );
    fails(
        "small",
        "leave",
        json!({}),
        &[
            "the server `small` exited with status 4 before it answered `tools/call`",
            "leaving early",
        ],
    );
    fails(
        "gone",
        "any",
        json!({}),
        &[
            "the server `gone` exited with status 3 before it answered `initialize`",
            "cannot find my files",
        ],
    );
}

#[test]
fn a_call_that_cannot_be_right_is_not_made() {
    fails(
        "small",
        "greet",
        json!({"who": "A"}),
        &["the tool `greet` does not take these arguments: arguments/who"],
    );
    fails(
        "small",
        "greet",
        json!({}),
        &["arguments: missing properties 'who'"],
    );
    fails(
        "small",
        "welcome",
        json!({}),
        &["the server has no tool `welcome`; it has: other, greet, touch"],
    );
}

#[test]
fn a_server_that_hangs_or_babbles_is_ended() {
    fails(
        "small",
        "hang",
        json!({}),
        &[
            "the server `small` did not answer `tools/call` within 2 s",
            "taken back: request abandoned",
        ],
    );
    fails(
        "deaf",
        "any",
        json!({}),
        &["the server `deaf` did not answer `initialize` within 2 s"],
    );
    fails(
        "babbling",
        "any",
        json!({}),
        &[
            "the server `babbling` said what is no message, again and again, before it answered `initialize`",
        ],
    );
    fails(
        "flooding",
        "flood",
        json!({}),
        &[
            "the server `flooding` sent a message of more than 16 MiB before it answered `tools/call`",
        ],
    );
}

#[test]
fn what_would_be_called_is_said_before() {
    let story = Story::new("small", "touch", json!({}), "true");
    let taken = story.take_up().exits(0);
    let plan = taken.stdout.lines().next().unwrap();
    let plan = plan.trim_start_matches("Plan: ");
    let ran = story.ran(&["--execute", plan, "--dry-run"]).exits(0);
    assert!(
        ran.stdout.contains("calls: touch of the MCP server small"),
        "{}",
        ran.stdout
    );
}

#[test]
fn what_cannot_be_started_is_said_before_the_first_step() {
    let refused = |server: &str, code: i32, words: &str| {
        let story = Story::new(server, "any", json!({}), "true");
        let ran = story.start().end().exits(code);
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
        assert!(
            story
                .environment
                .git(&["branch", "--list", "orchestrate/*"])
                .is_empty()
        );
    };
    refused(
        "absent",
        7,
        "there is no `no-such-program-anywhere` in PATH",
    );
    refused("remote", 2, "and the plan does not let the step reach it");
    refused(
        "unknown",
        2,
        "its files declare no MCP server `unknown`; they declare: absent, babbling",
    );
}

#[test]
fn what_a_plan_may_say_of_a_call_is_checked() {
    let mut story = Story::new("small", "greet", json!({}), "true");
    story.action()["mcp"]["into"] = json!("elsewhere.txt");
    let ran = story.take_up();
    assert!(
        ran.stdout
            .contains("steps[0].action.mcp.into: `elsewhere.txt` is not among `writes`"),
        "{}",
        ran.stdout
    );
    story.action()["grants"] = json!({"network": ["internet"]});
    story.action()["runner"] = json!("command");
    let ran = story.take_up();
    assert!(
        ran.stdout
            .contains("the runner is `command`, which calls no tool"),
        "{}",
        ran.stdout
    );
    assert!(
        ran.stdout.contains("`internet` is for the runner `mcp`"),
        "{}",
        ran.stdout
    );
}

#[test]
fn an_interrupted_call_is_taken_back() {
    let mut story = Story::new("small", "hang", json!({}), "true");
    story.plan["steps"][0]["timeout_s"] = json!(60);
    let mut running = story.start();
    running.wait_for("hanging");
    running.signal(Signal::INT);
    let ran = running.end().exits(130);
    assert!(ran.stderr.contains("taken back: "), "{}", ran.stderr);
    story.environment.wait_until_nothing_runs();
    let status = story.ran(&["status"]).exits(0);
    assert!(
        status.stdout.contains(" interrupted 0/1 steps"),
        "{}",
        status.stdout
    );
}

/// Plans a call of one of the well-known servers, whose program is declared by its name.
fn well_known(program: &str, arguments: &str, tool: &str, call: Value, check: &str) -> Story {
    let story = Story::new("known", tool, call, check);
    let declared = format!(r#"{{"known": {{"command": "{program}", "args": [{arguments}]}}}}"#);
    fs::write(story.environment.path("mcp/small/.mcp.json"), declared).unwrap();
    story
}

#[test]
#[ignore = "needs mcp-server-everything"]
fn server_everything_is_driven() {
    let mut story = well_known(
        "mcp-server-everything",
        r#""stdio""#,
        "get-sum",
        json!({"a": 2, "b": 40}),
        "grep 42 greeting.txt",
    );
    story.action()["mcp"]["into"] = json!("greeting.txt");
    story.run(0);
    let long = json!({"duration": 1, "steps": 4});
    let story = well_known(
        "mcp-server-everything",
        r#""stdio""#,
        "trigger-long-running-operation",
        long,
        "true",
    );
    let ran = story.run(0);
    assert!(ran.stderr.contains("4 of 4"), "{}", ran.stderr);
    let wrong = json!({"a": "two", "b": 40});
    let ran = well_known(
        "mcp-server-everything",
        r#""stdio""#,
        "get-sum",
        wrong,
        "true",
    )
    .run(1);
    assert!(
        ran.stderr
            .contains("arguments/a: want number, but got string"),
        "{}",
        ran.stderr
    );
}

/// Plans a call of a server on this machine that is spoken with over HTTP.
fn over_http(port: u16) -> Story {
    let call = json!({"message": "far away"});
    let mut story = Story::new("known", "echo", call, "grep 'far away' greeting.txt");
    let declared = format!(
        r#"{{"known": {{"type": "http", "url": "http://127.0.0.1:{port}/mcp", "headers": {{"X-Key": "${{SMALL_TOKEN}}"}}}}}}"#
    );
    fs::write(story.environment.path("mcp/small/.mcp.json"), declared).unwrap();
    story.action()["mcp"]["into"] = json!("greeting.txt");
    story.action()["grants"] = json!({"network": ["mcp-server"], "secrets": ["SMALL_TOKEN"]});
    story
}

#[test]
fn a_server_elsewhere_that_is_not_there_is_said() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let ran = over_http(port).run(1);
    assert!(
        ran.stderr
            .contains("the server `known` could not be spoken with"),
        "{}",
        ran.stderr
    );
}

#[test]
#[ignore = "needs mcp-server-everything"]
fn server_everything_is_driven_over_http() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let story = over_http(port);
    let servers = std::env::var("ORCHESTRATE_TEST_SERVERS").unwrap();
    let program = Path::new(&servers).join("mcp-server-everything");
    let mut command = story.environment.command(program);
    command
        .arg("streamableHttp")
        .env("PATH", format!("{servers}:/usr/local/bin:/usr/bin:/bin"))
        .env("PORT", port.to_string())
        .current_dir("/");
    let mut server = Running::new(&mut command);
    server.wait_for("listening on port");
    story.run(0);
    assert!(story.file("greeting.txt").contains("far away"));
    server.kill();
}

#[test]
#[ignore = "needs mcp-server-filesystem"]
fn server_filesystem_writes_in_the_step_s_folder_and_nowhere_else() {
    let inside = r#""${CLAUDE_PROJECT_DIR}""#;
    let write = |path: &str| json!({"path": path, "content": "made by the server\n"});
    let story = well_known(
        "mcp-server-filesystem",
        inside,
        "write_file",
        write("${worktree}/made.txt"),
        "grep server made.txt",
    );
    story.run(0);
    assert_eq!(story.file("made.txt"), "made by the server\n");
    // Here the server itself would let it pass, and the sandbox does not.
    let story = well_known(
        "mcp-server-filesystem",
        r#""/""#,
        "write_file",
        write("/tmp/made-by-a-server.txt"),
        "true",
    );
    let ran = story.run(1);
    assert!(
        ran.stderr
            .contains("the tool `write_file` of `known` failed"),
        "{}",
        ran.stderr
    );
    assert!(!Path::new("/tmp/made-by-a-server.txt").exists());
}
