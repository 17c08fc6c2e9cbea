//! A running command and its descendants: waits for it, asks it to end, and sees to it that nothing stays.

use std::collections::BTreeSet;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, WaitStatus, wait};

use super::descendants::{kill_all, living};
use super::policy::Ending;

/// How long a command has to end itself after SIGTERM.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long others may run on after the command has ended before they count as left behind.
const LINGER: Duration = Duration::from_millis(100);
/// How long what was left behind has to end itself after SIGTERM.
const PATIENCE_LEFT_BEHIND: Duration = Duration::from_millis(500);
/// After this long we stop killing what will not die (a process stuck in the kernel).
const KILLING_MAX: Duration = Duration::from_secs(10);
/// How often dead orphans are collected, and how often the dying are looked at.
const TICK: Duration = Duration::from_millis(500);
const TICK_DYING: Duration = Duration::from_millis(5);

/// The command and what came of it so far.
pub(super) struct Family {
    command: Pid,
    status: Option<WaitStatus>,
}

/// Why waiting came to its end.
enum Turn {
    Ended,
    TimedOut,
    Cancelled,
    /// The orchestrator is gone, so nobody waits for a good end.
    Orphaned,
}

impl Family {
    pub(super) fn new(command: Pid) -> Family {
        Family {
            command,
            status: None,
        }
    }

    /// Waits for the command, ends whatever is left, and returns how it ended and how many were left.
    pub(super) fn attend(
        mut self,
        control: &UnixStream,
        deadline: Option<Instant>,
    ) -> anyhow::Result<(Ending, usize)> {
        let turn = match self.wait(control, deadline) {
            Ok(turn) => turn,
            Err(error) => {
                self.kill();
                return Err(error);
            }
        };
        let left_behind = match turn {
            Turn::Ended => {
                self.linger();
                let left_behind = self.others();
                self.ask(PATIENCE_LEFT_BEHIND);
                left_behind
            }
            Turn::TimedOut | Turn::Cancelled => {
                self.ask(PATIENCE);
                self.others()
            }
            Turn::Orphaned => 0,
        };
        self.kill();
        let ending = match turn {
            Turn::TimedOut => Ending::TimedOut,
            Turn::Cancelled | Turn::Orphaned => Ending::Cancelled,
            Turn::Ended => self.status.map_or(Ending::Signalled(0), ending),
        };
        Ok((ending, left_behind))
    }

    fn wait(&mut self, control: &UnixStream, deadline: Option<Instant>) -> anyhow::Result<Turn> {
        let exit = exit_watch(self.command);
        let tick = if exit.is_some() { TICK } else { TICK_DYING };
        loop {
            self.reap();
            if self.status.is_some() {
                return Ok(Turn::Ended);
            }
            let left = deadline.map_or(tick, |deadline| {
                deadline.saturating_duration_since(Instant::now())
            });
            if left.is_zero() {
                return Ok(Turn::TimedOut);
            }
            let mut watched = vec![PollFd::new(control, PollFlags::IN)];
            watched.extend(exit.as_ref().map(|exit| PollFd::new(exit, PollFlags::IN)));
            let timeout = Timespec::try_from(left.min(tick))?;
            match poll(&mut watched, Some(&timeout)) {
                Ok(_) | Err(Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
            if !watched[0].revents().is_empty() {
                return Ok(heard(control));
            }
        }
    }

    /// Collects the dead: the command, and the orphans that came to us.
    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid == self.command {
                self.status = Some(status);
            }
        }
    }

    fn linger(&mut self) {
        let deadline = Instant::now() + LINGER;
        while !living(self.command).is_empty() && Instant::now() < deadline {
            std::thread::sleep(TICK_DYING);
            self.reap();
        }
    }

    fn ask(&mut self, patience: Duration) {
        let deadline = Instant::now() + patience;
        let mut asked = BTreeSet::new();
        let mut alive = living(self.command);
        while !alive.is_empty() && Instant::now() < deadline {
            // What the command starts now may be part of its good end; what it started just before is not.
            let newcomers_too = asked.is_empty() || self.status.is_some();
            for process in alive.iter().filter(|_| newcomers_too) {
                if asked.insert(process.identity()) {
                    process.signal(Signal::TERM);
                    // A stopped process sees no signal but this one and SIGKILL.
                    process.signal(Signal::CONT);
                }
            }
            std::thread::sleep(TICK_DYING);
            self.reap();
            alive = living(self.command);
        }
    }

    fn others(&self) -> usize {
        living(self.command)
            .iter()
            .filter(|process| !process.is(self.command))
            .count()
    }

    fn kill(&mut self) {
        let command = self.command;
        kill_all(command, Instant::now() + KILLING_MAX, &mut || self.reap());
        self.reap();
    }
}

/// Returns a descriptor that becomes readable when the process ends, where there is such a thing.
#[cfg(target_os = "linux")]
fn exit_watch(command: Pid) -> Option<OwnedFd> {
    rustix::process::pidfd_open(command, rustix::process::PidfdFlags::empty()).ok()
}

#[cfg(not(target_os = "linux"))]
fn exit_watch(_command: Pid) -> Option<OwnedFd> {
    None
}

fn heard(mut control: &UnixStream) -> Turn {
    match control.read(&mut [0]) {
        Ok(1..) => Turn::Cancelled,
        Ok(0) | Err(_) => Turn::Orphaned,
    }
}

fn ending(status: WaitStatus) -> Ending {
    match (status.exit_status(), status.terminating_signal()) {
        (Some(status), _) => Ending::Exited(status),
        (None, signal) => Ending::Signalled(signal.unwrap_or(0)),
    }
}
