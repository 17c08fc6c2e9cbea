//! Predicts the plan for each of some tasks: `cargo run --release --example compose -- TASKS.jsonl CORPUS.jsonl [--past FILE] > PRED.jsonl`.
//!
//! A line of the tasks has `id` and `text`, a line of FILE those with the `nodes` and `edges` of the plan that was carried out, and a line of
//! what is predicted `id`, `nodes` and `edges`. Where past plans are known, they vote; else what tools take and give makes the plan.

#[path = "sets/planner.rs"]
mod planner;
mod sets;

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Result, bail};
use orchestrate::chain::Plans;
use planner::{Planner, past_plans};
use serde_json::json;
use sets::{Corpus, lines, text};

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (tasks, corpus, past) = match arguments[..] {
        [tasks, corpus] => (tasks, corpus, None),
        [tasks, corpus, "--past", past] => (tasks, corpus, Some(past)),
        _ => bail!("usage: compose TASKS.jsonl CORPUS.jsonl [--past FILE] > PRED.jsonl"),
    };
    let corpus = Corpus::of(lines(Path::new(corpus))?)?;
    let past = past.map(|past| lines(Path::new(past))).transpose()?;
    let past = past.map(|past| Plans::of(past_plans(&past)));
    let planner = Planner::of(&corpus, past);
    let mut out = BufWriter::new(std::io::stdout());
    for task in lines(Path::new(tasks))? {
        let chain = planner.plan(text(&task, "text"))?;
        let line = json!({"id": task["id"], "nodes": chain.nodes, "edges": chain.edges});
        writeln!(out, "{line}")?;
    }
    Ok(out.flush()?)
}
