//! The YAML block at the start of a skill, a command or an agent, found and read as Claude Code does it.

use serde_json::{Map, Value};

use crate::model::{Oddity, Severity};
use crate::yaml;

/// The most bytes of a block that are parsed.
const BYTES_MAX: usize = 256 * 1024;

/// What stands at the start of a text.
#[derive(Debug)]
pub struct Frontmatter<'a> {
    /// Empty where there is no block, or where it cannot be read.
    pub fields: Map<String, Value>,
    /// The text after the block.
    pub body: &'a str,
    pub state: State,
    /// What is odd about the block: of its absence only `state` tells, as it is odd in some files only.
    pub oddities: Vec<Oddity>,
}

/// How the reading went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// There is no block; the whole text is the body.
    Absent,
    Read,
    /// It is no YAML as it stands, and is with quotes around some values.
    Repaired,
    /// It could not be read: the fields are empty.
    Lost,
}

/// Reads the start of `text`; `file` names it in the oddities.
pub fn read<'a>(file: &str, text: &'a str) -> Frontmatter<'a> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let Some((block, body, is_cut)) = split(text) else {
        return Frontmatter {
            fields: Map::new(),
            body: text,
            state: State::Absent,
            oddities: Vec::new(),
        };
    };
    let mut oddities = Vec::new();
    if is_cut {
        let line = 2 + block.matches('\n').count();
        oddities.push(
            Oddity::of_file(
                Severity::Warning,
                file,
                "the frontmatter ends in the middle of a line: at the first `---`, wherever it stands",
            )
            .at(u32::try_from(line).ok(), "")
            .hint("write another dash where `---` is not the end"),
        );
    }
    let (fields, state) = fields(file, block, &mut oddities);
    Frontmatter {
        fields,
        body,
        state,
        oddities,
    }
}

/// Returns the block, the body, and whether the end of the block is not a line of its own.
fn split(text: &str) -> Option<(&str, &str, bool)> {
    let rest = text.strip_prefix("---")?;
    let (blank, rest) = rest.split_once('\n')?;
    if !blank.trim().is_empty() {
        return None;
    }
    let end = rest.find("---")?;
    let (block, after) = (&rest[..end], &rest[end + 3..]);
    let line_end = after.find('\n').unwrap_or(after.len());
    let is_whole =
        (block.is_empty() || block.ends_with('\n')) && after[..line_end].trim().is_empty();
    let body = match is_whole {
        true => after.get(line_end + 1..).unwrap_or_default(),
        false => after,
    };
    Some((block, body, !is_whole))
}

fn fields(file: &str, block: &str, oddities: &mut Vec<Oddity>) -> (Map<String, Value>, State) {
    if block.len() > BYTES_MAX {
        let what = format!("the frontmatter has more than {BYTES_MAX} bytes, and none are read");
        oddities.push(Oddity::of_file(Severity::Error, file, what));
        return (Map::new(), State::Lost);
    }
    let (value, state) = match yaml::parse_lenient(block) {
        Ok(value) => (value, State::Read),
        Err(fault) => {
            let line = Some(fault.line.saturating_add(1));
            match yaml::parse_lenient(&quoted(block)) {
                Ok(value) => {
                    let what = format!(
                        "the frontmatter is YAML only after quoting its values: {}",
                        fault.what
                    );
                    oddities.push(
                        Oddity::of_file(Severity::Note, file, what)
                            .at(line, "")
                            .hint(
                                "put the value of this line in quotes: other tools refuse the file",
                            ),
                    );
                    (value, State::Repaired)
                }
                Err(_) => {
                    let what = format!(
                        "the frontmatter is no YAML, and none of its fields are used: {}",
                        fault.what
                    );
                    oddities.push(
                        Oddity::of_file(Severity::Error, file, what)
                            .at(line, "")
                            .hint("indent with spaces, and put values with `: ` or quotes in them in quotes"),
                    );
                    return (Map::new(), State::Lost);
                }
            }
        }
    };
    match value {
        Value::Object(fields) => (fields, state),
        Value::Null => (Map::new(), state),
        other => {
            let what = format!(
                "the frontmatter is {} rather than fields with values",
                kind(&other)
            );
            oddities.push(Oddity::of_file(Severity::Error, file, what).at(Some(2), ""));
            (Map::new(), State::Lost)
        }
    }
}

