//! Ranks the documents of any set for its queries: `cargo run --release --example rank -- CORPUS.jsonl QUERIES.jsonl [--past FILE] > RUN`.
//!
//! A line of the run is `query document rank score`, with tabs between, 20 for each query. A line of FILE has the `text` of a past request
//! and the ids of what was `chosen` for it. The code is that which ranks plugins.

#[path = "sets/ranking.rs"]
mod ranking;
mod sets;

use std::io::{BufWriter, Write};
use std::path::Path;

use anyhow::{Result, bail};
use orchestrate::rank::Past;
use sets::{Corpus, lines, text};

/// How many documents are named for a query.
const LIMIT: usize = 20;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let (corpus, queries, past) = match arguments[..] {
        [corpus, queries] => (corpus, queries, None),
        [corpus, queries, "--past", past] => (corpus, queries, Some(past)),
        _ => bail!("usage: rank CORPUS.jsonl QUERIES.jsonl [--past FILE] > RUN"),
    };
    let queries = lines(Path::new(queries))?;
    let past = past.map(|past| lines(Path::new(past))).transpose()?;
    let past = past.map(|past| Past::learn(&ranking::past_requests(&past)));
    let corpus = Corpus::of(lines(Path::new(corpus))?)?;
    let mut out = BufWriter::new(std::io::stdout());
    for query in &queries {
        let best = ranking::best(&corpus, query, past.as_ref(), LIMIT)?;
        for (rank, (number, score)) in best.into_iter().enumerate() {
            let (query, id) = (text(query, "id"), corpus.id(number));
            writeln!(out, "{query}\t{id}\t{}\t{score:.6}", rank + 1)?;
        }
    }
    Ok(out.flush()?)
}
