//! Work that cannot be waited for without a look at the clock: it runs in a thread, and is left alone when it stops answering.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use anyhow::{Result, anyhow};
use gix::progress::tree::{Item, Root};

use super::{FetchOptions, Progress, Unit};
use crate::model::{Hint, Trouble};

/// How often is looked.
const TICK: Duration = Duration::from_millis(100);
/// How long nothing may change, and how long is waited for work that was told to stop.
const STALL_S_MAX: u64 = 60;
const STOP_S_MAX: u64 = 2;

/// Carries out the work while telling how far it is; ends early where it is cancelled, or where nothing happens any more.
pub fn watched<T: Send + 'static>(
    options: &FetchOptions<'_>,
    work: impl FnOnce(Item, &AtomicBool) -> Result<T> + Send + 'static,
) -> Result<T> {
    let root = Root::new();
    let item = root.add_child("fetch");
    let stop = Arc::new(AtomicBool::new(false));
    let told = stop.clone();
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        // Nobody listens where the work has been given up.
        let _ = sender.send(work(item, &told));
    });
    let mut seen = (0, Instant::now());
    loop {
        match receiver.recv_timeout(TICK) {
            Ok(outcome) => return outcome,
            Err(RecvTimeoutError::Disconnected) => return Err(anyhow!("git's transport gave up")),
            Err(RecvTimeoutError::Timeout) => {}
        }
        let (steps, bytes) = counted(&root);
        if steps != seen.0 {
            seen = (steps, Instant::now());
        }
        (options.progress)(Progress {
            done: bytes,
            total: None,
            unit: Unit::Bytes,
        });
        // A person who is asked for a password may take their time.
        let has_stalled = !options.may_ask && seen.1.elapsed().as_secs() >= STALL_S_MAX;
        let is_cancelled = options.cancel.load(Ordering::Relaxed);
        if is_cancelled || has_stalled {
            stop.store(true, Ordering::Relaxed);
            let _ = receiver.recv_timeout(Duration::from_secs(STOP_S_MAX));
            return match is_cancelled {
                true => Err(anyhow!("it was cancelled")).kind(Trouble::Interrupted),
                false => Err(anyhow!("nothing came for {STALL_S_MAX} s"))
                    .kind(Trouble::Missing)
                    .hint("try again later"),
            };
        }
    }
}

/// Returns a number that grows with everything that happens, and the bytes of the pack.
fn counted(root: &Root) -> (u64, u64) {
    let mut tasks = Vec::new();
    root.sorted_snapshot(&mut tasks);
    let steps = |task: &gix::progress::Task| {
        let step = task
            .progress
            .as_ref()
            .map(|value| value.step.load(Ordering::Relaxed));
        step.unwrap_or_default() as u64
    };
    let pack: gix::progress::Id = *b"BWRB";
    let all = tasks.iter().map(|(_, task)| 1 + steps(task)).sum();
    let bytes = tasks
        .iter()
        .filter(|(_, task)| task.id == pack)
        .map(|(_, task)| steps(task))
        .sum();
    (all, bytes)
}
