//! Brings sources into the cache: git repositories, npm packages and single catalogues, each as a tree in a bare git repository.
//!
//! Nothing is checked out, and nothing that was fetched runs: no hook, filter, submodule or install script. What a bare repository
//! holds is whole or is not believed: a revision is recorded last. Older revisions stay, so that two can be compared. A folder of
//! this machine is no matter of this module: it is read where it is.
//!
//! A new kind of source is a variant of `Source`, and a file here whose `fetch` puts its files into the `Place` it is given.

mod cache;
mod git;
mod http;
pub mod npm;
mod place;
mod url;
mod watch;
mod write;

use std::sync::atomic::AtomicBool;

pub use cache::{Cache, Fetched};

/// How a source is fetched.
pub struct FetchOptions<'a> {
    /// Answers from the cache alone.
    pub offline: bool,
    /// Asks the source for what is new, rather than taking what the cache has.
    pub update: bool,
    /// Lets git ask for a user's name and password: somebody sits at a terminal.
    pub may_ask: bool,
    /// Is told how far a fetch is, in the caller's thread and more often than a person can read.
    pub progress: &'a dyn Fn(Progress),
    /// Stops the fetch once it is true.
    pub cancel: &'a AtomicBool,
}

/// How far a fetch is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    /// None where the other side does not say.
    pub total: Option<u64>,
    pub unit: Unit,
}

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes received.
    Bytes,
    /// Files unpacked.
    Files,
    /// Seconds that another process has been waited for.
    Waiting,
}
