//! The front door: a task, a saved plan, or a run to go on with.

use std::num::NonZeroUsize;

use anyhow::anyhow;

use super::arguments::{Arguments, COMMANDS, Implement, Preview};
use super::failure::exit_code_of;
use super::output::Output;
use super::pattern::odds_document;
use super::terminal::Terminal;
use super::{Done, open, open_with, preview};
use crate::model::{
    ApprovalPolicy, Hint, PatternCandidate, RunReport, RunStatus, Task, Trouble, counted,
};
use crate::ops::{self, OpenOptions, Project, RunOptions, Stop};
use crate::plan::PlanOptions;
use crate::sandbox::Sandbox;

/// Does what the arguments without a subcommand ask for.
pub fn run(arguments: &Arguments, output: &Output, stop: &Stop) -> Done {
    let front = &arguments.front;
    if let Some(plan) = &front.execute {
        return execute(arguments, plan, front.preview, output, stop);
    }
    if let Some(run) = &front.resume {
        return resume(arguments, run, output, stop);
    }
    let Some(text) = &arguments.task else {
        return Err(anyhow!("there is no task"))
            .kind(Trouble::Request)
            .hint("orchestrate \"Build a REST API with JWT authentication and Redis caching\"")
            .hint("all options: `orchestrate --help`");
    };
    refuse_mistyped_command(text)?;
    let task = Task::parse(text).kind(Trouble::Request)?;
    let mut terminal = Terminal::new(output, &stop.cancel);
    let preview = front.preview.is_wanted();
    let sandbox = match front.plan_only || front.show_patterns || preview {
        true => None,
        false => Some(sandbox(arguments, &mut terminal)?),
    };
    let options = OpenOptions {
        create: true,
        init: front.init,
        offline: arguments.shared.offline,
    };
    let project = open_with(arguments, options)?;
    let mut options = PlanOptions {
        pattern: None,
        explore: front.explore,
    };
    if let Some(id) = &front.pattern_id {
        options.pattern = Some(id.parse().kind(Trouble::Request)?);
    }
    if front.show_patterns {
        let patterns = ops::patterns_for(&project, &task, &mut terminal)?;
        match choose(output, &patterns, stop)? {
            Some(chosen) => options.pattern = Some(chosen.pattern.id.clone()),
            None => {
                project.unmake();
                return Ok(0);
            }
        }
    }
    let planned =
        ops::plan(&project, &task, &options, &mut terminal).inspect_err(|_| project.unmake())?;
    if front.plan_only {
        ops::save(&project, &planned)?;
        return plan_only(arguments, output, &planned);
    }
    if preview {
        let shown = preview_of(
            arguments,
            front.preview,
            &project,
            &planned,
            output,
            &mut terminal,
        );
        project.unmake();
        return shown;
    }
    // Where somebody has to approve it first, there has to be something to approve.
    if ops::approval_policy(&project)?.rule.policy != ApprovalPolicy::None {
        ops::save(&project, &planned)?;
    }
    let sandbox = match sandbox {
        Some(sandbox) => sandbox,
        None => self::sandbox(arguments, &mut terminal)?,
    };
    let options = run_options(arguments)?;
    let report = ops::start(&project, &planned, sandbox, options, &mut terminal, stop)
        .inspect_err(|_| project.unmake())?;
    finish(arguments, output, report, stop)
}

/// Runs the plan of `implement`.
pub fn implement(
    arguments: &Arguments,
    implement: &Implement,
    output: &Output,
    stop: &Stop,
) -> Done {
    execute(arguments, &implement.plan, implement.preview, output, stop)
}

/// Shows a run before it is one, in the way that is asked for.
fn preview_of(
    arguments: &Arguments,
    preview: Preview,
    project: &Project,
    planned: &ops::Planned,
    output: &Output,
    terminal: &mut Terminal<'_>,
) -> Done {
    match preview.rehearse {
        true => preview::rehearse(arguments, project, planned, output, terminal),
        false => preview::dry_run(arguments, project, planned, output),
    }
}

fn execute(
    arguments: &Arguments,
    plan: &str,
    preview: Preview,
    output: &Output,
    stop: &Stop,
) -> Done {
    let mut terminal = Terminal::new(output, &stop.cancel);
    if preview.is_wanted() {
        let project = open(arguments)?;
        let planned = ops::find_plan(&project, plan)?;
        return preview_of(
            arguments,
            preview,
            &project,
            &planned,
            output,
            &mut terminal,
        );
    }
    let sandbox = sandbox(arguments, &mut terminal)?;
    let project = open(arguments)?;
    let planned = ops::find_plan(&project, plan)?;
    let options = run_options(arguments)?;
    let report = ops::start(&project, &planned, sandbox, options, &mut terminal, stop)?;
    finish(arguments, output, report, stop)
}

fn resume(arguments: &Arguments, run: &str, output: &Output, stop: &Stop) -> Done {
    let mut terminal = Terminal::new(output, &stop.cancel);
    let sandbox = sandbox(arguments, &mut terminal)?;
    let project = open(arguments)?;
    let options = run_options(arguments)?;
    let report = match &arguments.front.from {
        Some(from) => ops::start_from(&project, run, from, sandbox, options, &mut terminal, stop)?,
        None => ops::resume(&project, run, sandbox, options, &mut terminal, stop)?,
    };
    finish(arguments, output, report, stop)
}

fn run_options(arguments: &Arguments) -> anyhow::Result<RunOptions> {
    let repeat = arguments.front.repeat.iter().map(|step| step.parse());
    Ok(RunOptions {
        repeat: repeat.collect::<Result<_, _>>().kind(Trouble::Request)?,
        reuse: arguments.front.reuse,
        no_merge: arguments.shared.no_merge,
        budget_times: arguments.front.budget,
        jobs: arguments.shared.jobs.map(NonZeroUsize::get),
    })
}

