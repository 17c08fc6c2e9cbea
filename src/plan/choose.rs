//! Which plugins the plan uses: those of the best pattern, or the best for each need.

use anyhow::{Result, anyhow, bail};

use super::compose::compose;
use super::{Choice, Pick, PlanContext, PlanOptions};
use crate::model::{
    By, Candidate, Capability, Hint, Need, PatternCandidate, PatternId, Plugin, PluginId, Standing,
    Trouble, hinted,
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

/// What nobody can do is refused, unless it is a constraint that leaves nobody.
fn refuse_what_nobody_can_do(context: &PlanContext<'_>) -> Result<()> {
    let research = context.research;
    let asked = || research.needs.iter().filter(|need| need.words.is_some());
    if asked().any(|need| filling(context, need).any(|candidate| candidate.missing.is_none())) {
        return Ok(());
    }
    let known = |need: &&Need| context.taxonomy.capabilities.contains_key(&need.capability);
    let understood: Vec<&str> = asked()
        .filter(known)
        .filter_map(|need| need.words.as_deref())
        .collect();
    let understood = match understood.is_empty() {
        true => "nothing".to_string(),
        false => format!("only \"{}\"", understood.join("\", \"")),
    };
    let nearest: Vec<String> = research
        .patterns
        .iter()
        .take(3)
        .map(|candidate| format!("{} (`{}`)", candidate.pattern.title, candidate.pattern.id))
        .collect();
    let nobody_does = asked().filter(known).map(|need| {
        let unusable = filling(context, need).filter_map(|candidate| {
            Some(format!(
                "\n  `{}`: {}",
                candidate.plugin.id,
                candidate.missing.as_ref()?
            ))
        });
        let unusable: String = unusable.collect();
        format!(
            "\nno plugin is known for: {} (`{}`){unusable}",
            need.title, need.capability
        )
    });
    Err(anyhow!(
        "no relevant plugin was found: {understood} was understood of the task{}\nnot understood: {}\nthe nearest patterns: {}",
        nobody_does.collect::<String>(),
        quoted(&research.unknown_words),
        nearest.join(", ")
    ))
    .kind(Trouble::Request)
    .hint("say more exactly what to build, such as: orchestrate \"Build a REST API with JWT authentication and Redis caching\"")
}

/// Returns a remark on words of the task that no plugin goes by: what they ask for is not done.
fn not_understood(context: &PlanContext<'_>) -> Option<String> {
    let words = &context.research.unknown_words;
    (!words.is_empty()).then(|| format!("not understood, and not done: {}", quoted(words)))
}

fn quoted(words: &[String]) -> String {
    match words.is_empty() {
        true => "nothing is left over".to_string(),
        false => words
            .iter()
            .map(|word| format!("`{word}`"))
            .collect::<Vec<_>>()
            .join(", "),
    }
}

/// Returns the needs that a constraint drops, with a remark for each; one that cannot be dropped ends planning.
fn left_out(context: &PlanContext<'_>) -> Result<(Vec<Capability>, Vec<String>)> {
    let mut left_out = Vec::new();
    let mut remarks = Vec::new();
    for need in &context.research.needs {
        let candidates: Vec<&Candidate> = filling(context, need).collect();
        if candidates.iter().any(|candidate| candidate.is_usable()) {
            continue;
        }
        let reason = |candidate: &&Candidate| {
            let reason = candidate
                .ruled_out
                .as_ref()
                .or(candidate.missing.as_ref())?;
            Some(format!("`{}`: {reason}", candidate.plugin.id))
        };
        let reasons: Vec<String> = candidates.iter().filter_map(reason).collect();
        let title = need.title.clone();
        let is_constraint = candidates
            .iter()
            .any(|candidate| candidate.ruled_out.is_some());
        let nobody_does_it = !is_constraint && something_can_be_done(context);
        if !nobody_does_it && !may_be_dropped(context, need) {
            return Err(unmet(context, need, &title, &reasons));
        }
        remarks.push(match reasons.is_empty() {
            true => format!(
                "{}: {title} (`{}`), for which no plugin is known",
                match need.words {
                    Some(_) => "understood, and not done",
                    None => "left out",
                },
                need.capability
            ),
            false => format!(
                "left out: {title} (`{}`): {}",
                need.capability,
                reasons.join("; ")
            ),
        });
        left_out.push(need.capability.clone());
    }
    if left_out.len() == context.research.needs.len() {
        bail!("the constraints leave nothing of the task");
    }
    Ok((left_out, remarks))
}

/// Says whether some plugin can do something that the task asks for.
fn something_can_be_done(context: &PlanContext<'_>) -> bool {
    let mut asked = context
        .research
        .needs
        .iter()
        .filter(|need| need.words.is_some());
    asked.any(|need| filling(context, need).any(Candidate::is_usable))
}

/// What nobody asked for may go, and so may what the person named and ruled out in one breath ("Redis caching [avoid: redis]").
fn may_be_dropped(context: &PlanContext<'_>, need: &Need) -> bool {
    let Some(words) = &need.words else {
        return true;
    };
    let words = words.to_lowercase();
    context
        .research
        .avoid
        .iter()
        .any(|avoided| words.split([' ', ',', '-']).any(|word| word == avoided))
}

fn unmet(context: &PlanContext<'_>, need: &Need, title: &str, reasons: &[String]) -> anyhow::Error {
    let error = match reasons.is_empty() {
        true => anyhow!(
            "no known plugin does {title} (`{}`), which is {}",
            need.capability,
            need.because
        ),
        false => anyhow!(
            "the constraints leave no plugin for {title} (`{}`), which is {}\nruled out: {}",
            need.capability,
            need.because,
            reasons.join("; ")
        ),
    };
    let domain = context
        .task
        .constraints
        .domain
        .as_deref()
        .map(|domain| format!("domain: {domain}"));
    let avoid = context.task.constraints.avoid.join(", ");
    let constraint = match (domain, avoid.is_empty()) {
        (Some(domain), true) => domain,
        (_, false) => format!("avoid: {avoid}"),
        (None, true) => String::new(),
    };
    let nearest = context
        .research
        .patterns
        .iter()
        .find(|candidate| candidate.missing.is_empty());
    let hint = match nearest {
        Some(candidate) if !constraint.is_empty() => format!(
            "without `[{constraint}]` the nearest plan is {} (`--pattern-id {}`)",
            candidate.pattern.title, candidate.pattern.id
        ),
        _ => "more marketplaces are named in `.orchestrate/config.yaml`".to_string(),
    };
    hinted(error, Trouble::Request, hint)
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
