//! What is asked of a plan before it runs: read where the plan's author has no say.

use anyhow::Result;

use super::Project;
use crate::approve::stricter;
use crate::model::{ApprovalPolicy, ApprovalRule, Hint, Oid, Trouble};
use crate::store::{Config, paths};

/// The rule in force, and who says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub rule: ApprovalRule,
    /// Where the rule stands, for people.
    pub origin: String,
    /// The branch that a plan has to be merged into.
    pub branch: String,
}

impl Policy {
    /// Returns the policy as an approval binds it.
    pub fn words(&self) -> String {
        match self.rule.policy {
            ApprovalPolicy::Merged => format!("merged {}", self.branch),
            policy => policy.to_string(),
        }
    }
}

/// Returns the stricter of the rules on the base branch and in the person's own settings. What the checkout says does not count: it
/// may be the branch of the plan.
pub fn policy(project: &Project) -> Result<Policy> {
    let own_file = project.folders.config.join("config.yaml");
    let own_name = own_file.display().to_string();
    let own = match std::fs::read(&own_file) {
        Ok(text) => rule(&own_name, &text)?,
        Err(_) => ApprovalRule::default(),
    };
    let base = match &own.branch {
        Some(branch) => Some(branch.clone()),
        None => project.repository.base_branch()?,
    };
    let tip: Option<Oid> = match &base {
        Some(branch) => project.repository.reviewed_tip(branch)?,
        None => project.base(),
    };
    let shown = base.clone().unwrap_or_else(|| "HEAD".to_string());
    let name = format!("{} on `{shown}`", paths::CONFIG);
    let team = match &tip {
        Some(tip) => match project.repository.read_file(tip, paths::CONFIG)? {
            Some(text) => rule(&name, &text)?,
            None => ApprovalRule::default(),
        },
        None => ApprovalRule::default(),
    };
    let named = team.branch.clone().or(own.branch.clone());
    let origin = match own.policy > team.policy {
        true => format!("`{own_name}`"),
        false => format!("`{}` on `{shown}`", paths::CONFIG),
    };
    Ok(Policy {
        rule: stricter(team, own),
        origin,
        branch: named.unwrap_or(shown),
    })
}

fn rule(file: &str, text: &[u8]) -> Result<ApprovalRule> {
    let config = Config::read(file, text).kind(Trouble::Request)?;
    Ok(config.approval.unwrap_or_default())
}
