//! What a run would do, without doing any of it.

use anyhow::Result;
use serde::Serialize;

use super::run::ready;
use super::{Planned, Project, approval_policy};
use crate::checkpoint::Head;

/// What would happen.
#[derive(Debug, Serialize)]
pub struct DryRun {
    pub plan: String,
    pub digest: String,
    pub approval: String,
    pub branch: String,
    /// The branch that the result would be merged into.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub onto: Option<String>,
    /// What the first commits of the run would hold.
    pub files: Vec<String>,
    pub steps: Vec<DryStep>,
}

/// What a step would do.
#[derive(Debug, Serialize)]
pub struct DryStep {
    pub id: String,
    pub title: String,
    pub plugin: String,
    pub needs: Vec<String>,
    pub writes: Vec<String>,
    /// What it would reach beyond its worktree.
    pub grants: Vec<String>,
    pub programs: Vec<Vec<String>>,
    /// The tool of an MCP server that it would call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub calls: Option<String>,
    pub checks: Vec<String>,
    pub fallbacks: Vec<String>,
    pub remedies: Vec<String>,
}

/// Makes sure that the plan could be run now, and says what that would do. It writes nothing, and starts nothing.
pub fn dry_run(project: &Project, planned: &Planned, merge: bool) -> Result<DryRun> {
    ready(project, planned)?;
    let policy = approval_policy(project)?;
    let onto = match &project.head {
        Head::Branch { name, .. } if merge => Some(name.clone()),
        _ => None,
    };
    let files = planned.files.iter().chain(&planned.research);
    Ok(DryRun {
        plan: planned.id.to_string(),
        digest: planned.digest.to_string(),
        approval: policy.words(),
        branch: format!("orchestrate/{}.", planned.id),
        onto,
        files: files.map(|(path, _)| path.clone()).collect(),
        steps: planned.plan.steps.iter().map(step).collect(),
    })
}

fn step(step: &crate::model::Step) -> DryStep {
    let action = &step.action;
    let grants = action.grants.network.iter().chain(&action.grants.services);
    DryStep {
        id: step.id.to_string(),
        title: step.title.clone(),
        plugin: action.plugin.to_string(),
        needs: step.needs.iter().map(ToString::to_string).collect(),
        writes: action.writes.clone(),
        grants: grants.cloned().collect(),
        programs: action
            .commands
            .iter()
            .map(|command| command.argv.clone())
            .collect(),
        calls: action
            .mcp
            .as_ref()
            .map(|call| format!("{} of the MCP server {}", call.tool, call.server)),
        checks: step.checks.iter().map(|check| check.id.clone()).collect(),
        fallbacks: step
            .fallbacks
            .iter()
            .map(|fallback| fallback.plugin.to_string())
            .collect(),
        remedies: action
            .remedies
            .iter()
            .map(|remedy| remedy.id.clone())
            .collect(),
    }
}
