//! How long a search takes, beside `grep` over the same files in the same run: `cargo bench --bench search`, `-- --large` for 400,000.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

mod catalog;
mod process;

use std::env;
use std::fs;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use process::Program;

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
    let is_large = env::args().any(|argument| argument == "--large");
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
    if is_large {
        sizes.push(size(400_000, None, None));
    }
    println!(
        "query `{QUERY}`; medians of whole processes in {ROUNDS} interleaved rounds, ours within 2 GiB of address space"
    );
    println!(
        "plugins    grep ms   search ms   of grep  goal       no index ms   of grep  goal       index MiB   add s"
    );
    for size in &sizes {
        measure(size)?;
    }
    Ok(())
}

fn measure(size: &Size) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = folder.path().join("marketplace");
    catalog::generate(&root, size.plugins)?;
    let program = Program::new(folder.path());
    let add = program.add(&root)?;
    let (mut grep, mut warm, mut without) = (Vec::new(), Vec::new(), Vec::new());
    // The first round warms the caches of all three alike and does not count.
    for _ in 0..=size.rounds {
        grep.push(process::grep(&root, QUERY)?);
        warm.push(program.search(QUERY)?);
        if size.without_goal.is_some() {
            without.push(program.search_without(QUERY)?);
        }
    }
    let (grep, warm, without) = (median(grep), median(warm), median(without));
    println!(
        "{:>7} {grep:>10.1} {warm:>11.2} {:>9.4}  {:<10} {without:>11.1} {:>9.2}  {:<10} {:>9.1} {:>7.1}",
        size.plugins,
        warm / grep,
        verdict(warm / grep, size.warm_goal),
        without / grep,
        verdict(without / grep, size.without_goal),
        mebibytes(&program.index())?,
        add.as_secs_f64(),
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
fn median(times: Vec<Duration>) -> f64 {
    let mut times = times.get(1..).unwrap_or_default().to_vec();
    if times.is_empty() {
        return f64::NAN;
    }
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64() * 1000.0
}

fn mebibytes(folder: &Path) -> Result<f64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder)? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes as f64 / f64::from(1 << 20))
}
