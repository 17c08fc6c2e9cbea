//! Errors as people and scripts see them, and the one place that knows exit codes.

use std::io::Write;

use serde_json::json;

use super::output::Output;
use crate::execute::Signal;
use crate::model::{Hinted, Kinded, RunStatus, Trouble};

/// Prints the error and returns the exit code that belongs to it.
pub fn print(output: &Output, error: &anyhow::Error, signal: Option<Signal>) -> u8 {
    let mut found = Found::default();
    collect(error, &mut found);
    let code = match (signal, found.kind) {
        (Some(signal), _) => signal.exit_code(),
        (None, kind) => exit_code(kind),
    };
    let mut messages: Vec<String> = error.chain().map(ToString::to_string).collect();
    messages.dedup();
    let Some((first, causes)) = messages.split_first() else {
        return code;
    };
    if output.json {
        let status = match (signal, found.kind) {
            (Some(_), _) => RunStatus::Interrupted,
            (None, Some(Trouble::Resumable)) => RunStatus::Failed,
            (None, _) => RunStatus::Refused,
        };
        let document = json!({"status": status, "exit": code, "error": first, "causes": causes, "hints": found.hints});
        output.document(&document).ok();
    }
    output.error(&format!("error: {first}"));
    for cause in causes {
        output.error(&format!("cause: {cause}"));
    }
    for hint in &found.hints {
        output.error(&format!("hint: {hint}"));
    }
    code
}

/// Returns the error with its causes and hints, a line each, for whoever has no terminal.
pub fn words(error: &anyhow::Error) -> String {
    let mut found = Found::default();
    collect(error, &mut found);
    let mut messages: Vec<String> = error.chain().map(ToString::to_string).collect();
    messages.dedup();
    let hints = found.hints.iter().map(|hint| format!("hint: {hint}"));
    let lines: Vec<String> = messages.into_iter().chain(hints).collect();
    lines.join("\n")
}

/// Prints an error that costs a part of the result and not all of it.
pub fn warn(output: &Output, error: &anyhow::Error) {
    let mut found = Found::default();
    collect(error, &mut found);
    output.error(&format!("⚠️ {error:#}"));
    for hint in &found.hints {
        output.error(&format!("hint: {hint}"));
    }
}

/// Adds the document that scripts wait for to arguments that could not be read; what is wrong with them has been printed.
pub fn arguments(error: &clap::Error) -> u8 {
    let code = exit_code(Some(Trouble::Request));
    if std::env::args_os().any(|argument| argument == "--json") {
        let text = error.to_string();
        let first = text.lines().next().unwrap_or_default();
        let message = first.strip_prefix("error: ").unwrap_or(first);
        let document = json!({"status": RunStatus::Refused, "exit": code, "error": message, "causes": [], "hints": ["orchestrate --help"]});
        writeln!(std::io::stdout(), "{document}").ok();
    }
    code
}

/// Says that something happened that cannot happen; the panic itself has been printed by then.
pub fn bug(output: &Output) -> u8 {
    output.error(
        "error: this is a bug in orchestrate; what was done before it is kept in the run's branch",
    );
    output.error("hint: report it with the lines above, and `orchestrate --version`");
    70
}

/// Returns the exit code of a run that ended with this status.
pub fn exit_code_of(status: RunStatus, signal: Option<Signal>) -> u8 {
    match status {
        RunStatus::Done => 0,
        RunStatus::Failed => 1,
        RunStatus::Refused => 2,
        RunStatus::Paused => 3,
        RunStatus::Interrupted | RunStatus::Running => signal.map_or(130, Signal::exit_code),
    }
}

fn exit_code(kind: Option<Trouble>) -> u8 {
    match kind {
        None | Some(Trouble::Request) => 2,
        Some(Trouble::Unapproved) => 4,
        Some(Trouble::Integrity) => 5,
        Some(Trouble::Resumable) => 1,
        Some(Trouble::Busy) => 6,
        Some(Trouble::Missing) => 7,
        Some(Trouble::Interrupted) => 130,
    }
}

#[derive(Default)]
struct Found {
    hints: Vec<String>,
    kind: Option<Trouble>,
}

/// Hints and kinds are wrappers around an error, at any depth.
fn collect(error: &anyhow::Error, found: &mut Found) {
    for cause in error.chain() {
        if let Some(hinted) = cause.downcast_ref::<Hinted>() {
            if !found.hints.contains(&hinted.hint) {
                found.hints.push(hinted.hint.clone());
            }
            collect(hinted.inner(), found);
        }
        if let Some(kinded) = cause.downcast_ref::<Kinded>() {
            // That a run can go on is said of any trouble; what the trouble is counts for more.
            if matches!(found.kind, None | Some(Trouble::Resumable)) {
                found.kind = Some(kinded.kind);
            }
            collect(kinded.inner(), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Hint;
    use anyhow::{Context, anyhow};

    #[test]
    fn hints_and_kinds_are_found_at_any_depth() {
        let deep: anyhow::Result<()> = Err(anyhow!("bottom"))
            .kind(Trouble::Busy)
            .hint("one")
            .context("middle")
            .hint("two")
            .context("top");
        let error = deep.unwrap_err();
        let mut found = Found::default();
        collect(&error, &mut found);
        assert_eq!(found.hints, ["two", "one"]);
        assert_eq!(exit_code(found.kind), 6);
        let mut messages: Vec<String> = error.chain().map(ToString::to_string).collect();
        messages.dedup();
        assert_eq!(messages, ["top", "middle", "bottom"]);
    }
}
