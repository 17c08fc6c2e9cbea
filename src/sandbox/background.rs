//! A command that runs beside the others until its owner lets go of it.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use anyhow::Context;

use super::cancel::Cancel;
use super::output::Reading;
use super::policy::Outcome;
use super::protocol::Specification;

/// How many of its last lines are kept for messages.
const LINES_MAX: usize = 50;

/// A service in the background; dropping it ends it and all its descendants.
#[derive(Debug)]
pub struct Background {
    cancel: Cancel,
    lines: Arc<Mutex<VecDeque<String>>>,
    thread: Option<JoinHandle<anyhow::Result<Outcome>>>,
}

impl Background {
    pub(super) fn start(
        launcher: PathBuf,
        specification: Specification,
    ) -> anyhow::Result<Background> {
        let cancel = Cancel::new();
        let lines = Arc::new(Mutex::new(VecDeque::new()));
        let thread = std::thread::Builder::new()
            .name("background".to_owned())
            .spawn({
                let (cancel, lines) = (cancel.clone(), Arc::clone(&lines));
                move || {
                    super::launch::run(
                        &launcher,
                        &specification,
                        None,
                        &Reading::default(),
                        &cancel,
                        &mut |_, line| keep(&lines, line),
                    )
                }
            });
        let thread = Some(thread.context("cannot start a thread")?);
        Ok(Background {
            cancel,
            lines,
            thread,
        })
    }

    /// Returns whether it has ended by itself.
    pub fn has_ended(&self) -> bool {
        self.thread.as_ref().is_none_or(JoinHandle::is_finished)
    }

    /// Returns its last lines of output.
    pub fn last_lines(&self) -> Vec<String> {
        locked(&self.lines).iter().cloned().collect()
    }

    /// Ends it, if it has not ended, and returns what came of it.
    pub fn stop(mut self) -> anyhow::Result<Outcome> {
        self.end()
            .context("a background command was stopped twice")?
    }

    fn end(&mut self) -> Option<anyhow::Result<Outcome>> {
        self.cancel.cancel();
        let joined = self.thread.take()?.join();
        // A panic while another unwinds would abort the program, and this runs in `drop`.
        Some(joined.unwrap_or_else(|_| {
            Err(anyhow::anyhow!(
                "the thread of a background command panicked"
            ))
        }))
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        // How it ended no longer matters to anybody.
        let _ = self.end();
    }
}

fn keep(lines: &Mutex<VecDeque<String>>, line: &str) {
    let mut lines = locked(lines);
    if lines.len() == LINES_MAX {
        lines.pop_front();
    }
    lines.push_back(line.to_owned());
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
