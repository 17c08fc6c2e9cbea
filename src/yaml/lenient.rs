//! Other people's YAML: what their own tools accept, within bounds.

use std::collections::HashMap;
use std::fmt;

use serde_json::{Map, Value};
use serde_yaml::granit_parser::{Event, Parser, ScalarStyle};

/// The deepest that lists and maps may stand in each other.
const DEPTH_MAX: usize = 64;
/// The most values of one text, copies by aliases included.
const VALUES_MAX: usize = 20_000;

/// Why a text is no YAML; the line is counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub line: u32,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at line {}", self.what, self.line)
    }
}

/// Returns the value of a YAML 1.2 text: `yes` and dates are strings, tags are ignored, and of a key that stands twice the last one
/// counts. Several documents become a list, an empty text null.
pub fn parse_lenient(text: &str) -> Result<Value, Fault> {
    if let Some(position) = text.find('\0') {
        let before = text[..position].chars().count();
        return Err(fault("a NUL character", line(text, before)));
    }
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| {
            fault(
                &error.kind().to_string(),
                line(text, error.marker().index()),
            )
        })?;
        builder
            .take(event)
            .map_err(|what| fault(what, line(text, span.start.index())))?;
    }
    match builder.documents.len() {
        0 => Ok(Value::Null),
        1 => Ok(builder.documents.remove(0)),
        _ => Ok(Value::Array(builder.documents)),
    }
}

/// Returns the line of the character at `index`, as editors count: the library also counts a lone carriage return.
fn line(text: &str, index: usize) -> usize {
    1 + text.chars().take(index).filter(|&c| c == '\n').count()
}

fn fault(what: &str, line: usize) -> Fault {
    Fault {
        what: what.to_string(),
        line: u32::try_from(line).unwrap_or(u32::MAX),
    }
}

#[derive(Default)]
struct Builder {
    documents: Vec<Value>,
    open: Vec<Open>,
    anchors: HashMap<usize, (Value, usize)>,
    values: usize,
}

/// A list or a map that is not complete yet.
struct Open {
    anchor: usize,
    /// How many values there were before it.
    start: usize,
    items: Items,
}

enum Items {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

impl Builder {
    fn take(&mut self, event: Event<'_>) -> Result<(), &'static str> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let value = match style == ScalarStyle::Plain && tag.is_none() {
                    true => plain(&text),
                    false => Value::String(text.into_owned()),
                };
                self.values += 1;
                self.remember(anchor, &value, 1);
                self.put(value)
            }
            Event::SequenceStart(_, anchor, _) => self.start(anchor, Items::List(Vec::new())),
            Event::MappingStart(_, anchor, _) => self.start(anchor, Items::Map(Map::new(), None)),
            Event::SequenceEnd | Event::MappingEnd => self.end(),
            Event::Alias(anchor) => {
                let (value, size) = self.anchors.get(&anchor).ok_or("an alias of nothing")?;
                let size = *size;
                // Looked at before the copy: aliases of aliases grow without bounds.
                if self.values + size > VALUES_MAX {
                    return Err("too many values");
                }
                self.values += size;
                let value = value.clone();
                self.put(value)
            }
            _ => Ok(()),
        }
    }

    fn start(&mut self, anchor: usize, items: Items) -> Result<(), &'static str> {
        if self.open.len() == DEPTH_MAX {
            return Err("too deep nesting");
        }
        self.open.push(Open {
            anchor,
            start: self.values,
            items,
        });
        self.values += 1;
        Ok(())
    }

    fn end(&mut self) -> Result<(), &'static str> {
        let open = self.open.pop().expect("an end follows its start");
        let value = match open.items {
            Items::List(items) => Value::Array(items),
            Items::Map(fields, _) => Value::Object(fields),
        };
        let size = self.values - open.start;
        self.remember(open.anchor, &value, size);
        self.put(value)
    }

    fn remember(&mut self, anchor: usize, value: &Value, size: usize) {
        if anchor != 0 {
            self.anchors.insert(anchor, (value.clone(), size));
        }
    }

    fn put(&mut self, value: Value) -> Result<(), &'static str> {
        if self.values > VALUES_MAX {
            return Err("too many values");
        }
        match self.open.last_mut().map(|open| &mut open.items) {
            None => self.documents.push(value),
            Some(Items::List(items)) => items.push(value),
            Some(Items::Map(fields, key)) => match key.take() {
                Some(key) => {
                    fields.insert(key, value);
                }
                None => {
                    *key = Some(match value {
                        Value::String(text) => text,
                        other => other.to_string(),
                    });
                }
            },
        }
        Ok(())
    }
}

