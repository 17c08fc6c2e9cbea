//! The runs of a repository, as their branches tell them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};

use super::Project;
use super::approve::within;
use super::locks::lock_paths;
use super::names::Named;
use crate::checkpoint::Repository;
use crate::model::{
    Digest, Event, EventKind, Hint, Oid, Phase, Plan, PlanId, RunId, RunReport, RunState,
    RunStatus, Trouble,
};
use crate::report;
use crate::store::{self, RunLock, paths};
use crate::tree;
use crate::validate;

/// A run as its branch holds it.
pub struct Stored {
    pub plan_id: PlanId,
    pub plan: Plan,
    pub digest: Digest,
    pub events: Vec<Event>,
    pub tip: Oid,
    /// Whether the branch is in this clone, and not only under a remote.
    pub local: bool,
    pub segments: usize,
}

/// One line of a list of runs.
#[derive(Debug, Clone, serde::Serialize)]
pub struct RunSummary {
    pub run: RunId,
    pub status: RunStatus,
    pub task: String,
    /// Whether a process on this machine carries it out now.
    pub live: bool,
    pub steps_done: usize,
    pub steps: usize,
    pub started: Option<jiff::Timestamp>,
    pub branch: String,
    pub commit: Oid,
}

const PREFIX: &str = "orchestrate/";

/// Returns the runs that have a branch here, oldest first; one that cannot be read is left out with the reason.
pub fn runs(project: &Project) -> Result<(Vec<RunSummary>, Vec<String>)> {
    let mut found = Vec::new();
    let mut complaints = Vec::new();
    for (branch, tip) in project.repository.branches(PREFIX)? {
        let Ok(run) = branch[PREFIX.len()..].parse::<RunId>() else {
            continue;
        };
        match load(&project.repository, &run) {
            Ok(stored) => {
                let git = project.repository.common_directory();
                let live = RunLock::is_held(&project.folders.run(git, &run).lock());
                found.push(summary(run, branch, tip, &stored, live));
            }
            Err(error) => complaints.push(format!("run `{run}`: {error:#}")),
        }
    }
    found.sort_by(|a, b| (a.started, &a.run).cmp(&(b.started, &b.run)));
    Ok((found, complaints))
}

fn summary(run: RunId, branch: String, tip: Oid, stored: &Stored, live: bool) -> RunSummary {
    let state = RunState::replay(&stored.plan, &stored.events);
    RunSummary {
        run,
        status: match state.phase {
            Phase::Waiting | Phase::Running => RunStatus::Running,
            Phase::Paused { .. } => RunStatus::Paused,
            Phase::Failed { .. } => RunStatus::Failed,
            Phase::Interrupted { .. } => RunStatus::Interrupted,
            Phase::Finished | Phase::Learned => RunStatus::Done,
        },
        task: stored.plan.task.clone(),
        live,
        steps_done: state.done(),
        steps: stored.plan.steps.len(),
        started: state.started,
        branch,
        commit: tip,
    }
}

/// What happened in a run.
#[derive(serde::Serialize)]
pub struct RunLog {
    pub run: RunId,
    #[serde(skip)]
    pub plan: Plan,
    pub events: Vec<Event>,
}

impl RunLog {
    /// Returns where the run stood after one of its events.
    pub fn state_after(&self, event: &Event) -> RunState {
        let end = self
            .events
            .iter()
            .position(|other| std::ptr::eq(other, event));
        RunState::replay(&self.plan, &self.events[..end.map_or(0, |end| end + 1)])
    }
}

/// Returns what happened in the run called `name`.
pub fn run_log(project: &Project, name: &str) -> Result<RunLog> {
    let run = find_run(&project.repository, name)?;
    let stored = load(&project.repository, &run)?;
    Ok(RunLog {
        run,
        plan: stored.plan,
        events: stored.events,
    })
}

/// Returns the account of a run as it stands.
pub fn run_report(project: &Project, name: &str) -> Result<RunReport> {
    let run = find_run(&project.repository, name)?;
    let stored = load(&project.repository, &run)?;
    let state = RunState::replay(&stored.plan, &stored.events);
    let commits = step_commits(&project.repository, &stored.tip, state.base.as_ref())?;
    let mut account = report::account(&run, &stored.plan_id, &stored.plan, &state, &|step| {
        commits.get(step).cloned()
    });
    account.commit = Some(stored.tip);
    Ok(account)
}

/// Returns the commit of each finished step by the step's name.
pub fn step_commits(
    repository: &Repository,
    tip: &Oid,
    base: Option<&Oid>,
) -> Result<BTreeMap<String, Oid>> {
    let commits = repository
        .history(tip, base)
        .context("cannot read the run's commits")?;
    let named = commits.iter().rev().filter_map(|commit| {
        let (_, name) = commit.trailer("Orchestrate-Step")?.split_once(' ')?;
        Some((name.to_string(), commit.id.clone()))
    });
    Ok(named.collect())
}

