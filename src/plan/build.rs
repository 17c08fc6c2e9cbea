//! Steps made of chosen plugins: inputs connected, checks and grants written out.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use regex::RegexBuilder;
use serde_json::{Map, Value};

use super::agent_step;
use super::choose::find;
use super::{Choice, Pick, PlanContext};
use crate::model::{
    Action, By, Candidate, Capability, Check, CommandLine, Connection, Effects, ExistingFile,
    Grants, Hint, Input, McpCall, Output, Plan, Plugin, PluginSpec, RunnerUp, Stage, Step, StepId,
    Trouble, is_inside,
};
use crate::render;

const ATTEMPTS_MAX: u32 = 3;
const BACKOFF_MS: u64 = 1000;
const TIMEOUT_S: u64 = 900;

/// Returns the steps, and remarks on notes that nothing takes up.
pub fn steps(context: &PlanContext<'_>, choice: &Choice) -> Result<(Vec<Step>, Vec<String>)> {
    let mut steps: Vec<Step> = Vec::new();
    let mut taken = vec![false; context.task.constraints.notes.len()];
    for (place, pick) in choice.picks.iter().enumerate() {
        let step = match pick.by {
            By::Itself => step(context, pick, &steps, &mut taken)?,
            By::Agent { .. } => {
                // An agent is told every note.
                taken.fill(true);
                let id = pick.capability.as_str().replace('.', "-").parse()?;
                agent_step::step(context, choice, place, &steps, free_id(&id, &steps)?)?
            }
        };
        steps.push(step);
    }
    let unused = context
        .task
        .constraints
        .notes
        .iter()
        .zip(taken)
        .filter(|(_, taken)| !taken);
    let unused = unused
        .map(|(note, _)| format!("the note \"{note}\" is unused: no input of a step takes it up"));
    let remarks = unused.chain(agent_step::remarks(context, &steps)).collect();
    Ok((steps, remarks))
}

/// Returns the files that the steps of a plan make anew, each with the number of its step; one that is there already is in the way.
pub fn creates(plan: &Plan, plugins: &[Plugin]) -> Result<Vec<(usize, String)>> {
    let mut paths = Vec::new();
    for (index, step) in plan.steps.iter().enumerate() {
        let plugin = plugins
            .iter()
            .find(|plugin| plugin.id == step.action.plugin);
        let Some(spec) = plugin.and_then(|plugin| plugin.spec.as_ref()) else {
            continue;
        };
        let values = plan.values(&step.action, spec.inputs.keys(), |step| step.action.clone());
        let made = spec.files.iter().filter(|file| file.applies(&values));
        for file in made.filter(|file| file.if_exists == ExistingFile::Refuse) {
            paths.push((
                index + 1,
                render::text("orchestrate.yaml", &file.to, &values)?,
            ));
        }
    }
    Ok(paths)
}

fn step(
    context: &PlanContext<'_>,
    pick: &Pick,
    before: &[Step],
    taken: &mut [bool],
) -> Result<Step> {
    let plugin = find(context, &pick.plugin)?;
    let spec = spec(plugin)?;
    let (mut action, values) = action(context, plugin, before, taken)?;
    inherit_services(&mut action, before);
    let mut fallbacks = Vec::new();
    let by_themselves = pick.fallbacks.iter().filter(|(_, by)| *by == By::Itself);
    for (id, _) in by_themselves {
        let Ok(other) = find(context, id) else {
            continue;
        };
        if let Ok((mut fallback, _)) = self::action(context, other, before, taken)
            && fallback.outputs == action.outputs
        {
            inherit_services(&mut fallback, before);
            fallbacks.push(fallback);
        }
    }
    let name = format!("`orchestrate.yaml` of `{}`", plugin.id);
    Ok(Step {
        effects: Effects::default(),
        id: free_id(&spec.step.id, before)?,
        title: spec.step.title.clone(),
        doing: spec.step.doing.clone(),
        provides: spec.provides.clone(),
        needs: needs(context, &pick.capability, &action, before),
        why: pick.why.clone(),
        runners_up: runners_up(context, pick, &fallbacks),
        checks: spec
            .checks
            .iter()
            .map(|check| rendered_check(&name, check, &values))
            .collect::<Result<_>>()?,
        results: spec
            .results
            .iter()
            .map(|(label, text)| Ok((label.clone(), render::text(&name, text, &values)?)))
            .collect::<Result<_>>()?,
        attempts_max: spec.attempts_max.unwrap_or(ATTEMPTS_MAX).clamp(1, 10),
        backoff_ms: spec.backoff_ms.unwrap_or(BACKOFF_MS).min(60_000),
        timeout_s: spec.timeout_s.unwrap_or(TIMEOUT_S),
        action,
        fallbacks,
    })
}

