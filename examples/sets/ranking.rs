//! Rankings of a corpus, and past requests to learn from.

use anyhow::Result;
use orchestrate::encoder::{self, Encoder};
use orchestrate::index::Source;
use orchestrate::rank::{self, Past, PastRequest, Request};
use serde_json::Value;

use crate::sets::corpus::{Corpus, description, joined};
use crate::sets::text;

/// Returns the best lines for a query with their scores, at most so many, without what it rules out. A query has a `text` and maybe an
/// `instruction`.
pub fn best(
    corpus: &Corpus,
    query: &Value,
    past: Option<&Past>,
    limit: usize,
) -> Result<Vec<(usize, f32)>> {
    let asked = text(query, "text");
    let request = Request::read(asked, query["instruction"].as_str(), &corpus.taxonomy);
    let sources = [Source::Index(&corpus.index)];
    let mut ranked = rank::rank(&request, &corpus.capabilities, &sources)?;
    if let Some(past) = past {
        let chances = past.chances(asked, &encoder::vector(asked));
        let numbers = 0..corpus.lines.len();
        let known = numbers.filter_map(|number| Some((number, *chances.get(corpus.id(number))?)));
        ranked.recall(known);
    }
    let mut order: Vec<usize> = (0..ranked.scores.len()).collect();
    order.sort_by(|a, b| {
        ranked.scores[*b]
            .total_cmp(&ranked.scores[*a])
            .then_with(|| corpus.id(*a).cmp(corpus.id(*b)))
    });
    let wanted = |number: &usize| {
        let line = &corpus.lines[*number];
        let reason = request.ruled_out.reason(text(line, "name"), &about(line));
        reason.is_none()
    };
    let best = order.into_iter().filter(wanted).take(limit);
    Ok(best.map(|number| (number, ranked.scores[number])).collect())
}

/// Returns past requests: a line has the `text` of one, and what was `chosen` for it.
pub fn past_requests(lines: &[Value]) -> Vec<PastRequest> {
    let texts: Vec<&str> = lines.iter().map(|line| text(line, "text")).collect();
    let meanings = Encoder::embedded().encode_many(&texts);
    let requests = lines.iter().zip(meanings);
    requests
        .map(|(line, meaning)| {
            let chosen = line["chosen"].as_array().into_iter().flatten();
            let chosen = chosen.filter_map(|id| Some(id.as_str()?.to_string()));
            PastRequest {
                text: text(line, "text").to_string(),
                meaning,
                chosen: chosen.collect(),
            }
        })
        .collect()
}

fn about(of: &Value) -> String {
    format!("{} {}", description(of), joined(of, &["category", "tags"]))
}
