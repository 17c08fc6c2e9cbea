//! Looking at plugins: finding them by words or by name, and judging a folder of one.

use std::path::Path;

use anyhow::{Result, anyhow};

use super::Catalog;
use super::names::Named;
use crate::catalog;
use crate::model::{Hint, Oddity, Plugin, Severity, Trouble, visible};
use crate::tree::Tree;

/// A plugin that fits some words.
pub struct Found {
    pub plugin: Plugin,
    /// Higher is better; only good for comparing hits of one search.
    pub score: f32,
    /// The words that were found, each with where.
    pub matched: Vec<String>,
    /// Plugins elsewhere that are the same, so that choosing one is choosing all.
    pub twins: Vec<String>,
}

/// Returns the plugins that fit the words best, best first.
pub fn search(catalog: &Catalog, words: &str, limit: usize) -> Result<Vec<Found>> {
    let mut found = Vec::new();
    for hit in catalog.search(words, limit)? {
        let plugin = |index: usize, number: usize| catalog.marketplaces[index].record(number);
        let mut twins = Vec::new();
        for (index, number) in hit.twins {
            twins.push(plugin(index, number)?.id.to_string());
        }
        found.push(Found {
            plugin: plugin(hit.index, hit.plugin)?,
            score: hit.score,
            matched: hit.matched.into_iter().map(|(word, _)| word).collect(),
            twins,
        });
    }
    Ok(found)
}

/// Returns the one plugin called `name` or `name@marketplace`.
pub fn one_plugin(catalog: &Catalog, name: &str) -> Result<Plugin> {
    let mut called = catalog.called(name)?;
    match called.len() {
        1 => Ok(called.remove(0)),
        0 => {
            let near = catalog.search(name, 1)?;
            let near = near
                .first()
                .and_then(|hit| catalog.marketplaces[hit.index].record(hit.plugin).ok());
            let known: Vec<String> = near.iter().map(|plugin| plugin.id.to_string()).collect();
            Named {
                noun: "plugin",
                all: "orchestrate plugin list".to_string(),
                none: "orchestrate plugin search WORDS",
            }
            .missing(name, &known)
        }
        _ => {
            let ids: Vec<String> = called.iter().map(|plugin| plugin.id.to_string()).collect();
            Err(anyhow!("`{name}` is in {} marketplaces", ids.len()))
                .kind(Trouble::Request)
                .hint(format!("say which is meant: {}", ids.join(", ")))
        }
    }
}

/// Returns what is odd about the plugin or the marketplace in a folder, the worst first.
pub fn validate_plugin(folder: &Path) -> Result<Vec<Oddity>> {
    let mut oddities = catalog::validate(&Tree::folder(folder)?);
    oddities.sort_by_key(|oddity| std::cmp::Reverse(oddity.severity));
    Ok(oddities)
}

/// Returns the oddity on one line: how bad, where, what, and what to do.
pub fn oddity_line(oddity: &Oddity) -> String {
    let mark = match oddity.severity {
        Severity::Note => "note",
        Severity::Warning => "⚠️",
        Severity::Error | Severity::Refused => "✗",
    };
    let line = oddity
        .line
        .map(|line| format!(":{line}"))
        .unwrap_or_default();
    let field = match oddity.field.as_str() {
        "" => String::new(),
        field => format!(" {field}"),
    };
    let hint = match oddity.hint.as_str() {
        "" => String::new(),
        hint => format!(" ({hint})"),
    };
    visible(&format!(
        "{mark} {}{line}{field}: {}{hint}",
        oddity.file, oddity.what
    ))
}