fn spec(plugin: &Plugin) -> Result<&PluginSpec> {
    plugin
        .spec
        .as_ref()
        .ok_or_else(|| {
            anyhow!(
                "`{}` has no `orchestrate.yaml`, and no runner is set up for it",
                plugin.id
            )
        })
        .kind(Trouble::Request)
}

/// Returns what carries the step out, and the values that its texts are rendered over.
fn action(
    context: &PlanContext<'_>,
    plugin: &Plugin,
    before: &[Step],
    taken: &mut [bool],
) -> Result<(Action, Map<String, Value>)> {
    let spec = spec(plugin)?;
    let mut inputs = BTreeMap::new();
    let mut connections = BTreeMap::new();
    let mut values = Map::new();
    for (name, input) in &spec.inputs {
        let value = if input.is_plain() {
            let value = plain(context, plugin, name, input, taken)?;
            inputs.insert(name.clone(), value.clone());
            value
        } else {
            match producer(&input.kind, before) {
                Some((connection, value)) => {
                    connections.insert(name.clone(), connection);
                    value
                }
                None if input.required => {
                    return Err(anyhow!(
                        "`{}` takes a `{}` as `{name}`, and no step before it makes one",
                        plugin.id,
                        input.kind
                    ))
                    .kind(Trouble::Request);
                }
                None => Value::Null,
            }
        };
        values.insert(name.clone(), value);
    }
    let name = format!("`orchestrate.yaml` of `{}`", plugin.id);
    let texts = |list: &[String]| -> Result<Vec<String>> {
        list.iter()
            .map(|text| render::text(&name, text, &values))
            .collect()
    };
    let outputs = spec.outputs.iter().map(|(output, made)| {
        let value = render::value(&name, &made.value, &values)?;
        Ok((
            output.clone(),
            Output {
                kind: made.kind.clone(),
                value,
            },
        ))
    });
    let commands = spec.commands.iter().map(|command| {
        Ok(CommandLine {
            argv: texts(&command.argv)?,
            timeout_s: command.timeout_s,
        })
    });
    let writes = texts(&spec.writes)?;
    for path in &writes {
        ensure_inside(path).with_context(|| format!("`writes` of `{}`", plugin.id))?;
    }
    let action = Action {
        plugin: plugin.id.clone(),
        digest: (context.digest)(plugin)?,
        runner: spec.runner,
        inputs,
        connections,
        outputs: outputs.collect::<Result<_>>()?,
        environment: spec.environment.clone(),
        commands: commands.collect::<Result<_>>()?,
        agent: None,
        mcp: called(&name, spec, &values)?,
        writes,
        reads: texts(&spec.reads)?,
        grants: Grants {
            network: spec.network.clone(),
            services: spec.services.clone(),
            ..Grants::default()
        },
        remedies: spec.remedies.clone(),
    };
    Ok((action, values))
}

/// Returns the tool call of the plugin with the inputs in its arguments.
fn called(name: &str, spec: &PluginSpec, values: &Map<String, Value>) -> Result<Option<McpCall>> {
    let Some(call) = &spec.mcp else {
        return Ok(None);
    };
    let mut call = call.clone();
    for argument in call.arguments.values_mut() {
        *argument = render::value(name, argument, values)?;
    }
    if let Some(file) = &mut call.into {
        *file = render::text(name, file, values)?;
    }
    Ok(Some(call))
}

fn plain(
    context: &PlanContext<'_>,
    plugin: &Plugin,
    name: &str,
    input: &Input,
    taken: &mut [bool],
) -> Result<Value> {
    let mut value = input.default.clone();
    if let Some(pattern) = &input.note {
        let pattern = RegexBuilder::new(pattern).case_insensitive(true).build()?;
        for (note, taken) in context.task.constraints.notes.iter().zip(taken) {
            if let Some(found) = pattern.captures(note).and_then(|found| found.get(1)) {
                value = Some(typed(&input.kind, found.as_str())?);
                *taken = true;
            }
        }
    }
    value
        .ok_or_else(|| {
            anyhow!(
                "`{}` takes a {} as `{name}`, and nothing gives one",
                plugin.id,
                input.kind
            )
        })
        .kind(Trouble::Request)
}

