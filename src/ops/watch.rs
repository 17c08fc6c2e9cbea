//! Somebody who is told what happens, and may be asked.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::execute::Signal;
use crate::model::{Analysis, Event, Plan, Research, RunState, Step};
use crate::sandbox::Cancel;

/// Something worth telling that is no event of a run.
#[derive(Debug)]
pub enum Note<'a> {
    /// The tier in force; the first line of a run.
    Sandbox {
        describe: &'a str,
    },
    ResearchStarted {
        plugins: usize,
        patterns: usize,
    },
    Analyst {
        index: usize,
        analysis: &'a Analysis,
    },
    ResearchDone {
        research: &'a Research,
    },
    Planned {
        id: &'a str,
        plan: &'a Plan,
        odds: String,
        estimate: Option<u64>,
    },
    /// What is done now, in a few words.
    Doing {
        what: String,
    },
    Resumed {
        run: &'a str,
        done: usize,
        commit: &'a str,
    },
    Learned {
        lines: Vec<String>,
    },
    /// The run's branch was brought into the user's.
    Merged {
        branch: &'a str,
        commit: &'a str,
    },
    /// Something a person should know, which stops nothing.
    Warning {
        text: String,
    },
}

/// Is told what happens, and may be asked.
pub trait Watch {
    fn note(&mut self, note: Note<'_>);
    /// An event that is on disk now, with the state after it.
    fn event(&mut self, plan: &Plan, state: &RunState, event: &Event);
    /// A line that a program prints while it runs.
    fn line(&mut self, line: &str);
    /// Asks a person to act and whether to go on; false where nobody can be asked.
    fn ask(&mut self, step: &Step, reason: &str, actions: &[String]) -> bool;
}

/// Nobody: what happens is not told, and nothing can be asked.
pub struct Silent;

impl Watch for Silent {
    fn note(&mut self, _note: Note<'_>) {}
    fn event(&mut self, _plan: &Plan, _state: &RunState, _event: &Event) {}
    fn line(&mut self, _line: &str) {}
    fn ask(&mut self, _step: &Step, _reason: &str, _actions: &[String]) -> bool {
        false
    }
}

/// A wish to stop that a signal brings.
#[derive(Clone, Default)]
pub struct Stop {
    pub cancel: Cancel,
    signal: Arc<Mutex<Option<Signal>>>,
    listening: Arc<AtomicBool>,
}

impl Stop {
    /// Asks everything that runs to stop.
    pub fn request(&self, signal: Signal) {
        self.signal
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(signal);
        self.cancel.cancel();
    }

    /// Says that a run has begun which can stop at a checkpoint; before, there is nothing to keep.
    pub fn listen(&self) {
        self.listening.store(true, Ordering::SeqCst);
    }

    /// Says whether somebody would act on a request.
    pub fn is_listening(&self) -> bool {
        self.listening.load(Ordering::SeqCst)
    }

    /// Returns the signal that asked to stop, if one did.
    pub fn signal(&self) -> Option<Signal> {
        *self.signal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
