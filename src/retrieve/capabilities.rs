//! The first analyst: which plugins can do what the task needs.

use anyhow::Result;

use super::needs::Reading;
use super::third_party::{self, Context};
use super::{Library, Shelf, ruled_out};
use crate::model::{Analysis, By, Candidate, Capability, Need, Plugin, Task, Taxonomy, counted};

const EXACT: f64 = 1.0;
const SAME_FAMILY: f64 = 0.6;
const PREFERRED: f64 = 0.5;
const NAMED: f64 = 0.1;

/// What the analyst hands on.
pub struct Found {
    /// Best first for each need, in the order of the needs: first those that do it by themselves, then those that an agent does it with.
    pub candidates: Vec<Candidate>,
    /// Words of the task that no plugin has.
    pub unknown_words: Vec<String>,
}

/// Returns the plugins that fill the needs.
pub fn analyse(
    task: &Task,
    reading: &Reading,
    library: &Library<'_>,
    shelf: Shelf<'_>,
) -> Result<(Found, Analysis)> {
    let context = Context::of(reading, library)?;
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for need in &reading.needs {
        let mut candidates = by_themselves(task, reading, need, shelf);
        candidates.extend(third_party::candidates(
            task, reading, need, library, &context,
        )?);
        // Whoever can be used goes before whoever cannot; both lists are in order.
        candidates.sort_by_key(|candidate| !candidate.is_usable());
        lines.push(line(need, &candidates));
        found.extend(candidates);
    }
    let mut names: Vec<String> = found
        .iter()
        .map(|candidate| candidate.plugin.id.to_string())
        .collect();
    names.sort();
    names.dedup();
    let analysis = Analysis {
        analyst: super::ANALYSTS[0],
        summary: format!(
            "{} of {} fit the task",
            names.len(),
            counted(context.plugins(), "plugin")
        ),
        lines,
    };
    let mut unknown_words = reading.unheard.clone();
    for word in &reading.leftover {
        if !context.has(word)? {
            unknown_words.push(word.clone());
        }
    }
    let found = Found {
        candidates: found,
        unknown_words,
    };
    Ok((found, analysis))
}

fn by_themselves(task: &Task, reading: &Reading, need: &Need, shelf: Shelf<'_>) -> Vec<Candidate> {
    let filling = shelf.filling(&need.capability);
    let mut candidates: Vec<Candidate> = filling
        .filter_map(|plugin| candidate(task, reading, need, plugin, shelf.taxonomy))
        .collect();
    candidates.sort_by(|a, b| {
        let usable = a.ruled_out.is_some().cmp(&b.ruled_out.is_some());
        usable
            .then(b.score.total_cmp(&a.score))
            .then(a.plugin.id.cmp(&b.plugin.id))
    });
    candidates
}

fn candidate(
    task: &Task,
    reading: &Reading,
    need: &Need,
    plugin: &Plugin,
    taxonomy: &Taxonomy,
) -> Option<Candidate> {
    let spec = plugin.spec.as_ref()?;
    let capability = filled_by(&need.capability, &spec.provides, taxonomy)?;
    let (score, why) = score(task, need, plugin, capability);
    let goes_by = |word: &&String| plugin.goes_by(word);
    Some(Candidate {
        plugin: plugin.clone(),
        need: need.capability.clone(),
        capability: capability.clone(),
        by: By::Itself,
        score,
        why,
        preferred: task
            .constraints
            .prefer
            .iter()
            .filter(goes_by)
            .cloned()
            .collect(),
        ruled_out: ruled_out(plugin, reading, &task.constraints, taxonomy),
        missing: None,
    })
}

fn score(task: &Task, need: &Need, plugin: &Plugin, capability: &Capability) -> (f64, String) {
    let exact = *capability == need.capability;
    let mut score = if exact { EXACT } else { SAME_FAMILY };
    let mut why = vec![format!("provides `{capability}`, {}", need.because)];
    for word in task
        .constraints
        .prefer
        .iter()
        .filter(|word| plugin.goes_by(word))
    {
        score += PREFERRED;
        why.push(format!("`{word}` is preferred"));
    }
    let spec = plugin.spec.iter().flat_map(|spec| &spec.technologies);
    for word in spec.filter(|word| {
        task.text
            .to_lowercase()
            .split(' ')
            .any(|said| said == word.as_str())
    }) {
        score += NAMED;
        why.push(format!("the task names `{word}`"));
    }
    (score, why.join("; "))
}

/// Returns the capability among `provided` that fills `need`: the same one, else another kind of its purpose.
pub fn filled_by<'a>(
    need: &Capability,
    provided: &'a [Capability],
    taxonomy: &Taxonomy,
) -> Option<&'a Capability> {
    let exact = provided.iter().find(|capability| *capability == need);
    exact.or_else(|| {
        provided
            .iter()
            .find(|capability| taxonomy.fills(capability, need))
    })
}

fn line(need: &Need, candidates: &[Candidate]) -> String {
    let (own, by_agents): (Vec<_>, Vec<_>) = candidates
        .iter()
        .partition(|candidate| candidate.by == By::Itself);
    let name = |candidate: &&Candidate| match candidate.why_not() {
        Some(reason) => format!("`{}` ({reason})", candidate.plugin.id),
        None => format!("`{}`", candidate.plugin.id),
    };
    let names: Vec<String> = own.iter().map(name).collect();
    let who = match (names.is_empty(), by_agents.is_empty()) {
        (true, true) => "no plugin is known for it".to_string(),
        (true, false) => "for an agent".to_string(),
        (false, true) => names.join(", "),
        (false, false) => format!("{}; for an agent", names.join(", ")),
    };
    let mut line = format!("`{}` ({}): {who}", need.capability, need.because);
    for candidate in by_agents {
        let why = candidate.why_not().unwrap_or_else(|| candidate.why.clone());
        line.push_str(&format!("\n  - `{}`: {why}", candidate.plugin.id));
    }
    line
}