fn typed(kind: &str, text: &str) -> Result<Value> {
    Ok(match kind {
        "integer" => Value::from(
            text.parse::<i64>()
                .with_context(|| format!("`{text}` is not a whole number"))?,
        ),
        "boolean" => Value::from(
            text.parse::<bool>()
                .with_context(|| format!("`{text}` is neither true nor false"))?,
        ),
        _ => Value::from(text),
    })
}

/// Returns the last output of the given type that a step before makes.
fn producer(kind: &str, before: &[Step]) -> Option<(Connection, Value)> {
    before.iter().rev().find_map(|step| {
        let (output, made) = step
            .action
            .outputs
            .iter()
            .find(|(_, made)| made.kind == kind)?;
        Some((
            Connection {
                step: step.id.clone(),
                output: output.clone(),
            },
            made.value.clone(),
        ))
    })
}

/// The checks of a step run the project as a whole, so they need what the steps before were given.
fn inherit_services(action: &mut Action, before: &[Step]) {
    for service in before.iter().flat_map(|step| &step.action.grants.services) {
        if !action.grants.services.contains(service) {
            action.grants.services.push(service.clone());
        }
    }
    action.grants.services.sort();
}

fn needs(
    context: &PlanContext<'_>,
    capability: &Capability,
    action: &Action,
    before: &[Step],
) -> Vec<StepId> {
    let verifies = context.taxonomy.stage(capability) == Stage::Verify;
    let connected = |step: &&Step| {
        verifies
            || action
                .connections
                .values()
                .any(|connection| connection.step == step.id)
    };
    before
        .iter()
        .filter(connected)
        .map(|step| step.id.clone())
        .collect()
}

fn free_id(wanted: &StepId, before: &[Step]) -> Result<StepId> {
    let taken = |id: &StepId| before.iter().any(|step| step.id == *id);
    let mut id = wanted.clone();
    let mut number = 2;
    while taken(&id) {
        id = format!("{wanted}-{number}").parse()?;
        number += 1;
    }
    Ok(id)
}

fn runners_up(context: &PlanContext<'_>, pick: &Pick, fallbacks: &[Action]) -> Vec<RunnerUp> {
    let mut found: Vec<RunnerUp> = Vec::new();
    for candidate in &context.research.plugins {
        let same_family = candidate.capability.family() == pick.capability.family()
            && candidate.need.family() != "api";
        if !same_family
            || candidate.plugin.id == pick.plugin
            || found
                .iter()
                .any(|other| other.plugin == candidate.plugin.id)
        {
            continue;
        }
        let why_not = match candidate.why_not() {
            Some(reason) => reason,
            None if is_by_agent(candidate) => {
                format!(
                    "{}; an agent would do it, and what is proven by its own checks goes first",
                    candidate.why
                )
            }
            None if fallbacks
                .iter()
                .any(|action| action.plugin == candidate.plugin.id) =>
            {
                format!("provides `{}`; kept as the fallback", candidate.capability)
            }
            None => format!("provides `{}`; it fits less well", candidate.capability),
        };
        found.push(RunnerUp {
            plugin: candidate.plugin.id.clone(),
            why_not,
        });
    }
    found
}

fn is_by_agent(candidate: &Candidate) -> bool {
    matches!(candidate.by, By::Agent { .. })
}

fn rendered_check(name: &str, check: &Check, values: &Map<String, Value>) -> Result<Check> {
    let mut check = check.clone();
    let render = |text: &mut String| -> Result<()> {
        *text = render::text(name, text, values)?;
        Ok(())
    };
    if let Some(path) = &mut check.file {
        render(path)?;
        ensure_inside(path).with_context(|| format!("check `{}` of {name}", check.id))?;
    }
    if let Some(tests) = &mut check.tests {
        tests.argv.iter_mut().try_for_each(render)?;
        render(&mut tests.junit)?;
    }
    if let Some(command) = &mut check.command {
        command.argv.iter_mut().try_for_each(render)?;
    }
    if let Some(json) = &mut check.json {
        render(&mut json.path)?;
    }
    Ok(check)
}

/// Refuses a path that leaves the repository.
fn ensure_inside(path: &str) -> Result<()> {
    ensure!(
        is_inside(path),
        "`{}` is not a path inside the repository",
        path.escape_debug()
    );
    Ok(())
}
