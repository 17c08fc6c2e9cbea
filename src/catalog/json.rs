//! Other people's JSON: its value, and the line of anything in it.

use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer as _, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::model::{Oddity, Severity};

/// What is said of a file with a byte order mark, and what to do about it.
pub const BOM: &str = "the file starts with a byte order mark";
pub const WITHOUT_BOM: &str = "save it as UTF-8 without one: some tools refuse the file";

/// The most bytes that a JSON file may have.
pub const BYTES_MAX: usize = 16 * 1024 * 1024;

/// The most bytes that are read again for one file to tell lines: a file of nothing but oddities would cost hours.
const LOOKED_AT_MAX: usize = 64 * 1024 * 1024;

/// The most repeated keys that one file is told of.
const DUPLICATES_MAX: usize = 20;

/// A JSON file that was read; by default an empty one.
#[derive(Debug, Default)]
pub struct Document {
    /// Of a key that stands twice, the last one counts.
    pub value: Value,
    /// Whether the file starts with a byte order mark.
    pub has_bom: bool,
    /// The pointers of keys that stand twice.
    pub duplicates: Vec<String>,
    /// Whether bytes that are no UTF-8 were replaced.
    pub is_lossy: bool,
    text: String,
    /// How many bytes were read again to tell lines.
    looked_at: Cell<usize>,
}

/// Why a file is no JSON, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub what: String,
    pub line: u32,
    pub column: u32,
}

impl Fault {
    /// Returns the fault as an oddity of `file`.
    pub fn oddity(&self, file: &str) -> Oddity {
        let what = format!(
            "it is not JSON: {} at line {} column {}",
            self.what, self.line, self.column
        );
        Oddity::of_file(Severity::Error, file, what).at(Some(self.line), "")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Fault { what, line, column } = self;
        write!(f, "{what} at line {line} column {column}")
    }
}

impl std::error::Error for Fault {}

/// Reads a file. Nesting is bounded by the library, at 128.
pub fn read(bytes: &[u8]) -> Result<Document, Fault> {
    read_within(bytes, BYTES_MAX)
}

/// Reads a file that may have up to `bytes_max` bytes.
pub fn read_within(bytes: &[u8], bytes_max: usize) -> Result<Document, Fault> {
    if bytes.len() > bytes_max {
        let what = format!("{} bytes, and at most {bytes_max} are read,", bytes.len());
        return Err(Fault {
            what,
            line: 1,
            column: 1,
        });
    }
    let (decoded, is_lossy) = decoded(bytes);
    let has_bom = decoded.starts_with('\u{feff}');
    let text = decoded
        .strip_prefix('\u{feff}')
        .unwrap_or(&decoded)
        .to_string();
    let mut reader = Reader::default();
    let mut deserializer = serde_json::Deserializer::from_str(&text);
    let value = Node(&mut reader)
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value))
        .map_err(|error| fault(&error))?;
    Ok(Document {
        value,
        has_bom,
        duplicates: reader.duplicates,
        is_lossy,
        text,
        looked_at: Cell::default(),
    })
}

/// Returns the text of a file, and whether bytes that are no UTF-8 were replaced.
pub fn decoded(bytes: &[u8]) -> (Cow<'_, str>, bool) {
    // Looking whether anything has to be replaced is slower than looking whether all is well.
    match std::str::from_utf8(bytes) {
        Ok(text) => (Cow::Borrowed(text), false),
        Err(_) => (String::from_utf8_lossy(bytes), true),
    }
}

fn fault(error: &serde_json::Error) -> Fault {
    let number = |of: usize| u32::try_from(of).unwrap_or(u32::MAX);
    let said = error.to_string();
    Fault {
        what: match said.rsplit_once(" at line ") {
            Some((what, _)) => what.to_string(),
            None => said,
        },
        // The library counts the columns of an empty line from 0.
        line: number(error.line()).max(1),
        column: number(error.column()).max(1),
    }
}

