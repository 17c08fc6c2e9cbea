//! Steps that real agents do, with a model that plays a script: `ORCHESTRATE_TEST_AGENTS` names the folder that their programs are in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use orchestrate::model::PluginFile;
use serde_json::{Value, json};
use support::model::{Model, Turn};
use support::process::{Ran, Running};
use support::{TestEnvironment, copy, tests};

const KEY: &str = "sk-ant-a-key-that-nobody-sees";
const PLAN: &str = "2026-11-22-by-hand-0000";

/// A project with the marketplace of agents' plugins beside it, and a model.
struct Story {
    environment: TestEnvironment,
    model: Model,
    steps: Vec<Value>,
}

impl Story {
    fn new(turns: &[Turn]) -> Story {
        let environment = TestEnvironment::new();
        copy(&tests("fixtures/agents"), &environment.path("agents"));
        let config = "schema: 1\nmarketplaces:\n  agents: {path: ../agents}\n";
        fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
        Story {
            environment,
            model: Model::new(turns),
            steps: Vec::new(),
        }
    }

    /// Adds a step that Claude Code does, whose check is a command of the shell.
    fn step(&mut self, id: &str, agent: Value, writes: &[&str], check: &str) -> &mut Value {
        self.step_of("demo", id, agent, writes, check)
    }

    fn step_of(
        &mut self,
        plugin: &str,
        id: &str,
        agent: Value,
        writes: &[&str],
        check: &str,
    ) -> &mut Value {
        let needs: Vec<Value> = self
            .steps
            .last()
            .iter()
            .map(|step| step["id"].clone())
            .collect();
        self.steps.push(json!({
            "id": id, "title": "Do it", "doing": "Doing it", "provides": ["tests.api"], "needs": needs, "why": "it can",
            "action": {
                "plugin": format!("{plugin}@agents"),
                "digest": digest(&self.environment.path("agents").join(plugin)),
                "runner": "agent", "agent": agent, "writes": writes,
                "grants": {"network": ["model"]},
            },
            "checks": [{"id": "looked-at", "command": {"argv": ["sh", "-c", check]}}],
            "attempts_max": 2, "backoff_ms": 10, "timeout_s": 60,
        }));
        self.steps.last_mut().unwrap()
    }

    fn commit(&self) {
        let plan = json!({
            "engine": 1, "task": "By hand", "understood": [], "steps": self.steps,
        });
        let folder = self
            .environment
            .project(&format!(".orchestrate/plans/{PLAN}"));
        fs::create_dir_all(&folder).unwrap();
        let text = orchestrate::yaml::print(&plan).unwrap();
        fs::write(folder.join("plan.yaml"), format!("schema: 1\n{text}")).unwrap();
        self.environment.commit("A plan by hand");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.environment.orchestrate_command(arguments);
        // The index of the embedded marketplace takes longer than most of these stories, and is the same for all.
        command.env(
            "XDG_CACHE_HOME",
            Path::new(env!("CARGO_TARGET_TMPDIR")).join("agents-cache"),
        );
        let agents = std::env::var("ORCHESTRATE_TEST_AGENTS").unwrap_or_default();
        command
            .env("PATH", format!("{agents}:/usr/local/bin:/usr/bin:/bin"))
            .env("ANTHROPIC_API_KEY", KEY)
            .env("ANTHROPIC_BASE_URL", &self.model.address)
            .env("OPENAI_API_KEY", KEY)
            .env("OPENAI_BASE_URL", format!("{}/v1", self.model.address));
        command
    }

    fn start(&self) -> Running {
        self.commit();
        Running::new(&mut self.command(&["--verbose", "--execute", PLAN]))
    }

    #[track_caller]
    fn run(&self, code: i32) -> Ran {
        let ran = self.start().end().exits(code);
        self.check_that_nothing_is_given_away(&ran);
        ran
    }

    #[track_caller]
    fn resume(&self, arguments: &[&str], code: i32) -> Ran {
        let arguments = [&["--verbose", "--resume", "test"], arguments].concat();
        let ran = Running::new(&mut self.command(&arguments))
            .end()
            .exits(code);
        self.check_that_nothing_is_given_away(&ran);
        ran
    }

