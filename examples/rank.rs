//! Ranks the documents of any set for its queries: `cargo run --release --example rank -- CORPUS.jsonl QUERIES.jsonl > RUN`.
//!
//! A line of the corpus has `id`, `name`, `description` and, where there is more, `full_description`, `category`, `tags`, `params`, `components`,
//! `body` and `extra`; a query has `id`, `text` and maybe an `instruction`. A line of the run is `query document rank score`, with tabs
//! between, 20 for each query. The code is that which ranks plugins.

use std::fs;
use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result, ensure};
use orchestrate::index::{self, Document, Source, Texts};
use orchestrate::rank::{self, Capabilities, Passage, Request};
use orchestrate::{encoder::Vector, ops};
use serde_json::Value;

/// How many documents are named for a query.
const LIMIT: usize = 20;
/// How much of a long text is read, in characters.
const BODY_MAX: usize = 6_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    ensure!(
        arguments.len() == 2,
        "usage: rank CORPUS.jsonl QUERIES.jsonl > RUN"
    );
    let corpus: Vec<Value> = lines(Path::new(&arguments[0]))?;
    let queries: Vec<Value> = lines(Path::new(&arguments[1]))?;
    let folder = tempfile::tempdir()?;
    let index = index::write(
        &folder.path().join("index"),
        "corpus",
        corpus.len(),
        |number| Some(document(&corpus[number])),
        Vec::new,
    )?;
    let taxonomy = ops::embedded_taxonomy()?;
    let capabilities = Capabilities::of(&taxonomy);
    let mut out = BufWriter::new(std::io::stdout());
    for query in &queries {
        let request = Request::read(
            text(query, "text"),
            query["instruction"].as_str(),
            &taxonomy,
        );
        let ranked = rank::rank(&request, &capabilities, &[Source::Index(&index)])?;
        let mut order: Vec<usize> = (0..ranked.scores.len()).collect();
        let id = |number: usize| text(&corpus[number], "id");
        order.sort_by(|a, b| {
            ranked.scores[*b]
                .total_cmp(&ranked.scores[*a])
                .then_with(|| id(*a).cmp(id(*b)))
        });
        let wanted = |number: &usize| {
            request
                .ruled_out
                .reason(text(&corpus[*number], "name"), &about(&corpus[*number]))
                .is_none()
        };
        for (rank, number) in order.into_iter().filter(wanted).take(LIMIT).enumerate() {
            writeln!(
                out,
                "{}\t{}\t{}\t{:.6}",
                text(query, "id"),
                id(number),
                rank + 1,
                ranked.scores[number]
            )?;
        }
    }
    Ok(out.flush()?)
}

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let lines = text
        .lines()
        .filter(|line| !line.trim().is_empty())
        .enumerate();
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("`{}`:{} is no JSON", path.display(), number + 1))
        })
        .collect()
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
    let vector: Vector = rank::vector(&Passage {
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

fn about(of: &Value) -> String {
    format!("{} {}", description(of), joined(of, &["category", "tags"]))
}

fn description(of: &Value) -> &str {
    match text(of, "full_description") {
        "" => text(of, "description"),
        full => full,
    }
}

fn joined(of: &Value, fields: &[&str]) -> String {
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

fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_default()
}
