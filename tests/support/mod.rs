//! What every test of the program needs: folders of its own, an environment without the machine in it, and bounded waits.
//!
//! The repository `project` stands beside the marketplace `fixtures`, whose plugins work or fail in one known way each, and has
//! a pattern of its own for every such way: `--pattern-id asking` is the run that asks a person. The folders `acme`, `crafts` and `odd` are
//! marketplaces that nobody has added yet, one of them with something wrong in every plugin.

#![allow(
    dead_code,
    clippy::unwrap_used,
    reason = "no test file uses everything, and a test that cannot go on says so"
)]

pub mod model;
pub mod plans;
pub mod process;
pub mod redaction;

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use process::{Ran, Running};

/// No test waits longer than this for anything.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A task that the fixtures carry out; the pattern says how.
pub const TASK: &str = "Build a REST API";

/// Folders and an environment of a test's own.
pub struct TestEnvironment {
    root: TempDir,
}

impl TestEnvironment {
    /// Makes the repository `project`, with the fixtures committed, beside their marketplace.
    pub fn new() -> TestEnvironment {
        TestEnvironment::new_in(&std::env::temp_dir())
    }

    /// Makes the same in a folder.
    pub fn new_in(folder: &Path) -> TestEnvironment {
        let environment = TestEnvironment {
            root: tempfile::tempdir_in(folder).unwrap(),
        };
        for folder in ["bin", "home", "tmp"] {
            fs::create_dir(environment.path(folder)).unwrap();
        }
        let program = env!("CARGO_BIN_EXE_orchestrate");
        std::os::unix::fs::symlink(program, environment.path("bin/orchestrate")).unwrap();
        let identity = "[user]\nname = Ada\nemail = ada@localhost\n[init]\ndefaultBranch = main\n";
        fs::write(environment.path("gitconfig"), identity).unwrap();
        for folder in ["acme", "crafts", "marketplace", "odd", "project"] {
            copy(
                &tests(&format!("fixtures/{folder}")),
                &environment.path(folder),
            );
        }
        environment.git(&["init", "--quiet"]);
        environment.commit("Use the fixtures");
        environment
    }

