//! Characters that cannot be seen, or that change what is.

use crate::model::{Oddity, Severity, counted};

/// What is odd about a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Bidirectional,
    Tag,
    Selector,
    Control,
    ZeroWidth,
}

const KINDS: [Kind; 5] = [
    Kind::Bidirectional,
    Kind::Tag,
    Kind::Selector,
    Kind::Control,
    Kind::ZeroWidth,
];

impl Kind {
    /// Returns what such a character is, with its article.
    pub fn article(self) -> &'static str {
        match self {
            Kind::Bidirectional => "a bidirectional control that shows text in another order",
            Kind::Tag => "an invisible tag character",
            Kind::Selector => "a variation selector that selects nothing and can carry hidden text",
            Kind::Control => "a control character",
            Kind::ZeroWidth => "a character without width",
        }
    }

    fn severity(self) -> Severity {
        match self {
            Kind::ZeroWidth => Severity::Warning,
            _ => Severity::Error,
        }
    }
}

/// Returns one oddity for each kind of such characters in the text.
pub fn oddities(file: &str, text: &str) -> Vec<Oddity> {
    let mut counts = [0usize; KINDS.len()];
    let mut firsts = [None; KINDS.len()];
    for (offset, character, kind) in odd(text) {
        counts[kind as usize] += 1;
        firsts[kind as usize].get_or_insert((offset, character));
    }
    let found = KINDS
        .into_iter()
        .filter_map(|kind| Some((kind, firsts[kind as usize]?)));
    found
        .map(|(kind, (offset, character))| {
            let what = format!(
                "has {} that cannot be seen, the first of them U+{:04X}, {}",
                counted(counts[kind as usize], "character"),
                character as u32,
                kind.article()
            );
            Oddity::of_file(kind.severity(), file, what)
                .at(super::line_of(text, offset), "")
                .hint("remove them, or write them as escapes")
        })
        .collect()
}

/// Returns the first character that makes a text read as something that it is not.
pub fn deceptive(text: &str) -> Option<(char, Kind)> {
    odd(text)
        .find(|(_, _, kind)| *kind != Kind::ZeroWidth)
        .map(|(_, character, kind)| (character, kind))
}

/// Says whether any character of the text may be odd: all others are plain ASCII.
fn is_suspicious(text: &str) -> bool {
    // Without a branch, the compiler looks at many bytes at once.
    let suspicious = |byte: u8| {
        (byte >= 0x7f) | ((byte < b' ') & (byte != b'\n') & (byte != b'\r') & (byte != b'\t'))
    };
    let any = |bytes: &[u8]| {
        let found = bytes.iter().map(|byte| u8::from(suspicious(*byte)));
        found.fold(0, |all, found| all | found) != 0
    };
    text.as_bytes().chunks(256).any(any)
}

/// Goes through the odd characters, with where they are.
fn odd(text: &str) -> impl Iterator<Item = (usize, char, Kind)> {
    // A mark of byte order at the start is a matter of encoding.
    let mut start = if text.starts_with('\u{feff}') { 3 } else { 0 };
    let text = if is_suspicious(text) { text } else { "" };
    let lines = text
        .get(start..)
        .unwrap_or_default()
        .split_inclusive('\n')
        .map(move |line| {
            let offset = start;
            start += line.len();
            (offset, line)
        });
    lines
        .filter(|(_, line)| is_suspicious(line))
        .flat_map(|(offset, line)| odd_in_line(offset, line))
}

/// Goes through the odd characters of a line that begins at `start`: no character is odd because of one in another line.
fn odd_in_line(start: usize, line: &str) -> impl Iterator<Item = (usize, char, Kind)> {
    let mut before = ' ';
    let mut in_flag = false;
    line.char_indices().filter_map(move |(offset, character)| {
        let kind = kind(before, character);
        // England, Scotland and Wales have flags that are spelt with tags after a black flag.
        in_flag = before == '\u{1f3f4}' || in_flag && before != '\u{e007f}';
        in_flag &= kind == Some(Kind::Tag);
        before = character;
        kind.filter(|_| !in_flag)
            .map(|kind| (start + offset, character, kind))
    })
}

fn kind(before: char, character: char) -> Option<Kind> {
    match character {
        ' '..='~' | '\n' | '\r' | '\t' => None,
        '\u{00}'..='\u{1f}' | '\u{7f}'..='\u{9f}' => Some(Kind::Control),
        '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => Some(Kind::Bidirectional),
        '\u{e0000}'..='\u{e007f}' => Some(Kind::Tag),
        '\u{fe00}'..='\u{fe0f}' => is_selector(before).then_some(Kind::Selector),
        '\u{e0100}'..='\u{e01ef}' => (!is_ideograph(before)).then_some(Kind::Selector),
        // Emoji, and the scripts from Arabic to Sinhala and of South-East Asia, are written with joiners.
        '\u{200c}' | '\u{200d}' => (!is_joined(before)).then_some(Kind::ZeroWidth),
        '\u{ad}'
        | '\u{34f}'
        | '\u{61c}'
        | '\u{115f}'
        | '\u{1160}'
        | '\u{180e}'
        | '\u{200b}'
        | '\u{200e}'
        | '\u{200f}'
        | '\u{2060}'..='\u{2064}'
        | '\u{3164}'
        | '\u{feff}'
        | '\u{ffa0}' => Some(Kind::ZeroWidth),
        _ => None,
    }
}

fn is_selector(c: char) -> bool {
    matches!(c, '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_joined(before: char) -> bool {
    matches!(before, '\u{600}'..='\u{1fff}' | '\u{2190}'..='\u{2bff}' | '\u{fe0f}' | '\u{1f000}'..='\u{1faff}')
}
