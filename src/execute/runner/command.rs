//! The command runner: programs with their arguments, never a line for a shell; the inputs stand in `${scratch}/inputs.json`.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::model::{Action, CommandLine, Failure, FailureKind, Remedy};
use crate::workspace::{Access, Line, Workspace, failure, failure_of};

type Attempt = Result<Result<(), Failure>>;

/// The name of the file with the inputs, in the scratch folder.
const INPUTS: &str = "inputs.json";

/// Writes the inputs down, builds the environment, runs the commands; `${input:NAME}` as a whole argument is that input.
pub fn run(
    action: &Action,
    workspace: &mut Workspace,
    remedies: &[Remedy],
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt {
    let deadline = Instant::now() + timeout;
    let inputs = workspace.scratch.join(INPUTS);
    std::fs::write(&inputs, serde_json::to_vec_pretty(&workspace.values)?)
        .with_context(|| format!("cannot write `{}`", inputs.display()))?;
    if let Err(failure) = workspace.build_environment(say)? {
        return Ok(Err(failure));
    }
    let mut filled = action.clone();
    for argument in filled
        .commands
        .iter_mut()
        .flat_map(|command| &mut command.argv)
    {
        match with_input(argument, workspace) {
            Ok(text) => *argument = text,
            Err(error) => return Ok(Err(failure(FailureKind::Refused, format!("{error:#}"), ""))),
        }
    }
    programs(&filled, workspace, remedies, deadline, say)
}

/// Runs what the chosen remedies run, then the commands of the action, until one fails.
pub fn programs(
    action: &Action,
    workspace: &Workspace,
    remedies: &[Remedy],
    deadline: Instant,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt {
    for command in commands(action, remedies) {
        if let Err(failure) = program(command, workspace, deadline, say)? {
            return Ok(Err(failure));
        }
    }
    Ok(Ok(()))
}

fn commands<'a>(
    action: &'a Action,
    remedies: &'a [Remedy],
) -> impl Iterator<Item = &'a CommandLine> {
    let repairs = remedies.iter().filter_map(|remedy| remedy.run.as_ref());
    repairs.chain(&action.commands)
}

/// Says whether an action with these remedies runs any program.
pub fn runs_any(action: &Action, remedies: &[Remedy]) -> bool {
    commands(action, remedies).next().is_some()
}

fn program(
    command: &CommandLine,
    workspace: &Workspace,
    deadline: Instant,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt {
    let left = deadline.saturating_duration_since(Instant::now());
    let timeout = command
        .timeout_s
        .map_or(left, |seconds| left.min(Duration::from_secs(seconds)));
    let outcome = workspace.run(&command.argv, Access::Write, timeout, say)?;
    Ok(
        match failure_of(FailureKind::Command, &command.argv, &outcome, timeout) {
            Some(failure) => Err(failure),
            None => Ok(()),
        },
    )
}

/// Returns the argument, or the input that it is; one that begins with a dash would be an option, and is refused.
fn with_input(argument: &str, workspace: &Workspace) -> Result<String> {
    let name = argument
        .strip_prefix("${input:")
        .and_then(|rest| rest.strip_suffix('}'));
    let Some(name) = name else {
        return Ok(argument.to_string());
    };
    let text = match workspace.values.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(value) if !value.is_null() => value.to_string(),
        _ => anyhow::bail!("nothing gives the input `{name}`"),
    };
    anyhow::ensure!(
        !text.starts_with('-'),
        "the input `{name}` begins with `-`, and would be an option"
    );
    // The names of folders are filled in later, and only where the plan says so.
    anyhow::ensure!(!text.contains("${"), "the input `{name}` contains `${{`");
    Ok(text)
}
