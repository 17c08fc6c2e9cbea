//! A plan is looked at before it runs: a person may have written it by hand.

mod agent;
mod mcp;

use std::collections::BTreeSet;

use regex::Regex;

use crate::model::{ANYWHERE, Action, CheckKind, ENGINE, Plan, Repair, Step, StepId, is_inside};

/// The bounds that a plan may set.
const STEPS_MAX: usize = 200;
const ATTEMPTS_MAX: u32 = 10;
const TIMEOUT_S_MAX: u64 = 24 * 3600;

/// What a plan may grant.
const NETWORKS: [&str; 4] = ["internet", "mcp-server", "model", "python-packages"];
const SERVICES: [&str; 2] = ["port", "redis"];

/// Returns what is wrong with the plan, each fault with its place in it; nothing when it can run.
pub fn check_plan(plan: &Plan) -> Vec<String> {
    let mut faults = Vec::new();
    if plan.engine != ENGINE {
        faults.push(format!(
            "engine: this orchestrate runs plans of engine {ENGINE}, and this one is of engine {}",
            plan.engine
        ));
    }
    if plan.steps.is_empty() || plan.steps.len() > STEPS_MAX {
        faults.push(format!(
            "steps: a plan has 1 to {STEPS_MAX} steps, and this one has {}",
            plan.steps.len()
        ));
    }
    let mut before: BTreeSet<&StepId> = BTreeSet::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let place = format!("steps[{index}]");
        if before.contains(&step.id) {
            faults.push(format!("{place}.id: there are two steps `{}`", step.id));
        }
        for need in step.needs.iter().filter(|need| !before.contains(need)) {
            faults.push(match cycle(plan, &step.id, need) {
                Some(cycle) => {
                    format!("{place}.needs: there is a cycle: {}", cycle.join(" needs "))
                }
                None => format!("{place}.needs: `{need}` is not a step before `{}`", step.id),
            });
        }
        check_step(plan, step, index, &place, &mut faults);
        before.insert(&step.id);
    }
    faults
}

/// Returns the steps from `step` over its `need` back to itself, if there is such a way.
fn cycle<'a>(plan: &'a Plan, step: &'a StepId, need: &'a StepId) -> Option<Vec<&'a str>> {
    let mut ways = vec![vec![step, need]];
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop() {
        let last = way[way.len() - 1];
        if last == step {
            return Some(way.into_iter().map(StepId::as_str).collect());
        }
        if seen.insert(last) {
            let needs = plan.step(last).into_iter().flat_map(|known| &known.needs);
            ways.extend(needs.map(|next| [way.clone(), vec![next]].concat()));
        }
    }
    None
}

fn check_step(plan: &Plan, step: &Step, index: usize, place: &str, faults: &mut Vec<String>) {
    if !(1..=ATTEMPTS_MAX).contains(&step.attempts_max) {
        faults.push(format!(
            "{place}.attempts_max: it is from 1 to {ATTEMPTS_MAX}"
        ));
    }
    if !(1..=TIMEOUT_S_MAX).contains(&step.timeout_s) {
        faults.push(format!(
            "{place}.timeout_s: it is from 1 to {TIMEOUT_S_MAX}"
        ));
    }
    for text in [&step.title, &step.doing] {
        if text.chars().any(char::is_control) || text.is_empty() {
            faults.push(format!("{place}: a title is one line of text"));
        }
    }
    if step.checks.is_empty() {
        faults.push(format!(
            "{place}.checks: a step without a check is never known to be done"
        ));
    }
    let mut names = BTreeSet::new();
    for check in &step.checks {
        if !names.insert(&check.id) {
            faults.push(format!(
                "{place}.checks: there are two checks `{}`",
                check.id
            ));
        }
        let path = match check.kind() {
            Ok(CheckKind::File(path)) => Some(path),
            Ok(CheckKind::Changed(path)) => Some(path).filter(|path| *path != ANYWHERE),
            Ok(CheckKind::Json(json)) => Some(json.path.as_str()),
            Ok(CheckKind::Tests(tests)) => {
                no_program(&tests.argv, place, faults);
                let scratch = tests.junit.strip_prefix("${scratch}/");
                if !scratch.is_some_and(is_inside) {
                    faults.push(format!(
                        "{place}.checks: `junit` of `{}` is not a file in `${{scratch}}/`",
                        check.id
                    ));
                }
                None
            }
            Ok(CheckKind::Command(command)) => {
                no_program(&command.argv, place, faults);
                None
            }
            Err(error) => {
                faults.push(format!("{place}.checks: {error}"));
                None
            }
        };
        outside(path.into_iter(), &format!("{place}.checks"), faults);
    }
    for (number, action) in step.actions().enumerate() {
        let place = match number {
            0 => format!("{place}.action"),
            _ => format!("{place}.fallbacks[{}]", number - 1),
        };
        check_action(plan, action, index, &place, faults);
    }
}

