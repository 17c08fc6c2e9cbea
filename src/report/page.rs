//! REPORT.md and RESEARCH.md: written for people, and never parsed back.

use std::collections::BTreeMap;

use serde_json::Value;

use super::duration;
use crate::model::{Plan, Research, RunReport, RunState, RunStatus, StepState, TestCounts};

/// Returns REPORT.md; `standing` says in words how the pattern has done so far, this run included.
pub fn report_page(report: &RunReport, plan: &Plan, state: &RunState, standing: &str) -> String {
    let mut page = String::new();
    let mut line = |text: String| {
        page.push_str(&text);
        page.push('\n');
    };
    line("# Orchestration Report\n".to_string());
    line(format!("Task: \"{}\"", plan.task));
    line(format!(
        "Pattern: {}",
        report
            .pattern
            .as_deref()
            .unwrap_or("none, composed for this task")
    ));
    line(format!("Status: {}", status(report.status)));
    line(format!(
        "Run: `{}`, plan: [{}](../../plans/{}/PLAN.md)",
        report.run, report.plan, report.plan
    ));
    line(format!("Sandbox: {}\n", report.sandbox));
    line("## Workflow Executed\n".to_string());
    for (number, (step, account)) in plan.steps.iter().zip(&report.steps).enumerate() {
        let mark = if account.status == "done" {
            "✅"
        } else {
            "❌"
        };
        let mut how = String::new();
        if account.attempts > 1 {
            how.push_str(&format!(", {} attempts", account.attempts));
        }
        if account.plugin != step.action.plugin {
            how.push_str(&format!(", the fallback for {}", step.action.plugin.name));
        }
        line(format!(
            "{}. {}: {} ({}{how}) {mark}",
            number + 1,
            account.plugin.name,
            step.title,
            duration(account.duration_ms)
        ));
    }
    line("\n## Results\n".to_string());
    results(report, plan, state).into_iter().for_each(&mut line);
    line("\n## Issues Encountered\n".to_string());
    issues(state).into_iter().for_each(&mut line);
    line("\n## Recommendation\n".to_string());
    line(standing.to_string());
    page
}

fn status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Done => "✅ Success",
        RunStatus::Failed => "❌ Failed",
        RunStatus::Paused => "⏸ Paused",
        RunStatus::Refused => "❌ Refused",
        RunStatus::Interrupted => "⏹ Interrupted",
        RunStatus::Running => "⚙️ Running",
    }
}

fn results(report: &RunReport, plan: &Plan, state: &RunState) -> Vec<String> {
    let mut lines = vec![format!("- Total time: {}", duration(report.duration_ms))];
    if let Some((label, tests)) = last_tests(state) {
        lines.push(format!("- {label}: {}/{}", tests.passed, tests.total()));
        for (stand_in, number) in &tests.substituted {
            lines.push(format!(
                "- Passed against a stand-in ({stand_in}), not counted above: {number}"
            ));
        }
        if tests.skipped > 0 {
            lines.push(format!("- Skipped tests: {}", tests.skipped));
        }
    }
    let checks = report.checks;
    lines.push(format!(
        "- Checks: {} passed, {} failed, {} skipped",
        checks.passed, checks.failed, checks.skipped
    ));
    let facts: BTreeMap<&String, &Value> = state
        .steps
        .iter()
        .flat_map(|step| &step.findings)
        .flat_map(|finding| &finding.facts)
        .collect();
    lines.extend(facts.into_iter().map(|(label, value)| match value {
        Value::String(text) => format!("- {label}: {text}"),
        other => format!("- {label}: {other}"),
    }));
    let stated: BTreeMap<&String, &String> =
        plan.steps.iter().flat_map(|step| &step.results).collect();
    lines.extend(
        stated
            .into_iter()
            .map(|(label, text)| format!("- {label}: {text}")),
    );
    lines.extend(services(state));
    lines.extend(agents(report));
    lines
}

/// Returns what agents used, step by step where several did one.
fn agents(report: &RunReport) -> Vec<String> {
    let steps = report
        .steps
        .iter()
        .filter_map(|step| Some((step, step.used.as_ref()?)));
    let mut lines: Vec<String> = steps
        .map(|(step, used)| {
            let model = match used.model.as_str() {
                "" => String::new(),
                model => format!(" with {model}"),
            };
            format!(
                "- Agent of `{}`: {}{model}, {} turns, {} tokens in ({} cached), {} out, {:.4} USD",
                step.id,
                used.agent,
                used.turns,
                used.input_tokens + used.cached_tokens,
                used.cached_tokens,
                used.output_tokens,
                used.cost_usd
            )
        })
        .collect();
    if lines.len() > 1 {
        let used = report.steps.iter().filter_map(|step| step.used.as_ref());
        let (tokens, usd) = used.fold((0, 0.0), |(tokens, usd), used| {
            (tokens + used.tokens(), usd + used.cost_usd)
        });
        lines.push(format!("- Agents together: {tokens} tokens, {usd:.4} USD"));
    }
    lines
}

/// Returns the counts of the last tests that ran: later steps run the project's tests as a whole.
fn last_tests(state: &RunState) -> Option<(String, &TestCounts)> {
    let findings = state.steps.iter().flat_map(|step| &step.findings);
    let last = findings.rev().find(|finding| finding.tests.is_some())?;
    Some((
        last.label
            .clone()
            .unwrap_or_else(|| "Tests passed".to_string()),
        last.tests.as_ref()?,
    ))
}

fn services(state: &RunState) -> Vec<String> {
    // Each step gets its own; the last one stands for what the finished project was tested with.
    let uses: BTreeMap<&str, (bool, &str)> = state
        .steps
        .iter()
        .flat_map(|step| &step.services)
        .filter(|service| service.service != "port")
        .map(|service| {
            (
                service.service.as_str(),
                (service.real, service.how.as_str()),
            )
        })
        .collect();
    let line = |(service, (real, how)): (&str, (bool, &str))| match real {
        true => format!("- Tested with the real {service}: {how}"),
        false => format!("- Not tested with a real {service}, a substitute stood in: {how}"),
    };
    uses.into_iter().map(line).collect()
}

fn issues(state: &RunState) -> Vec<String> {
    let mut lines: Vec<String> = state.steps.iter().flat_map(step_issues).collect();
    if lines.is_empty() {
        lines.push("- none".to_string());
    }
    lines
}

fn step_issues(step: &StepState) -> Vec<String> {
    let line = |seen: &crate::model::FailureSeen| {
        let message = seen.failure.message.lines().next().unwrap_or_default();
        match &seen.remedy {
            Some(remedy) => format!(
                "- `{}`: {} (auto-fixed by `{}`)",
                step.id, remedy.note, remedy.id
            ),
            None => format!("- `{}`: {message} (`{}`)", step.id, seen.plugin),
        }
    };
    let mut lines: Vec<String> = step.failures.iter().map(line).collect();
    // The attempts of one plugin mostly fail alike.
    lines.dedup();
    lines
}

/// Returns RESEARCH.md: what each analyst found.
pub fn research_page(task: &str, research: &Research) -> String {
    let mut page = format!("# Research: {task}\n");
    for analysis in &research.analyses {
        let mut title = analysis.analyst.to_string();
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        page.push_str(&format!("\n## {title}\n\n{}.\n\n", analysis.summary));
        for line in &analysis.lines {
            page.push_str(&format!("- {line}\n"));
        }
    }
    if !research.unknown_words.is_empty() {
        page.push_str(&format!(
            "\nNot understood: {}.\n",
            research.unknown_words.join(", ")
        ));
    }
    page
}