    /// Makes sure that the key is in nothing that is shown or kept, and that nothing runs any more.
    #[track_caller]
    fn check_that_nothing_is_given_away(&self, ran: &Ran) {
        let all = self
            .environment
            .git(&["log", "--all", "--patch", "--format=%B"]);
        for text in [&ran.stdout, &ran.stderr, &all] {
            assert!(
                !text.contains(KEY) && !text.contains("a-key-that-nobody"),
                "{text}"
            );
        }
        for file in self.environment.state() {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(
                !String::from_utf8_lossy(&bytes).contains("a-key-that-nobody"),
                "{}",
                file.display()
            );
        }
        self.environment.wait_until_nothing_runs();
    }

    fn file(&self, path: &str) -> String {
        self.environment
            .git(&["show", &format!("{}:{path}", self.environment.run_branch())])
    }

    fn events(&self) -> String {
        let branch = self.environment.run_branch();
        let files = self
            .environment
            .git(&["ls-tree", "-r", "--name-only", &branch]);
        let segments = files.lines().filter(|file| file.contains("/events/"));
        segments.map(|file| self.file(file)).collect()
    }
}

/// Returns the digest of a plugin's folder, as a plan names it.
fn digest(folder: &Path) -> String {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_path_buf()];
    while let Some(inner) = folders.pop() {
        for entry in fs::read_dir(inner).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path
                .strip_prefix(folder)
                .unwrap()
                .to_str()
                .unwrap()
                .to_string();
            let bytes = fs::read(&path).unwrap();
            files.insert(
                name,
                PluginFile {
                    bytes,
                    executable: false,
                },
            );
        }
    }
    orchestrate::tree::digest(&files).to_string()
}

fn claude(prompt: &str) -> Value {
    json!({"agent": "claude", "prompt": prompt, "tools": ["Bash"]})
}

fn using(kind: &str, name: &str, prompt: &str) -> Value {
    json!({"agent": "claude", "prompt": prompt, "tools": ["Bash"], "uses": {kind: name}})
}

#[test]
#[ignore = "needs claude"]
fn a_skill_a_command_and_an_agent_of_a_plugin_do_three_steps() {
    let mut story = Story::new(&[
        Turn::Write("stamp.txt", "STAMP\n"),
        Turn::Say("Stamped."),
        Turn::Shell("echo Hello Ada > greeting.txt".to_string()),
        Turn::Say("Greeted."),
        Turn::Shell("cat stamp.txt greeting.txt > seen.txt".to_string()),
        Turn::Say("Looked."),
    ]);
    story.step(
        "stamp",
        using("skill", "stamp", "Stamp stamp.txt"),
        &["stamp.txt"],
        "grep STAMP stamp.txt",
    );
    story.step(
        "greet",
        using("command", "greet", "Ada Lovelace"),
        &["greeting.txt"],
        "grep Ada greeting.txt",
    );
    let look = using("agent", "looker", "Look at stamp.txt");
    story.step("look", look, &["seen.txt"], "grep Ada seen.txt");
    let ran = story.run(0);
    assert_eq!(story.file("seen.txt"), "STAMP\nHello Ada\n");
    let requests = story.model.requests();
    assert_eq!(requests.len(), 6, "{}", ran.stderr);
    assert!(
        requests[0]
            .to_string()
            .contains("Write the word STAMP into the file"),
        "the skill was read"
    );
    assert!(
        requests[2]
            .to_string()
            .contains("Write a greeting for Ada into"),
        "the command was filled in"
    );
    assert!(
        requests[4]
            .to_string()
            .contains("The word of this agent is LOOKER"),
        "the agent was asked"
    );
    assert!(story.model.keys().iter().all(|key| key == KEY));
    assert!(ran.stderr.contains("→ Write"), "{}", ran.stderr);
    let events = story.events();
    assert!(
        events.contains("agent: claude 2.") && events.contains("session: "),
        "{events}"
    );
    assert!(!story.environment.project("hooked.txt").exists());
}

/// Runs one step that writes `out.txt`, with the model failing so first, and returns what was said.
fn fails(turns: &[Turn], code: i32) -> (Story, Ran) {
    let mut story = Story::new(turns);
    let mut agent = claude("Write out.txt");
    agent["silence_s"] = json!(2);
    story.step("write", agent, &["out.txt"], "grep done out.txt");
    let ran = story.run(code);
    (story, ran)
}

/// As often as the agent itself asks again.
fn thrice(turn: Turn) -> Vec<Turn> {
    vec![turn; 3]
}

