//! `orchestrate run list|show` and `orchestrate status`: the runs of a repository.

use super::arguments::{Arguments, RunCommand};
use super::output::Output;
use super::{Done, open};
use crate::model::{RunReport, RunStatus};
use crate::ops::{self, Project, RunSummary};

/// Prints runs.
pub fn run(arguments: &Arguments, command: &RunCommand, output: &Output) -> Done {
    let project = open(arguments)?;
    match command {
        RunCommand::List => list(&project, output, |_| true),
        RunCommand::Show { run } => show(output, &ops::run_report(&project, run)?),
    }
}

/// Prints the runs that are not done.
pub fn status(arguments: &Arguments, output: &Output) -> Done {
    let project = open(arguments)?;
    list(&project, output, |run| run.status != RunStatus::Done)
}

fn list(project: &Project, output: &Output, wanted: impl Fn(&RunSummary) -> bool) -> Done {
    let (runs, complaints) = ops::runs(project)?;
    let runs: Vec<&RunSummary> = runs.iter().filter(|run| wanted(run)).collect();
    output.document(&serde_json::json!({ "runs": runs, "complaints": complaints }))?;
    for run in &runs {
        let state = match (run.status, run.live) {
            (_, true) => "running",
            (RunStatus::Running, false) => "cut off",
            (status, false) => word(status),
        };
        output.line(&format!(
            "{} {state} {}/{} steps, \"{}\"",
            run.run, run.steps_done, run.steps, run.task
        ));
        if run.status != RunStatus::Done && !run.live {
            output.line(&format!("  orchestrate --resume {}", run.run));
        }
    }
    if runs.is_empty() {
        output.line("no runs");
    }
    complaints
        .iter()
        .for_each(|complaint| output.error(&format!("⚠️ {complaint}")));
    Ok(0)
}

fn show(output: &Output, report: &RunReport) -> Done {
    output.document(report)?;
    output.line(&format!(
        "{}: {}, \"{}\"",
        report.run,
        word(report.status),
        report.task
    ));
    for (number, step) in report.steps.iter().enumerate() {
        let commit = step.commit.as_ref().map_or("-", |commit| commit.short());
        output.line(&format!(
            "  {}. {} {} ({}) {commit}",
            number + 1,
            step.id,
            step.status,
            step.plugin
        ));
    }
    if let Some(reason) = &report.reason {
        output.line(&format!("  {reason}"));
    }
    if let Some(next) = &report.next {
        output.line(&format!("  {next}"));
    }
    Ok(0)
}

fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Done => "done",
        RunStatus::Failed => "failed",
        RunStatus::Paused => "paused",
        RunStatus::Refused => "refused",
        RunStatus::Interrupted => "interrupted",
        RunStatus::Running => "running, or cut off",
    }
}
