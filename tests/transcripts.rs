//! Runs the stories in `transcripts/`: Markdown with commands, their exact output, and their exit code where it is not 0.
//!
//! Each story has an environment of its own, and its commands start in the repository `project`. What differs from run to run
//! stands in brackets; a plan's name and the folder `[ROOT]` may be used so in a later command. `UPDATE=1 cargo test` writes the stories anew;
//! `STORY=name` tells only that one.

#![allow(
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "a test that cannot go on says so"
)]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use similar::TextDiff;
use support::process::Running;
use support::redaction::Redaction;
use support::{TestEnvironment, is_root, tests};

#[test]
fn stories_read_as_they_run() {
    let files = fs::read_dir(tests("transcripts")).unwrap();
    let mut stories: Vec<PathBuf> = files.map(|file| file.unwrap().path()).collect();
    if let Some(only) = std::env::var_os("STORY") {
        stories.retain(|story| story.file_stem() == Some(&only));
    }
    assert!(!stories.is_empty());
    let (waiting, faults) = (Mutex::new(stories), Mutex::new(Vec::new()));
    let next = || waiting.lock().unwrap().pop();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some(story) = next() {
                    faults.lock().unwrap().extend(check(&story));
                }
            });
        }
    });
    let faults = faults.into_inner().unwrap();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// Returns how the story goes otherwise than it is written, if it does.
fn check(story: &Path) -> Option<String> {
    let name = story.file_stem().unwrap().to_str().unwrap();
    let environment = TestEnvironment::new();
    if let Some(why) = skipped(name, &environment) {
        eprintln!("the story `{name}` is skipped: {why}");
        return None;
    }
    let expected = fs::read_to_string(story).unwrap();
    let told = tell(&expected, &environment);
    if told == expected {
        return None;
    }
    if std::env::var_os("UPDATE").is_some() {
        fs::write(story, told).unwrap();
        return None;
    }
    let diff = TextDiff::from_lines(&expected, &told);
    let diff = diff.unified_diff().context_radius(5).to_string();
    Some(format!("the story `{name}` goes otherwise:\n{diff}"))
}

/// Returns why the story cannot be told here.
fn skipped(name: &str, environment: &TestEnvironment) -> Option<&'static str> {
    let git_init = ["init", "--quiet", "--ref-format=reftable", "../known"];
    let knows = || {
        Running::new(environment.command("git").args(git_init))
            .end()
            .code
            == 0
    };
    match name {
        "no-write-permission" if is_root() => Some("no permission stops root"),
        "a-signed-approval" if !has(environment, "ssh-keygen") => Some("it needs ssh-keygen"),
        "reftable" if !knows() => Some("this git is older than the format"),
        _ => None,
    }
}

/// Says whether a program is on the PATH of the stories.
fn has(environment: &TestEnvironment, program: &str) -> bool {
    let look = format!("command -v {program}");
    let mut shell = environment.command("sh");
    Running::new(shell.args(["-c", &look])).end().code == 0
}

/// Returns the story with the output that its commands have now.
fn tell(story: &str, environment: &TestEnvironment) -> String {
    let (mut told, mut inside) = (String::new(), false);
    let mut redaction = Redaction::default();
    let mut lines = story.lines().peekable();
    while let Some(line) = lines.next() {
        inside = if line.starts_with("```") {
            line == "```console"
        } else {
            inside
        };
        told.push_str(&format!("{line}\n"));
        let Some(command) = line.strip_prefix("$ ").filter(|_| inside) else {
            continue;
        };
        while lines
            .next_if(|line| !line.starts_with("$ ") && *line != "```")
            .is_some()
        {}
        let output = output(&redaction.show(command, environment), environment);
        told.push_str(&redaction.hide(&output, environment));
    }
    told
}

fn output(command: &str, environment: &TestEnvironment) -> String {
    let mut shell = environment.command("sh");
    let ran = Running::new(shell.args(["-c", &format!("exec 2>&1\n{command}")])).end();
    let line_end = if ran.stdout.is_empty() || ran.stdout.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    match ran.code {
        0 => format!("{}{line_end}", ran.stdout),
        code => format!("{}{line_end}[exit {code}]\n", ran.stdout),
    }
}
