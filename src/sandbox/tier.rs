//! The tiers: how much a step can be held back on this machine.

use std::path::Path;

use anyhow::Context;

#[cfg(target_os = "linux")]
use super::{landlock, probe};
use crate::model::{Hint, Trouble};

const NOTHING_HOLDS: &str =
    "none: nothing is held back; a step can read, change and send whatever you can";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tier {
    /// Landlock of this interface number, a filter of system calls, no capabilities.
    #[cfg(target_os = "linux")]
    Landlock { abi: u32, signals_stay_inside: bool },
    /// Nothing is held back.
    None,
}

impl Tier {
    /// Returns the best tier that holds when it is tried; fails with `Trouble::Missing` when none does.
    pub(super) fn best(launcher: &Path) -> anyhow::Result<Tier> {
        tried(launcher)
            .context("there is no sandbox for steps on this machine")
            .kind(Trouble::Missing)
            .hint("`--unsandboxed` runs steps with everything you may do yourself")
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            #[cfg(target_os = "linux")]
            Tier::Landlock { .. } => "landlock",
            Tier::None => "none",
        }
    }

    pub(super) fn describe(self) -> String {
        match self {
            #[cfg(target_os = "linux")]
            Tier::Landlock {
                abi,
                signals_stay_inside,
            } => describe_landlock(abi, signals_stay_inside),
            Tier::None => NOTHING_HOLDS.to_owned(),
        }
    }

    /// Returns whether commands are confined at all.
    pub(super) fn confines(self) -> bool {
        self != Tier::None
    }
}

#[cfg(target_os = "linux")]
fn tried(launcher: &Path) -> anyhow::Result<Tier> {
    let abi = landlock::abi();
    anyhow::ensure!(
        abi >= landlock::ABI_MIN,
        "this kernel's Landlock has interface {abi}, and {} is needed (Linux 6.2)",
        landlock::ABI_MIN
    );
    let holes = probe::probe(launcher, abi >= landlock::ABI_PORTS)?;
    Ok(Tier::Landlock {
        abi,
        signals_stay_inside: !holes.signals,
    })
}

#[cfg(not(target_os = "linux"))]
fn tried(_launcher: &Path) -> anyhow::Result<Tier> {
    anyhow::bail!("only Linux has one so far")
}

#[cfg(target_os = "linux")]
fn describe_landlock(abi: u32, signals_stay_inside: bool) -> String {
    let network = if abi >= landlock::ABI_PORTS {
        "only what a step is granted"
    } else {
        "off, or any TCP port for a step that is granted one"
    };
    let signals = if signals_stay_inside {
        ""
    } else {
        ", nor signals to your other processes"
    };
    format!(
        "landlock ABI {abi} + seccomp (writes: the step's worktree; network: {network}; secrets: only those a step is granted). \
         It does not stop chmod or utime on your own files outside{signals}"
    )
}