impl Document {
    /// Returns the line of the value at a JSON pointer such as `/plugins/3/source`; none once too many were asked for.
    pub fn line(&self, pointer: &str) -> Option<u32> {
        let looked_at = self.looked_at.get() + self.text.len();
        self.looked_at.set(looked_at);
        if looked_at > LOOKED_AT_MAX {
            return None;
        }
        let mut raw: &RawValue = serde_json::from_str(&self.text).ok()?;
        for step in pointer.split('/').skip(1) {
            raw = match children(raw)? {
                Children::Fields(fields) => {
                    let name = step.replace("~1", "/").replace("~0", "~");
                    fields.into_iter().rev().find(|(key, _)| *key == name)?.1
                }
                Children::Items(items) => items.get(step.parse::<usize>().ok()?)?,
            };
        }
        Some(1 + newlines(&self.text[..self.offset(raw)]))
    }

    /// Returns the line of the value at a JSON pointer or, where there is none, of what it would stand in.
    pub fn nearest_line(&self, mut pointer: &str) -> Option<u32> {
        loop {
            let line = self.line(pointer);
            match pointer.rsplit_once('/') {
                Some((above, _)) if line.is_none() => pointer = above,
                _ => return line,
            }
        }
    }

    /// Returns the lines of all items of a list in the root object, in one pass.
    pub fn item_lines(&self, field: &str) -> Vec<u32> {
        let items = serde_json::from_str::<&RawValue>(&self.text)
            .ok()
            .and_then(children)
            .and_then(|root| match root {
                Children::Fields(fields) => fields.into_iter().rev().find(|(key, _)| key == field),
                Children::Items(_) => None,
            })
            .and_then(|(_, list)| children(list));
        let Some(Children::Items(items)) = items else {
            return Vec::new();
        };
        let mut line = 1;
        let mut seen = 0;
        let mut lines = Vec::with_capacity(items.len());
        for item in items {
            let offset = self.offset(item);
            line += newlines(&self.text[seen..offset]);
            seen = offset;
            lines.push(line);
        }
        lines
    }

    /// Returns what is odd about the file and yet survived.
    pub fn oddities(&self, file: &str) -> Vec<Oddity> {
        let mut found = Vec::new();
        if self.is_lossy {
            let what = "bytes that are not UTF-8 were replaced";
            found.push(
                Oddity::of_file(Severity::Warning, file, what).hint("save the file as UTF-8"),
            );
        }
        if self.has_bom {
            found.push(Oddity::of_file(Severity::Note, file, BOM).hint(WITHOUT_BOM));
        }
        for pointer in &self.duplicates {
            let field = shown(pointer);
            let what = format!("the key `{field}` stands here twice; the last one counts");
            found.push(
                Oddity::of_file(Severity::Warning, file, what)
                    .at(self.line(pointer), field)
                    .hint("remove one of the two: some tools refuse the file"),
            );
        }
        found
    }

    /// A borrowed raw value is a slice of the text, so its address says where it stands.
    fn offset(&self, raw: &RawValue) -> usize {
        raw.get().as_ptr() as usize - self.text.as_ptr() as usize
    }
}

/// Returns a JSON pointer as people write it: `/plugins/3/source` is `plugins[3].source`.
pub fn shown(pointer: &str) -> String {
    let mut shown = String::new();
    for step in pointer.split('/').skip(1) {
        if !step.is_empty() && step.bytes().all(|byte| byte.is_ascii_digit()) {
            shown.push_str(&format!("[{step}]"));
        } else {
            if !shown.is_empty() {
                shown.push('.');
            }
            shown.push_str(&step.replace("~1", "/").replace("~0", "~"));
        }
    }
    shown
}

/// Returns a key as a step of a JSON pointer.
pub fn step(key: &str) -> String {
    match key.contains(['~', '/']) {
        true => key.replace('~', "~0").replace('/', "~1"),
        false => key.to_string(),
    }
}

fn newlines(text: &str) -> u32 {
    u32::try_from(text.bytes().filter(|&byte| byte == b'\n').count()).unwrap_or(u32::MAX)
}

enum Children<'a> {
    Fields(Vec<(String, &'a RawValue)>),
    Items(Vec<&'a RawValue>),
}

fn children(raw: &RawValue) -> Option<Children<'_>> {
    let mut deserializer = serde_json::Deserializer::from_str(raw.get());
    deserializer.deserialize_any(Parts).ok()
}

struct Parts;

impl<'de> Visitor<'de> for Parts {
    type Value = Children<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Children<'de>, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = map.next_entry::<String, &'de RawValue>()? {
            fields.push(field);
        }
        Ok(Children::Fields(fields))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Children<'de>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element::<&'de RawValue>()? {
            items.push(item);
        }
        Ok(Children::Items(items))
    }
}

