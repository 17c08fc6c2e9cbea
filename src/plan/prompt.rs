//! What an agent is asked in a step: the whole task, its part of it, what is there already, and what others do.

use super::agent_step::Kind;
use super::{Choice, Pick, PlanContext};
use crate::model::{Capability, Need, Quality, Step};

/// Returns the order for the step: the whole task, its part of it, what is there already, and what others do.
pub fn prompt(
    context: &PlanContext<'_>,
    choice: &Choice,
    place: usize,
    before: &[Step],
    kind: &Kind,
) -> String {
    let pick = &choice.picks[place];
    let mut parts = Vec::new();
    let text = &context.task.text;
    parts.push(match choice.picks.len() {
        1 => format!("The task: {text}"),
        count => format!("This is step {} of {count} of a task: {text}", place + 1),
    });
    let because = pick.capabilities().map(|one| {
        let because = need(context, one).map(|need| format!(" ({})", need.because));
        format!("- {}{}", named(context, one), because.unwrap_or_default())
    });
    if choice.picks.len() > 1 {
        parts.push(list("Your part of it:", because));
    }
    let done = before
        .iter()
        .map(|step| match step.action.writes.as_slice() {
            [path] if step.results.contains_key("Report") => {
                format!("- {}: read `{path}`", step.title)
            }
            _ => format!("- {}", step.title),
        });
    parts.push(list(
        "Done before you, and to be found in the files here; build on it:",
        done,
    ));
    let later = choice.picks[place + 1..].iter();
    let later = later.map(|pick| format!("- {}", titles(context, pick).join("; ")));
    parts.push(list(
        "Done after you by others, so leave it to them:",
        later,
    ));
    parts.push(list("To be kept to:", constraints(context)));
    parts.push(what_to_leave(kind));
    parts.retain(|part| !part.is_empty());
    parts.join("\n\n")
}

fn list(heading: &str, lines: impl Iterator<Item = String>) -> String {
    let lines: Vec<String> = lines.collect();
    match lines.is_empty() {
        true => String::new(),
        false => format!("{heading}\n{}", lines.join("\n")),
    }
}

fn constraints(context: &PlanContext<'_>) -> impl Iterator<Item = String> {
    let constraints = &context.task.constraints;
    let named = |word: &str, list: &[String]| {
        (!list.is_empty()).then(|| format!("- {word}: {}", list.join(", ")))
    };
    let quality = (constraints.quality == Some(Quality::ProductionReady)).then(|| {
        "- the result is ready for production: with tests, errors handled, nothing left open"
            .to_string()
    });
    let notes = constraints.notes.iter().map(|note| format!("- {note}"));
    let mut avoided = context.research.avoid.clone();
    avoided.sort();
    avoided.dedup();
    let lists = [
        named("prefer", &constraints.prefer),
        named("avoid", &avoided),
        quality,
    ];
    lists.into_iter().flatten().chain(notes)
}

fn what_to_leave(kind: &Kind) -> String {
    match kind {
        Kind::Report(path) => format!(
            "Change nothing that is there. Write what you find into `{path}`: the most important first, each with the file and the line \
             that shows it, and what to do about it. Say also what you looked at, and what you could not look at."
        ),
        Kind::Changes => "Do it in the files here, complete and working, in the style of what is there already; where the project has \
                          tests, add some for what you made. Do no more than your part."
            .to_string(),
        Kind::Deployment => "Prepare it in the files here so that it takes one command: configuration, scripts, and a page that says which \
                             command that is and which secrets it needs. Nothing outside this folder can be reached from here, so do not try \
                             to deploy."
            .to_string(),
    }
}

/// Returns what is wanted of a pick, each thing in the task's own words where it has some.
pub fn titles(context: &PlanContext<'_>, pick: &Pick) -> Vec<String> {
    let said = |one: &Capability| {
        let words = need(context, one).and_then(|need| need.words.as_deref());
        words.map_or_else(|| named(context, one), on_one_line)
    };
    pick.capabilities().map(said).collect()
}

/// Returns what a step is called that does what is wanted of a pick.
pub fn title(context: &PlanContext<'_>, pick: &Pick) -> String {
    let mut title = titles(context, pick).join("; ");
    if let Some(first) = title.chars().next() {
        title.replace_range(..first.len_utf8(), &first.to_uppercase().to_string());
    }
    title
}

fn need<'a>(context: &'a PlanContext<'_>, capability: &Capability) -> Option<&'a Need> {
    let mut needs = context.research.needs.iter();
    needs.find(|need| need.capability == *capability)
}

/// Returns what a capability is, as the taxonomy says it.
fn named(context: &PlanContext<'_>, capability: &Capability) -> String {
    let need = need(context, capability);
    let title = need.map(|need| need.title.clone());
    on_one_line(&title.unwrap_or_else(|| context.taxonomy.title(capability)))
}

fn on_one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
