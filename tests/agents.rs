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

    fn step_of(&mut self, plugin: &str, id: &str, agent: Value, writes: &[&str], check: &str) -> &mut Value {
        let needs: Vec<Value> = self.steps.last().iter().map(|step| step["id"].clone()).collect();
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
            "schema": 1, "engine": 1, "task": "By hand", "understood": [], "steps": self.steps,
        });
        let folder = self.environment.project(&format!(".orchestrate/plans/{PLAN}"));
        fs::create_dir_all(&folder).unwrap();
        // What is JSON is YAML as well.
        fs::write(folder.join("plan.yaml"), serde_json::to_string_pretty(&plan).unwrap()).unwrap();
        self.environment.commit("A plan by hand");
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.environment.orchestrate_command(arguments);
        let agents = std::env::var("ORCHESTRATE_TEST_AGENTS").unwrap_or_default();
        command
            .env("PATH", format!("{agents}:/usr/local/bin:/usr/bin:/bin"))
            .env("ANTHROPIC_API_KEY", KEY)
            .env("ANTHROPIC_BASE_URL", &self.model.address);
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
        let ran = Running::new(&mut self.command(&arguments)).end().exits(code);
        self.check_that_nothing_is_given_away(&ran);
        ran
    }

    /// Makes sure that the key is in nothing that is shown or kept, and that nothing runs any more.
    #[track_caller]
    fn check_that_nothing_is_given_away(&self, ran: &Ran) {
        let all = self.environment.git(&["log", "--all", "--patch", "--format=%B"]);
        for text in [&ran.stdout, &ran.stderr, &all] {
            assert!(!text.contains(KEY) && !text.contains("a-key-that-nobody"), "{text}");
        }
        for file in self.environment.state() {
            let bytes = fs::read(&file).unwrap_or_default();
            assert!(!String::from_utf8_lossy(&bytes).contains("a-key-that-nobody"), "{}", file.display());
        }
        self.environment.wait_until_nothing_runs();
    }

    fn file(&self, path: &str) -> String {
        self.environment.git(&["show", &format!("{}:{path}", self.environment.run_branch())])
    }

    fn events(&self) -> String {
        let branch = self.environment.run_branch();
        let files = self.environment.git(&["ls-tree", "-r", "--name-only", &branch]);
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
            let name = path.strip_prefix(folder).unwrap().to_str().unwrap().to_string();
            let bytes = fs::read(&path).unwrap();
            files.insert(name, PluginFile { bytes, executable: false });
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
    story.step("stamp", using("skill", "stamp", "Stamp stamp.txt"), &["stamp.txt"], "grep STAMP stamp.txt");
    story.step("greet", using("command", "greet", "Ada Lovelace"), &["greeting.txt"], "grep Ada greeting.txt");
    let look = using("agent", "looker", "Look at stamp.txt");
    story.step("look", look, &["seen.txt"], "grep Ada seen.txt");
    let ran = story.run(0);
    assert_eq!(story.file("seen.txt"), "STAMP\nHello Ada\n");
    let requests = story.model.requests();
    assert_eq!(requests.len(), 6, "{}", ran.stderr);
    assert!(requests[0].to_string().contains("Write the word STAMP into the file"), "the skill was read");
    assert!(requests[2].to_string().contains("Write a greeting for Ada into"), "the command was filled in");
    assert!(requests[4].to_string().contains("The word of this agent is LOOKER"), "the agent was asked");
    assert!(story.model.keys().iter().all(|key| key == KEY));
    assert!(ran.stderr.contains("→ Write"), "{}", ran.stderr);
    let events = story.events();
    assert!(events.contains("agent: claude 2.") && events.contains("session: "), "{events}");
    assert!(!story.environment.project("hooked.txt").exists());
}
