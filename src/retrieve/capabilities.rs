//! The first analyst: which plugins can do what the task needs.

use super::needs::Reading;
use super::{Library, ruled_out};
use crate::model::{Analysis, Candidate, Capability, Need, Plugin, Task, Taxonomy, counted};

const EXACT: f64 = 1.0;
const SAME_FAMILY: f64 = 0.6;
const PREFERRED: f64 = 0.5;
const NAMED: f64 = 0.1;

/// Returns the plugins that fill the needs, best first for each need, in the order of the needs.
pub fn analyse(
    task: &Task,
    reading: &Reading,
    library: &Library<'_>,
) -> (Vec<Candidate>, Analysis) {
    let mut found = Vec::new();
    let mut lines = Vec::new();
    for need in &reading.needs {
        let mut candidates: Vec<Candidate> = library
            .plugins
            .iter()
            .filter_map(|plugin| candidate(task, reading, need, plugin, library.taxonomy))
            .collect();
        candidates.sort_by(|a, b| {
            let usable = a.ruled_out.is_some().cmp(&b.ruled_out.is_some());
            usable
                .then(b.score.total_cmp(&a.score))
                .then(a.plugin.id.cmp(&b.plugin.id))
        });
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
            counted(library.plugins.len(), "plugin")
        ),
        lines,
    };
    (found, analysis)
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
    Some(Candidate {
        plugin: plugin.clone(),
        need: need.capability.clone(),
        capability: capability.clone(),
        score,
        why,
        preferred: task
            .constraints
            .prefer
            .iter()
            .filter(|word| plugin.goes_by(word))
            .cloned()
            .collect(),
        ruled_out: ruled_out(plugin, &reading.avoid, &task.constraints),
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
    let names: Vec<String> = candidates
        .iter()
        .map(|candidate| match &candidate.ruled_out {
            Some(reason) => format!("`{}` (ruled out: {reason})", candidate.plugin.id),
            None => format!("`{}`", candidate.plugin.id),
        })
        .collect();
    match names.is_empty() {
        true => format!(
            "`{}` ({}): no plugin is known for it",
            need.capability, need.because
        ),
        false => format!(
            "`{}` ({}): {}",
            need.capability,
            need.because,
            names.join(", ")
        ),
    }
}
