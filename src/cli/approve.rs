//! `orchestrate approve PLAN`: what is approved, and what changed since it was approved before.

use serde_json::json;

use super::arguments::{Approve, Arguments};
use super::output::Output;
use super::{Done, open};
use crate::model::counted;
use crate::ops::{self, ApproveOptions};

/// Approves a plan and says what that binds.
pub fn run(arguments: &Arguments, approve: &Approve, output: &Output) -> Done {
    let project = open(arguments)?;
    let options = ApproveOptions { sign: approve.sign };
    let approved = ops::approve(&project, &approve.plan, options)?;
    let approval = &approved.approval;
    output.document(&json!({
        "plan": approved.id.as_str(),
        "status": if approved.unchanged { "unchanged" } else { "approved" },
        "file": approved.path,
        "approval": approval,
        "policy": approved.policy.words(),
        "changed": approved.review.differences.iter().map(|difference| json!({
            "what": difference.what, "approved": difference.approved, "found": difference.found,
        })).collect::<Vec<_>>(),
        "diff": approved.review.diff,
    }))?;
    for difference in &approved.review.differences {
        output.line(&format!(
            "Changed since it was approved: {}",
            difference.what
        ));
    }
    if !approved.review.diff.is_empty() {
        output.line(approved.review.diff.trim_end());
    }
    let done = match approved.unchanged {
        true => "Approved before, and unchanged",
        false => "✓ Approved",
    };
    output.line(&format!("{done}: {}", approved.id));
    output.line(&format!("  {}", approval.digest));
    output.line(&format!(
        "  over plan.yaml, {} and {}; policy: {}",
        counted(approval.bound.locks.len(), "lock"),
        counted(approval.bound.plugins.len(), "plugin"),
        approved.policy.words()
    ));
    let signed = if approval.signature.is_some() {
        ", signed"
    } else {
        ""
    };
    output.line(&format!("  by {}{signed}", approval.by));
    output.line(&format!("  {}", approved.path));
    Ok(0)
}
