//! What a gateway saw: facts about the model's host that an agent may not tell.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// What a gateway saw so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct News {
    /// Requests that had the pass.
    pub requests: u64,
    /// The status of the last answer; none where there was no answer.
    pub status: Option<u16>,
    /// How long the last answer asked to wait.
    pub retry_after: Option<Duration>,
    /// Why the host was not reached, or its last answer was cut off.
    pub broken: Option<String>,
    /// How long the host has said nothing while an answer is awaited.
    pub silent: Option<Duration>,
}

/// Where the gateway writes what it sees.
#[derive(Default)]
pub(super) struct Board(Mutex<Seen>);

#[derive(Default)]
struct Seen {
    news: News,
    open: usize,
    heard: Option<Instant>,
}

impl Board {
    pub fn news(&self) -> News {
        let seen = self.seen();
        let heard = seen.heard.filter(|_| seen.open > 0);
        News {
            silent: heard.map(|heard| heard.elapsed()),
            ..seen.news.clone()
        }
    }

    /// Notes a request; it is open until the answer is dropped.
    pub fn asked(self: &std::sync::Arc<Board>) -> Open {
        let mut seen = self.seen();
        seen.news.requests += 1;
        seen.open += 1;
        seen.heard = Some(Instant::now());
        Open(std::sync::Arc::clone(self))
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request that is not answered to its end.
pub(super) struct Open(std::sync::Arc<Board>);

impl Open {
    pub fn answered(&self, status: u16, retry_after: Option<Duration>) {
        let mut seen = self.0.seen();
        seen.heard = Some(Instant::now());
        seen.news.status = Some(status);
        seen.news.retry_after = retry_after;
        seen.news.broken = None;
    }

    pub fn heard(&self) {
        self.0.seen().heard = Some(Instant::now());
    }

    pub fn broke(&self, why: String) {
        self.0.seen().news.broken = Some(why);
    }

    pub fn unanswered(&self, why: String) {
        let mut seen = self.0.seen();
        seen.news.status = None;
        seen.news.retry_after = None;
        seen.news.broken = Some(why);
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.seen().open -= 1;
    }
}
