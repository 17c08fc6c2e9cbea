//! A run with its plan's name, its folder and its beginning: what does not change while it goes on.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};

use super::history::{self, Stored};
use super::{Project, Silent};
use crate::checkpoint::Identity;
use crate::learn::{self, Lesson, LessonContext};
use crate::model::{
    Action, Digest, EvidenceResult, Hint, Odds, Oid, Pattern, PatternId, Plan, PlanId, Plugin,
    PluginFile, ProvenPattern, RunId, RunReport, RunState, Trouble,
};
use crate::report;
use crate::store::{RunFolder, paths};
use crate::tree;

/// Everything about a run that does not change while it goes on.
pub struct Session<'a> {
    pub project: &'a Project,
    pub run: RunId,
    pub plan_id: PlanId,
    pub digest: Digest,
    pub folder: RunFolder,
    pub identity: Identity,
    pub base: Oid,
}

impl<'a> Session<'a> {
    /// Returns the session of a run that is only looked at: nothing is started in it.
    pub fn of(project: &'a Project, run: &RunId, stored: &Stored) -> Result<Session<'a>> {
        let base = history::base(&stored.events)
            .ok_or_else(|| anyhow!("run `{run}` has no `run-started` in its log"))
            .kind(Trouble::Integrity)?;
        Ok(Session {
            project,
            run: run.clone(),
            plan_id: stored.plan_id.clone(),
            digest: stored.digest.clone(),
            folder: project
                .folders
                .run(project.repository.common_directory(), run),
            identity: project.repository.identity(),
            base,
        })
    }
}

impl Session<'_> {
    /// Returns the plugin of the action with its files, checked on the very bytes that are returned.
    pub fn plugin(&self, action: &Action) -> Result<(Plugin, BTreeMap<String, PluginFile>)> {
        planned_plugin(self.project, action)
    }

    /// Returns the account of the run, with the commits of its steps.
    pub fn account(&self, plan: &Plan, state: &RunState, tip: &Oid) -> Result<RunReport> {
        let commits = history::step_commits(&self.project.repository, tip, Some(&self.base))?;
        Ok(report::account(
            &self.run,
            &self.plan_id,
            plan,
            state,
            &|step| commits.get(step).cloned(),
        ))
    }

    /// Returns what the run teaches as it stands.
    pub fn lesson(&self, plan: &Plan, state: &RunState, at: jiff::Timestamp) -> Lesson {
        let known = self.pattern(plan);
        learn::learn(&LessonContext {
            run: &self.run,
            plan_id: &self.plan_id,
            plan,
            state,
            at,
            known: known.map(|proven| &proven.pattern),
            name: self.pattern_name(plan),
        })
    }

    /// Returns the pattern that the run adds a record to: one whose plugins, in their order, are the plan's.
    pub fn pattern(&self, plan: &Plan) -> Option<&ProvenPattern> {
        let known = self.project.patterns.iter();
        known
            .filter(|proven| {
                plan.pattern.is_none() || plan.pattern == Some(proven.pattern.id.clone())
            })
            .find(|proven| follows(plan, &proven.pattern))
    }

    /// Returns the name of the pattern that the run adds a record to; a new one never takes the name of another.
    fn pattern_name(&self, plan: &Plan) -> PatternId {
        if let Some(known) = self.pattern(plan) {
            return known.pattern.id.clone();
        }
        let name = crate::plan::slug(plan);
        let taken = |name: &str| {
            self.project
                .patterns
                .iter()
                .any(|known| known.pattern.id.as_str() == name)
        };
        let name = match taken(&name) {
            true => format!("{name}-{}", self.digest.short(4)),
            false => name,
        };
        name.parse().expect("a slug is the name of a pattern")
    }

    /// Returns in words how the pattern has done, this run included.
    pub fn standing(&self, plan: &Plan) -> String {
        let others: Vec<_> = self
            .pattern(plan)
            .iter()
            .flat_map(|proven| &proven.evidence)
            .filter(|record| record.run != self.run)
            .collect();
        let successes = others
            .iter()
            .filter(|record| record.result == EvidenceResult::Success)
            .count() as u32;
        let odds = Odds::from_counts(successes + 1, others.len() as u32 + 1);
        let name = self.pattern_name(plan);
        format!(
            "Pattern `{name}` is {} with this run: {}.",
            odds.standing.word(),
            odds.words()
        )
    }
}

/// Returns the plugin of the action with its files, whose bytes have to be those of the plan; they are read once.
pub fn planned_plugin(
    project: &Project,
    action: &Action,
) -> Result<(Plugin, BTreeMap<String, PluginFile>)> {
    let key = (action.plugin.clone(), action.digest.clone());
    if let Some(known) = project.checked.borrow().get(&key) {
        return Ok(known.clone());
    }
    let catalog = project.catalog(&mut Silent)?;
    let Some(plugin) = catalog.find(&action.plugin)? else {
        catalog.complete()?;
        return Err(anyhow!(
            "the plugin `{}` of the plan is in no known marketplace",
            action.plugin
        ))
        .kind(Trouble::Missing)
        .hint(format!(
            "name its marketplace in `{}`, or plan again",
            paths::CONFIG
        ));
    };
    let files = catalog.files(&plugin)?;
    let found = tree::digest(&files);
    if found == action.digest {
        // The bytes that were checked are the bytes that run, whatever stands in the marketplace by then.
        let checked = (plugin, files);
        project.checked.borrow_mut().insert(key, checked.clone());
        return Ok(checked);
    }
    Err(anyhow!("planned {}, found {found}", action.digest))
        .with_context(|| {
            format!(
                "the plugin `{}` is not the one that was planned",
                action.plugin
            )
        })
        .kind(Trouble::Integrity)
        .hint("plan again and review what changed, or bring the planned version of the plugin back")
}

/// Says whether the plan uses just the plugins of the pattern, in their order: a plan that was changed by hand proves nothing about it.
fn follows(plan: &Plan, pattern: &Pattern) -> bool {
    let used = plan.steps.iter().map(|step| &step.action.plugin);
    used.eq(pattern.steps.iter().map(|step| &step.plugin))
}
