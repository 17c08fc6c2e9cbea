//! Which plugins the plan uses: those of the best pattern, or the best for each need.

use anyhow::{Result, anyhow};

use super::compose::compose;
use super::refuse::{left_out, not_understood, refuse_what_nobody_can_do};
use super::{Choice, Pick, PlanContext, PlanOptions};
use crate::model::{
    By, Candidate, Capability, Hint, Need, PatternCandidate, PatternId, Plugin, PluginId, Standing,
    Trouble,
};

/// A pattern may bring this many steps that nobody asked for; with more, a plan is composed instead.
const EXTRA_MAX: usize = 1;

/// The same for a pattern that has proven itself.
const EXTRA_MAX_PROVEN: usize = 2;

/// Returns the plugins to use and their order, or why no choice meets the constraints.
pub fn choose(context: &PlanContext<'_>, options: &PlanOptions) -> Result<Choice> {
    if let Some(id) = &options.pattern {
        let pattern = named_pattern(context, id)?;
        let mut remarks = preferences_nobody_meets(context);
        remarks.extend(not_understood(context));
        remarks.extend(pattern.missing.iter().map(|need| {
            format!(
                "left out: {} (`{need}`), which the pattern `{id}` does not do",
                context.taxonomy.title(need)
            )
        }));
        return follow(context, pattern, remarks);
    }
    refuse_what_nobody_can_do(context)?;
    let (left_out, mut remarks) = left_out(context)?;
    remarks.extend(preferences_nobody_meets(context));
    remarks.extend(not_understood(context));
    let best = context
        .research
        .patterns
        .iter()
        .find(|candidate| candidate.fits() && candidate.extra.len() <= extra_max(candidate))
        .filter(|candidate| !leaves_to_agents(context, candidate));
    match best {
        Some(pattern) if !options.explore && pattern.preferred >= preferences_met(context) => {
            follow(context, pattern, remarks)
        }
        _ => {
            let picks = compose(context, &left_out)?;
            Ok(Choice {
                pattern: None,
                picks,
                remarks,
            })
        }
    }
}

/// Says whether the task asks for something that the pattern does not do, and that an agent could do.
fn leaves_to_agents(context: &PlanContext<'_>, candidate: &PatternCandidate) -> bool {
    let steps = &candidate.pattern.steps;
    let filled = |need: &Need| {
        let mut does = steps.iter().map(|step| &step.capability);
        does.any(|capability| context.taxonomy.fills(capability, &need.capability))
    };
    let asked = context.research.needs.iter();
    let mut open = asked.filter(|need| need.words.is_some() && !filled(need));
    open.any(|need| filling(context, need).any(Candidate::is_usable))
}

fn extra_max(candidate: &PatternCandidate) -> usize {
    match candidate.odds.standing {
        Standing::Validated | Standing::Learned => EXTRA_MAX_PROVEN,
        Standing::Untried | Standing::Discovered | Standing::Deprecated => EXTRA_MAX,
    }
}

fn named_pattern<'a>(context: &'a PlanContext<'_>, id: &PatternId) -> Result<&'a PatternCandidate> {
    let patterns = &context.research.patterns;
    let Some(found) = patterns
        .iter()
        .find(|candidate| candidate.pattern.id == *id)
    else {
        let names: Vec<&str> = patterns
            .iter()
            .map(|candidate| candidate.pattern.id.as_str())
            .collect();
        return Err(anyhow!("there is no pattern `{id}`"))
            .kind(Trouble::Request)
            .hint(format!("the patterns are: {}", names.join(", ")));
    };
    if let Some(reason) = &found.ruled_out {
        return Err(anyhow!(
            "the constraints rule out the pattern `{id}`: {reason}"
        ))
        .kind(Trouble::Request)
        .hint(
            "leave the constraint out, or let orchestrate choose: call it without `--pattern-id`",
        );
    }
    Ok(found)
}

pub fn filling<'a>(
    context: &'a PlanContext<'_>,
    need: &Need,
) -> impl Iterator<Item = &'a Candidate> {
    let capability = need.capability.clone();
    context
        .research
        .plugins
        .iter()
        .filter(move |candidate| candidate.need == capability)
}

/// Returns how many of the preferred words some usable plugin goes by.
fn preferences_met(context: &PlanContext<'_>) -> usize {
    context
        .task
        .constraints
        .prefer
        .iter()
        .filter(|word| somebody_goes_by(context, word))
        .count()
}