    /// Returns the path of something beside the project.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.path().canonicalize().unwrap().join(name)
    }

    /// Returns the path of something in the project.
    pub fn project(&self, name: &str) -> PathBuf {
        self.path("project").join(name)
    }

    /// Returns a command that starts in the project and finds nothing of this machine but its programs.
    pub fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            self.path("bin").display()
        );
        command
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.path("home"))
            .env("TMPDIR", self.path("tmp"))
            .env("XDG_CONFIG_HOME", self.path("home/config"))
            .env("XDG_STATE_HOME", self.path("state"))
            .env("XDG_CACHE_HOME", self.path("cache"))
            .env("LANG", "C.UTF-8")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", self.path("gitconfig"))
            .env("GIT_CEILING_DIRECTORIES", self.path(""))
            .env("ORCHESTRATE_NOW", "2026-11-22T10:00:00Z")
            .env("GIT_AUTHOR_DATE", "2026-11-22T09:00:00Z")
            .env("GIT_COMMITTER_DATE", "2026-11-22T09:00:00Z")
            .env("ORCHESTRATE_RUN", "test")
            .current_dir(self.project(""))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Returns the command that runs orchestrate.
    pub fn orchestrate_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(env!("CARGO_BIN_EXE_orchestrate"));
        command.args(arguments);
        command
    }

    /// Runs orchestrate to its end.
    pub fn orchestrate(&self, arguments: &[&str]) -> Ran {
        self.start(arguments).end()
    }

    /// Starts orchestrate; it goes on beside the test.
    pub fn start(&self, arguments: &[&str]) -> Running {
        Running::new(&mut self.orchestrate_command(arguments))
    }

    /// Runs git in the project, which has to succeed, and returns what it printed.
    pub fn git(&self, arguments: &[&str]) -> String {
        self.git_in("project", arguments)
    }

    /// Runs git in a folder beside the project.
    pub fn git_in(&self, folder: &str, arguments: &[&str]) -> String {
        let mut command = self.command("git");
        let ran = Running::new(command.args(arguments).current_dir(self.path(folder))).end();
        assert_eq!(ran.code, 0, "git {arguments:?}: {}", ran.stderr);
        ran.stdout
    }

    /// Makes a bare repository of a folder beside the project, and returns its address; `publish` brings later changes there.
    pub fn bare(&self, folder: &str) -> String {
        self.git_in(folder, &["init", "--quiet"]);
        let bare = format!("{folder}.git");
        self.git_in("", &["init", "--quiet", "--bare", &bare]);
        self.publish(folder);
        format!("file://{}", self.path(&bare).display())
    }

    /// Commits everything in a folder beside the project, and pushes it into its bare repository.
    pub fn publish(&self, folder: &str) {
        self.git_in(folder, &["add", "--all"]);
        self.git_in(folder, &["commit", "--quiet", "--message", "Publish"]);
        let bare = format!("../{folder}.git");
        self.git_in(folder, &["push", "--quiet", &bare, "main"]);
    }

    /// Commits everything in the project.
    pub fn commit(&self, message: &str) {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--message", message]);
    }

    /// Makes the file that the fixtures `asking-cache` and `slow-limits` wait for; it is none that a person would commit.
    pub fn go(&self) {
        fs::write(self.project(".git/info/exclude"), "/go\n").unwrap();
        fs::write(self.project("go"), "").unwrap();
    }

    /// Returns the name of the one branch that a run lives on.
    pub fn run_branch(&self) -> String {
        let format = "--format=%(refname:short)";
        let branches = self.git(&["for-each-ref", format, "refs/heads/orchestrate/20*"]);
        assert_eq!(branches.lines().count(), 1, "{branches}");
        branches.trim().to_owned()
    }

    /// Returns the files that are kept of runs outside the repository.
    pub fn state(&self) -> Vec<PathBuf> {
        let mut files = Vec::new();
        let mut folders = vec![self.path("state")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
                match entry.file_type().unwrap().is_dir() {
                    true => folders.push(entry.path()),
                    false => files.push(entry.path()),
                }
            }
        }
        files
    }

    /// Returns the processes that stand in a folder of this environment.
    #[cfg(target_os = "linux")]
    pub fn processes(&self) -> Vec<String> {
        let ours = |entry: &fs::DirEntry| {
            fs::read_link(entry.path().join("cwd")).is_ok_and(|cwd| cwd.starts_with(self.path("")))
        };
        let name = |entry: fs::DirEntry| fs::read_to_string(entry.path().join("cmdline"));
        let entries = fs::read_dir("/proc").unwrap().flatten();
        entries
            .filter(ours)
            .filter_map(|entry| name(entry).ok())
            .collect()
    }

    /// Waits until no process is left in a folder of this environment.
    pub fn wait_until_nothing_runs(&self) {
        #[cfg(target_os = "linux")]
        wait_until("every process has ended", || self.processes().is_empty());
    }
}

/// Waits until something is so; fails when it takes too long.
#[track_caller]
pub fn wait_until(what: &str, is_so: impl FnMut() -> bool) {
    wait_within(PATIENCE, what, is_so);
}

/// Does the same with another measure of too long.
#[track_caller]
pub fn wait_within(patience: Duration, what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + patience;
    while !is_so() {
        assert!(Instant::now() < deadline, "waited in vain until {what}");
        sleep(Duration::from_millis(5));
    }
}

/// Returns the path of something in the folder of the tests.
pub fn tests(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests")
        .join(name)
}

/// Returns whether the tests run as a user whom no permission stops.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &target),
            false => drop(fs::copy(entry.path(), target).unwrap()),
        }
    }
}
