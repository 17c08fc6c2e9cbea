//! The account of a run, for scripts.

use serde::Serialize;

use crate::model::{
    AgentUse, CheckCounts, Finding, Oid, Outcome, Phase, Plan, PlanId, RunId, RunReport, RunState,
    RunStatus, SCHEMA, StepReport, StepStatus,
};

/// The file `findings.yaml` of a step; written for people and never parsed back.
#[derive(Serialize)]
pub struct FindingsFile<'a> {
    schema: u32,
    findings: &'a [Finding],
}

impl FindingsFile<'_> {
    /// Returns the file for these findings.
    pub fn new(findings: &[Finding]) -> FindingsFile<'_> {
        FindingsFile {
            schema: SCHEMA,
            findings,
        }
    }
}

/// Returns the account of a run as it stands; `commits` names the commit of each finished step by the step's name.
pub fn account(
    run: &RunId,
    plan_id: &PlanId,
    plan: &Plan,
    state: &RunState,
    commits: &dyn Fn(&str) -> Option<Oid>,
) -> RunReport {
    let resume = || Some(format!("orchestrate --resume {run}"));
    let (status, reason, actions, next) = match &state.phase {
        Phase::Waiting | Phase::Running => (RunStatus::Running, None, Vec::new(), None),
        Phase::Finished | Phase::Learned => (RunStatus::Done, None, Vec::new(), None),
        Phase::Paused {
            reason, actions, ..
        } => (
            RunStatus::Paused,
            Some(reason.clone()),
            actions.clone(),
            resume(),
        ),
        Phase::Failed { reason, .. } => (
            RunStatus::Failed,
            Some(reason.clone()),
            Vec::new(),
            resume(),
        ),
        Phase::Interrupted { signal } => (
            RunStatus::Interrupted,
            Some(format!("stopped by {signal}")),
            Vec::new(),
            resume(),
        ),
    };
    let steps: Vec<StepReport> = plan
        .steps
        .iter()
        .zip(&state.steps)
        .map(|(step, state)| StepReport {
            id: step.id.clone(),
            plugin: state.action_of(step).plugin.clone(),
            status: status_word(state.status).to_string(),
            attempts: state.attempts_ended(),
            duration_ms: state.duration_ms,
            commit: commits(step.id.as_str()),
            used: (state.used != AgentUse::default()).then(|| state.used.clone()),
        })
        .collect();
    RunReport {
        schema: SCHEMA,
        status,
        plan: plan_id.clone(),
        run: run.clone(),
        branch: run.branch(),
        commit: None,
        report: None,
        merged: None,
        task: plan.task.clone(),
        pattern: plan.pattern.as_ref().map(ToString::to_string),
        sandbox: state.sandbox.clone(),
        duration_ms: steps.iter().map(|step| step.duration_ms).sum(),
        steps,
        checks: counts(state),
        reason,
        actions,
        next,
    }
}

fn status_word(status: StepStatus) -> &'static str {
    match status {
        StepStatus::Waiting => "waiting",
        StepStatus::Running => "running",
        StepStatus::Done => "done",
        StepStatus::Failed => "failed",
    }
}

fn counts(state: &RunState) -> CheckCounts {
    let of = |outcome: Outcome| {
        let findings = state.steps.iter().flat_map(|step| &step.findings);
        findings
            .filter(|finding| finding.outcome == outcome)
            .count() as u32
    };
    CheckCounts {
        passed: of(Outcome::Passed),
        failed: of(Outcome::Failed),
        skipped: of(Outcome::Skipped),
    }
}