fn sandbox(arguments: &Arguments, terminal: &mut Terminal<'_>) -> anyhow::Result<Sandbox> {
    ops::choose_sandbox(arguments.shared.unsandboxed, terminal)
}

/// A single word is hardly a task; one that looks like a command is asked about.
fn refuse_mistyped_command(text: &str) -> anyhow::Result<()> {
    let word = text.trim();
    if word.contains(char::is_whitespace) {
        return Ok(());
    }
    let near = COMMANDS
        .iter()
        .map(|command| (strsim::jaro_winkler(command, word), command))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match near {
        Some((likeness, command)) if likeness > 0.85 => {
            Err(anyhow!("there is no command `{word}`"))
                .kind(Trouble::Request)
                .hint(format!(
                    "did you mean `orchestrate {command}`? a task is a sentence in quotes"
                ))
        }
        _ => Ok(()),
    }
}

/// Shows the patterns; returns the one to go on with, or none where there is nobody to choose.
fn choose<'a>(
    output: &Output,
    patterns: &'a [PatternCandidate],
    stop: &Stop,
) -> anyhow::Result<Option<&'a PatternCandidate>> {
    let list: Vec<_> = patterns
        .iter()
        .enumerate()
        .map(|(index, candidate)| {
            serde_json::json!({
                "id": candidate.pattern.id.as_str(),
                "title": candidate.pattern.title,
                "odds": odds_document(&candidate.odds),
                "standing": candidate.odds.standing.word(),
                "recommended": index == 0,
            })
        })
        .collect();
    output.document(&serde_json::json!({ "patterns": list }))?;
    output.line(&format!("Found {}:", counted(patterns.len(), "pattern")));
    for (index, candidate) in patterns.iter().enumerate() {
        let star = if index == 0 { " ⭐ Recommended" } else { "" };
        output.line(&format!(
            "  {}. {} ({}) `{}`{star}",
            index + 1,
            candidate.pattern.title,
            candidate.odds.words(),
            candidate.pattern.id
        ));
    }
    let numbers: Vec<String> = (1..=patterns.len())
        .map(|number| number.to_string())
        .collect();
    loop {
        let question = format!(
            "\nChoose pattern [{}] or proceed with recommendation:",
            numbers.join("/")
        );
        let Some(answer) = output
            .ask(&question, &stop.cancel)
            .filter(|_| !patterns.is_empty())
        else {
            return Ok(None);
        };
        if answer.is_empty() {
            return Ok(patterns.first());
        }
        match numbers.iter().position(|number| *number == answer) {
            Some(index) => return Ok(patterns.get(index)),
            None => output.error(&format!("`{answer}` is none of {}", numbers.join(", "))),
        }
    }
}

/// Says which plan was written, and how to run it.
pub fn plan_only(arguments: &Arguments, output: &Output, planned: &ops::Planned) -> Done {
    let paths: Vec<&str> = planned
        .files
        .iter()
        .chain(&planned.research)
        .map(|(path, _)| path.as_str())
        .collect();
    output.document(&serde_json::json!({
        "status": "planned",
        "plan": planned.id.as_str(),
        "digest": planned.digest.as_str(),
        "files": paths,
        "steps": planned.plan.steps.iter().map(|step| serde_json::json!({
            "id": step.id.as_str(), "plugin": step.action.plugin.to_string(), "needs": step.needs,
        })).collect::<Vec<_>>(),
        "remarks": planned.plan.remarks,
    }))?;
    output.line(&format!("Plan: {}", planned.id));
    paths
        .iter()
        .for_each(|path| output.line(&format!("  {path}")));
    output.line(&format!(
        "To run it: {}",
        here(arguments, &format!("orchestrate --execute {}", planned.id))
    ));
    Ok(0)
}

/// Returns the command as it can be pasted: in the folder that this one was told to work in.
fn here(arguments: &Arguments, command: &str) -> String {
    let directory = arguments.shared.directory.display().to_string();
    let quoted = match directory
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "/._-".contains(c))
    {
        true => directory.clone(),
        false => format!("'{}'", directory.replace('\'', r"'\''")),
    };
    match (directory.as_str(), command.split_once(' ')) {
        (".", _) | (_, None) => command.to_string(),
        (_, Some((program, rest))) => format!("{program} -C {quoted} {rest}"),
    }
}

fn finish(arguments: &Arguments, output: &Output, mut report: RunReport, stop: &Stop) -> Done {
    report.next = report.next.map(|next| here(arguments, &next));
    let report = &report;
    output.document(report)?;
    let short = |commit: &crate::model::Oid| commit.short().to_string();
    match report.status {
        RunStatus::Done => {
            output.line(&format!(
                "Done: {}, {} passed.",
                counted(report.steps.len(), "step"),
                counted(report.checks.passed as usize, "check")
            ));
            if let Some(path) = &report.report {
                output.line(&format!("Report: {path}"));
            }
        }
        _ => {
            let reason = report.reason.as_deref();
            output.line(&format!(
                "Not done: {}",
                reason.unwrap_or("it was not finished")
            ));
        }
    }
    output.line(&format!(
        "Run: {} on branch {}, commit {}",
        report.run,
        report.branch,
        report.commit.as_ref().map(short).unwrap_or_default()
    ));
    match (&report.next, report.status, &report.reason) {
        (Some(next), RunStatus::Done, Some(reason)) => {
            output.error(&format!("⚠️ {reason}"));
            output.error(&format!("hint: {next}"));
        }
        (Some(next), ..) => output.line(&format!("To resume: {next}")),
        (None, ..) => {}
    }
    Ok(exit_code_of(report.status, stop.signal()))
}
