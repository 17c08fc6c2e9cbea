//! What a durable step costs that does nothing, beside `git add -A && git commit` in the same repository and run:
//! `cargo bench --bench checkpoint`; `-- --peers` adds LangGraph and DBOS, installed from PyPI into a folder of their own.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on says so")]

mod peers;
#[path = "../../tests/support/mod.rs"]
mod support;

use std::fs;
use std::process::Command;
use std::time::{Duration, Instant};

use support::TestEnvironment;
use support::plans::{PLAN, Scripted};

/// Steps in a chain.
const STEPS: usize = 100;
const ROUNDS: usize = 5;

/// A repository to measure in, and the most that a step may take of what git takes there.
const SIZES: [(usize, f64); 2] = [(100, 0.25), (10_000, 0.06)];

fn main() {
    println!(
        "a step that does nothing, in a chain of {STEPS}, and `git add -A && git commit` with one changed file; medians of {ROUNDS} rounds"
    );
    println!("  files      git ms   step ms   of git   goal          peak MiB");
    let mut at_100 = f64::NAN;
    for (files, goal) in SIZES {
        let (git, step, peak) = measure(files);
        if files == 100 {
            at_100 = step;
        }
        println!(
            "{files:>7} {git:>11.2} {step:>9.2} {:>8.3}   {:<12} {:>8.1}",
            step / git,
            verdict(step / git, goal),
            peak
        );
    }
    if std::env::args().any(|argument| argument == "--peers") {
        for (name, goal, measured) in peers::measure() {
            println!(
                "of {name}: {:.2} ms a step, ours is {:.2} of it, {}",
                measured,
                at_100 / measured,
                verdict(at_100 / measured, goal)
            );
        }
    }
}

fn verdict(ratio: f64, goal: f64) -> String {
    match ratio <= goal {
        true => format!("<= {goal}"),
        false => format!("MISSED {goal}"),
    }
}

/// Returns what git and a step of ours take in a repository of so many files, in milliseconds, and our most memory in MiB.
fn measure(files: usize) -> (f64, f64, f64) {
    let (chain, single) = (environment(files, STEPS), environment(files, 1));
    let (mut git, mut step, mut peak) = (Vec::new(), Vec::new(), 0.0_f64);
    for round in 0..=ROUNDS {
        git.push(commit(&single, round));
        let (one, _) = run(&single, round);
        let (all, memory) = run(&chain, round);
        step.push(all.saturating_sub(one) / (STEPS as u32 - 1));
        peak = peak.max(memory);
    }
    (median(git), median(step), peak)
}

fn environment(files: usize, steps: usize) -> TestEnvironment {
    let environment = TestEnvironment::new();
    for number in 0..files {
        let folder = environment.project(&format!("files/{}", number / 100));
        fs::create_dir_all(&folder).unwrap();
        fs::write(
            folder.join(format!("{number}.txt")),
            format!("file {number}\n"),
        )
        .unwrap();
    }
    let step = |number: usize| Scripted {
        needs: (number > 1).then(|| number - 1).into_iter().collect(),
        writes: vec!["out/".to_owned()],
        script: String::new(),
        leaves: "files/0/0.txt".to_owned(),
        more: Vec::new(),
    };
    let steps: Vec<Scripted> = (1..=steps).map(step).collect();
    environment.save_plan(&steps);
    environment
}

/// Returns how long git takes to commit one changed file, whatever else there is.
fn commit(environment: &TestEnvironment, round: usize) -> Duration {
    fs::write(
        environment.project("files/0/1.txt"),
        format!("round {round}\n"),
    )
    .unwrap();
    let mut git = environment.command("sh");
    timed(git.args(["-c", "git add -A && git commit --quiet --message=one"])).0
}

fn run(environment: &TestEnvironment, round: usize) -> (Duration, f64) {
    let mut command =
        environment.orchestrate_command(&["--quiet", "--execute", PLAN, "--no-merge"]);
    timed(command.env("ORCHESTRATE_RUN", format!("r{round}")))
}

/// Returns how long a command takes that has to succeed, and the most memory that it had.
fn timed(command: &mut Command) -> (Duration, f64) {
    command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null());
    let began = Instant::now();
    let mut child = command.spawn().unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0.0;
    let ended = loop {
        if let Some(ended) = child.try_wait().unwrap() {
            break ended;
        }
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<f64>().ok());
        peak = kib.map_or(peak, |kib| kib / 1024.0);
        std::thread::sleep(Duration::from_micros(500));
    };
    assert!(ended.success(), "{command:?}: {ended}");
    (began.elapsed(), peak)
}

/// Returns the median in milliseconds; the first round warms the caches and does not count.
fn median(times: Vec<Duration>) -> f64 {
    let mut times = times.get(1..).unwrap_or_default().to_vec();
    times.sort_unstable();
    times
        .get(times.len() / 2)
        .map_or(f64::NAN, |time| time.as_secs_f64() * 1000.0)
}
