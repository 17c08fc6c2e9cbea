//! Finds and ends every process that a command started, however it hid.
//!
//! The launcher is a subreaper, so a descendant that lost its parent becomes our child and stays in this tree.

use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

use rustix::io::Errno;
use rustix::process::{
    Pid, PidfdFlags, Signal, WaitId, WaitIdOptions, getpgid, getpgrp, getpid, kill_process,
    kill_process_group, pidfd_open, pidfd_send_signal, set_child_subreaper, waitid,
};

/// A process as `/proc` showed it; the start time tells it from a later one with the same number.
#[derive(Clone, Copy)]
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
    // Reading `/proc` costs milliseconds, and whoever has no child has no descendant.
    if childless() {
        return Vec::new();
    }
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

/// Kills everything left. Who loses a parent becomes our child, so killing children until none is left gets them all;
/// it goes in a tight loop because a process may replace itself faster than `/proc` can be searched.
pub(super) fn kill_all(_command: Pid, deadline: Instant, reap: &mut dyn FnMut()) {
    let mut round = 0;
    while !childless() && Instant::now() < deadline {
        children().into_iter().for_each(kill_with_group);
        reap();
        round += 1;
        match round {
            ..ROUNDS_TIGHT => std::thread::yield_now(),
            _ => std::thread::sleep(Duration::from_millis(1)),
        }
    }
}

/// How often we go round before we leave the processor to what is slow to die.
const ROUNDS_TIGHT: u32 = 500;

/// Kills a child of ours and the process group it is in, which the kernel does at one stroke.
/// Nobody but us collects the child, so neither number can have been given to another meanwhile.
fn kill_with_group(child: Pid) {
    // What has just ended needs no signal.
    if let Ok(group) = getpgid(Some(child))
        && group != getpgrp()
    {
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = kill_process(child, Signal::KILL);
}

fn children() -> Vec<Pid> {
    match fs::read_to_string("/proc/thread-self/children") {
        Ok(list) => list
            .split_whitespace()
            .filter_map(|pid| Pid::from_raw(pid.parse().ok()?))
            .collect(),
        // Some kernels are built without this file.
        Err(_) => {
            let own = getpid().as_raw_nonzero().get();
            processes()
                .filter(|process| process.parent == own)
                .map(|process| process.pid)
                .collect()
        }
    }
}

impl Process {
    pub(super) fn is(&self, pid: Pid) -> bool {
        self.pid == pid
    }

    /// Returns what tells this process from all others, earlier and later ones included.
    pub(super) fn identity(&self) -> (i32, u64) {
        (self.pid.as_raw_nonzero().get(), self.started)
    }

    /// Sends a signal to this very process, never to a later one that got its number.
    pub(super) fn signal(&self, signal: Signal) {
        let handle = pidfd_open(self.pid, PidfdFlags::empty());
        if read(self.pid).is_none_or(|now| now.identity() != self.identity()) {
            return;
        }
        // A process that has just ended needs no signal.
        let _ = match handle {
            Ok(handle) => pidfd_send_signal(handle, signal),
            // Some containers forbid the handle; between the look above and this there is next to no time.
            Err(_) => kill_process(self.pid, signal),
        };
    }
}

/// Returns whether there is no descendant at all, as the kernel knows it: a subreaper without children has none.
fn childless() -> bool {
    let looking = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    matches!(waitid(WaitId::All, looking), Err(Errno::CHILD))
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
