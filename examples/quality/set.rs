//! One set: its requests, what is right for them, and a sample of both that stays the same.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::{Context, Result};
use orchestrate::model::fingerprint;
use serde_json::{Value, json};

use crate::measures::Answers;
use crate::sets::{lines, text};

/// How much of the sets is looked at.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub queries: usize,
    pub documents: usize,
    pub past: usize,
}

/// A set.
pub struct Set {
    pub corpus: Vec<Value>,
    pub queries: Vec<Value>,
    pub answers: BTreeMap<String, Answers>,
    /// Past requests with what was `chosen` for them, where the set has a part to learn from.
    pub past: Vec<Value>,
    /// Requests with the `nodes` and `edges` of the plan that is right, and others to learn from.
    pub tasks: Vec<Value>,
    pub past_tasks: Vec<Value>,
    /// What needs what, where the set says why: the one that is needed first.
    pub needs: Vec<(String, String)>,
}

impl Set {
    /// Reads a folder.
    pub fn read(folder: &Path, sample: Sample) -> Result<Set> {
        let answers = answers(&folder.join("qrels.tsv"))?;
        let mut queries = lines(&folder.join("queries.jsonl"))?;
        queries.retain(|query| answers.contains_key(text(query, "id")));
        let queries = some(queries, sample.queries);
        let wanted: BTreeSet<&str> = queries
            .iter()
            .filter_map(|query| answers.get(text(query, "id")))
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
            .collect();
        let (mut corpus, others): (Vec<Value>, Vec<Value>) = lines(&folder.join("corpus.jsonl"))?
            .into_iter()
            .partition(|line| wanted.contains(text(line, "id")));
        let needs = needs(folder)?;
        let (tasks, past_tasks) = match needs.is_empty() {
            true => where_there(folder, "tasks.jsonl")?,
            false => Vec::new(),
        }
        .into_iter()
        .partition(|task: &Value| task["official_test"] == true);
        corpus.extend(some(others, sample.documents.saturating_sub(corpus.len())));
        Ok(Set {
            past: some(past(folder)?, sample.past),
            tasks: some(tasks, sample.queries),
            past_tasks: some(past_tasks, sample.past),
            needs,
            corpus,
            queries,
            answers,
        })
    }
}

fn where_there(folder: &Path, name: &str) -> Result<Vec<Value>> {
    let path = folder.join(name);
    match path.is_file() {
        true => lines(&path),
        false => Ok(Vec::new()),
    }
}

/// Returns so many lines, the same each time, in the order in which they stand.
pub fn some(lines: Vec<Value>, count: usize) -> Vec<Value> {
    let hash = |line: &Value| fingerprint(text(line, "id").as_bytes());
    let mut hashes: Vec<u64> = lines.iter().map(hash).collect();
    hashes.sort_unstable();
    match hashes.get(count) {
        Some(end) => lines.into_iter().filter(|line| hash(line) < *end).collect(),
        None => lines,
    }
}

fn answers(path: &Path) -> Result<BTreeMap<String, Answers>> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read `{}`", path.display()))?;
    let mut answers: BTreeMap<String, Answers> = BTreeMap::new();
    for line in text.lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [query, document, .., gain] = fields[..] else {
            continue;
        };
        // The first line may be a heading.
        if let Ok(gain) = gain.parse::<f64>()
            && gain > 0.0
        {
            let own = answers.entry(query.to_string()).or_default();
            own.insert(document.to_string(), gain);
        }
    }
    Ok(answers)
}

fn past(folder: &Path) -> Result<Vec<Value>> {
    let queries = where_there(folder, "train_queries.jsonl")?;
    if queries.is_empty() {
        return Ok(queries);
    }
    let answers = answers(&folder.join("train_qrels.tsv"))?;
    let past = queries.iter().filter_map(|query| {
        let chosen: Vec<&String> = answers.get(text(query, "id"))?.keys().collect();
        Some(json!({"id": query["id"], "text": query["text"], "chosen": chosen}))
    });
    Ok(past.collect())
}

fn needs(folder: &Path) -> Result<Vec<(String, String)>> {
    let graphs = where_there(folder, "graph.json")?;
    let edges = graphs.iter().flat_map(|graph| graph["edges"].as_array());
    let named = edges.flatten().filter_map(|edge| {
        let reason = edge[2].as_str().filter(|reason| !reason.is_empty());
        reason?;
        Some((edge[0].as_str()?.to_string(), edge[1].as_str()?.to_string()))
    });
    Ok(named.collect())
}
