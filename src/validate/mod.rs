//! Looks at plans before they run and at steps after they ran, and says what it found.
//!
//! A check reads the worktree and starts programs in it that cannot write there. It never decides what happens next.
//!
//! To add a check: a file with `run` and its summary, a field in `model::Check`, and an arm in `check_step`.

mod changed;
mod command_succeeds;
mod file_exists;
mod json_value;
mod plan;
mod tests_pass;

use anyhow::Result;

use crate::model::{CheckKind, Failure, FailureKind, Finding, Outcome, Step};
use crate::workspace::{Line, Workspace};
pub use plan::check_plan;

/// Carries out every check of the step, in order, and returns what each found; `say` gets what their programs print.
pub fn check_step(
    step: &Step,
    workspace: &Workspace,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for check in &step.checks {
        let mut finding = match check.kind()? {
            CheckKind::File(path) => file_exists::run(path, workspace)?,
            CheckKind::Changed(path) => changed::run(path, workspace)?,
            CheckKind::Tests(tests) => tests_pass::run(tests, workspace, say)?,
            CheckKind::Command(command) => command_succeeds::run(command, workspace, say)?,
            CheckKind::Json(json) => json_value::run(json, workspace)?,
        };
        finding.check = check.id.clone();
        finding.label = check.label.clone();
        let failed = finding.outcome == Outcome::Failed;
        findings.push(finding);
        // What comes after a failed check would only repeat its complaint.
        if failed {
            break;
        }
    }
    Ok(findings)
}

/// Returns the failure that the findings amount to, if one of them failed.
pub fn failure(findings: &[Finding]) -> Option<Failure> {
    let failed = findings
        .iter()
        .find(|finding| finding.outcome == Outcome::Failed)?;
    Some(Failure {
        kind: FailureKind::Check,
        message: format!("check `{}`: {}", failed.check, failed.message),
        output: failed.output.clone(),
        actions: Vec::new(),
        wait_ms: None,
    })
}

/// How long a check's program may run when the check does not say.
const TIMEOUT_S: u64 = 600;

/// Returns a finding without the name and the label of its check, which `check_step` fills in.
fn found(outcome: Outcome, message: impl Into<String>) -> Finding {
    Finding {
        check: String::new(),
        outcome,
        message: message.into(),
        label: None,
        output: String::new(),
        tests: None,
        facts: std::collections::BTreeMap::new(),
    }
}
