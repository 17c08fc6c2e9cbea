//! What scripts rely on: with `--json`, standard output is one document of a known shape, however a run ends.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use rustix::process::Signal;
use serde_json::Value;
use support::{TASK, TestEnvironment};

/// Runs the pattern of the fixtures and returns the document, whose status and whose shape are looked at.
#[track_caller]
fn check_run(environment: &TestEnvironment, arguments: &[&str], code: i32, status: &str) -> Value {
    let ran = environment.orchestrate(&[&["--json"], arguments].concat());
    let document = ran.exits(code).json();
    check_document(environment, &document, status);
    document
}

#[track_caller]
fn check_document(environment: &TestEnvironment, document: &Value, status: &str) {
    assert_eq!(document["status"], status, "{document}");
    let run = document["run"].as_str().unwrap();
    assert_eq!(document["branch"], format!("orchestrate/{run}"));
    assert_eq!(run.strip_suffix(".test"), document["plan"].as_str());
    let commit = document["commit"].as_str().unwrap();
    assert_eq!(environment.git(&["cat-file", "-t", commit]), "commit\n");
    for count in ["passed", "failed", "skipped"] {
        assert!(document["checks"][count].is_u64(), "{document}");
    }
    let steps = document["steps"].as_array().unwrap();
    assert!(!steps.is_empty());
    for step in steps {
        check_step(environment, step);
    }
    let goes_on = status != "done" || document["merged"] == false;
    assert_eq!(document["next"].is_string(), goes_on, "{document}");
    let report = document.get("report").and_then(Value::as_str);
    assert_eq!(report.is_some(), status == "done", "{document}");
    if let Some(report) = report {
        let page = environment.git(&["show", &format!("{commit}:{report}")]);
        assert!(page.starts_with("# Orchestration Report"), "{page}");
    }
}

#[track_caller]
fn check_step(environment: &TestEnvironment, step: &Value) {
    for text in ["id", "plugin", "status"] {
        assert!(step[text].is_string(), "{step}");
    }
    for number in ["attempts", "duration_ms"] {
        assert!(step[number].is_u64(), "{step}");
    }
    match step["commit"].as_str() {
        Some(commit) => {
            let message = environment.git(&["log", "-1", "--format=%B", commit]);
            let trailer = format!("{}\n", step["id"].as_str().unwrap());
            let named = |line: &str| {
                line.starts_with("Orchestrate-Step: ") && format!("{line}\n").ends_with(&trailer)
            };
            assert!(message.lines().any(named), "{message}");
            assert_eq!(step["status"], "done", "{step}");
        }
        None => assert_ne!(step["status"], "done", "{step}"),
    }
}

fn statuses(document: &Value) -> Vec<&str> {
    let steps = document["steps"].as_array().unwrap();
    steps
        .iter()
        .map(|step| step["status"].as_str().unwrap())
        .collect()
}

#[test]
fn a_run_that_is_done() {
    let environment = TestEnvironment::new();
    let document = check_run(
        &environment,
        &["--pattern-id", "five-steps", TASK],
        0,
        "done",
    );
    assert_eq!(statuses(&document), ["done"; 5]);
    assert_eq!(document["checks"]["passed"], 7);
    assert_eq!(document["merged"], true);
    let head = environment.git(&["rev-parse", "main"]);
    assert_eq!(document["commit"].as_str(), Some(head.trim()));
}

#[test]
fn a_run_that_is_done_and_not_merged() {
    let environment = TestEnvironment::new();
    let arguments = ["--no-merge", "--pattern-id", "mended", TASK];
    let document = check_run(&environment, &arguments, 0, "done");
    assert_eq!(document["merged"], false);
    assert_eq!(document["steps"][1]["attempts"], 2);
    let tip = environment.git(&["rev-parse", &environment.run_branch()]);
    assert_eq!(document["commit"].as_str(), Some(tip.trim()));
}

