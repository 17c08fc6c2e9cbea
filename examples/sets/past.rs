//! Requests whose answers are known.

use orchestrate::encoder::Encoder;
use orchestrate::rank::PastRequest;
use serde_json::Value;

use super::text;

/// Returns past requests: a line has the `text` of one, and what was `chosen` for it, or the `nodes` of the plan that was made.
pub fn past(lines: &[Value]) -> Vec<PastRequest> {
    let texts: Vec<&str> = lines.iter().map(|line| text(line, "text")).collect();
    let meanings = Encoder::embedded().encode_many(&texts);
    let requests = lines.iter().zip(meanings);
    requests
        .map(|(line, meaning)| PastRequest {
            text: text(line, "text").to_string(),
            meaning,
            chosen: ["chosen", "nodes"]
                .iter()
                .flat_map(|field| line[*field].as_array().into_iter().flatten())
                .filter_map(|id| Some(id.as_str()?.to_string()))
                .collect(),
        })
        .collect()
}
