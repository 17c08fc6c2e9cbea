//! Where a step works: its folder, its scratch folder, its plugin's files, its programs and the services it was given.
//!
//! Both a step's programs and its checks are started here, through the sandbox, so both find the same surroundings. What a step is
//! granted is decided in the plan; this module only turns the grant into a policy.
//!
//! A new kind of environment goes beside `environment::Python`; a new service is a row in `sandbox::Service`.

mod environment;
mod files;
mod later;
mod said;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::{Map, Value};

use crate::agent::Ready;
use crate::model::{Action, AgentUse, PluginFile, ServiceUse, is_inside};
use crate::sandbox::{
    Background, Cancel, Command, Network, Outcome, Policy, PythonEnvironment, Reading, Sandbox,
};
use crate::secret::{Secret, Secrets};
pub use environment::Python;
pub use files::read_plain;
pub use later::{is_carried_out_later, may_change};
pub use said::{Line, failure, failure_of, printable};

/// Everything a step and its checks have.
pub struct Workspace {
    /// The worktree: what a step leaves here is its result.
    pub directory: PathBuf,
    /// Emptied for every attempt.
    pub scratch: PathBuf,
    /// The plugin's files, laid out for its programs; they are not written again.
    pub plugin: PathBuf,
    pub files: BTreeMap<String, PluginFile>,
    /// The inputs by name; an optional one that nobody gives is null.
    pub values: Map<String, Value>,
    pub services: Vec<ServiceUse>,
    pub service_environment: BTreeMap<String, String>,
    pub ports: BTreeSet<u16>,
    /// Started for this attempt, and ended with it.
    pub running: Vec<Background>,
    pub python: Option<Python>,
    /// What a runner wrote itself, relative to the worktree; all of it has to be committed.
    pub written: Vec<String>,
    /// Whether nothing else was written in the worktree: no program had the right to.
    pub writes_are_known: bool,
    /// When everything that runs is ended.
    pub deadline: Option<Instant>,
    pub sandbox: Sandbox,
    pub cancel: Cancel,
    /// The agent that does the step, where one does.
    pub agent: Option<Ready>,
    /// What the step's programs are given beside the usual environment; its checks are not.
    pub secrets: Vec<Secret>,
    /// Everything that must not be shown: those, and the key of the agent's model.
    pub hidden: Secrets,
    /// What agents used in earlier attempts at the step, and in this one.
    pub spent: AgentUse,
    pub used: AgentUse,
    /// How many times what the plan lets them use they may use.
    pub budget_times: u32,
}

/// What a program may do with the worktree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Write,
    /// Checks look and do not touch, so what was checked is what is committed.
    Read,
}

/// The folders of a workspace.
pub struct Folders {
    pub directory: PathBuf,
    pub scratch: PathBuf,
    pub plugin: PathBuf,
}

impl Workspace {
    /// Returns a workspace without services, secrets, an agent or a deadline.
    pub fn new(
        folders: Folders,
        files: BTreeMap<String, PluginFile>,
        values: Map<String, Value>,
        sandbox: Sandbox,
    ) -> Workspace {
        Workspace {
            directory: folders.directory,
            scratch: folders.scratch,
            plugin: folders.plugin,
            files,
            values,
            services: Vec::new(),
            service_environment: BTreeMap::new(),
            ports: BTreeSet::new(),
            running: Vec::new(),
            python: None,
            written: Vec::new(),
            writes_are_known: false,
            deadline: None,
            sandbox,
            cancel: Cancel::default(),
            agent: None,
            secrets: Vec::new(),
            hidden: Secrets::default(),
            spent: AgentUse::default(),
            used: AgentUse::default(),
            budget_times: 1,
        }
    }

