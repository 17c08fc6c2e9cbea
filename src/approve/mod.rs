//! Says whether what would run is what was approved.
//!
//! Works on bytes that it is given, and reads no disk: who reads a file once, has it checked here and uses the same bytes, runs
//! what was approved. It knows no git and verifies no signature.
//!
//! To bind one more thing, give it a field in `model::Bound` and a line in its statement, fill it where `Bound` is made, and
//! compare it in `differences`.

mod beyond;
mod lock;
mod reads;

use anyhow::{Result, anyhow};
use similar::TextDiff;

use crate::model::{Approval, ApprovalRule, Bound, Digest, ENGINE, Hint, PlanId, Trouble};
use crate::tree;
pub use beyond::beyond;
pub use lock::lock_part;
pub use reads::{Covered, reads};

/// Returns the digest that an approval names.
pub fn digest(bound: &Bound) -> Digest {
    tree::of_bytes(bound.statement().as_bytes())
}

/// Returns the stricter of two rules, the first where they are alike.
pub fn stricter(one: ApprovalRule, other: ApprovalRule) -> ApprovalRule {
    match other.policy > one.policy {
        true => other,
        false => one,
    }
}

/// One thing that is not as it was approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// What it is, as in `the lock of `fixtures``.
    pub what: String,
    pub approved: String,
    pub found: String,
}

/// Returns in what two sets of bound things differ, in the order of the statement.
pub fn differences(approved: &Bound, found: &Bound) -> Vec<Difference> {
    let mut all = Vec::new();
    let mut differ = |what: String, approved: Option<String>, found: Option<String>| {
        if approved != found {
            let shown = |side: Option<String>| side.unwrap_or_else(|| "nothing".to_string());
            all.push(Difference {
                what,
                approved: shown(approved),
                found: shown(found),
            });
        }
    };
    differ(
        "the engine".to_string(),
        Some(approved.engine.to_string()),
        Some(found.engine.to_string()),
    );
    differ(
        "the policy".to_string(),
        Some(approved.policy.clone()),
        Some(found.policy.clone()),
    );
    differ(
        "`plan.yaml`".to_string(),
        Some(approved.plan.to_string()),
        Some(found.plan.to_string()),
    );
    let mut names: Vec<_> = approved.locks.keys().chain(found.locks.keys()).collect();
    names.sort();
    names.dedup();
    for name in names {
        let side = |bound: &Bound| bound.locks.get(name).map(Digest::to_string);
        differ(format!("the lock of `{name}`"), side(approved), side(found));
    }
    let mut ids: Vec<_> = approved
        .plugins
        .keys()
        .chain(found.plugins.keys())
        .collect();
    ids.sort();
    ids.dedup();
    for id in ids {
        let side = |bound: &Bound| bound.plugins.get(id).map(Digest::to_string);
        differ(format!("the plugin `{id}`"), side(approved), side(found));
    }
    all
}

/// Refuses what is not as it was approved, and names every thing that differs; what to do about it is the caller's to say.
pub fn same(plan: &PlanId, approved: &Bound, found: &Bound) -> Result<()> {
    match differences(approved, found).as_slice() {
        [] => Ok(()),
        different => Err(not_approved(plan, different)).kind(Trouble::Integrity),
    }
}

/// Refuses an approval that was written over, one for other rules, and one for another `plan.yaml`: before anything else is looked at.
pub fn begins(plan: &PlanId, approval: &Approval, text: &[u8]) -> Result<()> {
    let over = digest(&approval.bound);
    if over != approval.digest {
        return Err(anyhow!(
            "the approval of plan `{plan}` was changed: it names {}, and what it lists is {over}",
            approval.digest
        ))
        .kind(Trouble::Integrity)
        .hint(anew(plan));
    }
    let found = Bound {
        engine: ENGINE,
        plan: tree::of_bytes(text),
        ..approval.bound.clone()
    };
    same(plan, &approval.bound, &found).hint(anew(plan))
}

/// Returns how the lines of a text changed, as a unified diff.
pub fn text_diff(path: &str, before: &[u8], after: &[u8]) -> String {
    let (before, after) = (
        String::from_utf8_lossy(before),
        String::from_utf8_lossy(after),
    );
    TextDiff::from_lines(before.as_ref(), after.as_ref())
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{path}"), &format!("b/{path}"))
        .to_string()
}

fn not_approved(plan: &PlanId, different: &[Difference]) -> anyhow::Error {
    let mut error = anyhow!("{}", cause(&different[different.len() - 1]));
    for difference in different.iter().rev().skip(1) {
        error = error.context(cause(difference));
    }
    error.context(format!("plan `{plan}` is not the one that was approved"))
}

fn cause(difference: &Difference) -> String {
    let Difference {
        what,
        approved,
        found,
    } = difference;
    format!("{what}: approved {approved}, found {found}")
}

/// Returns the advice to look at what changed and to approve it.
pub fn anew(plan: &PlanId) -> String {
    format!("`orchestrate approve {plan}` shows what changed and approves it anew")
}

#[cfg(test)]
mod tests;