fn somebody_goes_by(context: &PlanContext<'_>, word: &str) -> bool {
    let mut usable = context
        .research
        .plugins
        .iter()
        .filter(|candidate| candidate.is_usable());
    usable.any(|candidate| {
        candidate
            .preferred
            .iter()
            .any(|preferred| preferred == word)
    })
}

fn preferences_nobody_meets(context: &PlanContext<'_>) -> Vec<String> {
    let unmet = context
        .task
        .constraints
        .prefer
        .iter()
        .filter(|word| !somebody_goes_by(context, word));
    unmet
        .map(|word| {
            format!("`prefer: {word}` changes nothing: no plugin that fits the task goes by it")
        })
        .collect()
}

fn follow(
    context: &PlanContext<'_>,
    candidate: &PatternCandidate,
    mut remarks: Vec<String>,
) -> Result<Choice> {
    let pattern = &candidate.pattern;
    within_time(context, candidate)?;
    let asked = |capability: &Capability| {
        let need = context
            .research
            .needs
            .iter()
            .find(|need| need.capability == *capability);
        need.map_or_else(
            || "part of the pattern".to_string(),
            |need| need.because.clone(),
        )
    };
    let with_by = |id: &PluginId| (id.clone(), by(context, id));
    let picks = pattern.steps.iter().map(|step| Pick {
        capability: step.capability.clone(),
        more: Vec::new(),
        plugin: step.plugin.clone(),
        by: by(context, &step.plugin),
        fallbacks: step.fallbacks.iter().map(with_by).collect(),
        why: format!(
            "the pattern `{}` uses it for `{}` ({})",
            pattern.id,
            step.capability,
            asked(&step.capability)
        ),
    });
    let picks = picks.collect();
    remarks.extend(candidate.extra.iter().map(|extra| {
        let title = context.taxonomy.title(extra);
        format!(
            "nobody asked for {title} (`{extra}`): it is part of the pattern `{}`",
            pattern.id
        )
    }));
    remarks.extend(
        pattern
            .known_issues
            .iter()
            .map(|known| match &known.remedy {
                Some(remedy) => format!(
                    "known issue of `{}`: {} (remedy: {remedy})",
                    known.plugin, known.issue
                ),
                None => format!("known issue of `{}`: {}", known.plugin, known.issue),
            }),
    );
    Ok(Choice {
        pattern: Some(pattern.id.clone()),
        picks,
        remarks,
    })
}

/// Returns how the plugin does its work: as it says itself, else as research found that an agent would do it.
fn by(context: &PlanContext<'_>, id: &PluginId) -> By {
    let mut found = context.research.plugins.iter();
    let found = found.find(|candidate| candidate.plugin.id == *id);
    match (found, find(context, id)) {
        (Some(candidate), _) => candidate.by.clone(),
        (None, Ok(plugin)) if plugin.spec.is_none() => By::Agent {
            uses: None,
            context_tokens: 0,
        },
        _ => By::Itself,
    }
}

fn within_time(context: &PlanContext<'_>, candidate: &PatternCandidate) -> Result<()> {
    let (Some(limit), Some(usual)) = (context.task.constraints.max_time_s, candidate.duration_ms)
    else {
        return Ok(());
    };
    if usual <= limit * 1000 {
        return Ok(());
    }
    Err(anyhow!(
        "`max-time` is {limit} s, and the pattern `{}` usually takes {} s (median of {} runs)",
        candidate.pattern.id,
        usual.div_ceil(1000),
        candidate.odds.successes
    ))
    .kind(Trouble::Request)
    .hint(format!(
        "the nearest plan needs `[max-time: {}s]`",
        usual.div_ceil(1000)
    ))
}

/// Returns the plugin called `id`, which some marketplace has to have.
pub fn find<'a>(context: &'a PlanContext<'_>, id: &PluginId) -> Result<&'a Plugin> {
    let found = context.research.plugins.iter();
    let found = found.map(|candidate| &candidate.plugin);
    let found = context
        .plugins
        .iter()
        .chain(found)
        .find(|plugin| plugin.id == *id);
    found
        .ok_or_else(|| anyhow!("the plugin `{id}` is in no known marketplace"))
        .kind(Trouble::Missing)
        .hint("the marketplaces are listed in `.orchestrate/config.yaml`")
}