/// Returns the block with quotes around values that YAML would read as something else than text.
fn quoted(block: &str) -> String {
    let mut quoted = String::with_capacity(block.len() + 16);
    for line in block.lines() {
        match needs_quotes(line) {
            Some((key, value)) => {
                let value = value.replace('\\', "\\\\").replace('"', "\\\"");
                quoted.push_str(&format!("{key}: \"{value}\"\n"));
            }
            None => {
                quoted.push_str(line);
                quoted.push('\n');
            }
        }
    }
    quoted
}

fn needs_quotes(line: &str) -> Option<(&str, &str)> {
    let (key, value) = line.split_once(':')?;
    let is_key = |c: char| c.is_ascii_alphabetic() || matches!(c, '_' | '-');
    if key.is_empty() || !key.chars().all(is_key) || !value.starts_with(char::is_whitespace) {
        return None;
    }
    let value = value.trim();
    let wrapped = |quote| value.len() > 1 && value.starts_with(quote) && value.ends_with(quote);
    let odd = |c: char| "{}[]*&#!|>%@`".contains(c);
    let needs = !value.is_empty() && (value.contains(odd) || value.contains(": "));
    (needs && !wrapped('"') && !wrapped('\'')).then_some((key, value))
}

/// Returns what kind of value it is, as in "it is a number".
pub fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "nothing",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn check(text: &str, state: State, fields: Value, body: &str) {
        let found = read("SKILL.md", text);
        assert_eq!(found.state, state, "{text:?} {:?}", found.oddities);
        assert_eq!(Value::Object(found.fields), fields, "{text:?}");
        assert_eq!(found.body, body, "{text:?}");
    }

    #[test]
    fn a_block_is_found_where_claude_finds_it() {
        let name = json!({"name": "a"});
        check("---\nname: a\n---\nbody", State::Read, name.clone(), "body");
        check(
            "\u{feff}---  \r\nname: a\r\n---\r\nbody\r\n",
            State::Read,
            name.clone(),
            "body\r\n",
        );
        check("---\n---\nbody", State::Read, json!({}), "body");
        for absent in [
            "",
            "body",
            "\n---\nname: a\n---\n",
            "---yaml\nname: a\n---\n",
            "---\nname: a\n",
            "---\rname: a\r---\r",
        ] {
            check(absent, State::Absent, json!({}), absent);
        }
    }

    #[test]
    fn a_block_ends_at_the_first_dashes_and_says_so() {
        let found = read("a.md", "---\nname: a\nfoo: b --- c\nbar: [d\n---\nbody");
        assert_eq!(
            Value::Object(found.fields),
            json!({"name": "a", "foo": "b"})
        );
        assert_eq!(
            (found.oddities[0].severity, found.oddities[0].line),
            (Severity::Warning, Some(3))
        );
        check(
            "---\nname: a\n----\nbody",
            State::Read,
            json!({"name": "a"}),
            "-\nbody",
        );
    }

    #[test]
    fn values_that_lack_quotes_are_repaired() {
        check(
            "---\na: [x] [y]\nb: c: d\n---\n",
            State::Repaired,
            json!({"a": "[x] [y]", "b": "c: d"}),
            "",
        );
        check(
            "---\na: \"b\" and \"c\": d\n---\n",
            State::Repaired,
            json!({"a": "\"b\" and \"c\": d"}),
            "",
        );
        check(
            "---\na: *\nb: Bash(git:*), Read\n---\n",
            State::Repaired,
            json!({"a": "*", "b": "Bash(git:*), Read"}),
            "",
        );
        assert_eq!(
            read("a.md", "---\na: b\nc: d: e\n---\n").oddities[0].line,
            Some(3)
        );
    }

    #[test]
    fn what_cannot_be_read_leaves_no_fields() {
        for text in [
            "a: 'it's'",
            "- a\n- b",
            "words",
            "a: b\nwords",
            "a: b\0",
            "a: b: c\n  d: e",
        ] {
            check(
                &format!("---\n{text}\n---\nbody"),
                State::Lost,
                json!({}),
                "body",
            );
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read(text in "(---[ \r\n])?[a-c:\\-\\[\\]{}*&#!|>'\" \t\r\n]{0,60}(\n---\n)?.{0,9}") {
            let lines = text.matches('\n').count() as u32 + 1;
            let found = read("f", &text);
            prop_assert!(text.ends_with(found.body));
            for oddity in found.oddities {
                prop_assert!(oddity.line.is_none_or(|line| line >= 1 && line <= lines + 1));
            }
        }
    }
}
