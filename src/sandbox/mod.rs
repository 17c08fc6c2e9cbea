//! Starts every process of orchestrate, and holds it to what it was granted.
//!
//! A command is run by a launcher: this same program again, which confines the command, outlives it, and ends whatever
//! it left behind, also when we are killed. On Linux the tier is Landlock with a filter of system calls. What a step
//! may touch is decided above; here it is only enforced, and whether it is enforced is tried, not looked up.
//!
//! It does not know plans, steps or checks, inherits no environment, and passes no secret but those that are in the environment it is given. It does not stop a step from
//! changing modes and times of the user's own files outside, from seeing names and sizes there and the list of
//! processes, from reading `/etc` as far as the user may, or, with any port granted, from listening on one that the
//! kernel picks. `/dev/shm`, which Python's process pools need, is a folder like others: it has to be granted.
//!
//! To add a tier: a variant of `Tier` with its name and description, and its rules in a file of its own, applied in
//! `confine`. To add a service a step may ask for: `service`.

#[cfg(not(unix))]
compile_error!("orchestrate runs on Linux and macOS; on Windows it runs in WSL");

mod background;
mod cancel;
mod confine;
#[cfg_attr(not(target_os = "linux"), path = "group.rs")]
mod descendants;
mod family;
#[cfg(target_os = "linux")]
mod landlock;
mod launch;
mod launcher;
mod output;
mod policy;
#[cfg(target_os = "linux")]
mod probe;
mod program;
mod protocol;
mod python;
#[cfg(target_os = "linux")]
mod seccomp;
mod service;
mod signals;
mod tier;

use std::os::fd::OwnedFd;
use std::path::PathBuf;

use anyhow::Context;

pub use background::Background;
pub use cancel::{Cancel, Registration};
pub use launch::Stream;
pub use launcher::launcher_main;
pub use output::Reading;
pub use policy::{Command, Ending, Network, Outcome, Policy};
pub use program::find_all as programs_in;
pub use protocol::LAUNCH;
pub use python::{PythonEnvironment, PythonTool, add_requirement, find_python, requirements};
pub use service::{Provided, Service, provide_port, provide_redis};

use tier::Tier;

/// The tier in force, and the launcher that applies it.
#[derive(Debug, Clone)]
pub struct Sandbox {
    launcher: PathBuf,
    tier: Tier,
}

impl Sandbox {
    /// Returns the best tier that holds here, or none at all where that is asked for.
    /// Fails with `Trouble::Missing` when no tier holds.
    pub fn choose(unsandboxed: bool) -> anyhow::Result<Sandbox> {
        Sandbox::with_launcher(own_program()?, unsandboxed)
    }

    /// Does the same with another program as launcher: one whose `main` calls `launcher_main`, as tests have it.
    pub fn with_launcher(launcher: PathBuf, unsandboxed: bool) -> anyhow::Result<Sandbox> {
        let tier = if unsandboxed {
            Tier::None
        } else {
            Tier::best(&launcher)?
        };
        Ok(Sandbox { launcher, tier })
    }

    /// Returns the tier's name as commit trailers have it.
    pub fn name(&self) -> &'static str {
        self.tier.name()
    }

    /// Returns one line that says what holds and what does not.
    pub fn describe(&self) -> String {
        self.tier.describe()
    }

    /// Runs a command to its end, handing over each line it says; an error is our own trouble, not the command's.
    pub fn run(
        &self,
        command: &Command,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        self.run_read(command, &Reading::default(), cancel, on_line)
    }

    /// Does the same, reading what the command says in a way of one's own.
    pub fn run_read(
        &self,
        command: &Command,
        reading: &Reading,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<Outcome> {
        launch::run(
            &self.launcher,
            &launch::specification(command, self.tier, false),
            None,
            reading,
            cancel,
            &mut |_, line| on_line(line),
        )
    }

    /// Runs a command that is spoken with: `input` is its standard input, and what it answers on its standard output is handed over line
    /// by line and not kept. What it says on standard error is its log.
    pub fn converse(
        &self,
        command: &Command,
        input: OwnedFd,
        reading: &Reading,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(Stream, &str),
    ) -> anyhow::Result<Outcome> {
        let specification = launch::specification(command, self.tier, false);
        launch::run(
            &self.launcher,
            &specification.with_input(),
            Some(input),
            reading,
            cancel,
            on_line,
        )
    }

    /// Starts a command in the background, without its timeout.
    pub fn start(&self, command: &Command) -> anyhow::Result<Background> {
        Background::start(
            self.launcher.clone(),
            launch::specification(command, self.tier, true),
        )
    }
}

fn own_program() -> anyhow::Result<PathBuf> {
    if cfg!(target_os = "linux") {
        // This one still works when an upgrade has replaced the file meanwhile.
        return Ok(PathBuf::from("/proc/self/exe"));
    }
    std::env::current_exe().context("cannot find this program's own file")
}