#[test]
fn a_run_that_fell_back_names_the_plugin_that_did_it() {
    let environment = TestEnvironment::new();
    let document = check_run(&environment, &["--pattern-id", "fallback", TASK], 0, "done");
    assert_eq!(document["steps"][1]["plugin"], "plain-auth@fixtures");
    assert_eq!(document["steps"][1]["attempts"], 3);
}

#[test]
fn a_run_that_failed() {
    let environment = TestEnvironment::new();
    let document = check_run(&environment, &["--pattern-id", "broken", TASK], 1, "failed");
    assert_eq!(statuses(&document), ["done", "failed"]);
    assert!(
        document["reason"]
            .as_str()
            .unwrap()
            .contains("the key server is gone")
    );
}

#[test]
fn a_run_that_runs_out_of_time_fails() {
    let environment = TestEnvironment::new();
    let task = format!("{TASK} [max-time: 1s]");
    let document = check_run(&environment, &["--pattern-id", "slow", &task], 1, "failed");
    let reason = document["reason"].as_str().unwrap();
    assert!(reason.contains("`max-time`"), "{reason}");
    environment.wait_until_nothing_runs();
}

#[test]
fn a_run_that_waits_for_a_person() {
    let environment = TestEnvironment::new();
    let document = check_run(&environment, &["--pattern-id", "asking", TASK], 3, "paused");
    assert_eq!(document["actions"][0], "Start the cache server: touch go");
    let run = document["run"].as_str().unwrap();
    let next = format!("orchestrate --resume {run}");
    assert_eq!(document["next"].as_str(), Some(next.as_str()));
    let shown = environment
        .orchestrate(&["--json", "run", "show", run])
        .exits(0)
        .json();
    check_document(&environment, &shown, "paused");
    environment.go();
    check_run(&environment, &["--resume", run], 0, "done");
}

#[test]
fn a_run_that_was_interrupted() {
    let environment = TestEnvironment::new();
    let arguments = ["--json", "--verbose", "--pattern-id", "slow", TASK];
    let mut run = environment.start(&arguments);
    run.wait_for("waiting for go");
    run.signal(Signal::INT);
    let document = run.end().exits(130).json();
    check_document(&environment, &document, "interrupted");
    assert_eq!(document["steps"][0]["status"], "done");
}

#[track_caller]
fn check_refused(arguments: &[&str], code: i32, error: &str) {
    let environment = TestEnvironment::new();
    let ran = environment.orchestrate(&[&["--json"], arguments].concat());
    let document = ran.exits(code).json();
    assert_eq!(document["status"], "refused", "{document}");
    assert_eq!(document["exit"], code);
    assert!(
        document["error"].as_str().unwrap().contains(error),
        "{document}"
    );
    assert!(document["hints"].is_array());
    assert_eq!(environment.git(&["branch", "--list"]), "* main\n");
}

#[test]
fn a_request_that_is_refused() {
    check_refused(&[""], 2, "the task is empty");
    check_refused(&["Bake a cake with raisins"], 2, "no relevant plugin");
    check_refused(
        &["Build a REST API [domain: cooking]"],
        2,
        "the constraints leave",
    );
    check_refused(&["--resume", "nothing"], 2, "there is no run");
    check_refused(&["--execute", "nothing"], 2, "there is no plan");
    check_refused(&["--pattern-id", "nothing", TASK], 2, "there is no pattern");
    check_refused(&["-C", "../gitconfig", TASK], 2, "gitconfig");
}

#[test]
fn arguments_that_do_not_go_together_are_refused() {
    check_refused(
        &["--plan-only", "--resume", "test"],
        2,
        "cannot be used with",
    );
}

#[test]
fn every_other_command_prints_one_document_as_well() {
    let environment = TestEnvironment::new();
    environment
        .orchestrate(&["--pattern-id", "asking", TASK])
        .exits(3);
    for arguments in [
        &["status"][..],
        &["run", "list"],
        &["run", "show", "test"],
        &["pattern", "list"],
        &["pattern", "show", "asking"],
        &["discover-patterns"],
        &["research", TASK],
        &["--show-patterns", TASK],
        &["--plan-only", "--pattern-id", "mended", TASK],
    ] {
        let ran = environment.orchestrate(&[&["--json"], arguments].concat());
        assert!(ran.exits(0).json().is_object(), "{arguments:?}");
    }
    let doctor = environment.orchestrate(&["--json", "doctor"]).json();
    assert!(doctor["examined"].is_array(), "{doctor}");
}

