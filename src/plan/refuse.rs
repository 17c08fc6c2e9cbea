//! What cannot be planned, why, and what would come nearest.

use anyhow::{Result, anyhow, bail};

use super::PlanContext;
use super::choose::filling;
use crate::model::{Candidate, Capability, Hint, Need, Trouble, hinted};

/// What nobody can do, or hardly any of it, is refused, unless it is a constraint that leaves nobody.
pub fn refuse_what_nobody_can_do(context: &PlanContext<'_>) -> Result<()> {
    let research = context.research;
    let asked = || research.needs.iter().filter(|need| need.words.is_some());
    let can_be_done = |need: &&Need| {
        let mut candidates = filling(context, need);
        candidates.any(|candidate| candidate.missing.is_none())
    };
    let doable = asked().filter(can_be_done).count();
    // A plan for less than half of what is asked for is not what was asked for.
    if doable > 0 && 2 * doable >= asked().count() {
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
    let open = asked().filter(known).filter(|need| !can_be_done(need));
    let nobody_does = open.map(|need| {
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
pub fn not_understood(context: &PlanContext<'_>) -> Option<String> {
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
pub fn left_out(context: &PlanContext<'_>) -> Result<(Vec<Capability>, Vec<String>)> {
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
                    Some(_) if need.is_own() => "not understood, and not done",
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