#[test]
#[ignore = "needs claude"]
fn a_model_that_refuses_the_key_is_asked_once_and_a_person_is_told() {
    let (story, ran) = fails(&thrice(Turn::Status(401, "")), 3);
    assert!(ran.stderr.contains("401"), "{}", ran.stderr);
    assert!(
        ran.stderr.contains("set `ANTHROPIC_API_KEY` to a key"),
        "{}",
        ran.stderr
    );
    assert_eq!(story.events().matches("attempt-started").count(), 1);
    story
        .model
        .then(&[Turn::Write("out.txt", "done\n"), Turn::Say("Done.")]);
    story.resume(&[], 0);
    assert_eq!(story.file("out.txt"), "done\n");
}

#[test]
#[ignore = "needs claude"]
fn a_model_without_time_is_asked_again_when_it_says_so() {
    let mut turns = thrice(Turn::Status(429, "retry-after: 1"));
    turns.extend([Turn::Write("out.txt", "done\n"), Turn::Say("Done.")]);
    let (story, ran) = fails(&turns, 0);
    assert!(ran.stderr.contains("429"), "{}", ran.stderr);
    let events = story.events();
    assert!(
        events.contains("kind: model") && events.contains("wait_ms: 1000"),
        "{events}"
    );
}

#[test]
#[ignore = "needs claude"]
fn a_model_in_trouble_or_cut_off_or_silent_is_asked_again_and_then_no_more() {
    for (turn, said) in [
        (Turn::Status(500, ""), "500"),
        (Turn::Cut, "model"),
        (Turn::Silent, "said nothing for 2 s"),
    ] {
        let (story, ran) = fails(&vec![turn; 40], 1);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
        let events = story.events();
        assert_eq!(events.matches("attempt-started").count(), 2, "{events}");
        assert!(events.contains("kind: model"), "{events}");
    }
}

#[test]
#[ignore = "needs claude"]
fn a_tool_that_is_not_granted_fails_the_step_though_the_agent_ends_well() {
    let mut story = Story::new(&[
        Turn::Shell("python3 -c 'print(1)' > out.txt".to_string()),
        Turn::Say("Done."),
    ]);
    let mut agent = claude("Write out.txt");
    agent["tools"] = json!([]);
    story.step("write", agent, &["out.txt"], "true");
    let ran = story.run(1);
    assert!(
        ran.stderr.contains("was not allowed `Bash`"),
        "{}",
        ran.stderr
    );
    assert_eq!(story.events().matches("attempt-started").count(), 1);
}

#[test]
#[ignore = "needs claude"]
fn a_plugin_that_does_not_load_fails_the_step_before_the_model_works() {
    let mut story = Story::new(&[Turn::Write("out.txt", "done\n")]);
    let step = story.step_of(
        "broken",
        "write",
        using("command", "greet", "Ada"),
        &["out.txt"],
        "true",
    );
    step["action"]["grants"]["programs"] = json!(["hooks"]);
    let ran = story.run(1);
    assert!(
        ran.stderr.contains("the plugin is broken"),
        "{}",
        ran.stderr
    );
}

#[test]
#[ignore = "needs claude"]
fn hooks_run_where_they_are_granted_and_nowhere_else() {
    let mut story = Story::new(&[Turn::Say("Nothing to do.")]);
    let step = story.step(
        "look",
        claude("Look"),
        &["hooked.txt"],
        "grep hooked hooked.txt",
    );
    step["action"]["grants"]["programs"] = json!(["hooks"]);
    story.run(0);
    assert_eq!(story.file("hooked.txt"), "hooked\n");
}

#[test]
#[ignore = "needs claude"]
fn what_a_check_finds_is_told_to_the_same_session_which_mends_it() {
    let mut story = Story::new(&[
        Turn::Write("out.txt", "wrong\n"),
        Turn::Say("Done."),
        Turn::Shell("echo done > out.txt".to_string()),
        Turn::Say("Mended."),
    ]);
    let mut agent = claude("Write out.txt");
    agent["corrections_max"] = json!(1);
    story.step(
        "write",
        agent,
        &["out.txt"],
        "cat out.txt; grep done out.txt",
    );
    story.run(0);
    assert_eq!(story.file("out.txt"), "done\n");
    let requests = story.model.requests();
    assert!(
        requests[2]
            .to_string()
            .contains("A check of your result failed"),
        "{}",
        requests[2]
    );
    assert!(
        requests[2].to_string().contains("Write out.txt"),
        "it is the same conversation"
    );
    let events = story.events();
    assert_eq!(events.matches("attempt-started").count(), 1, "{events}");
    // Two turns of 1000 tokens in and 20 out before, and two after: each is counted once.
    assert!(events.contains("output_tokens: 80"), "{events}");
}

