//! Proving a run from its branch alone: nothing is fetched, and a bare clone will do.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::host::{self, Place, RunHost, Surroundings};
use super::session::Session;
use super::{Project, Stop, Watch, history};
use crate::checkpoint::{Commit, Opened, Repository};
use crate::model::{Digest, Event, EventKind, Hint, Outcome, Plan, RunId, Trouble};
use crate::report::FindingsFile;
use crate::sandbox::Sandbox;
use crate::store::{self, paths};
use crate::workspace::may_write;
use crate::{tree, yaml};

/// What a run's branch proves.
#[derive(Debug, serde::Serialize)]
pub struct Verified {
    pub run: RunId,
    pub digest: Digest,
    pub checkpoints: usize,
    pub steps: usize,
    /// How many checks were run again, and passed.
    pub checks_rerun: Option<usize>,
    /// What is not as it says, a sentence each.
    pub faults: Vec<String>,
}

/// Looks at every checkpoint of the run called `name` in the repository at `directory`.
pub fn verify(directory: &Path, name: &str) -> Result<Verified> {
    let Opened::Found(repository) = Repository::look_at(directory)? else {
        return Err(anyhow!(
            "there is no git repository in `{}`",
            directory.display()
        ))
        .kind(Trouble::Request);
    };
    let run = history::find_run(&repository, name)?;
    let stored = history::load(&repository, &run)?;
    let base = history::base(&stored.events);
    let mut commits = repository.history(&stored.tip, base.as_ref())?;
    commits.reverse();
    let mut verified = Verified {
        run: run.clone(),
        digest: stored.digest.clone(),
        checkpoints: 0,
        steps: 0,
        checks_rerun: None,
        faults: Vec::new(),
    };
    let mut chain = Chain {
        repository: &repository,
        run: &run,
        plan: &stored.plan,
        digest: &stored.digest,
        segments: 0,
        done: BTreeSet::new(),
    };
    for commit in &commits {
        let faults = chain.look(commit)?;
        let named = |fault: String| format!("{} ({}): {fault}", commit.id.short(), subject(commit));
        verified.faults.extend(faults.into_iter().map(named));
        verified.checkpoints += 1;
    }
    verified.steps = chain.done.len();
    if chain.segments != stored.segments {
        verified.faults.push(format!(
            "the log has {} segments, and {} checkpoints wrote one",
            stored.segments, chain.segments
        ));
    }
    Ok(verified)
}

fn subject(commit: &Commit) -> &str {
    commit.message.lines().next().unwrap_or_default()
}

/// The checkpoints of a run, looked at one after the other.
struct Chain<'a> {
    repository: &'a Repository,
    run: &'a RunId,
    plan: &'a Plan,
    digest: &'a Digest,
    segments: usize,
    done: BTreeSet<String>,
}

impl Chain<'_> {
    /// Returns what is not as the commit says.
    fn look(&mut self, commit: &Commit) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        if commit.trailer("Orchestrate-Run") != Some(self.run.as_str()) {
            // What a person committed on the branch while the run was paused is theirs.
            return Ok(match commit.trailer("Orchestrate-Run") {
                None => Vec::new(),
                Some(other) => vec![format!("it belongs to run `{other}`")],
            });
        }
        if commit.trailer("Orchestrate-Plan") != Some(&self.digest.to_string()) {
            faults.push(format!("its plan is not {}", self.digest));
        }
        if commit.parents.len() != 1 {
            faults.push(format!(
                "it has {} parents, and a checkpoint has one",
                commit.parents.len()
            ));
        }
        let Some(parent) = commit.parents.first() else {
            return Ok(faults);
        };
        let before = self.repository.tree_of(parent)?;
        let changed = self.repository.changed_paths(&before, &commit.tree)?;
        let changed: Vec<String> = changed.into_iter().map(|change| change.path).collect();
        let log = format!("{}events/", paths::run(self.run));
        let segments: Vec<&String> = changed
            .iter()
            .filter(|path| path.starts_with(&log))
            .collect();
        if commit.trailer("Orchestrate-Phase") == Some("research") && segments.is_empty() {
            return Ok(faults);
        }
        let expected = paths::segment(self.run, self.segments + 1);
        if segments != [&expected] {
            faults.push(format!(
                "it does not add `{expected}` to the log, and nothing else"
            ));
            return Ok(faults);
        }
        self.segments += 1;
        let plan = paths::plan_yaml(&self.run.plan().parse()?);
        let plan = self.repository.read_file(&commit.id, &plan)?;
        if plan.map(|text| tree::of_bytes(&text)).as_ref() != Some(self.digest) {
            faults.push("its plan.yaml is another".to_owned());
        }
        let text = self
            .repository
            .read_file(&commit.id, &expected)?
            .unwrap_or_default();
        match store::read_segment(&expected, &text) {
            Ok(events) => faults.extend(self.look_at_end(commit, &events, &changed)?),
            Err(error) => faults.push(format!("{error:#}")),
        }
        Ok(faults)
    }

    /// Compares what the event that closed the segment says with the commit.
    fn look_at_end(
        &mut self,
        commit: &Commit,
        events: &[Event],
        changed: &[String],
    ) -> Result<Vec<String>> {
        let mut faults = Vec::new();
        let theirs: Vec<&String> = changed
            .iter()
            .filter(|path| !path.starts_with(paths::ROOT))
            .collect();
        let Some(EventKind::StepFinished {
            step,
            plugin,
            attempts,
            findings,
            files,
            ..
        }) = events.last().map(|event| &event.event)
        else {
            if let Some(path) = theirs.first() {
                faults.push(format!("it is no step, and changes `{path}`"));
            }
            return Ok(faults);
        };
        let Some(planned) = self.plan.step(step) else {
            return Ok(vec![format!("the plan has no step `{step}`")]);
        };
        if !self.done.insert(step.to_string()) {
            faults.push(format!("step `{step}` was done before"));
        }
        let open = |need: &&crate::model::StepId| !self.done.contains(need.as_str());
        faults.extend(
            planned
                .needs
                .iter()
                .find(open)
                .map(|need| format!("step `{need}`, which it needs, was not done")),
        );
        let Some(action) = planned.actions().find(|action| action.plugin == *plugin) else {
            return Ok(vec![format!(
                "the plan has no `{plugin}` for step `{step}`"
            )]);
        };
        let stray = theirs.iter().find(|path| !may_write(action, path));
        faults.extend(stray.map(|path| {
            format!("it changes `{path}`, and the plan does not say that it writes there")
        }));
        let found = self
            .repository
            .tree_without(&commit.tree, paths::ROOT.trim_end_matches('/'))?;
        if files.as_ref().is_some_and(|files| *files != found) {
            faults.push("its files are not those that the step left".to_owned());
        }
        let passed = findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Passed)
            .count();
        let wanted = [
            (
                "Orchestrate-Step",
                format!(
                    "{}/{} {step}",
                    self.plan.number(step),
                    self.plan.steps.len()
                ),
            ),
            (
                "Orchestrate-Plugin",
                format!("{plugin}#{}", action.digest.short(12)),
            ),
            (
                "Orchestrate-Checks",
                format!("{passed}/{} passed", findings.len()),
            ),
            ("Orchestrate-Attempts", attempts.to_string()),
        ];
        for (key, value) in wanted {
            if commit.trailer(key) != Some(&value) {
                faults.push(format!("its `{key}` is not `{value}`, which its log says"));
            }
        }
        if findings
            .iter()
            .any(|finding| finding.outcome == Outcome::Failed)
        {
            faults.push(format!(
                "step `{step}` is said to be done, and a check of it failed"
            ));
        }
        let kept = self
            .repository
            .read_file(&commit.id, &paths::findings(self.run, step))?;
        let text = yaml::print(&FindingsFile::new(findings))?;
        if kept.as_deref() != Some(text.as_bytes()) {
            faults.push("its findings.yaml is not what its log says".to_owned());
        }
        Ok(faults)
    }
}

