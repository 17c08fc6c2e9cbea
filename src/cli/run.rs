//! `orchestrate run list|show` and `orchestrate status`: the runs of a repository.

use super::arguments::{Arguments, RunCommand};
use super::output::Output;
use super::{Done, open};
use crate::model::{RunReport, RunStatus};
use crate::ops::{self, Project, RunLog, RunSummary};
use crate::report;

/// Prints runs.
pub fn run(arguments: &Arguments, command: &RunCommand, output: &Output) -> Done {
    let project = open(arguments)?;
    match command {
        RunCommand::List => list(&project, output, |_| true),
        RunCommand::Show { run } => show(output, &ops::run_report(&project, run)?),
        RunCommand::Log { run } => log(output, &ops::run_log(&project, run)?),
        RunCommand::Undo { run } => undo(output, &ops::undo(&project, run)?),
        RunCommand::Bisect { run, command } => bisect(&project, run, command, output),
        RunCommand::Blame { place } => blame(output, &ops::blame(&project, place)?),
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

fn log(output: &Output, log: &RunLog) -> Done {
    output.document(log)?;
    for event in &log.events {
        let lines = report::event_lines(&log.plan, &log.state_after(event), event);
        let said: Vec<&str> = lines
            .iter()
            .map(|line| line.trim())
            .filter(|line| !line.is_empty())
            .collect();
        output.line(format!("{} {} {}", event.at, event.event.name(), said.join("; ")).trim_end());
    }
    Ok(0)
}

fn undo(output: &Output, undone: &ops::Undone) -> Done {
    output.document(undone)?;
    output.line(&format!(
        "Took run {} back from `{}` by {}",
        undone.run,
        undone.branch,
        undone.commit.short()
    ));
    output.line(&format!(
        "Its branch, its log and its evidence stay: orchestrate/{}",
        undone.run
    ));
    Ok(0)
}

fn bisect(project: &Project, run: &str, command: &[String], output: &Output) -> Done {
    let found = ops::bisect(project, run, command, &mut |tried| {
        output.progress(&format!(
            "{} at {}: {}",
            tried.after,
            tried.commit.short(),
            tried.verdict.word()
        ));
    })?;
    output.document(&found)?;
    match &found.first_bad {
        Some(bad) => output.line(&format!(
            "First bad: {} ({}), commit {}",
            bad.after,
            bad.plugin.as_deref().unwrap_or("-"),
            bad.commit.short()
        )),
        None => output.line("The command succeeds after every step"),
    }
    Ok(0)
}

fn blame(output: &Output, blame: &ops::Blame) -> Done {
    output.document(blame)?;
    output.line(&format!("{}:{}: {}", blame.path, blame.line, blame.text));
    match (&blame.run, &blame.step) {
        (Some(run), Some(step)) => {
            output.line(&format!(
                "  step `{step}` of run {run}, commit {}",
                blame.commit.short()
            ));
            output.line(&format!(
                "  {} with {}",
                blame.title.as_deref().unwrap_or("-"),
                blame.plugin.as_deref().unwrap_or("-")
            ));
            if let Some(task) = &blame.task {
                output.line(&format!("  for the task \"{task}\""));
            }
        }
        _ => output.line(&format!(
            "  no run wrote it: commit {}",
            blame.commit.short()
        )),
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
