//! `--dry-run` and `--rehearse`: a run seen before it is one.

use super::Done;
use super::arguments::Arguments;
use super::output::Output;
use super::terminal::Terminal;
use crate::model::counted;
use crate::ops::{self, DryRun, Planned, Project, Rehearsed};

/// Says what running the plan would do.
pub fn dry_run(
    arguments: &Arguments,
    project: &Project,
    planned: &Planned,
    output: &Output,
) -> Done {
    let dry = ops::dry_run(project, planned, !arguments.shared.no_merge)?;
    output.document(&serde_json::json!({"status": "dry-run", "would": dry}))?;
    lines(&dry).iter().for_each(|line| output.line(line));
    Ok(0)
}

fn lines(dry: &DryRun) -> Vec<String> {
    let mut lines = vec![format!(
        "Would run: {} (approval: {})",
        dry.plan, dry.approval
    )];
    for (index, step) in dry.steps.iter().enumerate() {
        lines.push(format!(
            "  {}. {} ({}): {}",
            index + 1,
            step.id,
            step.plugin,
            step.title
        ));
        let mut say = |label: &str, words: &[String]| {
            if !words.is_empty() {
                lines.push(format!("     {label}: {}", words.join(", ")));
            }
        };
        say("after", &step.needs);
        say("writes", &step.writes);
        say("reaches", &step.grants);
        for program in &step.programs {
            say("runs", &[program.join(" ")]);
        }
        say("calls", step.calls.as_slice());
        say("checks", &step.checks);
        say("remedies", &step.remedies);
        say("falls back to", &step.fallbacks);
    }
    lines.push(format!("Would commit to a new branch, {}XXXX:", dry.branch));
    lines.extend(dry.files.iter().map(|file| format!("  {file}")));
    lines.push(match &dry.onto {
        Some(branch) => format!("Would merge the result into `{branch}`."),
        None => "Would leave your branch alone.".to_string(),
    });
    lines.push("Nothing was written.".to_string());
    lines
}

/// Goes through the plan with stubs, and shows what that showed; exit code 1 where a step could not be rehearsed.
pub fn rehearse(
    arguments: &Arguments,
    project: &Project,
    planned: &Planned,
    output: &Output,
    terminal: &mut Terminal<'_>,
) -> Done {
    let sandbox = ops::choose_sandbox(arguments.shared.unsandboxed, terminal)?;
    let steps = ops::rehearse(project, planned, &sandbox)?;
    let failed = steps.iter().any(|step| step.fault.is_some());
    let status = if failed { "failed" } else { "rehearsed" };
    output.document(
        &serde_json::json!({"status": status, "plan": planned.id.as_str(), "steps": steps}),
    )?;
    let count = steps.len();
    for (index, step) in steps.iter().enumerate() {
        show(step, index + 1, count, output);
    }
    let rendered: usize = steps.iter().map(|step| step.rendered.len()).sum();
    output.line(&format!(
        "Rehearsed: {}, {} rendered. No program was run, nothing was kept, and it is no evidence.",
        counted(count, "step"),
        counted(rendered, "file")
    ));
    Ok(u8::from(failed))
}

fn show(step: &Rehearsed, number: usize, count: usize, output: &Output) {
    output.line(&format!(
        "[Step {number}/{count}] {} ({})",
        step.title, step.plugin
    ));
    for (name, value) in &step.inputs {
        output.line(&format!("  takes {name}: {value}"));
    }
    for path in &step.rendered {
        output.line(&format!("  ✓ rendered {path}"));
    }
    for program in &step.programs {
        output.line(&format!("  would run: {}", program.join(" ")));
    }
    for (check, known) in &step.checks {
        output.line(&format!("  check {check}: {known}"));
    }
    if let Some(fault) = &step.fault {
        output.line(&format!("  ✗ {fault}"));
    }
}
