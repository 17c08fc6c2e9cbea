//! What is measured, each as a process of its own: this program again, with a first argument that says what to do.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use std::{env, fs};

use anyhow::{Context, Result, bail, ensure};
use orchestrate::index::{self, Hit, Index};

use crate::catalog;

const KEY: &str = "bench";
const LIMIT: usize = 10;

/// What a process did.
pub struct Measured {
    pub time: Duration,
    /// What it said of the search alone, without its start.
    pub inside: Duration,
    /// The most memory it had at once, in KiB; 0 where the system does not say.
    pub memory_kib: u64,
}

/// Runs `grep` over the files, as somebody without us would.
pub fn grep(root: &Path, query: &str) -> Result<Duration> {
    let mut command = Command::new("grep");
    command.arg("-rciE").arg(query.replace(' ', "|")).arg(root);
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).status().context("grep")?;
    ensure!(status.success(), "grep found nothing");
    Ok(start.elapsed())
}

/// Builds the index.
pub fn build(root: &Path, index: &Path) -> Result<Measured> {
    run(&["build", text(root)?, text(index)?])
}

/// Searches with the index.
pub fn warm(index: &Path, query: &str) -> Result<Measured> {
    run(&["warm", text(index)?, query])
}

/// Searches without an index.
pub fn without(root: &Path, query: &str) -> Result<Measured> {
    run(&["without", text(root)?, query])
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path of the bench is UTF-8")
}

fn run(arguments: &[&str]) -> Result<Measured> {
    let start = Instant::now();
    let output = Command::new(env::current_exe()?)
        .arg("child")
        .args(arguments)
        .stderr(Stdio::inherit())
        .output()?;
    let time = start.elapsed();
    ensure!(output.status.success(), "{arguments:?}: {}", output.status);
    let said = String::from_utf8(output.stdout)?;
    let (inside, memory) = said.trim().split_once(' ').context("two numbers")?;
    Ok(Measured {
        time,
        inside: Duration::from_micros(inside.parse()?),
        memory_kib: memory.parse()?,
    })
}

/// Does what `run` asks for in the process that it started, and returns what that process says.
pub fn child(arguments: &[String]) -> Result<String> {
    let start = Instant::now();
    match arguments {
        [what, root, path] if what == "build" => {
            let root = Path::new(root);
            let folders = catalog::list(root)?;
            let load = |number: usize| catalog::load(&root.join(&folders[number])).ok();
            index::write(Path::new(path), KEY, b"{}", folders.len(), load)?;
        }
        [what, path, query] if what == "warm" => {
            let index = Index::open(Path::new(path), KEY)?.context("no index")?;
            let hits = index::search(&[&index], query, LIMIT)?;
            let records: Vec<&[u8]> = hits
                .iter()
                .map(|hit| index.record(hit.plugin))
                .collect::<Result<_>>()?;
            enough(&hits, records.concat().len())?;
        }
        [what, root, query] if what == "without" => {
            let root = Path::new(root);
            let folders = catalog::list(root)?;
            let load = |number: usize| catalog::load(&root.join(&folders[number])).ok();
            let hits = index::search_documents(folders.len(), load, query, LIMIT)?;
            enough(&hits, 1)?;
        }
        _ => bail!("no such measurement: {arguments:?}"),
    }
    let inside = start.elapsed().as_micros();
    Ok(format!("{inside} {}", memory_kib()))
}

fn enough(hits: &[Hit], bytes: usize) -> Result<()> {
    ensure!(hits.len() == LIMIT && bytes > 0, "{} hits", hits.len());
    Ok(())
}

/// Returns the most memory that this process had at once.
fn memory_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let number = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
    number.unwrap_or_default()
}
