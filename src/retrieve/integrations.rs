//! The second analyst: which proven sequences of plugins do what the task needs.

use super::capabilities::filled_by;
use super::needs::Reading;
use super::{Shelf, ruled_out};
use crate::model::{
    Analysis, Capability, EvidenceResult, Odds, PatternCandidate, Plugin, ProvenPattern, Standing,
    Task, counted,
};

/// Returns every pattern, the best for the task first.
pub fn analyse(
    task: &Task,
    reading: &Reading,
    library: Shelf<'_>,
) -> (Vec<PatternCandidate>, Analysis) {
    let mut patterns: Vec<PatternCandidate> = library
        .patterns
        .iter()
        .map(|proven| candidate(task, reading, proven, library))
        .collect();
    rank(&mut patterns);
    let fitting = patterns.iter().filter(|candidate| candidate.fits()).count();
    let connections: usize = library.plugins.iter().map(connections).sum();
    let analysis = Analysis {
        analyst: super::ANALYSTS[1],
        summary: format!(
            "{fitting} of {} fit, {} between plugins",
            counted(patterns.len(), "pattern"),
            counted(connections, "declared connection")
        ),
        lines: patterns.iter().map(line).collect(),
    };
    (patterns, analysis)
}

fn candidate(
    task: &Task,
    reading: &Reading,
    proven: &ProvenPattern,
    library: Shelf<'_>,
) -> PatternCandidate {
    let pattern = &proven.pattern;
    let provided: Vec<Capability> = pattern
        .steps
        .iter()
        .map(|step| step.capability.clone())
        .collect();
    let fillable = reading
        .needs
        .iter()
        .filter(|need| !dropped(&need.capability, reading, task, library));
    let missing: Vec<Capability> = fillable
        .map(|need| need.capability.clone())
        .filter(|need| filled_by(need, &provided, library.taxonomy).is_none())
        .collect();
    let wanted = |capability: &Capability| {
        reading.needs.iter().any(|need| {
            filled_by(
                &need.capability,
                std::slice::from_ref(capability),
                library.taxonomy,
            )
            .is_some()
        })
    };
    let plugins: Vec<&Plugin> = pattern
        .steps
        .iter()
        .filter_map(|step| {
            library
                .plugins
                .iter()
                .find(|plugin| plugin.id == step.plugin)
        })
        .collect();
    PatternCandidate {
        odds: Odds::of(&proven.evidence),
        duration_ms: median_duration(proven),
        missing,
        extra: provided
            .iter()
            .filter(|capability| !wanted(capability))
            .cloned()
            .collect(),
        exact: reading
            .needs
            .iter()
            .filter(|need| need.words.is_some() && provided.contains(&need.capability))
            .count()
            + reading
                .needs
                .iter()
                .filter(|need| need.words.is_some() && general_match(&need.capability, &provided))
                .count(),
        preferred: task
            .constraints
            .prefer
            .iter()
            .filter(|word| plugins.iter().any(|plugin| plugin.goes_by(word)))
            .count(),
        ruled_out: rule_out(task, reading, proven, library),
        pattern: pattern.clone(),
    }
}

/// "authentication" asks for a family; any kind of it is just what was asked.
fn general_match(need: &Capability, provided: &[Capability]) -> bool {
    need.as_str() == need.family()
        && provided
            .iter()
            .any(|capability| capability.family() == need.family())
}

/// Says whether nobody is left to fill the need, be it that no plugin can or that a constraint rules them out.
fn dropped(need: &Capability, reading: &Reading, task: &Task, library: Shelf<'_>) -> bool {
    let mut filling = library.filling(need);
    filling.all(|plugin| ruled_out(plugin, reading, &task.constraints, library.taxonomy).is_some())
}

fn rule_out(
    task: &Task,
    reading: &Reading,
    proven: &ProvenPattern,
    library: Shelf<'_>,
) -> Option<String> {
    let pattern = &proven.pattern;
    if let (Some(asked), Some(domain)) = (&task.constraints.domain, &pattern.domain)
        && asked != domain
    {
        return Some(format!("it is for `{domain}`, not `{asked}`"));
    }
    for step in &pattern.steps {
        let Some(plugin) = library
            .plugins
            .iter()
            .find(|plugin| plugin.id == step.plugin)
        else {
            return Some(format!(
                "its plugin `{}` is in no known marketplace",
                step.plugin
            ));
        };
        if let Some(reason) = ruled_out(plugin, reading, &task.constraints, library.taxonomy) {
            return Some(format!("`{}`: {reason}", plugin.id));
        }
    }
    None
}

fn rank(patterns: &mut [PatternCandidate]) {
    let key = |candidate: &PatternCandidate| {
        (
            !candidate.fits(),
            candidate.ruled_out.is_some(),
            candidate.missing.len(),
            candidate.odds.standing == Standing::Deprecated,
            std::cmp::Reverse(candidate.preferred),
            std::cmp::Reverse(candidate.exact),
            candidate.extra.len(),
            std::cmp::Reverse((candidate.odds.rate * 1e6) as u64),
            candidate.pattern.id.clone(),
        )
    };
    patterns.sort_by_cached_key(key);
}

fn median_duration(proven: &ProvenPattern) -> Option<u64> {
    let succeeded = proven
        .evidence
        .iter()
        .filter(|record| record.result == EvidenceResult::Success);
    let mut durations: Vec<u64> = succeeded.map(|record| record.duration_ms).collect();
    durations.sort_unstable();
    durations.get(durations.len() / 2).copied()
}

fn connections(plugin: &Plugin) -> usize {
    plugin
        .spec
        .iter()
        .flat_map(|spec| spec.inputs.values())
        .filter(|input| !input.is_plain())
        .count()
}

fn line(candidate: &PatternCandidate) -> String {
    let names = |list: &[Capability]| {
        list.iter()
            .map(|name| format!("`{name}`"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let mut parts = vec![format!(
        "`{}` ({}): {}",
        candidate.pattern.id,
        candidate.pattern.title,
        candidate.odds.words()
    )];
    if !candidate.missing.is_empty() {
        parts.push(format!("it lacks {}", names(&candidate.missing)));
    }
    if !candidate.extra.is_empty() {
        parts.push(format!("it also brings {}", names(&candidate.extra)));
    }
    if let Some(reason) = &candidate.ruled_out {
        parts.push(format!("ruled out: {reason}"));
    }
    parts.join("; ")
}
