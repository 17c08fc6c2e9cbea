//! Ends what a command started where the kernel has no subreapers: by process group.
//!
//! A descendant that made a session of its own is not found; the tier that would need it does not exist here yet.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};

/// The group of the command, which stands for all processes in it.
#[derive(Clone, Copy)]
pub(super) struct Process(Pid);

/// Does nothing: orphans go to the system's first process.
pub(super) fn adopt() -> std::io::Result<()> {
    Ok(())
}

/// Returns the command's group while anything in it is alive.
pub(super) fn living(command: Pid) -> Vec<Process> {
    let alive = test_kill_process_group(command).is_ok();
    alive.then_some(Process(command)).into_iter().collect()
}

/// Kills everything left in the group.
pub(super) fn kill_all(command: Pid, deadline: Instant, reap: &mut dyn FnMut()) {
    while !living(command).is_empty() && Instant::now() < deadline {
        Process(command).signal(Signal::KILL);
        reap();
        std::thread::sleep(Duration::from_millis(2));
    }
}

impl Process {
    pub(super) fn is(&self, _pid: Pid) -> bool {
        false
    }

    pub(super) fn identity(&self) -> i32 {
        self.0.as_raw_nonzero().get()
    }

    pub(super) fn signal(&self, signal: Signal) {
        // A group that has just ended needs no signal.
        let _ = kill_process_group(self.0, signal);
    }
}