/// Where the reader is, and which keys it met twice.
#[derive(Default)]
struct Reader {
    path: Vec<String>,
    duplicates: Vec<String>,
}

/// A value to be read, as `serde_json` reads one, with an eye on repeated keys.
struct Node<'a>(&'a mut Reader);

impl<'de> DeserializeSeed<'de> for Node<'_> {
    type Value = Value;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        loop {
            self.0.path.push(items.len().to_string());
            let item = list.next_element_seed(Node(self.0))?;
            self.0.path.pop();
            match item {
                Some(item) => items.push(item),
                None => return Ok(items.into()),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut fields = Map::new();
        while let Some(key) = map.next_key::<String>()? {
            self.0.path.push(step(&key));
            if fields.contains_key(&key) && self.0.duplicates.len() < DUPLICATES_MAX {
                self.0
                    .duplicates
                    .push(format!("/{}", self.0.path.join("/")));
            }
            let value = map.next_value_seed(Node(self.0))?;
            self.0.path.pop();
            fields.insert(key, value);
        }
        Ok(fields.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_pointer_leads_to_its_line() {
        let text =
            "{\n \"plugins\": [\n  {\"name\": \"a\"},\n\n  {\"x/y\": 1,\n   \"source\": 2}\n ]}";
        let document = read(text.as_bytes()).unwrap();
        assert_eq!(document.line("/plugins/1/source"), Some(6));
        assert_eq!(document.line("/plugins/1/x~1y"), Some(5));
        assert_eq!(document.line("/plugins/2"), None);
        assert_eq!(document.nearest_line("/plugins/1/author/name"), Some(5));
        assert_eq!(document.line(""), Some(1));
        assert_eq!(document.item_lines("plugins"), [3, 5]);
        assert_eq!(shown("/plugins/1/x~1y"), "plugins[1].x/y");
    }

    #[test]
    fn the_last_of_two_keys_counts_and_is_named() {
        let document = read(b"{\"a\": {\"v\": 1,\n \"v\": 2}}").unwrap();
        assert_eq!(document.value["a"]["v"], 2);
        let oddities = document.oddities("f.json");
        assert_eq!((oddities[0].line, &*oddities[0].field), (Some(2), "a.v"));
    }

    #[test]
    fn a_mark_at_the_start_is_told_and_comments_are_refused() {
        assert!(read("\u{feff}{}".as_bytes()).unwrap().has_bom);
        for bad in ["", "{} x", "{\n // no\n}", "[1,]", "{'a': 1}", "\u{feff}"] {
            assert!(read(bad.as_bytes()).is_err(), "{bad}");
        }
        let fault = read(b"{\n\"a\": x}").unwrap_err();
        assert_eq!((fault.line, &*fault.what), (2, "expected value"));
    }

    #[test]
    fn lines_are_told_as_long_as_it_is_cheap() {
        let text = format!("{{\"a\": \"{}\",\n\"b\": 1}}", "x".repeat(1024 * 1024));
        let document = read(text.as_bytes()).unwrap();
        let told = (0..1_000).filter(|_| document.nearest_line("/b/c") == Some(2));
        assert!((20..70).contains(&told.count()));
    }

    #[test]
    fn deep_nesting_is_an_error() {
        assert!(read("[".repeat(200_000).as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(text in "[\\[\\]{}\",:0-9a-f\\\\ \n\u{feff}]{0,80}") {
            let lines = text.bytes().filter(|&byte| byte == b'\n').count() as u32 + 1;
            match read(text.as_bytes()) {
                Ok(document) => prop_assert!(document.line("").unwrap() <= lines),
                Err(fault) => prop_assert!(fault.line >= 1 && fault.line <= lines),
            }
        }

        #[test]
        fn what_is_read_is_what_the_library_reads(value in "[a-z]{0,4}", number in any::<i32>()) {
            let text = serde_json::json!({"k": [value, number, null, {"n": {}}]}).to_string();
            prop_assert_eq!(read(text.as_bytes()).unwrap().value.to_string(), text);
        }
    }
}
