//! The hostile files of the corpora: nothing in them runs, moves or escapes, and each is answered as it should be.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// The cases of marketplaces, plugins and skills.
const MARKETPLACES: &str = "d19,d20,d21,d22,d23,d24,d25,d26,d27,d28,d29,d30,d31,d32,d35,d36";

/// The cases of plans, approvals, locks and patterns, with the words of the corpus mapped to ours; the others are of runs.
const PLANS: &str =
    "d01,d02,d03,d04,d05,d06,d07,d08,d09,d10,d11,d12,d13,d14,d15,d16,d18,d33,d34,d37";

/// What our exit codes are to the checker.
const CLASSES: &str =
    r#"{"0":"OK","1":"FAILED","2":"INVALID","4":"REFUSED","5":"REFUSED","7":"REFUSED"}"#;

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn hostile_marketplaces_plugins_and_skills_do_no_harm() {
    check(MARKETPLACES, CLASSES);
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn hostile_plans_approvals_and_locks_do_no_harm() {
    check(PLANS, CLASSES);
    // Nothing decides about variables here: a plan has no place for any, and one that names them cannot be read.
    check("d17", &CLASSES.replace("INVALID", "REFUSED"));
}

/// The checker watches one place outside for what leaks there, so that two at once would see each other.
static CHECKING: Mutex<()> = Mutex::new(());

fn check(cases: &str, classes: &str) {
    let _alone = CHECKING.lock().unwrap_or_else(PoisonError::into_inner);
    let corpora = std::env::var_os("ORCHESTRATE_CORPORA")
        .expect("ORCHESTRATE_CORPORA names the folder of the corpora");
    let checker = PathBuf::from(corpora).join("hostile/check.py");
    let program = Path::new(env!("CARGO_BIN_EXE_orchestrate"));
    // The checker clears the environment but for the PATH.
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(program.parent().unwrap().to_path_buf());
    let path = std::env::join_paths(folders.chain(std::env::split_paths(&path))).unwrap();
    let adapter = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile/adapter.sh");
    let checked = Command::new("python3")
        .arg(checker)
        .args(["--split", "dev", "--only", cases, "--classes", classes])
        .arg("--adapter")
        .arg(adapter)
        .env("PATH", path)
        .output()
        .expect("python3 runs the checker");
    let said = String::from_utf8_lossy(&checked.stdout);
    assert!(
        checked.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let passed = format!("{} passed, 0 failed", cases.split(',').count());
    assert!(said.contains(&passed), "{said}");
}
