//! What programs say, made fit for a log, a terminal and a failure.

use std::time::Duration;

use crate::model::{Failure, FailureKind, invisible};
use crate::sandbox::{Ending, Outcome};

/// The most characters of output that a failure keeps.
const OUTPUT_MAX: usize = 4000;

/// A line that is printed while a step is carried out.
#[derive(Debug, Clone, Copy)]
pub enum Line<'a> {
    /// By a program of the step or of a check; it is kept in the step's log.
    Program(&'a str),
    /// While an environment is built, which differs from machine to machine; it is only shown.
    Building(&'a str),
}

/// Returns the failure of a program that did not end well, or none.
pub fn failure_of(
    kind: FailureKind,
    argv: &[String],
    outcome: &Outcome,
    timeout: Duration,
) -> Option<Failure> {
    let program = argv.join(" ");
    let (kind, what) = match &outcome.ending {
        Ending::Exited(0) => return None,
        Ending::Exited(status) => (kind, format!("`{program}` exited with status {status}")),
        Ending::Signalled(signal) => (kind, format!("`{program}` was ended by signal {signal}")),
        Ending::TimedOut => (
            FailureKind::Timeout,
            format!(
                "`{program}` was ended after {} s",
                timeout.as_secs_f64().ceil()
            ),
        ),
        Ending::Cancelled => (kind, format!("`{program}` was stopped")),
        Ending::NotStarted(why) => (kind, why.clone()),
    };
    let last = last_words(&outcome.log);
    let message = if last.is_empty() {
        what
    } else {
        format!("{what}: {last}")
    };
    Some(failure(kind, message, &outcome.log))
}

/// Returns a failure with the end of `output`.
pub fn failure(kind: FailureKind, message: impl Into<String>, output: &str) -> Failure {
    Failure {
        kind,
        message: printable(&message.into()),
        output: tail(output),
        actions: Vec::new(),
        wait_ms: None,
    }
}

/// Returns the line that says most: the last one that looks like an error, else the last one.
fn last_words(log: &str) -> String {
    let lines = || {
        log.lines()
            .rev()
            .map(str::trim)
            .filter(|line| !line.is_empty())
    };
    let telling = lines().take(60).find(|line| {
        let lower = line.to_ascii_lowercase();
        line.starts_with("E   ")
            || lower.contains("error:")
            || lower.contains("not found")
            || lower.contains("is not installed")
    });
    let line = telling.or_else(|| lines().next()).unwrap_or_default();
    line.trim_start_matches("E ")
        .trim()
        .chars()
        .take(300)
        .collect()
}

/// Returns the end of `output`, from the start of a line, without characters that YAML or a terminal would stumble over.
pub fn tail(output: &str) -> String {
    let clean = printable(output);
    let start = clean
        .char_indices()
        .rev()
        .nth(OUTPUT_MAX)
        .map_or(0, |(start, _)| start);
    let tail = &clean[start..];
    match (start, tail.find('\n')) {
        (0, _) | (_, None) => tail.to_string(),
        (_, Some(end)) => tail[end + 1..].to_string(),
    }
}

/// Returns `text` without escape sequences and other characters that do not show.
pub fn printable(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        match c {
            '\u{1b}' => skip_escape(&mut rest),
            '\n' | '\t' => clean.push(c),
            c if c.is_control() || invisible(c) => {}
            c => clean.push(c),
        }
    }
    clean
}

fn skip_escape(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    if rest.next_if_eq(&'[').is_some() {
        // A control sequence ends with a letter or a sign from `@` to `~`.
        while rest.next().is_some_and(|c| !('@'..='~').contains(&c)) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_program_printed_becomes_plain_text() {
        assert_eq!(
            printable("\u{1b}[31mred\u{1b}[0m\u{7}\u{202e}\ttab\r\n"),
            "red\ttab\n"
        );
        assert_eq!(
            last_words("a\nE   ModuleNotFoundError: no x\n1 error in 2s\n"),
            "ModuleNotFoundError: no x"
        );
        assert_eq!(last_words("one\ntwo\n\n"), "two");
        assert!(tail(&"line\n".repeat(5000)).starts_with("line\n"));
        assert!(tail(&"é".repeat(50_000)).chars().count() <= OUTPUT_MAX + 1);
    }
}