#[test]
fn progress_comes_as_events_where_that_is_asked_for() {
    let environment = TestEnvironment::new();
    let arguments = ["--json", "--progress=json", "--pattern-id", "mended", TASK];
    let ran = environment.orchestrate(&arguments).exits(0);
    assert_eq!(ran.json()["status"], "done");
    let events: Vec<Value> = ran
        .stderr
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert!(
        events[0]["event"]["run-started"].is_object(),
        "{}",
        events[0]
    );
    let last = events.last().unwrap();
    assert!(last["event"]["run-learned"].is_object(), "{last}");
}

#[test]
fn who_is_quiet_hears_of_results_and_errors_alone() {
    let environment = TestEnvironment::new();
    let ran = environment
        .orchestrate(&["--quiet", "--pattern-id", "mended", TASK])
        .exits(0);
    assert_eq!(ran.stderr, "");
    assert!(ran.stdout.starts_with("Done: 3 steps"), "{}", ran.stdout);
    let ran = environment.orchestrate(&["--quiet", ""]).exits(2);
    assert_eq!(ran.stdout, "");
    assert!(
        ran.stderr.starts_with("error: the task is empty"),
        "{}",
        ran.stderr
    );
}

#[test]
fn who_is_quiet_still_hears_that_nothing_was_merged() {
    let environment = TestEnvironment::new();
    environment.git(&["checkout", "--quiet", "--detach"]);
    let ran = environment
        .orchestrate(&["--quiet", "--pattern-id", "mended", TASK])
        .exits(0);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("git merge --no-ff"), "{said}");
}

#[test]
fn plugins_are_listed_as_scripts_rely_on_it() {
    let environment = TestEnvironment::new();
    for folder in ["../acme", "../odd"] {
        let arguments = ["--json", "marketplace", "add", folder];
        let document = environment.orchestrate(&arguments).exits(0).json();
        let added = &document["added"][0];
        assert!(
            added["name"].is_string() && added["plugins"].is_u64(),
            "{document}"
        );
        assert!(added["findings"].is_array(), "{document}");
    }
    let document = environment
        .orchestrate(&["--json", "plugin", "list"])
        .exits(0)
        .json();
    let plugins = document["plugins"].as_array().unwrap();
    for plugin in plugins {
        let id = plugin["id"].as_str().unwrap();
        assert_eq!(id.split('@').count(), 2, "{plugin}");
        for list in ["skills", "commands", "agents", "mcp_servers"] {
            let names = plugin[list].as_array().unwrap();
            assert!(names.iter().all(Value::is_string), "{plugin}");
        }
        assert!(
            plugin["hooks"].is_u64() && plugin["findings"].is_array(),
            "{plugin}"
        );
    }
    let called = |id: &str| plugins.iter().find(|plugin| plugin["id"] == id).unwrap();
    assert_eq!(
        called("tools@acme")["skills"],
        serde_json::json!(["tools:review"])
    );
    assert_eq!(
        called("writer@acme")["agents"],
        serde_json::json!(["writer:editor"])
    );
    let finding = &called("wrong@odd")["findings"][0];
    assert_eq!(finding["file"], ".claude-plugin/plugin.json");
    assert_eq!(finding["line"], 4);
    let lost = document["findings"].as_array().unwrap();
    assert!(
        lost.iter().any(|finding| finding["plugin"] == "gone"),
        "{document}"
    );
}

#[test]
fn a_folder_is_validated_as_scripts_rely_on_it() {
    let environment = TestEnvironment::new();
    for (folder, code) in [
        ("acme", 0),
        ("acme/plugins/tools", 0),
        ("odd", 2),
        ("odd/wrong", 2),
        ("nowhere", 2),
    ] {
        let path = environment.path(folder).display().to_string();
        let document = environment
            .orchestrate(&["plugin", "validate", &path, "--json"])
            .exits(code)
            .json();
        assert_eq!(document["success"], code == 0, "{document}");
        let errors = document["errors"].as_array().unwrap();
        assert_eq!(errors.is_empty(), code == 0, "{document}");
        assert!(document["warnings"].is_array(), "{document}");
    }
}

