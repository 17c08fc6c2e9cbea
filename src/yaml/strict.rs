//! The pre-scan: refuses what YAML allows and a reviewer would misread.

use crate::model::invisible;
use anyhow::{Result, bail};
use serde_yaml::granit_parser::{ErrorKind, Event, Parser, ScalarStyle, Span};

/// How deep lists and maps may stand in each other.
const DEPTH_MAX: usize = 64;

/// Refuses anchors, aliases, tags, merge keys, directives, second documents, other spellings of booleans, nulls and numbers,
/// a byte order mark, and characters that do not show.
pub fn scan(text: &str) -> Result<()> {
    characters(text)?;
    let (mut documents, mut depth) = (0, 0_usize);
    for event in Parser::new_from_str(text) {
        let (event, span) = match event {
            Ok(event) => event,
            Err(error) if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) => {
                let place = Span::empty(*error.marker());
                return refuse(&format!("a depth of more than {DEPTH_MAX}"), &place);
            }
            // The parser proper finds the same fault and describes it.
            Err(_) => return Ok(()),
        };
        match event {
            Event::DocumentStart(_, version) => {
                documents += 1;
                if version.is_some() {
                    return refuse("a directive", &span);
                }
                if documents > 1 {
                    return refuse("a second document", &span);
                }
            }
            Event::Alias(_) => return refuse("an alias (`*name`)", &span),
            Event::Scalar(value, style, anchor, tag) => {
                anchor_and_tag(anchor, tag.is_some(), &span)?;
                if style == ScalarStyle::Plain {
                    plain(&value, &span)?;
                }
                // An escape such as "\u202e" is as unreadable as the character itself.
                if let Some(bad) = value.chars().find(|&c| invisible(c)) {
                    return refuse(
                        &format!("the escaped character U+{:04X}", bad as u32),
                        &span,
                    );
                }
            }
            Event::SequenceStart(_, anchor, tag) | Event::MappingStart(_, anchor, tag) => {
                depth += 1;
                if depth > DEPTH_MAX {
                    return refuse(&format!("a depth of more than {DEPTH_MAX}"), &span);
                }
                anchor_and_tag(anchor, tag.is_some(), &span)?;
            }
            Event::SequenceEnd | Event::MappingEnd => depth -= 1,
            _ => {}
        }
    }
    Ok(())
}

fn anchor_and_tag(anchor: usize, tagged: bool, span: &Span) -> Result<()> {
    if anchor != 0 {
        return refuse("an anchor (`&name`)", span);
    }
    if tagged {
        return refuse("a tag (`!name`)", span);
    }
    Ok(())
}

fn plain(value: &str, span: &Span) -> Result<()> {
    let lower = value.to_ascii_lowercase();
    if value == "<<" {
        return refuse("a merge key (`<<`)", span);
    }
    if matches!(lower.as_str(), "yes" | "no" | "on" | "off")
        || (matches!(lower.as_str(), "true" | "false") && value != lower)
    {
        return refuse(
            &format!("`{value}` without quotes: write `true` or `false`, or quote it"),
            span,
        );
    }
    if matches!(lower.as_str(), "null" | "~") {
        return refuse(
            &format!("`{value}`: leave the field out, or quote it"),
            span,
        );
    }
    let digits = lower.trim_start_matches(['-', '+']);
    let number = digits.starts_with(|c: char| c.is_ascii_digit());
    let plain_number = number && digits.bytes().all(|b| b.is_ascii_digit() || b == b'_');
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)]
        .into_iter()
        .any(|(prefix, radix)| {
            let rest = digits.strip_prefix(prefix);
            rest.is_some_and(|rest| {
                !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix) || c == '_')
            })
        });
    if prefixed || (plain_number && digits.contains('_')) || matches!(digits, ".inf" | ".nan") {
        return refuse(
            &format!("`{value}` without quotes: write a plain decimal number, or quote it"),
            span,
        );
    }
    Ok(())
}

fn characters(text: &str) -> Result<()> {
    if text.starts_with('\u{feff}') {
        bail!("a byte order mark is not allowed, at line 1 column 1");
    }
    for (number, line) in text.split('\n').enumerate() {
        if line.starts_with('%') {
            bail!(
                "a directive is not allowed, at line {} column 1",
                number + 1
            );
        }
        let line = line.strip_suffix('\r').unwrap_or(line);
        if let Some(column) = line.chars().position(invisible) {
            let bad = line.chars().nth(column).map_or(0, |c| c as u32);
            bail!(
                "the character U+{bad:04X}, which does not show, is not allowed, at line {} column {}",
                number + 1,
                column + 1
            );
        }
    }
    Ok(())
}

fn refuse<T>(what: &str, span: &Span) -> Result<T> {
    bail!(
        "{what} is not allowed here, at line {} column {}",
        span.start.line(),
        span.start.col() + 1
    )
}

#[cfg(test)]
mod tests {
    use super::scan;

    fn check(text: &str, expected: &str) {
        let said = scan(text)
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default();
        assert!(
            if expected.is_empty() {
                said.is_empty()
            } else {
                said.contains(expected)
            },
            "{text:?} gave {said:?}, expected {expected:?}"
        );
    }

    #[test]
    fn plain_files_pass() {
        check(
            "a: 1\nb: [x, y]\nc: {d: true}\ne: |\n  text\n  yes\nf: \"no\"\n",
            "",
        );
        check(
            "version: 2026-11-22\nport: 8000\nratio: 0.5\nname: no-reply\n",
            "",
        );
        check("a: 1\r\nb: 2\r\n", "");
    }

    #[test]
    fn what_a_reviewer_would_misread_is_refused() {
        check("a: &x 1\n", "anchor");
        check("a: &x [1]\n", "anchor");
        check("a: *x\n", "");
        check("b: &x 1\na: *x\n", "anchor");
        check("a: !!str 1\n", "tag");
        check("a: !include /etc/passwd\n", "tag");
        check("<<: {a: 1}\n", "merge key");
        check("%YAML 1.2\n---\na: 1\n", "directive");
        check("a: 1\n---\nb: 2\n", "second document");
        for depth in [100, 20_000] {
            check(
                &format!("a: {}{}\n", "[".repeat(depth), "]".repeat(depth)),
                "a depth of more than 64",
            );
        }
        check("a: yes\n", "`yes`");
        check("a: True\n", "`True`");
        check("a: ~\n", "leave the field out");
        check("a: null\n", "leave the field out");
        check("a: 0x1f\n", "decimal");
        check("a: 1_000\n", "decimal");
        check("\u{feff}a: 1\n", "byte order mark");
        check(
            "a: b\u{202e}c\n",
            "U+202E, which does not show, is not allowed, at line 1 column 5",
        );
        check("a: \"b\\u202ec\"\n", "U+202E");
        check("a: \"\\e[2J\"\n", "U+001B");
    }
}