fn check_action(plan: &Plan, action: &Action, index: usize, place: &str, faults: &mut Vec<String>) {
    if action.digest.is_blank() {
        faults.push(format!(
            "{place}.digest: it is still to be filled in: orchestrate plan --from FILE"
        ));
    }
    for (input, connection) in &action.connections {
        let earlier = plan.steps[..index]
            .iter()
            .find(|step| step.id == connection.step);
        let made = earlier.and_then(|step| step.action.outputs.get(&connection.output));
        if made.is_none() {
            let wanted = String::from(connection.clone());
            faults.push(format!(
                "{place}.connections.{input}: no earlier step has the output `{wanted}`"
            ));
        }
    }
    for (paths, name) in [(&action.writes, "writes"), (&action.reads, "reads")] {
        let paths = paths.iter().map(String::as_str);
        let paths = paths.filter(|path| *path != ANYWHERE);
        outside(paths, &format!("{place}.{name}"), faults);
    }
    let environment = action
        .environment
        .as_ref()
        .map(|environment| environment.python.as_str());
    outside(
        environment.into_iter(),
        &format!("{place}.environment"),
        faults,
    );
    for command in &action.commands {
        no_program(&command.argv, place, faults);
    }
    for grant in action
        .grants
        .network
        .iter()
        .filter(|grant| !NETWORKS.contains(&grant.as_str()))
    {
        faults.push(format!(
            "{place}.grants.network: there is no `{grant}`; known: {}",
            NETWORKS.join(", ")
        ));
    }
    for service in action
        .grants
        .services
        .iter()
        .filter(|service| !SERVICES.contains(&service.as_str()))
    {
        faults.push(format!(
            "{place}.grants.services: there is no `{service}`; known: {}",
            SERVICES.join(", ")
        ));
    }
    agent::check(action, place, faults);
    mcp::check(action, place, faults);
    outside(
        action.grants.protected.iter().map(String::as_str),
        &format!("{place}.grants.protected"),
        faults,
    );
    for remedy in &action.remedies {
        if let Err(error) = Regex::new(&remedy.when) {
            faults.push(format!(
                "{place}.remedies: `when` of `{}` is no regular expression: {error}",
                remedy.id
            ));
        }
        match remedy.repair() {
            Ok(Repair::Run(command)) => no_program(&command.argv, place, faults),
            Ok(_) => {}
            Err(error) => faults.push(format!("{place}.remedies: {error}")),
        }
    }
}

fn no_program(argv: &[String], place: &str, faults: &mut Vec<String>) {
    if argv.first().is_none_or(|program| program.is_empty()) {
        faults.push(format!("{place}: an `argv` names no program"));
    }
}

fn outside<'a>(paths: impl Iterator<Item = &'a str>, place: &str, faults: &mut Vec<String>) {
    for path in paths {
        let ours = path == ".orchestrate" || path.starts_with(".orchestrate/");
        if ours {
            faults.push(format!("{place}: `{path}` is orchestrate's own"));
        }
        if !is_inside(path) {
            faults.push(format!(
                "{place}: `{}` is not a path inside the repository",
                path.escape_debug()
            ));
        }
    }
}
