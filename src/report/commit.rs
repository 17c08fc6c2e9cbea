//! The messages of a run's commits: a subject for people, trailers for `git log --grep` and for us.

use crate::model::{Digest, EventKind, Outcome, Plan, PlanId, RunId, RunReport, RunState, counted};

/// What the message of a checkpoint is made of.
pub struct CommitMessage<'a> {
    pub run: &'a RunId,
    pub digest: &'a Digest,
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub event: &'a EventKind,
    pub sandbox: &'a str,
    /// What the step was done with, by which another run finds it.
    pub key: Option<&'a str>,
}

/// Returns the message of the commit that the event closes.
pub fn commit_message(message: &CommitMessage<'_>) -> String {
    let task = shortened(&message.plan.task);
    let steps = message.plan.steps.len();
    let (subject, phase) = match message.event {
        EventKind::RunStarted { .. } => (
            format!("plan: {} for \"{task}\"", counted(steps, "step")),
            "plan",
        ),
        EventKind::StepFinished { step, plugin, .. } => {
            let title = message
                .plan
                .step(step)
                .map_or("", |step| step.title.as_str());
            (
                format!(
                    "step {}/{steps}: {title} ({})",
                    message.plan.number(step),
                    plugin.name
                ),
                "implement",
            )
        }
        EventKind::RunPaused { step, .. } => (
            format!(
                "pause: step {}/{steps}, `{step}`, waits for a person",
                message.plan.number(step)
            ),
            "implement",
        ),
        EventKind::RunFailed { step, .. } => (
            format!(
                "abort: step {}/{steps}, `{step}`, failed",
                message.plan.number(step)
            ),
            "implement",
        ),
        EventKind::RunInterrupted { signal } => (
            format!(
                "stop: {signal} after {} of {steps} steps",
                message.state.done()
            ),
            "implement",
        ),
        EventKind::RunFinished { .. } => (format!("report: \"{task}\" is done"), "report"),
        EventKind::RunLearned { pattern } => {
            (format!("learn: one more record for `{pattern}`"), "learn")
        }
        _ => (format!("run: \"{task}\""), "implement"),
    };
    let mut text = format!("{subject}\n\n");
    if let Some(body) = body(message) {
        text.push_str(&format!("{body}\n\n"));
    }
    text.push_str(&format!(
        "Orchestrate-Run: {}\nOrchestrate-Plan: {}\nOrchestrate-Phase: {phase}\n",
        message.run, message.digest
    ));
    if let EventKind::StepFinished {
        step,
        plugin,
        attempts,
        findings,
        ..
    } = message.event
    {
        let digest = message
            .state
            .step(step)
            .zip(message.plan.step(step))
            .map(|(state, step)| state.action_of(step).digest.short(12));
        let passed = findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Passed)
            .count();
        text.push_str(&format!(
            "Orchestrate-Step: {}/{steps} {step}\n",
            message.plan.number(step)
        ));
        text.push_str(&format!(
            "Orchestrate-Plugin: {plugin}#{}\n",
            digest.unwrap_or_default()
        ));
        text.push_str(&format!(
            "Orchestrate-Checks: {passed}/{} passed\n",
            findings.len()
        ));
        text.push_str(&format!("Orchestrate-Attempts: {attempts}\n"));
        if let Some(run) = message
            .state
            .step(step)
            .and_then(|state| state.reused.as_ref())
        {
            text.push_str(&format!("Orchestrate-Reused: {run}\n"));
        }
        if let Some(key) = message.key {
            text.push_str(&format!("Orchestrate-Key: {key}\n"));
        }
    }
    text.push_str(&format!("Orchestrate-Sandbox: {}\n", message.sandbox));
    text
}

fn body(message: &CommitMessage<'_>) -> Option<String> {
    match message.event {
        EventKind::StepFinished { findings, .. } => {
            let lines: Vec<String> = findings
                .iter()
                .map(|finding| format!("- {}: {}", finding.check, finding.message))
                .collect();
            Some(lines.join("\n"))
        }
        EventKind::RunPaused {
            reason, actions, ..
        } => {
            let actions: Vec<String> = actions.iter().map(|action| format!("- {action}")).collect();
            Some(
                format!("{reason}\n{}", actions.join("\n"))
                    .trim_end()
                    .to_string(),
            )
        }
        EventKind::RunFailed { reason, .. } => Some(reason.clone()),
        _ => None,
    }
}

/// Returns the message of the commit with what the analysts found.
pub fn research_message(run: &RunId, digest: &Digest, plan: &Plan) -> String {
    format!(
        "research: plugins and patterns for \"{}\"\n\nOrchestrate-Run: {run}\nOrchestrate-Plan: {digest}\nOrchestrate-Phase: research\n",
        shortened(&plan.task)
    )
}

/// Returns the message of the one commit that brings a run into the user's branch: the summary of its report.
pub fn merge_message(report: &RunReport, plan: &Plan, plan_id: &PlanId, digest: &Digest) -> String {
    let mut text = format!("orchestrate: {}\n\n", shortened(&report.task));
    for (number, (step, account)) in plan.steps.iter().zip(&report.steps).enumerate() {
        text.push_str(&format!(
            "{}. {} ({}, {})\n",
            number + 1,
            step.title,
            account.plugin.name,
            super::duration(account.duration_ms)
        ));
    }
    text.push_str(&format!(
        "
{} passed in {}.
",
        counted(report.checks.passed as usize, "check"),
        super::duration(report.duration_ms)
    ));
    if let Some(path) = &report.report {
        text.push_str(&format!("Report: {path}\n"));
    }
    text.push_str(&format!(
        "Plan: .orchestrate/plans/{plan_id}/PLAN.md\n\nOrchestrate-Run: {}\nOrchestrate-Plan: {digest}\nOrchestrate-Phase: merge\n",
        report.run
    ));
    text
}

/// Keeps a subject line short.
fn shortened(task: &str) -> String {
    const MAX: usize = 60;
    if task.chars().count() <= MAX {
        return task.to_string();
    }
    let cut: String = task.chars().take(MAX - 1).collect();
    format!("{}…", cut.trim_end())
}
