//! The third analyst: what the records say about patterns and plugins, and which issues are known.

use std::collections::BTreeMap;

use super::Shelf;
use crate::model::{Analysis, EvidenceResult, PluginId, counted};

/// Returns what past runs say.
pub fn analyse(library: Shelf<'_>) -> Analysis {
    let mut uses: BTreeMap<&PluginId, (u32, u32)> = BTreeMap::new();
    let mut issues: BTreeMap<(String, String), u32> = BTreeMap::new();
    let mut runs = 0;
    for record in library.patterns.iter().flat_map(|proven| &proven.evidence) {
        runs += 1;
        for plugin in &record.plugins {
            let count = uses.entry(plugin).or_default();
            count.0 += u32::from(record.result == EvidenceResult::Success);
            count.1 += 1;
        }
        for issue in &record.issues {
            *issues
                .entry((issue.plugin.to_string(), issue.issue.clone()))
                .or_default() += 1;
        }
    }
    for known in library
        .patterns
        .iter()
        .flat_map(|proven| &proven.pattern.known_issues)
    {
        issues
            .entry((known.plugin.to_string(), known.issue.clone()))
            .or_default();
    }
    let mut lines: Vec<String> = uses
        .iter()
        .map(|(plugin, (successes, total))| {
            format!("`{plugin}`: in {successes} of {total} runs that succeeded")
        })
        .collect();
    lines.extend(issues.iter().map(|((plugin, issue), seen)| match seen {
        0 => format!("known issue of `{plugin}`: {issue}"),
        seen => format!(
            "known issue of `{plugin}`, met in {}: {issue}",
            counted(*seen as usize, "run")
        ),
    }));
    if lines.is_empty() {
        lines.push("no evidence yet: nothing was run in this repository".to_string());
    }
    lines.extend(library.missing.iter().cloned());
    Analysis {
        analyst: super::ANALYSTS[2],
        summary: match runs {
            0 => "no evidence yet".to_string(),
            runs => format!(
                "{} on record, {}",
                counted(runs, "run"),
                counted(issues.len(), "known issue")
            ),
        },
        lines,
    }
}
