//! Turns what research found into a plan: which plugins, in which order, with which inputs, checks and grants.
//!
//! Planning runs nothing and reads neither disk nor clock, so the same research gives the same plan to the byte.
//!
//! A new constraint is enforced in `choose`; what is chosen without a pattern, in `compose`; a new field of a step is filled in `build`.

mod agent_step;
mod build;
mod choose;
mod compose;
mod markdown;
mod order;
mod prompt;
mod refuse;

use anyhow::Result;

use crate::model::{
    AgentDefaults, By, Capability, Check, CheckKind, Digest, ENGINE, Environment, Fills, Need,
    PatternId, Plan, PlanId, Plugin, PluginId, Research, SCHEMA, Step, Task, Taxonomy, Understood,
};
pub use build::creates;
pub use markdown::{PlanPage, graph};

/// What planning works on.
pub struct PlanContext<'a> {
    pub task: &'a Task,
    pub research: &'a Research,
    pub plugins: &'a [Plugin],
    pub taxonomy: &'a Taxonomy,
    /// Returns what the plugin's files are now.
    pub digest: &'a dyn Fn(&Plugin) -> Result<Digest>,
    /// What agents are asked where nobody says otherwise.
    pub agent: &'a AgentDefaults,
    /// What the repository has to check a change with.
    pub own: &'a OwnChecks,
}

/// What a repository brings along to check a change with, such as its tests.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct OwnChecks {
    pub checks: Vec<Check>,
    /// What has to be built for them.
    pub environment: Option<Environment>,
    /// What they may not do without, as a plan grants it.
    pub network: Vec<String>,
    /// Why some of what is there is no check, in sentences.
    pub remarks: Vec<String>,
}

/// What a person may choose.
#[derive(Debug, Clone, Default)]
pub struct PlanOptions {
    pub pattern: Option<PatternId>,
    /// Compose anew, whatever patterns there are.
    pub explore: bool,
}

/// The steps to be, before they are connected.
struct Choice {
    pattern: Option<PatternId>,
    picks: Vec<Pick>,
    remarks: Vec<String>,
}

/// One plugin chosen for one capability, or for several that the same component of it does.
struct Pick {
    capability: Capability,
    more: Vec<Capability>,
    plugin: PluginId,
    by: By,
    fallbacks: Vec<(PluginId, By)>,
    why: String,
}

impl Pick {
    /// Returns everything that it is chosen for.
    fn capabilities(&self) -> impl Iterator<Item = &Capability> {
        std::iter::once(&self.capability).chain(&self.more)
    }

    fn is_by_agent(&self) -> bool {
        matches!(self.by, By::Agent { .. })
    }
}

/// Returns the plan for the task, or why there is none and which one would be nearest.
pub fn plan(context: &PlanContext<'_>, options: &PlanOptions) -> Result<Plan> {
    let choice = choose::choose(context, options)?;
    let (steps, mut remarks) = build::steps(context, &choice)?;
    let steps = with_quality(context, steps);
    remarks.splice(0..0, choice.remarks);
    Ok(Plan {
        schema: SCHEMA,
        engine: ENGINE,
        task: context.task.text.clone(),
        constraints: context.task.constraints.clone(),
        understood: context
            .research
            .needs
            .iter()
            .map(|need| understood(context.taxonomy, need, &steps))
            .collect(),
        remarks,
        pattern: choice.pattern,
        steps,
    })
}

fn understood(taxonomy: &Taxonomy, need: &Need, steps: &[Step]) -> Understood {
    let mut provided = steps.iter().flat_map(|step| &step.provides);
    let fills = match provided.any(|capability| taxonomy.fills(capability, &need.capability)) {
        true => Fills::Planned,
        false => Fills::LeftOut,
    };
    Understood {
        capability: need.capability.clone(),
        because: need.because.clone(),
        fills,
    }
}

/// At `production-ready`, the last step answers for all: the checks of every step before it are made once more on its result.
fn with_quality(context: &PlanContext<'_>, mut steps: Vec<Step>) -> Vec<Step> {
    use crate::model::Quality;
    if context.task.constraints.quality != Some(Quality::ProductionReady) {
        return steps;
    }
    let Some((last, before)) = steps.split_last_mut() else {
        return steps;
    };
    for step in before {
        // What a step was to change, a later one need not change again.
        let lasting = |check: &&Check| !matches!(check.kind(), Ok(CheckKind::Changed(_)));
        for check in step.checks.iter().filter(lasting) {
            let mut again = check.clone();
            again.id = format!("{}-{}", step.id, check.id);
            again.label = None;
            last.checks.push(again);
        }
    }
    steps
}

/// Returns the name for a plan made on `date` (`2026-11-22`) whose `plan.yaml` has the given digest.
pub fn name(plan: &Plan, date: &str, digest: &Digest) -> Result<PlanId> {
    format!("{date}-{}", name_without_date(plan, digest)).parse()
}

/// Returns the part of a plan's name that planning it again on another day gives as well.
pub fn name_without_date(plan: &Plan, digest: &Digest) -> String {
    format!("{}-{}", slug(plan), digest.short(4))
}

/// Returns a pattern's name for what the plan does: its own pattern's, else one made of what it provides.
pub fn slug(plan: &Plan) -> String {
    if let Some(pattern) = &plan.pattern {
        return pattern.to_string();
    }
    let mut words: Vec<String> = Vec::new();
    for capability in plan.steps.iter().flat_map(|step| step.provides.first()) {
        let mut parts: Vec<&str> = capability.as_str().split('.').collect();
        // `api.rest` reads better as `rest-api`, and `test.api` says nothing that the rest does not.
        match parts.as_slice() {
            ["test", ..] if plan.steps.len() > 1 => continue,
            ["api", ..] => parts.rotate_left(1),
            _ if parts.len() > 1 => drop(parts.remove(0)),
            _ => {}
        }
        words.extend(parts.into_iter().map(str::to_string));
    }
    words.dedup();
    let mut slug = words.join("-");
    slug.truncate(48);
    match slug.trim_matches('-') {
        "" => "workflow".to_string(),
        slug => slug.to_string(),
    }
}
