//! What a run teaches: one record of evidence, and a proposal for the pattern that a person reviews as a diff.
//!
//! Statistics are computed from the records each time and stored nowhere, so records of different branches never conflict.
//!
//! To learn something new from a run, extend `Evidence`, or what `proposal` puts into a pattern.

use anyhow::Result;
use similar::TextDiff;

use crate::model::{
    Evidence, EvidenceResult, FailureSeen, IssueSeen, KnownIssue, Pattern, PatternId, PatternStep,
    Phase, Plan, PlanId, RunId, RunState, SCHEMA, StepState, StepStatus,
};

/// What a run teaches.
pub struct Lesson {
    pub pattern: PatternId,
    pub evidence: Evidence,
    /// The pattern with what is new, where something is.
    pub proposal: Option<Proposal>,
}

/// A change to a pattern.
pub struct Proposal {
    pub pattern: Pattern,
    /// What is new, in words.
    pub lines: Vec<String>,
}

/// The run that teaches.
pub struct LessonContext<'a> {
    pub run: &'a RunId,
    pub plan_id: &'a PlanId,
    pub plan: &'a Plan,
    pub state: &'a RunState,
    pub at: jiff::Timestamp,
    /// The pattern of the plan, or one that an equal plan made before.
    pub known: Option<&'a Pattern>,
    /// The name for a new pattern.
    pub name: PatternId,
}

/// Returns what the run teaches.
pub fn learn(context: &LessonContext<'_>) -> Lesson {
    let failed = matches!(context.state.phase, Phase::Failed { .. });
    let used = context.plan.steps.iter().zip(&context.state.steps);
    let evidence = Evidence {
        schema: SCHEMA,
        run: context.run.clone(),
        plan: context.plan_id.clone(),
        at: context.at,
        result: if failed {
            EvidenceResult::Failure
        } else {
            EvidenceResult::Success
        },
        duration_ms: context
            .state
            .steps
            .iter()
            .map(|step| step.duration_ms)
            .sum(),
        plugins: used
            .map(|(step, state)| state.action_of(step).plugin.clone())
            .collect(),
        issues: context.state.steps.iter().flat_map(issues).collect(),
    };
    Lesson {
        pattern: context
            .known
            .map_or_else(|| context.name.clone(), |pattern| pattern.id.clone()),
        proposal: if failed {
            None
        } else {
            proposal(context, &evidence)
        },
        evidence,
    }
}

/// Returns each failure of the step, once.
fn issues(step: &StepState) -> Vec<IssueSeen> {
    let mut found: Vec<IssueSeen> = Vec::new();
    for seen in &step.failures {
        let issue = issue(seen, step.status == StepStatus::Done);
        if !found.contains(&issue) {
            found.push(issue);
        }
    }
    found
}

fn issue(seen: &FailureSeen, got_over: bool) -> IssueSeen {
    let message = seen.failure.message.lines().next().unwrap_or_default();
    match &seen.remedy {
        Some(remedy) => IssueSeen {
            plugin: seen.plugin.clone(),
            issue: remedy.note.clone(),
            mended_by: "remedy".to_string(),
            remedy: Some(remedy.id.clone()),
        },
        None => IssueSeen {
            plugin: seen.plugin.clone(),
            issue: message.to_string(),
            mended_by: match got_over {
                true => "retry, fallback or a person".to_string(),
                false => "nothing".to_string(),
            },
            remedy: None,
        },
    }
}

fn proposal(context: &LessonContext<'_>, evidence: &Evidence) -> Option<Proposal> {
    let mut lines = Vec::new();
    let mut pattern = match context.known {
        Some(pattern) => pattern.clone(),
        None => {
            lines.push(format!(
                "a new pattern, `{}`, from a composed plan that worked",
                context.name
            ));
            composed(context)
        }
    };
    for seen in evidence.issues.iter().filter(|seen| seen.remedy.is_some()) {
        let known = KnownIssue {
            plugin: seen.plugin.clone(),
            issue: seen.issue.clone(),
            remedy: seen.remedy.clone(),
        };
        if !pattern.known_issues.contains(&known) {
            lines.push(format!("known issue added: \"{}\"", seen.issue));
            pattern.known_issues.push(known);
        }
    }
    (!lines.is_empty()).then_some(Proposal { pattern, lines })
}

fn composed(context: &LessonContext<'_>) -> Pattern {
    let steps = context.plan.steps.iter().filter_map(|step| {
        Some(PatternStep {
            capability: step.provides.first()?.clone(),
            plugin: step.action.plugin.clone(),
            fallbacks: step
                .fallbacks
                .iter()
                .map(|action| action.plugin.clone())
                .collect(),
        })
    });
    Pattern {
        schema: SCHEMA,
        id: context.name.clone(),
        title: context.plan.task.clone(),
        domain: context.plan.constraints.domain.clone(),
        steps: steps.collect(),
        known_issues: Vec::new(),
    }
}

/// Returns the change from one text to another as a unified diff.
pub fn diff(path: &str, before: &str, after: &str) -> Result<String> {
    let diff = TextDiff::from_lines(before, after);
    let from = if before.is_empty() {
        "/dev/null".to_string()
    } else {
        format!("a/{path}")
    };
    Ok(diff
        .unified_diff()
        .context_radius(3)
        .header(&from, &format!("b/{path}"))
        .to_string())
}
