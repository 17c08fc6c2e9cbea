//! What is measured: whole processes, ours and `grep`.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};

/// The most memory, in KiB, that our program may address.
const MEMORY_KIB_MAX: u64 = 2 * 1024 * 1024;

/// Our program, with a home of its own.
pub struct Program {
    home: PathBuf,
}

impl Program {
    /// Returns the program with an empty home in `folder`.
    pub fn new(folder: &Path) -> Program {
        Program {
            home: folder.join("home"),
        }
    }

    /// Adds the marketplace, which builds its index.
    pub fn add(&self, marketplace: &Path) -> Result<Duration> {
        self.run(&[
            "marketplace",
            "add",
            "--user",
            &marketplace.to_string_lossy(),
        ])
    }

    /// Searches, as a person would.
    pub fn search(&self, query: &str) -> Result<Duration> {
        let words = query.split(' ');
        let arguments: Vec<&str> = ["plugin", "search"].into_iter().chain(words).collect();
        self.run(&arguments)
    }

    /// Searches without an index.
    pub fn search_without(&self, query: &str) -> Result<Duration> {
        std::fs::remove_dir_all(self.index())?;
        self.search(query)
    }

    /// Returns the folder of the indexes.
    pub fn index(&self) -> PathBuf {
        self.home.join(".cache/orchestrate/index")
    }

    /// Runs the program where it can address no more memory than is promised, so that it fails where it wants more.
    fn run(&self, arguments: &[&str]) -> Result<Duration> {
        std::fs::create_dir_all(&self.home)?;
        let limited = format!("ulimit -v {MEMORY_KIB_MAX}; exec \"$0\" \"$@\"");
        let mut command = Command::new("sh");
        command
            .args(["-c", &limited, env!("CARGO_BIN_EXE_orchestrate")])
            .args(arguments)
            .current_dir(&self.home)
            .env_clear()
            .env("HOME", &self.home)
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        timed(command)
    }
}

/// Runs `grep` over the files, as somebody without us would.
pub fn grep(root: &Path, query: &str) -> Result<Duration> {
    let mut command = Command::new("grep");
    command.arg("-rciE").arg(query.replace(' ', "|")).arg(root);
    timed(command)
}

fn timed(mut command: Command) -> Result<Duration> {
    let start = Instant::now();
    let status = command.stdout(Stdio::null()).stderr(Stdio::null()).status();
    let time = start.elapsed();
    let status = status.with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(time)
}