/// Returns what a scalar without quotes stands for in YAML 1.2.
fn plain(text: &str) -> Value {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).unwrap_or_else(|| Value::String(text.to_string())),
    }
}

/// Returns the number that a scalar is; `1e3` is a word to the tools that these texts are written for.
fn number(text: &str) -> Option<Value> {
    let first = text.bytes().next()?;
    if !(first.is_ascii_digit() || matches!(first, b'-' | b'+' | b'.')) {
        return None;
    }
    if let Ok(whole) = text.parse::<i64>() {
        return Some(whole.into());
    }
    let is_decimal = text.contains('.') && text.bytes().any(|byte| byte.is_ascii_digit());
    let decimal = text.parse::<f64>().ok().filter(|_| is_decimal)?;
    serde_json::Number::from_f64(decimal).map(Value::Number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse_lenient;

    #[test]
    fn what_other_tools_accept_is_read() {
        let check =
            |text: &str, expected| assert_eq!(parse_lenient(text).unwrap(), expected, "{text}");
        check("a: 1\nb: x\na: 2\n", json!({"a": 2, "b": "x"}));
        check(
            "a: yes\nb: 2024-01-01\nc: 1e3\nd: 1.5\ne: ~\nf:",
            json!({"a": "yes", "b": "2024-01-01", "c": "1e3", "d": 1.5, "e": null, "f": null}),
        );
        check("a: &x [b]\nc: *x\n", json!({"a": ["b"], "c": ["b"]}));
        check(
            "a: !!python/object:os.system x\n1: true\n",
            json!({"a": "x", "1": true}),
        );
        check("- a\n- b\n", json!(["a", "b"]));
        check("a: >\n  b\n  c\n", json!({"a": "b c\n"}));
        check("", json!(null));
        check("a\n---\nb\n", json!(["a", "b"]));
        check("a: 1\r\nb: 2\r\n", json!({"a": 1, "b": 2}));
    }

    #[test]
    fn what_is_no_yaml_says_where() {
        for (text, line) in [
            ("a: 1\nb: \"c\n", 2),
            ("<<: *x\n", 1),
            ("a: b: c\n", 1),
            ("a:\tb\n\tc: d\n", 1),
            ("a\0b\n", 1),
            ("a: 'it's'\n", 1),
        ] {
            let fault = parse_lenient(text).expect_err(text);
            assert!(fault.line >= line, "{text}: {fault}");
        }
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        assert_eq!(parse_lenient("&:\r'\r\r\r':\n").unwrap_err().line, 1);
        assert_eq!(parse_lenient("a: \u{e9}\r\nb: \"c").unwrap_err().line, 2);
    }

    #[test]
    fn growth_is_bounded() {
        let mut laughs = "a0: &a0 [x, x]\n".to_string();
        for level in 1..40 {
            let below = level - 1;
            laughs += &format!("a{level}: &a{level} [*a{below}, *a{below}]\n");
        }
        assert!(
            parse_lenient(&laughs)
                .unwrap_err()
                .what
                .contains("too many")
        );
        assert!(parse_lenient(&"[".repeat(100_000)).is_err());
        assert!(parse_lenient(&"- ".repeat(100_000)).is_err());
    }
}