/// Returns the run called `name`, or the one whose name begins or ends so.
pub fn find_run(repository: &Repository, name: &str) -> Result<RunId> {
    let name = name.strip_prefix(PREFIX).unwrap_or(name);
    if let Ok(run) = name.parse::<RunId>()
        && repository.branch_tip(&run.branch())?.is_some()
    {
        return Ok(run);
    }
    let branches = repository.branches(PREFIX)?;
    let known = branches
        .into_iter()
        .map(|(branch, _)| branch[PREFIX.len()..].to_string());
    let known: Vec<String> = known.filter(|name| name.parse::<RunId>().is_ok()).collect();
    named().find(name, &known)?.parse()
}

fn named() -> Named {
    Named {
        noun: "run",
        all: "orchestrate run list",
        none: "there are no runs in this repository; in another clone, fetch the branch `orchestrate/RUN` first",
    }
}

/// Reads a run from its branch, and refuses one whose plan is not the one it started with.
pub fn load(repository: &Repository, run: &RunId) -> Result<Stored> {
    let Some(found) = repository.branch_tip(&run.branch())? else {
        return named().missing(run.as_str(), &[]);
    };
    let (tip, local) = (found.commit, found.remote.is_none());
    let plan_id: PlanId = run.plan().parse()?;
    let events = events(repository, run, &tip)?;
    if events.is_empty() {
        return Err(anyhow!(
            "run `{run}` was cut off before it began, and there is nothing to go on with"
        ))
        .kind(Trouble::Request)
        .hint(format!("start anew, and `git branch -D {}`", run.branch()));
    }
    let path = paths::plan_yaml(&plan_id);
    let shown = format!("{path} at {}", tip.short());
    let text = repository
        .read_file(&tip, &path)?
        .ok_or_else(|| anyhow!("`{path}` is missing on the branch of run `{run}`"))
        .kind(Trouble::Integrity)?;
    let digest = tree::of_bytes(&text);
    let started = events.iter().find_map(|event| match &event.event {
        EventKind::RunStarted { digest, .. } => Some(digest.clone()),
        _ => None,
    });
    let Some(started) = started else {
        return Err(anyhow!(
            "the log of run `{run}` does not begin with `run-started`"
        ))
        .kind(Trouble::Integrity);
    };
    if started != digest {
        return Err(anyhow!("the plan of run `{run}` is not the one it started with: started with {started}, found {digest}"))
            .kind(Trouble::Integrity)
            .hint(format!("see what changed it: `git log -p {} -- {path}`", run.branch()));
    }
    let plan = store::read_plan(&shown, &text).kind(Trouble::Request)?;
    let faults = validate::check_plan(&plan);
    if !faults.is_empty() {
        return Err(anyhow!("`{shown}` cannot run:\n{}", faults.join("\n"))).kind(Trouble::Request);
    }
    for event in &events {
        within(run, &plan, &event.event)?;
    }
    let segments = segment_files(repository, run, &tip)?.len();
    Ok(Stored {
        plan_id,
        plan,
        digest,
        events,
        tip,
        local,
        segments,
    })
}

/// Returns the files of a run's plan as its branch holds them: the plan, its approval and its locks.
pub fn plan_files(project: &Project, stored: &Stored) -> Result<Vec<(String, Vec<u8>)>> {
    let mut paths = vec![
        paths::plan_yaml(&stored.plan_id),
        paths::approval(&stored.plan_id),
    ];
    paths.extend(lock_paths(&stored.plan));
    let mut files = Vec::new();
    for path in paths {
        if let Some(text) = project.repository.read_file(&stored.tip, &path)? {
            files.push((path, text));
        }
    }
    Ok(files)
}

fn segment_files(repository: &Repository, run: &RunId, tip: &Oid) -> Result<Vec<String>> {
    repository.list_files(tip, &format!("{}events", paths::run(run)))
}

fn events(repository: &Repository, run: &RunId, tip: &Oid) -> Result<Vec<Event>> {
    let mut events = Vec::new();
    for (index, file) in segment_files(repository, run, tip)?.iter().enumerate() {
        let expected = paths::segment(run, index + 1);
        if *file != expected {
            return Err(anyhow!("the log of run `{run}` lacks `{expected}`"))
                .kind(Trouble::Integrity);
        }
        let text = repository.read_file(tip, file)?.unwrap_or_default();
        let shown = format!("{file} at {}", tip.short());
        let segment = store::read_segment(&shown, &text)
            .kind(Trouble::Request)
            .with_context(|| format!("cannot read the log of run `{run}`"))?;
        events.extend(segment);
    }
    Ok(events)
}

/// Returns the commit that the run started from.
pub fn base(events: &[Event]) -> Option<Oid> {
    events.iter().find_map(|event| match &event.event {
        EventKind::RunStarted { base, .. } => Some(base.clone()),
        _ => None,
    })
}
