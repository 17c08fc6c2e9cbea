//! How long a search takes, beside `grep` over the same files in the same run: `cargo bench --bench search`, `-- --large` for 400,000.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod catalog;
mod process;

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

const QUERY: &str = "jwt redis docker";
const ROUNDS: usize = 7;

/// A marketplace to measure, and what is promised of it.
struct Size {
    plugins: usize,
    rounds: usize,
    /// The most that a warm search may take of what grep takes.
    warm_goal: Option<f64>,
    /// The same for a search without an index.
    without_goal: Option<f64>,
}

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    if let [first, rest @ ..] = arguments.as_slice()
        && first == "child"
    {
        println!("{}", process::child(rest)?);
        return Ok(());
    }
    let size = |plugins, warm_goal, without_goal| Size {
        plugins,
        rounds: if plugins > 40_000 { 1 } else { ROUNDS },
        warm_goal,
        without_goal,
    };
    let mut sizes = vec![
        size(400, Some(0.2), Some(1.0)),
        size(4_000, Some(0.03), None),
        size(40_000, Some(0.015), None),
    ];
    if arguments.iter().any(|argument| argument == "--large") {
        sizes.push(size(400_000, None, None));
    }
    println!("query `{QUERY}`, medians of whole processes, {ROUNDS} interleaved rounds");
    println!(
        "plugins   grep ms   warm ms (search alone)   of grep  goal    no index ms   of grep  goal    index MiB   build s   MiB build   MiB search"
    );
    for size in &sizes {
        measure(size)?;
    }
    Ok(())
}

fn measure(size: &Size) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("marketplace");
    let index = folder.path().join("index");
    catalog::generate(&root, size.plugins)?;
    let build = process::build(&root, &index)?;
    let mut grep = Vec::new();
    let mut warm = Vec::new();
    let mut without = Vec::new();
    // The first round warms the caches of all three alike and does not count.
    for _ in 0..=size.rounds {
        grep.push(process::grep(&root, QUERY)?);
        warm.push(process::warm(&index, QUERY)?);
        without.push(process::without(&root, QUERY)?);
    }
    let memory = warm.iter().map(|measured| measured.memory_kib).max();
    let inside = median(warm.iter().map(|measured| measured.inside));
    let grep = median(grep.into_iter());
    let warm = median(warm.iter().map(|measured| measured.time));
    let without = median(without.iter().map(|measured| measured.time));
    println!(
        "{:>7} {grep:>9.1} {warm:>9.2} ({inside:.2}) {:>22.4} {:<7} {without:>11.1} {:>9.2} {:<7} {:>9.1} {:>9.1} {:>11} {:>12}",
        size.plugins,
        warm / grep,
        verdict(warm / grep, size.warm_goal),
        without / grep,
        verdict(without / grep, size.without_goal),
        mebibytes(&index)?,
        build.time.as_secs_f64(),
        build.memory_kib / 1024,
        memory.unwrap_or_default() / 1024,
    );
    Ok(())
}

fn verdict(ratio: f64, goal: Option<f64>) -> String {
    match goal {
        Some(goal) if ratio <= goal => format!("<= {goal}"),
        Some(goal) => format!("MISSED {goal}"),
        None => "-".to_string(),
    }
}

/// Returns the median in milliseconds, the first value left out.
fn median(times: impl Iterator<Item = Duration>) -> f64 {
    let mut times: Vec<Duration> = times.skip(1).collect();
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn mebibytes(path: &Path) -> Result<f64> {
    Ok(fs::metadata(path)?.len() as f64 / f64::from(1 << 20))
}
