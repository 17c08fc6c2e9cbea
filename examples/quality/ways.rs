//! The usual ways to rank, to compare with: by words, by meaning, and both rankings together.

use std::collections::HashMap;

use anyhow::Result;
use orchestrate::encoder;
use orchestrate::index::{self, Collection, Document, Index, Source, Texts};
use serde_json::Value;
use tempfile::TempDir;

use crate::sets::corpus::{description, joined};
use crate::sets::{Corpus, text};

/// What keeps the first places from deciding alone, in the fusion of two rankings: the usual constant.
const FUSION: f64 = 60.0;

/// A corpus as BM25 sees it: all text of a line in one field.
pub struct Plain {
    index: Index,
    _folder: TempDir,
}

impl Plain {
    /// Reads the lines.
    pub fn of(lines: &[Value]) -> Result<Plain> {
        let folder = tempfile::tempdir()?;
        let document = |line: &Value| Document {
            name: text(line, "id").to_string(),
            texts: Texts {
                summary: all_text(line),
                ..Texts::default()
            },
            ..Document::default()
        };
        let index = index::write(
            &folder.path().join("plain"),
            "plain",
            lines.len(),
            |number| Some(document(&lines[number])),
            Vec::new,
        )?;
        Ok(Plain {
            index,
            _folder: folder,
        })
    }

    /// Returns the lines that share a word with the text, the best first.
    pub fn by_words(&self, asked: &str) -> Result<Vec<usize>> {
        let terms = index::stems(asked);
        let all: Vec<usize> = (0..terms.len()).collect();
        let collection = Collection::open(&[Source::Index(&self.index)], terms)?;
        let scores = collection.scores(&all)?;
        let mut order = in_order(&scores);
        order.retain(|number| scores[*number] > 0.0);
        Ok(order)
    }
}

/// Returns all lines, the nearest in meaning first.
pub fn by_meaning(corpus: &Corpus, asked: &str) -> Result<Vec<usize>> {
    let collection = Collection::open(&[Source::Index(&corpus.index)], Vec::new())?;
    let meaning = encoder::vector(asked);
    let cosines: Vec<f32> = collection
        .vectors()?
        .into_iter()
        .flat_map(|(_, stored)| meaning.cosines(stored))
        .collect();
    Ok(in_order(&cosines))
}

/// Returns what is in either ranking, by reciprocal rank fusion.
pub fn fusion(rankings: [&[usize]; 2]) -> Vec<usize> {
    let mut scores: HashMap<usize, f64> = HashMap::new();
    for ranking in rankings {
        for (place, number) in ranking.iter().enumerate() {
            *scores.entry(*number).or_default() += 1.0 / (FUSION + place as f64 + 1.0);
        }
    }
    let mut order: Vec<(usize, f64)> = scores.into_iter().collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    order.into_iter().map(|(number, _)| number).collect()
}

fn in_order(scores: &[f32]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]).then(a.cmp(b)));
    order
}

/// Returns all that a line says, for words to be looked up in.
fn all_text(of: &Value) -> String {
    let components = of["components"].as_array().into_iter().flatten();
    let components = components.map(|part| joined(part, &["name", "description"]));
    let mut texts = vec![text(of, "name").to_string(), description(of).to_string()];
    texts.push(joined(of, &["category", "tags", "params", "body", "extra"]));
    texts.extend(components);
    texts.join(" ")
}
