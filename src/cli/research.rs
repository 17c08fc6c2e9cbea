//! `orchestrate research "question"`: what the three analysts find, without a plan.

use super::arguments::{Arguments, Research};
use super::output::Output;
use super::terminal::Terminal;
use super::{Done, open};
use crate::model::{By, Hint, Task, Trouble};
use crate::ops::{self, Stop};

/// Returns who would do it: the plugin itself, or an agent with a component of it.
fn by(by: &By) -> serde_json::Value {
    match by {
        By::Itself => "itself".into(),
        By::Agent {
            uses,
            context_tokens,
        } => serde_json::json!({"agent": uses, "context_tokens": context_tokens}),
    }
}

/// Prints what was found.
pub fn run(arguments: &Arguments, research: &Research, output: &Output, stop: &Stop) -> Done {
    let task = Task::parse(&research.question).kind(Trouble::Request)?;
    let project = open(arguments)?;
    let found = ops::research(&project, &task, &mut Terminal::new(output, &stop.cancel))?;
    output.document(&serde_json::json!({
        "needs": found.needs.iter().map(|need| serde_json::json!({"capability": need.capability.as_str(), "because": need.because})).collect::<Vec<_>>(),
        "plugins": found.plugins.iter().map(|candidate| serde_json::json!({
            "need": candidate.need.as_str(), "id": candidate.plugin.id.to_string(), "by": by(&candidate.by),
            "why": candidate.why, "why_not": candidate.why_not(),
        })).collect::<Vec<_>>(),
        "not_understood": found.unknown_words,
        "findings": found.analyses.iter().map(|analysis| serde_json::json!({
            "analyst": analysis.analyst, "summary": analysis.summary, "lines": analysis.lines,
        })).collect::<Vec<_>>(),
    }))?;
    if !output.json {
        output.text(&crate::report::research_page(&task.text, &found));
    }
    Ok(0)
}
