//! Events as lines on a screen, in the words of the seed.

use crate::model::{Event, EventKind, Finding, Outcome, Plan, RunState, Step, StepId, StepStatus};

/// Returns `ms` as people say it: `0.4 s`, `12 s`, `3 min 5 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..10_000 => format!("{:.1} s", ms as f64 / 1000.0),
        10_000..60_000 => format!("{} s", (ms + 500) / 1000),
        _ => {
            let seconds = (ms + 500) / 1000;
            match seconds % 60 {
                0 => format!("{} min", seconds / 60),
                rest => format!("{} min {rest} s", seconds / 60),
            }
        }
    }
}

/// Returns the lines that an event is worth.
pub fn event_lines(plan: &Plan, state: &RunState, event: &Event) -> Vec<String> {
    match &event.event {
        EventKind::StepStarted { step } => vec![String::new(), heading(plan, step)],
        EventKind::AttemptStarted {
            attempt,
            plugin,
            step,
        } => {
            let fallback = plan
                .step(step)
                .is_some_and(|step| step.action.plugin != *plugin);
            match (attempt, fallback) {
                (1, false) => vec!["  Status: Running...".to_string()],
                (1, true) => vec![format!("  Status: Running {}...", plugin.name)],
                _ => vec!["  Status: Retrying plugin...".to_string()],
            }
        }
        EventKind::AttemptFailed { failure, .. } => {
            vec![format!("  ✗ Failed: {}", first_line(&failure.message))]
        }
        EventKind::RemedyChosen { note, remedy, .. } => {
            vec![
                format!("  ⚠️ {}", first_line(note)),
                format!("  ⚙️ Applying remedy: {remedy}"),
            ]
        }
        EventKind::StepReused { run, commit, .. } => vec![format!(
            "  Status: Taken over from run {run} ({}): same step, plugin and input; its checks run again",
            commit.short()
        )],
        EventKind::StepRepeated { step, paths } => {
            let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
            vec![format!(
                "  ⚠️ step {} begins anew on top of what steps before it left in {}",
                plan.number(step),
                paths.join(", ")
            )]
        }
        EventKind::RetryPlanned { wait_ms, .. } => {
            vec![format!("  ⚙️ Trying again in {}", duration(*wait_ms))]
        }
        EventKind::FallbackChosen { plugin, .. } => {
            vec![format!("  ⚙️ Trying fallback: {}", plugin.name)]
        }
        EventKind::StepFinished {
            step,
            duration_ms,
            findings,
            services,
            ..
        } => {
            let mut lines: Vec<String> = findings.iter().filter_map(check_line).collect();
            lines.extend(
                services
                    .iter()
                    .filter(|service| !service.real)
                    .map(|service| format!("  ⚠️ no real {}: {}", service.service, service.how)),
            );
            let word = match state.step(step) {
                Some(step) if step.reused.is_some() => "Reused",
                Some(step) if step.action > 0 => "Fallback successful",
                Some(step) if !step.failures.is_empty() => "Retry successful",
                _ => "Complete",
            };
            // Beside others it has to be said which one it is.
            let alone = state
                .steps
                .iter()
                .all(|step| step.status != StepStatus::Running);
            let which = match alone {
                true => String::new(),
                false => format!("[Step {}/{}] ", plan.number(step), plan.steps.len()),
            };
            lines.push(format!("  ✓ {which}{word} ({})", duration(*duration_ms)));
            lines
        }
        EventKind::RunPaused { actions, .. } => action_lines(actions),
        EventKind::RunFailed { .. } => vec![
            "  ✗ Failed (cannot recover)".to_string(),
            String::new(),
            "  ⚠️ Orchestration aborted".to_string(),
            format!("  Completed steps: {}/{}", state.done(), plan.steps.len()),
        ],
        EventKind::RunInterrupted { signal } => {
            vec![format!(
                "  ⚠️ stopped by {signal}; completed steps: {}/{}",
                state.done(),
                plan.steps.len()
            )]
        }
        EventKind::RunFinished { duration_ms } => vec![
            String::new(),
            format!("✓ Workflow complete ({} total)", duration(*duration_ms)),
        ],
        EventKind::RunStarted { .. }
        | EventKind::RunResumed { .. }
        | EventKind::RunLearned { .. } => Vec::new(),
    }
}

/// Returns what a person has to do, in the words of the seed.
pub fn action_lines(actions: &[String]) -> Vec<String> {
    let heading = [String::new(), "  ⚠️ Manual action required:".to_string()];
    let actions = actions.iter().map(|action| format!("    - {action}"));
    heading.into_iter().chain(actions).collect()
}

fn heading(plan: &Plan, id: &StepId) -> String {
    let doing = plan.step(id).map_or("", |step: &Step| step.doing.as_str());
    let plugin = plan
        .step(id)
        .map_or("", |step| step.action.plugin.name.as_str());
    format!(
        "[Step {}/{}] {doing} ({plugin})",
        plan.number(id),
        plan.steps.len()
    )
}

fn check_line(finding: &Finding) -> Option<String> {
    let tests = finding.tests.as_ref()?;
    match finding.outcome {
        Outcome::Passed if tests.passed == tests.total() => {
            Some(format!("  ✓ All tests passed ({})", tests.total()))
        }
        _ => Some(format!("  ✓ {}", finding.message)),
    }
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// Returns the lines that show a plan before it runs.
pub fn plan_lines(id: &str, plan: &Plan, odds: &str, estimate: Option<u64>) -> Vec<String> {
    let mut lines = Vec::new();
    match &plan.pattern {
        Some(pattern) => lines.push(format!("Selected pattern: \"{pattern}\" ({odds})")),
        None => lines.push(format!("Composed a workflow for this task ({odds})")),
    }
    lines.push(String::new());
    lines.push("Workflow sequence:".to_string());
    for (number, step) in plan.steps.iter().enumerate() {
        lines.push(format!(
            "  {}. {} → {}",
            number + 1,
            step.action.plugin.name,
            step.title
        ));
    }
    lines.push(String::new());
    match estimate {
        Some(ms) => lines.push(format!(
            "Estimated time: {} (median of past runs)",
            duration(ms)
        )),
        None => lines.push("Estimated time: no evidence yet".to_string()),
    }
    for remark in &plan.remarks {
        lines.push(format!("⚠️ {remark}"));
    }
    lines.push(String::new());
    lines.push(format!("✓ Plan complete: {id}"));
    lines
}

#[cfg(test)]
mod tests {
    #[test]
    fn durations_read_as_people_say_them() {
        let said: Vec<String> = [0, 440, 9_900, 12_400, 60_000, 185_000]
            .into_iter()
            .map(super::duration)
            .collect();
        assert_eq!(
            said,
            ["0.0 s", "0.4 s", "9.9 s", "12 s", "1 min", "3 min 5 s"]
        );
    }
}