#[test]
#[ignore = "needs claude"]
fn a_run_whose_budget_is_used_up_pauses_and_goes_on_with_a_higher_one() {
    let mut story = Story::new(&[
        Turn::Shell("echo one > out.txt".to_string()),
        Turn::Shell("echo two >> out.txt".to_string()),
        Turn::Shell("echo done >> out.txt".to_string()),
    ]);
    let mut agent = claude("Write out.txt");
    agent["budget"] = json!({"tokens": 2500});
    story.step("write", agent, &["out.txt"], "grep done out.txt");
    let ran = story.run(3);
    assert!(
        ran.stderr.contains("the step's budget is used up"),
        "{}",
        ran.stderr
    );
    let again = story.resume(&[], 3);
    assert!(
        again.stderr.contains("of 2500 tokens are used"),
        "{}",
        again.stderr
    );
    story.model.then(&[
        Turn::Shell("echo done > out.txt".to_string()),
        Turn::Say("Done."),
    ]);
    story.resume(&["--budget", "10"], 0);
    assert_eq!(story.file("out.txt"), "done\n");
}

#[test]
#[ignore = "needs claude"]
fn a_secret_is_given_to_its_step_alone_and_never_recorded() {
    const TOKEN: &str = "deploy-token-0123456789";
    let mut story = Story::new(&[
        Turn::Shell("echo \"token: $DEPLOY_TOKEN\"; printf %s \"$DEPLOY_TOKEN\" | base64 > out.txt; printf %s \"$DEPLOY_TOKEN\" | wc -c".to_string()),
        Turn::Say("Done."),
    ]);
    let step = story.step(
        "write",
        claude("Write out.txt"),
        &["out.txt"],
        "test -z \"$DEPLOY_TOKEN\"",
    );
    step["action"]["grants"]["secrets"] = json!(["DEPLOY_TOKEN"]);
    story.commit();
    let mut command = story.command(&["--verbose", "--execute", PLAN]);
    let ran = Running::new(command.env("DEPLOY_TOKEN", TOKEN))
        .end()
        .exits(1);
    assert!(
        ran.stderr.contains("gives the secret `DEPLOY_TOKEN` away"),
        "{}",
        ran.stderr
    );
    story.check_that_nothing_is_given_away(&ran);
    assert!(!ran.stderr.contains(TOKEN), "{}", ran.stderr);
    let objects = story
        .environment
        .git(&["cat-file", "--batch-all-objects", "--batch"]);
    let encoded = "ZGVwbG95LXRva2VuLTAxMjM0NTY3ODk";
    assert!(
        !objects.contains(TOKEN) && !objects.contains(encoded),
        "an object holds it"
    );
    // The agent itself saw it: it is the step that it was granted to.
    assert!(
        story.model.heard().contains("23"),
        "{}",
        story.model.heard()
    );
    let missing = Running::new(&mut story.command(&["--execute", PLAN]))
        .end()
        .exits(7);
    assert!(
        missing.stderr.contains("export DEPLOY_TOKEN=.."),
        "{}",
        missing.stderr
    );
}

#[test]
#[ignore = "needs claude"]
fn what_others_would_carry_out_later_is_refused_unless_it_is_granted() {
    let turns = [
        Turn::Shell(
            "mkdir -p .github/workflows; echo 'on: push' > .github/workflows/x.yml".to_string(),
        ),
        Turn::Say("Done."),
    ];
    let mut story = Story::new(&turns);
    story.step("write", claude("Write"), &[".github/"], "true");
    let ran = story.run(1);
    assert!(
        ran.stderr
            .contains("`.github/workflows/x.yml` was changed, which other tools carry out later"),
        "{}",
        ran.stderr
    );
    let mut story = Story::new(&turns);
    let step = story.step("write", claude("Write"), &[".github/"], "true");
    step["action"]["grants"]["protected"] = json!([".github/"]);
    story.run(0);
}

