//! The instants of a run: its system calls that change something, each by its name and how many of its kind came before.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::support::TestEnvironment;
use super::support::process::Running;

/// The system calls that change something, as strace has them.
const CHANGING: &str = "write,pwrite64,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,link,linkat,symlink,symlinkat,\
fsync,fdatasync,syncfs,ftruncate,fchmod,chmod,fallocate";

/// Calls that an error on a disk can make fail, with the errors it fails with.
const ERRORS: [(&str, &[&str]); 9] = [
    ("write", &["ENOSPC", "EIO"]),
    ("rename", &["EIO", "ENOSPC", "EROFS"]),
    ("renameat", &["EIO", "ENOSPC", "EROFS"]),
    ("unlink", &["EIO", "EROFS"]),
    ("unlinkat", &["EIO", "EROFS"]),
    ("mkdir", &["ENOSPC", "EROFS"]),
    ("fsync", &["EIO", "ENOSPC"]),
    ("fdatasync", &["EIO", "ENOSPC"]),
    ("ftruncate", &["EIO"]),
];

/// One instant of a run.
#[derive(Clone)]
pub struct Instant {
    call: String,
    number: usize,
}

impl Instant {
    pub fn at_time(time: Duration) -> Instant {
        Instant {
            call: "ms".to_owned(),
            number: time.as_millis() as usize,
        }
    }

    /// Returns what strace has to be told to do something at this instant.
    pub fn inject(&self, what: &str) -> String {
        format!("inject={}:{what}:when={}", self.call, self.number)
    }

    /// Returns the errors that the call can fail with: once, and from here on.
    pub fn errors(&self) -> Vec<(Instant, String)> {
        let known = ERRORS.iter().find(|(call, _)| *call == self.call);
        let errors = known.map_or(&[][..], |(_, errors)| errors);
        let both = |error: &&str| {
            let once = self.inject(&format!("error={error}"));
            [(self.clone(), format!("{once}+")), (self.clone(), once)]
        };
        errors.iter().flat_map(both).collect()
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.call, self.number)
    }
}

/// Returns the instants of what orchestrate does with these arguments, once `before` has been done.
pub fn instants(arguments: &[&str], before: impl Fn(&TestEnvironment)) -> Vec<Instant> {
    let environment = super::oracle::environment();
    before(&environment);
    if let Ok((call, number)) = std::env::var("ORCHESTRATE_SWEEP")
        .as_deref()
        .unwrap_or("")
        .split_once(':')
        .ok_or(())
    {
        let number = number.parse().unwrap();
        return vec![Instant {
            call: call.to_owned(),
            number,
        }];
    }
    let trace = environment.path("trace");
    let mut command = environment.command("strace");
    // Without `-f` strace follows the one thread that writes down what happens, and its counts stay the same from run to run.
    command.args([
        "-qq",
        "-o",
        trace.to_str().unwrap(),
        "-e",
        &format!("trace={CHANGING}"),
        "orchestrate",
    ]);
    Running::new(command.args(arguments)).end().exits(0);
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let text = std::fs::read_to_string(trace).unwrap();
    let calls = text.lines().filter_map(|line| line.split_once('('));
    let instants = calls.map(|(call, _)| {
        let number = seen.entry(call.to_owned()).or_default();
        *number += 1;
        Instant {
            call: call.to_owned(),
            number: *number,
        }
    });
    instants.collect()
}

/// Returns `count` of them in even steps, or all where a full sweep is asked for.
pub fn sample<T>(all: Vec<T>, count: usize) -> Vec<T> {
    let full = std::env::var("ORCHESTRATE_SWEEP").is_ok_and(|sweep| sweep == "full");
    let step = if full {
        1
    } else {
        all.len().div_ceil(count).max(1)
    };
    all.into_iter().step_by(step).collect()
}
