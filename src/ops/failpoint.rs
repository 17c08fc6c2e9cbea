//! Places by name where a test can stop a run and change the world under it. They are in no release.

use std::path::PathBuf;
use std::time::{Duration, Instant};

/// The longest that a test keeps a run waiting.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Stops here when the variable `ORCHESTRATE_FAILPOINT` is `name:path`: makes the file `path.reached`, and goes on once `path` is there.
pub fn reach(name: &str) {
    if !cfg!(debug_assertions) {
        return;
    }
    let wanted = std::env::var("ORCHESTRATE_FAILPOINT").unwrap_or_default();
    let Some(gate) = wanted
        .strip_prefix(name)
        .and_then(|rest| rest.strip_prefix(':'))
    else {
        return;
    };
    std::fs::write(format!("{gate}.reached"), "").ok();
    let (gate, began) = (PathBuf::from(gate), Instant::now());
    while !gate.exists() && began.elapsed() < WAIT_MAX {
        std::thread::sleep(Duration::from_millis(1));
    }
}
