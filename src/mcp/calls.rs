//! The calls that are carried out: they are asked to stop when nobody waits for them any more, and waited for at the end.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::execute::Signal;
use crate::ops::Stop;
use crate::sandbox::{Cancel, Registration};

/// All calls of a server.
#[derive(Clone)]
pub struct Calls {
    running: Arc<(Mutex<usize>, Condvar)>,
    /// Cancelled when the server ends.
    over: Cancel,
}

impl Calls {
    /// Returns no calls, which end when `stop` is requested.
    pub fn new(stop: &Stop) -> Calls {
        // From now on there may always be a run that can stop at a checkpoint.
        stop.listen();
        Calls {
            running: Arc::default(),
            over: stop.cancel.clone(),
        }
    }

    /// Begins a call, which is over when what is returned is dropped.
    pub fn begin(&self) -> Call {
        *self.count() += 1;
        let stop = Stop::default();
        let registration = self.over.on_cancel({
            let stop = stop.clone();
            move || stop.request(Signal::Interrupt)
        });
        Call {
            calls: self.clone(),
            stop,
            _registration: registration,
        }
    }

    /// Asks every call to stop, and waits until none is left.
    pub fn end(&self) {
        self.over.cancel();
        let mut count = self.count();
        while *count > 0 {
            count = self
                .running
                .1
                .wait(count)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn count(&self) -> MutexGuard<'_, usize> {
        self.running
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// One call.
pub struct Call {
    calls: Calls,
    pub stop: Stop,
    _registration: Registration,
}

impl Drop for Call {
    fn drop(&mut self) {
        *self.calls.count() -= 1;
        self.calls.running.1.notify_all();
    }
}

/// Asks a call to stop when it is dropped: whoever waited for it has gone.
pub struct Waiting(pub Stop);

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.request(Signal::Interrupt);
    }
}

/// Waits until somebody cancels.
pub async fn cancelled(cancel: &Cancel) {
    let (wake, woken) = tokio::sync::oneshot::channel();
    let mut wake = Some(wake);
    let _registration = cancel.on_cancel(move || {
        if let Some(wake) = wake.take() {
            wake.send(()).ok();
        }
    });
    woken.await.ok();
}