#[test]
fn a_marketplace_is_added_from_a_folder_or_a_repository() {
    let environment = TestEnvironment::new();
    let address = environment.bare("acme");
    let add = |source: &str, name: &str, code| {
        let arguments = ["--json", "marketplace", "add", source, "--name", name];
        environment.orchestrate(&arguments).exits(code).json()
    };
    let folder = add("../acme", "folder", 0);
    assert_eq!(folder["added"][0]["commit"], Value::Null);
    let repository = add(&address, "repository", 0);
    let commit = environment.git_in("acme", &["rev-parse", "HEAD"]);
    assert_eq!(repository["added"][0]["commit"], commit.trim());
    let branch = add(&format!("{address}#main"), "branch", 0);
    assert_eq!(branch["added"][0]["commit"], commit.trim());
    assert_eq!(
        add(&format!("{address}#nowhere"), "wrong", 2)["status"],
        "refused"
    );
    assert_eq!(add("file:///nowhere.git", "missing", 7)["exit"], 7);
}

#[test]
fn an_update_says_what_changed_as_scripts_rely_on_it() {
    let environment = TestEnvironment::new();
    let address = environment.bare("acme");
    environment
        .orchestrate(&["marketplace", "add", &address])
        .exits(0);
    let servers = r#"{"mcpServers": {"notes": {"command": "npx", "args": ["notes@latest"]}}}"#;
    std::fs::write(environment.path("acme/plugins/tools/.mcp.json"), servers).unwrap();
    environment.publish("acme");
    let document = environment
        .orchestrate(&["--json", "marketplace", "update"])
        .exits(0)
        .json();
    let acme = &document["updated"].as_array().unwrap()[0];
    let changes = acme["changes"]["tools"].as_array().unwrap();
    let is = |change: &Value, what: &str| change["sign"] == "added" && change["what"] == what;
    assert!(
        is(&changes[0], "mcp server") && is(&changes[1], "payload"),
        "{document}"
    );
    assert_ne!(acme["from"], acme["to"], "{document}");
}

#[test]
fn marketplaces_that_are_added_at_once_are_all_kept() {
    let environment = TestEnvironment::new();
    let names: Vec<String> = (0..8).map(|number| format!("m{number}")).collect();
    let adding: Vec<_> = names
        .iter()
        .map(|name| environment.start(&["marketplace", "add", "../acme", "--name", name]))
        .collect();
    for running in adding {
        running.end().exits(0);
    }
    let document = environment
        .orchestrate(&["--json", "marketplace", "list"])
        .exits(0)
        .json();
    let listed = document["marketplaces"].as_array().unwrap();
    let known = |name: &String| {
        listed
            .iter()
            .any(|marketplace| marketplace["name"] == **name)
    };
    assert!(names.iter().all(known), "{document}");
}

#[test]
fn a_damaged_record_of_an_index_is_made_again() {
    let environment = TestEnvironment::new();
    environment
        .orchestrate(&["marketplace", "add", "../acme"])
        .exits(0);
    let folder = environment.path("cache/orchestrate/index");
    let mut damaged = 0;
    let indexes = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    for path in indexes {
        let mut bytes = std::fs::read(&path).unwrap();
        let record = bytes
            .windows(12)
            .position(|bytes| bytes == b"\"namespace\":");
        damaged += usize::from(record.is_some());
        if let Some(place) = record {
            bytes[place] ^= 1;
            std::fs::write(path, bytes).unwrap();
        }
    }
    assert!(damaged >= 2, "nothing was damaged");
    for arguments in [
        &["plugin", "show", "tools"][..],
        &["plugin", "search", "review"],
        &["marketplace", "update"],
    ] {
        environment.orchestrate(arguments).exits(0);
    }
}
