//! The interpreter that environments are made from: found behind shims by asking it.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use super::text;
use crate::sandbox::{Cancel, Command, Policy, Sandbox};

/// How long an interpreter may take to say who it is.
const ASK_MAX: Duration = Duration::from_secs(60);

/// What an interpreter says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Interpreter {
    /// The program itself, behind any shim or environment.
    pub(super) executable: PathBuf,
    pub(super) version: String,
    /// The folders that hold its library.
    pub(super) prefixes: Vec<PathBuf>,
}

/// Asks for the interpreter behind shims and environments.
const QUESTION: &str = "import json, sys; print(json.dumps({\
    'executable': getattr(sys, '_base_executable', None) or sys.executable, \
    'version': sys.version, 'prefixes': [sys.base_prefix, sys.base_exec_prefix]}))";

/// Asks `file` who it is, in the sandbox; the inner error says why it did not answer.
pub(super) fn ask(
    file: &Path,
    path: &OsStr,
    sandbox: &Sandbox,
    cancel: &Cancel,
) -> anyhow::Result<Result<Interpreter, String>> {
    let command = Command {
        argv: vec![
            text(file)?,
            "-I".to_owned(),
            "-c".to_owned(),
            QUESTION.to_owned(),
        ],
        directory: PathBuf::from("/"),
        environment: BTreeMap::from([("PATH".to_owned(), path.to_string_lossy().into_owned())]),
        policy: Policy {
            read: surroundings(file),
            ..Policy::default()
        },
        timeout: ASK_MAX,
    };
    let outcome = sandbox.run(&command, cancel, &mut |_| {})?;
    if !outcome.succeeded() {
        return Ok(Err(format!(
            "it {}: {}",
            outcome.ending,
            outcome.log.trim()
        )));
    }
    Ok(serde_json::from_slice(&outcome.stdout).map_err(|error| error.to_string()))
}

/// Returns what `file` needs to start: its installation, and for a shim the folder of the tool that made it.
fn surroundings(file: &Path) -> Vec<PathBuf> {
    let real = file.canonicalize();
    let mut found = Vec::new();
    for file in [Some(file), real.as_deref().ok()].into_iter().flatten() {
        let Some(folder) = file.parent() else {
            continue;
        };
        let above = folder.parent().unwrap_or(folder);
        match folder.file_name().and_then(OsStr::to_str) {
            Some("shims") => found.push(above.to_owned()),
            // Not the folder above: for `~/bin` that would be the whole home.
            Some("bin") => found.extend(["bin", "lib", "lib64"].map(|name| above.join(name))),
            _ => found.push(folder.to_owned()),
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(file: &str, expected: &[&str]) {
        let expected: Vec<PathBuf> = expected.iter().map(PathBuf::from).collect();
        assert_eq!(surroundings(Path::new(file)), expected);
    }

    #[test]
    fn an_interpreter_may_read_its_installation_and_no_home() {
        check("/x/shims/python3", &["/x"]);
        check(
            "/home/me/bin/python3",
            &["/home/me/bin", "/home/me/lib", "/home/me/lib64"],
        );
        check("/x/python3", &["/x"]);
    }
}
