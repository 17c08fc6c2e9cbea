//! The folders outside the repository: what is going on now, and what can be made again.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use etcetera::{AppStrategy, AppStrategyArgs};

use crate::model::{Hint, RunId, Trouble, fingerprint};

/// The platform's state and cache folders for orchestrate.
#[derive(Debug, Clone)]
pub struct Folders {
    state: PathBuf,
    /// A person's settings.
    pub config: PathBuf,
    /// Environments and downloads; deleting it costs time and nothing else.
    pub cache: PathBuf,
}

impl Folders {
    /// Returns the folders of the person who runs us.
    pub fn find() -> Result<Folders> {
        let arguments = AppStrategyArgs {
            top_level_domain: String::new(),
            author: String::new(),
            app_name: "orchestrate".to_string(),
        };
        let strategy = etcetera::choose_app_strategy(arguments)
            .context("cannot find the home folder")
            .kind(Trouble::Missing)
            .hint("set HOME, or XDG_STATE_HOME and XDG_CACHE_HOME")?;
        Ok(Folders {
            state: strategy.state_dir().unwrap_or_else(|| strategy.data_dir()),
            config: strategy.config_dir(),
            cache: strategy.cache_dir(),
        })
    }

    /// Returns the folder of a run of the repository whose git folder is `git`.
    pub fn run(&self, git: &Path, run: &RunId) -> RunFolder {
        RunFolder {
            root: self.runs_of(git).join(run.as_str()),
        }
    }

    /// Returns the runs of a repository that have a folder here, in order.
    pub fn runs(&self, git: &Path) -> Result<Vec<RunId>> {
        let all = self.runs_of(git);
        let listing = || format!("cannot list `{}`", all.display());
        let entries = match std::fs::read_dir(&all) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(listing)?,
        };
        let mut runs = Vec::new();
        for entry in entries {
            let name = entry.with_context(listing)?.file_name();
            runs.extend(name.to_str().and_then(|name| name.parse::<RunId>().ok()));
        }
        runs.sort();
        Ok(runs)
    }

    fn runs_of(&self, git: &Path) -> PathBuf {
        // Two repositories never share a folder, and a person still sees which one it is.
        let digest = format!("{:016x}", fingerprint(git.as_os_str().as_encoded_bytes()));
        let name = git
            .parent()
            .and_then(|parent| parent.file_name())
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let safe: String = name
            .chars()
            .filter(|c| c.is_ascii_alphanumeric() || *c == '-')
            .take(40)
            .collect();
        self.state.join("runs").join(format!("{safe}-{digest}"))
    }
}

const WORKTREE: &str = "worktree";

/// The folder of a run while it is going on.
#[derive(Debug, Clone)]
pub struct RunFolder {
    root: PathBuf,
}

impl RunFolder {
    /// The folder itself.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Creates the folder.
    pub fn create(&self) -> Result<()> {
        create(&self.root)
    }

    /// A linked worktree that steps work in: the first one, or one for a step beside others.
    pub fn worktree(&self, number: usize) -> PathBuf {
        match number {
            0 => self.root.join(WORKTREE),
            _ => self.root.join(format!("{WORKTREE}-{number}")),
        }
    }

    /// The worktrees that there are.
    pub fn worktrees(&self) -> Result<Vec<PathBuf>> {
        let listing = || format!("cannot list `{}`", self.root.display());
        let entries = match std::fs::read_dir(&self.root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.with_context(listing)?,
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry.with_context(listing)?;
            let name = entry.file_name();
            if name
                .to_str()
                .is_some_and(|name| name == WORKTREE || name.starts_with("worktree-"))
            {
                found.push(entry.path());
            }
        }
        Ok(found)
    }

    /// The segment of the log in progress.
    pub fn live_log(&self, segment: usize) -> PathBuf {
        self.root.join(format!("segment-{segment:04}.yaml"))
    }

    /// Says whether a process may have left something to put in order.
    pub fn is_unsettled(&self) -> bool {
        let holds = |path: PathBuf| path.metadata().is_ok_and(|found| found.len() > 0);
        holds(self.lock()) || holds(self.journal())
    }

    /// What git may lose when the power fails.
    pub fn journal(&self) -> PathBuf {
        self.root.join("journal")
    }

    /// Held by the process that carries the run out.
    pub fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// Where the files of a plugin are laid out for a step in the worktree called `slot`.
    pub fn plugin(&self, slot: &str, name: &str) -> Result<PathBuf> {
        let path = self.root.join("plugins").join(slot).join(name);
        create(&path)?;
        Ok(path)
    }

    /// Returns a new, empty folder for what an attempt in the worktree called `slot` need not keep.
    pub fn scratch(&self, slot: &str) -> Result<PathBuf> {
        let path = self.root.join("scratch").join(slot);
        remove(&path)?;
        create(&path)?;
        Ok(path)
    }

    /// Removes everything; the run is over.
    pub fn remove(&self) -> Result<()> {
        remove(&self.root)
    }
}

fn create(path: &Path) -> Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("cannot create `{}`", path.display()))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", path.display()))
        }
        _ => Ok(()),
    }
}
