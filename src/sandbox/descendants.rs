//! Finds and ends every process that a command started, however it hid.
//!
//! The launcher is a subreaper, so a descendant that lost its parent becomes our child and stays in this tree.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rustix::process::{
    Pid, PidfdFlags, Signal, getpid, pidfd_open, pidfd_send_signal, set_child_subreaper,
};

/// A process as `/proc` showed it; the start time tells it from a later one with the same number.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Process {
    pid: Pid,
    parent: i32,
    started: u64,
    dead: bool,
}

/// Makes orphaned descendants ours.
pub(super) fn adopt() -> std::io::Result<()> {
    Ok(set_child_subreaper(Some(getpid()))?)
}

/// Returns the living descendants of this process; `_command` is the one we started.
pub(super) fn living(_command: Pid) -> Vec<Process> {
    let mut children: BTreeMap<i32, Vec<Process>> = BTreeMap::new();
    for process in processes() {
        children.entry(process.parent).or_default().push(process);
    }
    let mut found = Vec::new();
    let mut parents = vec![getpid().as_raw_nonzero().get()];
    while let Some(parent) = parents.pop() {
        for process in children.remove(&parent).unwrap_or_default() {
            parents.push(process.pid.as_raw_nonzero().get());
            if !process.dead {
                found.push(process);
            }
        }
    }
    found
}

/// Kills everything left. A stopped process cannot fork, so all are stopped before any is killed.
pub(super) fn kill_all(command: Pid, deadline: Instant, reap: &mut dyn FnMut()) {
    let mut stopped: Vec<Process> = Vec::new();
    loop {
        let alive = living(command);
        let new: Vec<Process> = alive
            .iter()
            .filter(|process| !stopped.iter().any(|s| s.same(process)))
            .copied()
            .collect();
        for process in &new {
            process.signal(Signal::STOP);
        }
        stopped.extend(&new);
        if new.is_empty() || Instant::now() > deadline {
            alive
                .iter()
                .for_each(|process| process.signal(Signal::KILL));
            reap();
            if living(command).is_empty() || Instant::now() > deadline {
                return;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

impl Process {
    pub(super) fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    fn same(&self, other: &Process) -> bool {
        self.pid == other.pid && self.started == other.started
    }

    /// Sends a signal to this very process, never to a later one that got its number.
    pub(super) fn signal(&self, signal: Signal) {
        let Ok(handle) = pidfd_open(self.pid, PidfdFlags::empty()) else {
            return;
        };
        if read(self.pid).is_some_and(|now| now.same(self)) {
            // A process that has just ended needs no signal.
            let _ = pidfd_send_signal(handle, signal);
        }
    }
}

fn processes() -> impl Iterator<Item = Process> {
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    entries.filter_map(|entry| read(Pid::from_raw(entry.file_name().to_str()?.parse().ok()?)?))
}

fn read(pid: Pid) -> Option<Process> {
    let stat = fs::read(format!("/proc/{pid}/stat")).ok()?;
    parse(pid, &String::from_utf8_lossy(&stat))
}

/// Reads a line of `/proc/<pid>/stat`; the name in brackets may itself contain brackets and spaces.
fn parse(pid: Pid, stat: &str) -> Option<Process> {
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    Some(Process {
        pid,
        dead: matches!(*fields.first()?, "Z" | "X"),
        parent: fields.get(1)?.parse().ok()?,
        started: fields.get(19)?.parse().ok()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stat: &str, expected: Option<(i32, bool, u64)>) {
        let found = parse(getpid(), stat).map(|p| (p.parent, p.dead, p.started));
        assert_eq!(found, expected, "{stat}");
    }

    #[test]
    fn stat_lines_are_read_whatever_the_name() {
        let rest = "7 7 7 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 4242 1 1";
        check(&format!("9 (sh) S {rest}"), Some((7, false, 4242)));
        check(&format!("9 (a) Z 1) S {rest}"), Some((7, false, 4242)));
        check(&format!("9 (sh) Z {rest}"), Some((7, true, 4242)));
        check("9 (sh) S 7", None);
        check("", None);
    }

    #[test]
    fn this_process_is_found_in_proc() {
        let me = read(getpid()).unwrap();
        assert!(!me.dead && me.started > 0);
    }
}
