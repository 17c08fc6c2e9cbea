//! YAML text in, values out, and back: with the file, the field, the line and the column in every complaint.
//!
//! Of our files only a strict subset is read: what a reviewer sees is what we understand. Other people's files have an entry of
//! their own, `parse_lenient`. Nothing here knows what a file means.
//!
//! To refuse one more construct, add a case to `strict::scan` and a line to its tests.

mod lenient;
mod place;
mod strict;

use anyhow::{Result, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use lenient::{Fault, parse_lenient};
pub use place::{place_in, place_of};

/// The most bytes a file of ours may have; looked at before anything is parsed.
pub const BYTES_MAX: usize = 1024 * 1024;

/// Returns the one document in `text`; `file` names it in messages.
pub fn parse<T: DeserializeOwned>(file: &str, text: &[u8]) -> Result<T> {
    parse_within(file, text, BYTES_MAX)
}

/// Returns the one document in `text`, which may have up to `bytes_max` bytes.
pub fn parse_within<T: DeserializeOwned>(file: &str, text: &[u8], bytes_max: usize) -> Result<T> {
    read(text, bytes_max).map_err(|fault| fault.context(format!("cannot read `{file}`")))
}

/// Returns the documents of a log, each closed by a `...` line; what follows the last such line was cut off and is dropped.
/// `lines_before` is how many lines of the file stand before `text`; places in messages are those in the file.
pub fn parse_log<T: DeserializeOwned>(
    file: &str,
    text: &[u8],
    mut lines_before: usize,
) -> Result<Vec<T>> {
    let mut values = Vec::new();
    for document in documents(text) {
        // Empty lines in place of what was read make the library count as a person does.
        let mut padded = vec![b'\n'; lines_before];
        padded.extend_from_slice(document);
        let value = read(&padded, BYTES_MAX + lines_before).map_err(|fault| {
            fault.context(format!(
                "cannot read `{file}`, the entry that starts at line {}",
                lines_before + 1
            ))
        })?;
        values.push(value);
        lines_before += document.iter().filter(|&&byte| byte == b'\n').count() + 1;
    }
    Ok(values)
}

/// Returns the part of a log that is whole: up to and including its last `...` line.
pub fn whole_part(text: &[u8]) -> &[u8] {
    let mut end = 0;
    let mut start = 0;
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        start += line.len();
        if line == b"...\n" {
            end = start;
        }
    }
    &text[..end]
}

/// Returns `value` as YAML text that `parse` reads back, with keys in the order of its type.
pub fn print<T: Serialize>(value: &T) -> Result<String> {
    // No folding: a folded line hides where a word of the value ends.
    let options = serde_yaml::ser_options! { folded_wrap_chars: usize::MAX };
    serde_yaml::to_string_with_options(value, options).map_err(|error| anyhow!("{error}"))
}

/// Returns `value` as one entry of a log, closed by a `...` line.
pub fn print_entry<T: Serialize>(value: &T) -> Result<String> {
    let mut text = print(value)?;
    if !text.ends_with('\n') {
        text.push('\n');
    }
    text.push_str("...\n");
    Ok(text)
}

fn documents(text: &[u8]) -> Vec<&[u8]> {
    let whole = whole_part(text);
    let mut found = Vec::new();
    let mut start = 0;
    let mut position = 0;
    for line in whole.split_inclusive(|&byte| byte == b'\n') {
        if line == b"...\n" {
            found.push(&whole[start..position]);
            start = position + line.len();
        }
        position += line.len();
    }
    found
}

fn read<T: DeserializeOwned>(text: &[u8], bytes_max: usize) -> Result<T> {
    anyhow::ensure!(
        text.len() <= bytes_max,
        "it has {} bytes, and at most {bytes_max} are read",
        text.len()
    );
    let text = std::str::from_utf8(text).map_err(|error| {
        let line = 1 + text[..error.valid_up_to()]
            .iter()
            .filter(|&&b| b == b'\n')
            .count();
        anyhow!("it is not UTF-8, at line {line}")
    })?;
    strict::scan(text)?;
    let options = serde_yaml::options! { strict_booleans: true, with_snippet: false };
    serde_yaml::with_deserializer_from_str_with_options(text, options, |deserializer| {
        // The path travels inside the error's text: the closure's error type is the library's.
        serde_path_to_error::deserialize(deserializer).map_err(|error| {
            let path = error.path().to_string();
            PATH.with_borrow_mut(|slot| *slot = path);
            error.into_inner()
        })
    })
    .map_err(describe)
}

thread_local! {
    static PATH: std::cell::RefCell<String> = const { std::cell::RefCell::new(String::new()) };
}

fn describe(error: serde_yaml::Error) -> anyhow::Error {
    let path = PATH.take();
    let place = match error.location() {
        Some(place) if place.line() > 0 => {
            format!(", at line {} column {}", place.line(), place.column())
        }
        _ => String::new(),
    };
    let message = error.without_snippet().to_string();
    // Advice to programmers, and a field whose name is not known yet, help nobody here.
    let message = message.replace(", set DuplicateKeyPolicy in Options if acceptable", "");
    let path = path.strip_suffix(".?").unwrap_or(&path).to_string();
    // The library ends its own text with the place; ours stands at the end of the line.
    let message = message
        .split(" at line ")
        .next()
        .unwrap_or(&message)
        .trim_end_matches([',', ':', ' '])
        .to_string();
    match path.as_str() {
        "" | "." => anyhow!("{message}{place}"),
        path => anyhow!("{path}: {message}{place}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, PartialEq, Serialize, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Sample {
        name: String,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        needs: Vec<String>,
        #[serde(default)]
        on: BTreeMap<String, bool>,
    }

    fn complaint(text: &str) -> String {
        let error = parse::<Sample>("f.yaml", text.as_bytes()).expect_err(text);
        format!("{error:#}")
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let sample = Sample {
            name: "two\nlines: \"and\" # a hash ".repeat(9),
            needs: vec!["no".into(), "1".into(), "".into(), "- x".into()],
            on: BTreeMap::from([("yes".into(), true)]),
        };
        let text = print(&sample).unwrap();
        assert_eq!(
            parse::<Sample>("f.yaml", text.as_bytes()).unwrap(),
            sample,
            "{text}"
        );
    }

    #[test]
    fn a_complaint_names_file_field_and_place() {
        let said = complaint("name: a\nneeds: scaffold\n");
        assert!(
            said.contains("f.yaml") && said.contains("needs") && said.contains("line 2 column 8"),
            "{said}"
        );
        let said = complaint("name: a\nwants: [b]\n");
        assert!(said.contains("wants") && said.contains("line 2"), "{said}");
    }

    #[test]
    fn torn_log_entries_are_dropped() {
        let text = b"name: a\n...\nname: b\n...\nname: cc";
        let names: Vec<Sample> = parse_log("log", text, 0).unwrap();
        assert_eq!(
            names.iter().map(|s| s.name.as_str()).collect::<Vec<_>>(),
            ["a", "b"]
        );
        assert_eq!(whole_part(b"name: a\n.."), b"");
    }

    #[test]
    fn deep_nesting_is_refused_at_once() {
        complaint(&"[".repeat(200_000));
        complaint(&format!("name: {}", "x".repeat(BYTES_MAX)));
    }
}
