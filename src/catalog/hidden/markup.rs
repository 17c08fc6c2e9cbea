//! Markup that renders as nothing and yet gives orders, and commands that run when a text is loaded.

use std::sync::LazyLock;

use regex::Regex;

use super::line_of;
use crate::model::{Oddity, Severity, counted};

/// What the rest looks at: literals only, so that texts without them cost one fast pass.
static MARK: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"<!--|\[//\]:|\[comment\]:|\[_\]:|base64|!`|```!|display: ?none|font-size: ?0|visibility: ?hidden",
    )
});

/// Words that speak to an agent or make it do something.
static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?im)(^|<!--|\()\s*(agent|assistant|claude|codex|copilot|cursor|gemini|gpt|ai|llm|model|system)s?\s*[:,!]|\b(ignore|disregard|forget|override)\b.{0,40}\b(instruction|previous|above|prior|rule|prompt|safety)|\b(do not|don't|never)\s+(mention|tell|reveal|show|report|ask)\b|\b(before|after) (anything|everything) else\b|\byou (must|should|will)\b|\b(base64|curl|wget|sudo|eval|chmod|bash|exfiltrate)\b|\b(secrets?|passwords?|credentials?|api.?keys?|tokens?)\b.{0,60}\b(to|in|from|send|post|upload)\b",
    )
});

static BASE64_RUN: LazyLock<Regex> = LazyLock::new(|| {
    regex(
        r"(?i)base64\s+(-d|-di|-D|--decode)\b[^\n|]*\|\s*(sudo\s+)?(ba|z|da|k)?sh\b|base64\s+(-d|-D|--decode)\b[^\n|]*\|\s*(python3?|node|perl|ruby)\b|(eval|sh -c|source)\b[^\n]*base64\s+(-d|-D|--decode)\b|(exec|eval)\s*\([^\n]*b(ase)?64_?decode",
    )
});

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant that a test compiles")
}

#[derive(Default)]
struct Found {
    count: usize,
    first: usize,
}

impl Found {
    fn add(&mut self, offset: usize) {
        if self.count == 0 {
            self.first = offset;
        }
        self.count += 1;
    }
}

/// Returns one oddity for each kind of such markup in the text.
pub fn oddities(file: &str, text: &str) -> Vec<Oddity> {
    let [mut comments, mut encoded, mut commands, mut styles] = <[Found; 4]>::default();
    let mut fences = Fences::new(text);
    for mark in MARK.find_iter(text) {
        let at = mark.start();
        let line = line_at(text, at);
        match mark.as_str() {
            "base64" if BASE64_RUN.is_match(line) => encoded.add(at),
            "base64" => {}
            "!`" if is_command(text, at) => commands.add(at),
            "!`" => {}
            "```!" => commands.add(at),
            // What is shown as code is seen.
            _ if text[..at].ends_with('`') || fences.hold(at) => {}
            "<!--" if ORDER.is_match(comment(&text[at..])) => comments.add(at),
            "[//]:" | "[comment]:" | "[_]:" if ORDER.is_match(line) => comments.add(at),
            "<!--" | "[//]:" | "[comment]:" | "[_]:" => {}
            _ if line.contains("style=") && !line.contains('`') => styles.add(at),
            _ => {}
        }
    }
    let told = |found: Found, severity, what: String, hint: &str| {
        (found.count > 0).then(|| {
            Oddity::of_file(severity, file, what)
                .at(line_of(text, found.first), "")
                .hint(hint)
        })
    };
    let orders = format!(
        "has what reads as orders to an agent in {}, which renders as nothing",
        counted(comments.count, "comment")
    );
    let hidden = format!("has {} of hidden style", counted(styles.count, "element"));
    let run = format!(
        "runs {} when it is loaded, before anybody is asked",
        counted(commands.count, "command")
    );
    [
        told(
            comments,
            Severity::Warning,
            orders,
            "read it as the agent does, and say it where people see it",
        ),
        told(
            encoded,
            Severity::Warning,
            "pipes decoded base64 into an interpreter, which hides what runs".to_string(),
            "write the commands out",
        ),
        told(
            styles,
            Severity::Warning,
            hidden,
            "show the text, or remove it",
        ),
        told(commands, Severity::Note, run, ""),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Returns the text of the comment that begins here; one without an end hides all that follows.
fn comment(text: &str) -> &str {
    &text[..text.find("-->").unwrap_or(text.len())]
}

/// Says whether the mark begins a command, rather than ending a piece of code such as `hello!`.
fn is_command(text: &str, at: usize) -> bool {
    let starts = text[..at]
        .chars()
        .next_back()
        .is_none_or(char::is_whitespace);
    starts && line_at(&text[at + 2..], 0).contains('`')
}

fn line_at(text: &str, at: usize) -> &str {
    let bytes = text.as_bytes();
    let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |found| found + 1);
    let end = memchr::memchr(b'\n', &bytes[at..]).map_or(text.len(), |found| at + found);
    &text[start..end]
}

/// Blocks of code in a text, asked for in order.
struct Fences<'a> {
    text: &'a str,
    /// How far the text has been looked at.
    seen: usize,
    open: Option<&'static str>,
}

impl<'a> Fences<'a> {
    fn new(text: &'a str) -> Fences<'a> {
        Fences {
            text,
            seen: 0,
            open: None,
        }
    }

    /// Says whether the byte at `offset` is in a block of code.
    fn hold(&mut self, offset: usize) -> bool {
        while self.seen < offset {
            let line = line_at(self.text, self.seen);
            let end = self.seen + line.len() + 1;
            if end > offset {
                break;
            }
            let fence = ["```", "~~~"]
                .into_iter()
                .find(|fence| line.trim_start().starts_with(fence));
            self.open = match (self.open, fence) {
                (None, fence) => fence,
                (Some(open), Some(fence)) if open == fence => None,
                (open, _) => open,
            };
            self.seen = end;
        }
        self.open.is_some()
    }
}