#[test]
#[ignore = "needs claude"]
fn an_agent_reaches_its_model_and_neither_the_person_nor_another_host() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut story = Story::new(&[]);
    let home = story.environment.path("home");
    fs::write(home.join("private"), "private").unwrap();
    story.model.then(&[
        Turn::Shell(format!(
            "(cat {0}/private; echo x > {0}/written; python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {port}), 2)' && echo reached; env) > out.txt 2>&1",
            home.display()
        )),
        Turn::Say("Done."),
    ]);
    story.step("write", claude("Write out.txt"), &["out.txt"], "true");
    story.run(0);
    let out = story.file("out.txt");
    assert!(!home.join("written").exists());
    assert!(!out.contains("reached") && !out.contains(KEY), "{out}");
    assert!(
        out.contains("ermission denied") && !out.lines().any(|line| line == "private"),
        "{out}"
    );
}

#[test]
#[ignore = "needs claude"]
fn a_run_killed_while_an_agent_works_leaves_nothing_running_and_goes_on() {
    let mut story = Story::new(&[Turn::Shell(
        "echo begun > out.txt; python3 -c 'import time; time.sleep(50)'".to_string(),
    )]);
    story.step(
        "write",
        claude("Write out.txt"),
        &["out.txt"],
        "grep done out.txt",
    );
    let mut run = story.start();
    run.wait_for("→ Bash");
    run.kill();
    story.environment.wait_until_nothing_runs();
    story
        .model
        .then(&[Turn::Write("out.txt", "done\n"), Turn::Say("Done.")]);
    story.resume(&[], 0);
    assert_eq!(story.file("out.txt"), "done\n");
}

#[test]
#[ignore = "needs codex"]
fn codex_is_told_the_skill_and_goes_on_with_its_session() {
    let mut story = Story::new(&[
        Turn::Write("stamp.txt", "wrong"),
        Turn::Say("Stamped."),
        Turn::Write("stamp.txt", "STAMP"),
        Turn::Say("Mended."),
    ]);
    let agent = json!({"agent": "codex", "model": "scripted-model", "prompt": "Stamp stamp.txt", "uses": {"skill": "stamp"}, "corrections_max": 1});
    story.step("stamp", agent, &["stamp.txt"], "grep STAMP stamp.txt");
    let ran = story.run(0);
    assert_eq!(story.file("stamp.txt"), "STAMP");
    let requests = story.model.requests();
    assert_eq!(requests.len(), 4, "{}", ran.stderr);
    assert!(
        requests[0]
            .to_string()
            .contains("Write the word STAMP into the file")
    );
    assert!(
        requests[2]
            .to_string()
            .contains("A check of your result failed")
    );
    assert!(
        requests[2].to_string().contains("Stamp stamp.txt"),
        "it is the same conversation"
    );
    assert!(story.model.keys().iter().all(|key| key == KEY));
    let events = story.events();
    assert!(
        events.contains("agent: codex 0.") && events.contains("output_tokens: 80"),
        "{events}"
    );
    assert!(
        events.contains("input_tokens: 2400") && events.contains("cached_tokens: 1600"),
        "{events}"
    );
}

#[test]
#[ignore = "needs codex"]
fn codex_whose_model_fails_is_judged_by_what_the_model_said() {
    for (turn, kind, code) in [
        (Turn::Status(401, ""), "kind: refused", 3),
        (Turn::Status(500, ""), "kind: model", 1),
        (Turn::Silent, "kind: model", 1),
    ] {
        let mut story = Story::new(&vec![turn; 40]);
        let agent = json!({"agent": "codex", "model": "scripted-model", "prompt": "Write out.txt", "silence_s": 2});
        story.step("write", agent, &["out.txt"], "true");
        let ran = story.run(code);
        assert!(story.events().contains(kind), "{}", ran.stderr);
    }
}

#[test]
fn a_program_is_a_step_with_its_inputs_in_a_file_and_as_whole_arguments() {
    let mut story = Story::new(&[]);
    let step = story.step(
        "run",
        json!(null),
        &["out.txt"],
        "grep -x 'Ada; echo no' out.txt",
    );
    step["action"] = json!({
        "plugin": "demo@agents", "digest": step["action"]["digest"], "runner": "command", "writes": ["out.txt"],
        "inputs": {"name": "Ada; echo no"},
        "commands": [{"argv": ["sh", "-c", "printf '%s\\n' \"$1\" > out.txt; grep -q Ada \"$2\"", "-", "${input:name}", "${scratch}/inputs.json"]}],
    });
    story.run(0);
    assert_eq!(story.file("out.txt"), "Ada; echo no\n");
}

