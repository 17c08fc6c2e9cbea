//! What a process is, what it may touch, and how it ended.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What a command may touch; folders of the system are readable without being named.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Files and folders to read and execute from; those that do not exist are skipped.
    pub read: Vec<PathBuf>,
    /// Files and folders to write as well; they must exist and lead through no symbolic link.
    pub write: Vec<PathBuf>,
    /// The network, off unless said otherwise.
    pub network: Network,
}

/// Which network a command may use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// No TCP, no UDP, not even on the loopback.
    #[default]
    Off,
    /// TCP on these ports only, to connect and to listen; there is no UDP, so no name server answers.
    Ports(BTreeSet<u16>),
    /// Any TCP and UDP, as building an environment needs it.
    Full,
}

/// One process to be run: its program, its surroundings and its limits.
#[derive(Debug, Clone)]
pub struct Command {
    /// The program and its arguments; a program without `/` is looked up in the PATH of `environment`.
    pub argv: Vec<String>,
    /// The folder it starts in.
    pub directory: PathBuf,
    /// Its whole environment: nothing is inherited.
    pub environment: BTreeMap<String, String>,
    pub policy: Policy,
    /// After this long it is ended; a background command has no limit.
    pub timeout: Duration,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ending {
    /// It ended by itself with this status.
    Exited(i32),
    /// A signal that was not ours ended it.
    Signalled(i32),
    /// It ran longer than its timeout and was ended.
    TimedOut,
    /// Somebody cancelled it and it was ended.
    Cancelled,
    /// It never began; the text says why and names the program.
    NotStarted(String),
}

impl fmt::Display for Ending {
    /// Writes the end of a sentence that begins with the command.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Ending::Exited(status) => write!(f, "exited with status {status}"),
            Ending::Signalled(signal) => write!(f, "was ended by signal {signal}"),
            Ending::TimedOut => f.write_str("ran into its timeout"),
            Ending::Cancelled => f.write_str("was cancelled"),
            Ending::NotStarted(why) => write!(f, "did not start: {why}"),
        }
    }
}

/// What came of a command.
#[derive(Debug, Clone)]
pub struct Outcome {
    pub ending: Ending,
    /// The first 16 MiB of standard output, byte for byte.
    pub stdout: Vec<u8>,
    /// How many bytes of standard output came after that.
    pub stdout_left_out: u64,
    /// Standard output and error as lines, in the order they arrived; the middle of a long log is left out and said so.
    pub log: String,
    /// How many processes outlived the command and were ended by us.
    pub left_behind: usize,
    pub duration: Duration,
}

impl Outcome {
    /// Returns whether the command ended by itself with status 0.
    pub fn succeeded(&self) -> bool {
        self.ending == Ending::Exited(0)
    }
}
