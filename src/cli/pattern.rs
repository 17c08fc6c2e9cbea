//! `orchestrate pattern list|show`: patterns and the evidence for them.

use anyhow::anyhow;

use super::arguments::{Arguments, PatternCommand};
use super::output::Output;
use super::{Done, open};
use crate::model::{Hint, Odds, Pattern, Trouble};
use crate::ops::Project;

/// Prints patterns.
pub fn run(arguments: &Arguments, command: &PatternCommand, output: &Output) -> Done {
    let project = open(arguments)?;
    match command {
        PatternCommand::List => print(output, &listed(&project).collect::<Vec<_>>()),
        PatternCommand::Show { pattern } => {
            let Some((found, odds)) =
                listed(&project).find(|(known, _)| known.id.as_str() == pattern)
            else {
                return Err(anyhow!("there is no pattern `{pattern}`"))
                    .kind(Trouble::Request)
                    .hint("orchestrate pattern list");
            };
            output.document(&document(found, &odds))?;
            if !output.json {
                output.text(&crate::yaml::print(found)?);
                output.line(&format!("# {}, {}", odds.standing.word(), odds.words()));
            }
            Ok(0)
        }
    }
}

/// Returns every pattern with its odds.
pub fn listed(project: &Project) -> impl Iterator<Item = (&Pattern, Odds)> {
    project
        .patterns
        .iter()
        .map(|proven| (&proven.pattern, Odds::of(&proven.evidence)))
}

/// Prints a list of patterns.
pub fn print(output: &Output, patterns: &[(&Pattern, Odds)]) -> Done {
    let documents: Vec<_> = patterns
        .iter()
        .map(|(pattern, odds)| document(pattern, odds))
        .collect();
    output.document(&serde_json::json!({ "patterns": documents }))?;
    for (pattern, odds) in patterns {
        output.line(&format!(
            "{}: {} ({}, {})",
            pattern.id,
            pattern.title,
            odds.standing.word(),
            odds.words()
        ));
    }
    if patterns.is_empty() {
        output.line("no pattern matches; all of them: orchestrate pattern list");
    }
    Ok(0)
}

fn document(pattern: &Pattern, odds: &Odds) -> serde_json::Value {
    serde_json::json!({
        "id": pattern.id.as_str(),
        "title": pattern.title,
        "domain": pattern.domain,
        "steps": pattern.steps,
        "known_issues": pattern.known_issues,
        "standing": odds.standing.word(),
        "odds": odds_document(odds),
    })
}

/// Returns odds for scripts; with no runs there is no rate to tell.
pub fn odds_document(odds: &Odds) -> serde_json::Value {
    let told = |value: f64| (odds.runs > 0).then_some(value);
    serde_json::json!({
        "runs": odds.runs,
        "successes": odds.successes,
        "rate": told(odds.rate),
        "low": told(odds.low),
        "high": told(odds.high),
    })
}