    /// Runs a program of the step; `${scratch}` and `${plugin}` in its arguments are the folders of these names.
    pub fn run(
        &self,
        argv: &[String],
        access: Access,
        timeout: Duration,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<Outcome> {
        let command = self.command(argv, access, timeout);
        self.start(&command, &Reading::default(), &self.cancel, say)
    }

    /// Returns a command that `start` takes, for who has more to say about it.
    pub fn command(&self, argv: &[String], access: Access, timeout: Duration) -> Command {
        let mut policy = Policy {
            read: vec![self.directory.clone(), self.plugin.clone()],
            write: vec![self.scratch.clone()],
            network: match self.ports.is_empty() {
                true => Network::Off,
                false => Network::Ports(self.ports.clone()),
            },
        };
        if access == Access::Write {
            policy.write.push(self.directory.clone());
        }
        policy
            .read
            .extend(self.built().iter().flat_map(|python| python.read.clone()));
        let mut environment = self.environment();
        if access == Access::Write {
            let secrets = self.secrets.iter();
            environment
                .extend(secrets.map(|secret| (secret.name.clone(), secret.reveal().to_string())));
        }
        Command {
            argv: argv.iter().map(|argument| self.fill(argument)).collect(),
            directory: self.directory.clone(),
            environment,
            policy,
            timeout: self.time_left(timeout),
        }
    }

    /// Runs a command to its end; nothing that it says shows a secret.
    pub fn start(
        &self,
        command: &Command,
        reading: &Reading,
        cancel: &Cancel,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<Outcome> {
        let reading = Reading {
            secrets: self.hidden.clone(),
            ..reading.clone()
        };
        let mut say = |line: &str| say(Line::Program(&self.portable(line)));
        let mut outcome = self.sandbox.run_read(command, &reading, cancel, &mut say)?;
        outcome.log = self.portable(&outcome.log);
        Ok(outcome)
    }

    fn time_left(&self, timeout: Duration) -> Duration {
        let left = self
            .deadline
            .map(|deadline| deadline.saturating_duration_since(Instant::now()));
        left.map_or(timeout, |left| left.min(timeout))
    }

    /// Returns `text` with this machine's folders by their names, so that a log says the same everywhere.
    fn portable(&self, text: &str) -> String {
        let mut text = text.to_string();
        if let Some(python) = self.built() {
            text = text.replace(&python.root.display().to_string(), "${environment}");
        }
        let directory = self.directory.display().to_string();
        text.replace(&self.scratch.display().to_string(), "${scratch}")
            .replace(&self.plugin.display().to_string(), "${plugin}")
            .replace(&format!("{directory}/"), "")
            .replace(&directory, ".")
    }

    fn built(&self) -> Option<&PythonEnvironment> {
        self.python
            .as_ref()
            .and_then(|python| python.built.as_ref())
    }

    /// Returns the path of something in the scratch folder, which is written `${scratch}/name`; nothing else is one.
    pub fn in_scratch(&self, path: &str) -> Result<PathBuf> {
        let name = path
            .strip_prefix("${scratch}/")
            .filter(|name| is_inside(name));
        let name = name.with_context(|| format!("`{path}` is not a file in `${{scratch}}/`"))?;
        Ok(self.scratch.join(name))
    }

    /// Returns `text` with the names of folders filled in.
    pub fn fill(&self, text: &str) -> String {
        text.replace("${scratch}", &self.scratch.display().to_string())
            .replace("${plugin}", &self.plugin.display().to_string())
    }

    fn environment(&self) -> BTreeMap<String, String> {
        let scratch = self.scratch.display().to_string();
        let mut path = String::from("/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        if let Some(python) = self.built() {
            path = format!("{}:{path}", python.bin.display());
        }
        let mut environment = BTreeMap::from([
            ("PATH".to_string(), path),
            ("HOME".to_string(), scratch.clone()),
            ("TMPDIR".to_string(), scratch),
            ("LANG".to_string(), "C.UTF-8".to_string()),
            ("PYTHONDONTWRITEBYTECODE".to_string(), "1".to_string()),
        ]);
        environment.extend(self.service_environment.clone());
        environment
    }
}

/// Lays the files of a plugin out in `folder`, as its programs find them.
pub fn lay_out(folder: &Path, files: &BTreeMap<String, PluginFile>) -> Result<()> {
    for (name, file) in files {
        let path = folder.join(name);
        let writing = || format!("cannot write `{}`", path.display());
        std::fs::create_dir_all(path.parent().unwrap_or(folder)).with_context(writing)?;
        std::fs::write(&path, &file.bytes).with_context(writing)?;
        #[cfg(unix)]
        if file.executable {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))
                .with_context(writing)?;
        }
    }
    Ok(())
}

/// Says whether `path` is under one of the step's `writes`, as a person wrote them.
pub fn may_write(action: &Action, path: &str) -> bool {
    is_under(&action.writes, path)
}

fn is_under(allowed: &[String], path: &str) -> bool {
    allowed
        .iter()
        .any(|allowed| match allowed.strip_suffix('/') {
            Some(folder) => path
                .strip_prefix(folder)
                .is_some_and(|rest| rest.starts_with('/')),
            None => path == allowed,
        })
}
