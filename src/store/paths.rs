//! Where each file of ours is, relative to the repository, with `/` between its parts.

use crate::model::{PatternId, PlanId, RunId, StepId};

pub const ROOT: &str = ".orchestrate/";
pub const CONFIG: &str = ".orchestrate/config.yaml";
pub const LOCKS: &str = ".orchestrate/lock/";
pub const PLANS: &str = ".orchestrate/plans/";
pub const PATTERNS: &str = ".orchestrate/patterns/";
pub const TAXONOMY: &str = ".orchestrate/taxonomy/";
pub const RUNS: &str = ".orchestrate/runs/";

/// What is used of a marketplace.
pub fn lock(marketplace: &str) -> String {
    format!("{LOCKS}{marketplace}.yaml")
}

/// What will run.
pub fn plan_yaml(plan: &PlanId) -> String {
    format!("{PLANS}{plan}/plan.yaml")
}

/// The same for people.
pub fn plan_md(plan: &PlanId) -> String {
    format!("{PLANS}{plan}/PLAN.md")
}

/// Who approved it.
pub fn approval(plan: &PlanId) -> String {
    format!("{PLANS}{plan}/approval.yaml")
}

/// What the analysts found.
pub fn research_md(plan: &PlanId) -> String {
    format!("{PLANS}{plan}/RESEARCH.md")
}

/// The folder of a run.
pub fn run(run: &RunId) -> String {
    format!("{RUNS}{run}/")
}

/// The `number`th segment of a run's log, counted from 1.
pub fn segment(run: &RunId, number: usize) -> String {
    format!("{RUNS}{run}/events/{:02}/{number:04}.yaml", number / 100)
}

/// What the checks of a step found.
pub fn findings(run: &RunId, step: &StepId) -> String {
    format!("{RUNS}{run}/steps/{step}/findings.yaml")
}

/// What the attempts of a step printed.
pub fn step_log(run: &RunId, step: &StepId) -> String {
    format!("{RUNS}{run}/steps/{step}/log.txt")
}

/// The account of a run for people.
pub fn report_md(run: &RunId) -> String {
    format!("{RUNS}{run}/REPORT.md")
}

/// The account of a run for scripts.
pub fn report_yaml(run: &RunId) -> String {
    format!("{RUNS}{run}/report.yaml")
}

/// The definition of a pattern.
pub fn pattern_yaml(pattern: &PatternId) -> String {
    format!("{PATTERNS}{pattern}/pattern.yaml")
}

/// The record that a run adds to a pattern.
pub fn evidence(pattern: &PatternId, run: &RunId) -> String {
    format!("{PATTERNS}{pattern}/evidence/{run}.yaml")
}
