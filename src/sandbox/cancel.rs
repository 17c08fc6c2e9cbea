//! A wish to stop, seen at once by everybody who waits.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

type Waker = Box<dyn FnMut() + Send>;

/// A wish to stop; clones share it, and it cannot be taken back.
#[derive(Clone, Default)]
pub struct Cancel(Arc<Shared>);

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    cancelled: bool,
    next: u64,
    wakers: BTreeMap<u64, Waker>,
}

impl Cancel {
    /// Returns a wish nobody has uttered yet.
    pub fn new() -> Cancel {
        Cancel::default()
    }

    /// Asks everybody who holds a clone to stop, and wakes those who wait.
    pub fn cancel(&self) {
        let mut state = self.state();
        if !state.cancelled {
            state.cancelled = true;
            state.wakers.values_mut().for_each(|wake| wake());
        }
        self.0.changed.notify_all();
    }

    /// Returns whether somebody has cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// Sleeps for `duration`, less if somebody cancels; returns whether somebody has.
    pub fn sleep(&self, duration: Duration) -> bool {
        let (state, _) = self
            .0
            .changed
            .wait_timeout_while(self.state(), duration, |state| !state.cancelled)
            .unwrap_or_else(PoisonError::into_inner);
        state.cancelled
    }

    /// Calls `wake` when somebody cancels, at once if somebody has, until the registration is dropped.
    /// `wake` runs under a lock: it must be short and must not use this `Cancel`.
    pub fn on_cancel(&self, mut wake: impl FnMut() + Send + 'static) -> Registration {
        let mut state = self.state();
        if state.cancelled {
            wake();
        }
        let id = state.next;
        state.next += 1;
        state.wakers.insert(id, Box::new(wake));
        Registration {
            cancel: self.clone(),
            id,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Cancel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Cancel({})", self.is_cancelled())
    }
}

/// Keeps a waker of a `Cancel` alive.
pub struct Registration {
    cancel: Cancel,
    id: u64,
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.cancel.state().wakers.remove(&self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Instant;

    #[test]
    fn a_sleeper_wakes_when_another_thread_cancels() {
        let cancel = Cancel::new();
        let other = cancel.clone();
        let began = Instant::now();
        let thread = std::thread::spawn(move || other.sleep(Duration::from_secs(30)));
        cancel.cancel();
        assert!(thread.join().unwrap());
        assert!(began.elapsed() < Duration::from_secs(10));
    }

    #[test]
    fn a_sleep_nobody_cancels_runs_its_time() {
        assert!(!Cancel::new().sleep(Duration::from_millis(5)));
    }

    #[test]
    fn wakers_are_called_once_and_not_after_their_registration() {
        let calls = Arc::new(AtomicUsize::new(0));
        let count = |calls: &Arc<AtomicUsize>| {
            let calls = Arc::clone(calls);
            move || {
                calls.fetch_add(1, Ordering::SeqCst);
            }
        };
        let cancel = Cancel::new();
        let kept = cancel.on_cancel(count(&calls));
        drop(cancel.on_cancel(count(&calls)));
        cancel.cancel();
        cancel.cancel();
        assert_eq!(calls.load(Ordering::SeqCst), 1);
        let late = cancel.on_cancel(count(&calls));
        assert_eq!(calls.load(Ordering::SeqCst), 2, "too late is at once");
        drop((kept, late));
    }
}