/// Runs the checks of each finished step again at the files that it left, in its order, and adds what fails to the faults.
pub fn rerun_checks(
    project: &Project,
    verified: &mut Verified,
    sandbox: Sandbox,
    watch: &mut dyn Watch,
    stop: &Stop,
) -> Result<()> {
    let stored = history::load(&project.repository, &verified.run)?;
    let mut session = Session::of(project, &verified.run, &stored)?;
    // A folder of its own: the run may be going on.
    let name: RunId = format!("{}.verify{}", verified.run.plan(), std::process::id()).parse()?;
    session.folder = project
        .folders
        .run(project.repository.common_directory(), &name);
    session.folder.create()?;
    let place = Place {
        tip: stored.tip.clone(),
        born: true,
        segment: 1,
    };
    let tools = super::run::preflight(project, &stored.plan)?;
    let surroundings = Surroundings {
        sandbox,
        tools,
        watch,
        stop,
    };
    let mut host = RunHost::new(&session, &stored.plan, place, surroundings)?;
    host.replay(&stored.events);
    let passed = rerun_all(&mut host, &stored.plan, verified);
    drop(host);
    super::slots::remove(&project.repository, &session.folder, true)?;
    session.folder.remove()?;
    verified.checks_rerun = Some(passed?);
    Ok(())
}

fn rerun_all(host: &mut RunHost<'_>, plan: &Plan, verified: &mut Verified) -> Result<usize> {
    use crate::execute::Host;
    let session = host.session;
    let commits =
        history::step_commits(&session.project.repository, &host.tip, Some(&session.base))?;
    let mut passed = 0;
    for step in &plan.steps {
        let Some(commit) = commits.get(step.id.as_str()) else {
            continue;
        };
        // As it was when the step began: some checks look at what it changed.
        let left = session.project.repository.read_commit(commit)?;
        host.tip = left.parents.first().unwrap_or(commit).clone();
        let used = host
            .state
            .step(&step.id)
            .map_or(&step.action, |state| state.action_of(step))
            .clone();
        let mut workspace = match host.prepare_workspace(step, &used)? {
            Ok(workspace) => workspace,
            Err(failure) => {
                verified
                    .faults
                    .push(format!("step `{}`: {}", step.id, failure.message));
                continue;
            }
        };
        let slot = host.slots.at(&workspace.directory)?;
        slot.worktree.prepare(&left.tree, None)?;
        let found = host::verify(step, &mut workspace, &mut |_| ());
        host.release(workspace);
        let found = found.with_context(|| format!("cannot check step `{}`", step.id))?;
        passed += found
            .findings
            .iter()
            .filter(|finding| finding.outcome == Outcome::Passed)
            .count();
        if let Some(failure) = found.failure {
            verified.faults.push(format!(
                "step `{}` at {}: {}",
                step.id,
                commit.short(),
                failure.message
            ));
        }
    }
    Ok(passed)
}
