//! Where text goes: results to standard output, progress to standard error.

use std::io::{IsTerminal, Write};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::Duration;

use anstream::{AutoStream, ColorChoice};
use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::arguments::{ColorMode, ProgressMode, Shared};
use crate::model::invisible;
use crate::sandbox::Cancel;

/// How often a question looks whether somebody wants to stop.
const LOOK_UP: Duration = Duration::from_millis(50);

/// How this process talks. A closed pipe or a full disk at the other end is not our trouble: what is lost there is lost.
#[derive(Debug, Clone)]
pub struct Output {
    pub json: bool,
    pub verbose: bool,
    pub events: bool,
    /// Whether lines of progress are shown at all.
    pub lines: bool,
    /// Whether a line at the bottom of the terminal may move.
    pub live: bool,
    /// Whether a person can be asked.
    pub interactive: bool,
    color: ColorChoice,
}

impl Output {
    /// Returns what the arguments and the terminal ask for.
    pub fn new(shared: &Shared) -> Output {
        let terminal = std::io::stderr().is_terminal();
        let silent = shared.quiet || shared.progress == ProgressMode::None;
        Output {
            json: shared.json,
            verbose: shared.verbose,
            events: shared.progress == ProgressMode::Json,
            lines: !silent && shared.progress != ProgressMode::Json,
            live: !silent && terminal && shared.progress == ProgressMode::Auto,
            interactive: terminal
                && std::io::stdin().is_terminal()
                && !shared.json
                && !shared.quiet,
            color: match shared.color {
                ColorMode::Auto => ColorChoice::Auto,
                ColorMode::Always => ColorChoice::Always,
                ColorMode::Never => ColorChoice::Never,
            },
        }
    }

    /// Writes a line of the result, or nothing where a document is asked for.
    pub fn line(&self, text: &str) {
        if !self.json {
            writeln!(
                AutoStream::new(std::io::stdout(), self.color),
                "{}",
                painted(text)
            )
            .ok();
        }
    }

    /// Writes text without colour, and without a line break after it.
    pub fn text(&self, text: &str) {
        std::io::stdout().write_all(inert(text).as_bytes()).ok();
    }

    /// Writes the one document of a command.
    pub fn document(&self, value: &impl Serialize) -> anyhow::Result<()> {
        if self.json {
            let text = escaped(&serde_json::to_string(value)?);
            writeln!(std::io::stdout(), "{text}").ok();
        }
        Ok(())
    }

    /// Writes a line of progress.
    pub fn progress(&self, text: &str) {
        if self.lines {
            self.error(text);
        }
    }

    /// Writes a line that is shown whatever the arguments say.
    pub fn error(&self, text: &str) {
        writeln!(
            AutoStream::new(std::io::stderr(), self.color),
            "{}",
            painted(text)
        )
        .ok();
    }

    /// Writes a question without ending its line, and returns the answer; none where nobody can be asked, or somebody wants to stop.
    pub fn ask(&self, question: &str, cancel: &Cancel) -> Option<String> {
        if !self.interactive {
            return None;
        }
        let mut stderr = std::io::stderr();
        write!(stderr, "{question} ").ok()?;
        stderr.flush().ok()?;
        // Reading a line cannot be interrupted, so it is left to a thread that ends with the process.
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            let mut answer = String::new();
            let read = std::io::stdin().read_line(&mut answer).unwrap_or(0);
            sender
                .send((read > 0).then(|| answer.trim().to_lowercase()))
                .ok();
        });
        loop {
            match answers.recv_timeout(LOOK_UP) {
                Ok(answer) => return answer,
                Err(RecvTimeoutError::Timeout) if !cancel.is_cancelled() => {}
                Err(_) => return None,
            }
        }
    }
}

/// Returns the text with what a terminal would act on, or a reader would not see, written out: some of it others have written.
fn inert(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match invisible(c) {
            true => shown.extend(c.escape_unicode()),
            false => shown.push(c),
        }
    }
    shown
}

/// Returns a JSON document that says the same without such characters; they only stand in its strings.
fn escaped(json: &str) -> String {
    let mut shown = String::with_capacity(json.len());
    for c in json.chars() {
        match invisible(c) {
            true => c
                .encode_utf16(&mut [0; 2])
                .iter()
                .for_each(|unit| shown.push_str(&format!("\\u{unit:04x}"))),
            false => shown.push(c),
        }
    }
    shown
}

/// Colours the marks; the words read well without.
fn painted(text: &str) -> String {
    let text = inert(text);
    let marks = [
        ("✓", AnsiColor::Green),
        ("✗", AnsiColor::Red),
        ("⚠️", AnsiColor::Yellow),
        ("error:", AnsiColor::Red),
        ("hint:", AnsiColor::Cyan),
    ];
    let start = text.len() - text.trim_start().len();
    for (mark, color) in marks {
        if text[start..].starts_with(mark) {
            let style = Style::new().fg_color(Some(color.into()));
            return format!(
                "{}{style}{mark}{style:#}{}",
                &text[..start],
                &text[start + mark.len()..]
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_stranger_wrote_acts_on_a_terminal() {
        let hostile = "a\u{1b}[2J\u{9b}\u{7}\r\u{202e}b";
        for shown in [inert(hostile), painted(&format!("✗ {hostile}"))] {
            assert!(
                shown.contains("a\\u{1b}[2J\\u{9b}\\u{7}\\u{d}\\u{202e}b"),
                "{shown}"
            );
        }
        assert_eq!(painted("a\tb\n  ü ⚠️"), "a\tb\n  ü ⚠️");
    }

    #[test]
    fn a_document_says_the_same_without_such_characters() {
        let value = serde_json::json!({"a": "\u{9b}\u{1b}\u{e0041}\n\u{e9}"});
        let text = escaped(&value.to_string());
        assert!(!text.contains(invisible), "{text}");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