#[test]
fn an_agent_that_is_not_there_or_not_logged_in_is_found_before_the_first_step() {
    let mut story = Story::new(&[]);
    story.step("write", claude("Write"), &["out.txt"], "true");
    story.commit();
    let program = story.environment.path("bin/claude");
    let run = |key: &str| {
        let mut command = story.command(&["--execute", PLAN]);
        let path = format!("{}:/usr/bin:/bin", story.environment.path("bin").display());
        Running::new(command.env("ANTHROPIC_API_KEY", key).env("PATH", path))
            .end()
            .exits(7)
    };
    let missing = run(KEY);
    assert!(
        missing.stderr.contains("there is no `claude` in PATH"),
        "{}",
        missing.stderr
    );
    assert!(
        missing
            .stderr
            .contains("npm install --global @anthropic-ai/claude-code"),
        "{}",
        missing.stderr
    );
    fs::write(&program, "#!/bin/sh\nexit 9\n").unwrap();
    fs::set_permissions(
        &program,
        std::os::unix::fs::PermissionsExt::from_mode(0o755),
    )
    .unwrap();
    let stranger = run("");
    assert!(
        stranger.stderr.contains("`claude` is not logged in"),
        "{}",
        stranger.stderr
    );
    assert_eq!(
        story
            .environment
            .git(&["branch", "--list", "orchestrate/*"]),
        ""
    );
}

#[test]
fn a_plan_that_asks_for_what_is_not_there_cannot_run() {
    let cases: [(Value, &str); 4] = [
        (
            using("skill", "none", "x"),
            "has no skill `none`; it has: stamp",
        ),
        (
            json!({"agent": "nobody", "prompt": "x"}),
            "there is no agent `nobody`",
        ),
        (json!({"agent": "claude", "prompt": " "}), "agent.prompt"),
        (
            json!({"agent": "claude", "prompt": "x", "budget": {"usd": 0}}),
            "agent.budget",
        ),
    ];
    for (agent, said) in cases {
        let mut story = Story::new(&[]);
        story.step("write", agent, &["out.txt"], "true");
        story.commit();
        let ran = Running::new(&mut story.command(&["--execute", PLAN]))
            .end()
            .exits(2);
        assert!(ran.stderr.contains(said), "{}", ran.stderr);
    }
}

#[test]
#[ignore = "needs claude"]
fn what_no_plugin_does_by_itself_is_planned_for_an_agent_and_done() {
    let story = Story::new(&[
        Turn::Write(
            "docs/leak-memory.md",
            "The cache is never emptied: src/cache.rs line 3.\n",
        ),
        Turn::Say("Found one."),
        Turn::Write("load.js", "export default function () {}\n"),
        Turn::Say("Written."),
        Turn::Write("NOTES.md", "# 1.1\n"),
        Turn::Say("Written."),
    ]);
    let config = "schema: 1\nmarketplaces:\n  crafts: {path: ../crafts}\n";
    fs::write(
        story.environment.project(".orchestrate/config.yaml"),
        config,
    )
    .unwrap();
    story.environment.commit("Use the crafts");
    let task = "Find the memory leak, add a load test, and write the release notes";
    let ran = Running::new(&mut story.command(&["--verbose", task]))
        .end()
        .exits(0);
    story.check_that_nothing_is_given_away(&ran);
    let requests = story.model.requests();
    assert!(
        requests[0]
            .to_string()
            .contains("The word of this agent is LEAK"),
        "{}",
        ran.stderr
    );
    assert!(
        requests[2].to_string().contains("docs/leak-memory.md"),
        "it is told what was found before"
    );
    assert!(
        requests[2].to_string().contains("Write a k6 script"),
        "the skill was read"
    );
    assert!(
        requests[4]
            .to_string()
            .contains("Write the release notes for: This is step 3 of 3"),
        "the command was filled in"
    );
    for file in ["docs/leak-memory.md", "load.js", "NOTES.md"] {
        assert!(!story.file(file).is_empty(), "{file}");
    }
}
