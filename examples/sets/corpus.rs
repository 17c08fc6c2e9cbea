//! What can be found.

use anyhow::Result;
use orchestrate::index::{self, Document, Index, Texts};
use orchestrate::model::Taxonomy;
use orchestrate::ops;
use orchestrate::rank::{self, Capabilities, Passage};
use serde_json::Value;
use tempfile::TempDir;

use super::text;

/// How much of a long text is read, in characters.
const BODY_MAX: usize = 6_000;

/// What can be found, with its index.
///
/// A line has `id`, `name`, `description` and, where there is more, `full_description`, `category`, `tags`, `params`, `components`, `body` and
/// `extra`.
pub struct Corpus {
    pub lines: Vec<Value>,
    pub index: Index,
    pub taxonomy: Taxonomy,
    pub capabilities: Capabilities,
    _folder: TempDir,
}

impl Corpus {
    /// Reads the lines, on all cores.
    pub fn of(lines: Vec<Value>) -> Result<Corpus> {
        let folder = tempfile::tempdir()?;
        let index = index::write(
            &folder.path().join("index"),
            "corpus",
            lines.len(),
            |number| Some(document(&lines[number])),
            Vec::new,
        )?;
        let taxonomy = ops::embedded_taxonomy()?;
        Ok(Corpus {
            capabilities: Capabilities::of(&taxonomy),
            taxonomy,
            index,
            lines,
            _folder: folder,
        })
    }

    /// Returns the id of a line.
    pub fn id(&self, number: usize) -> &str {
        text(&self.lines[number], "id")
    }
}

fn document(of: &Value) -> Document {
    let name = text(of, "name");
    let parts: Vec<&Value> = of["components"].as_array().into_iter().flatten().collect();
    let names: Vec<String> = parts
        .iter()
        .map(|part| text(part, "name").replace(['-', '_'], " "))
        .collect();
    let described: Vec<String> = parts
        .iter()
        .map(|part| format!("{} {}", text(part, "name"), text(part, "description")))
        .collect();
    let tags = joined(of, &["category", "tags"]);
    let params = joined(of, &["params"]);
    let body: String = joined(of, &["body", "extra"])
        .chars()
        .take(BODY_MAX)
        .collect();
    let vector = rank::vector(&Passage {
        name,
        description: description(of),
        tags: &tags,
        parts: format!("{params} {}", names.join(" ")).trim(),
    });
    Document {
        name: name.to_string(),
        record: Vec::new(),
        texts: Texts {
            name: rank::spelled(name).into_owned(),
            summary: rank::spelled(&format!("{} {tags}", description(of))).into_owned(),
            components: rank::spelled(&format!("{} {params}", described.join(" "))).into_owned(),
            body,
        },
        vector: Some(vector.to_bytes()),
    }
}

/// Returns the longest description that a line has.
pub fn description(of: &Value) -> &str {
    match text(of, "full_description") {
        "" => text(of, "description"),
        full => full,
    }
}

/// Returns what stands in the fields, one after the other.
pub fn joined(of: &Value, fields: &[&str]) -> String {
    let texts: Vec<String> = fields
        .iter()
        .map(|field| words(&of[*field]))
        .filter(|text| !text.is_empty())
        .collect();
    texts.join(" ")
}

fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(words).collect::<Vec<_>>().join(" "),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}
