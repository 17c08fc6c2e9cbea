//! A plan carried out with stubs: its order, its connections, its templates and its checks are seen, and none of its programs run.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use super::approve::files_at;
use super::run::ready;
use super::session::planned_plugin;
use super::{Planned, Project};
use crate::approve::reads;
use crate::execute::rehearse_step;
use crate::model::{Action, Check, CheckKind, Event, EventKind, RunState, Step};
use crate::sandbox::Sandbox;
use crate::validate;
use crate::workspace::{Folders, Workspace};

/// What a rehearsal showed of one step.
#[derive(Debug, Serialize)]
pub struct Rehearsed {
    pub step: String,
    pub title: String,
    pub plugin: String,
    pub needs: Vec<String>,
    /// The inputs that earlier steps give, by name.
    pub inputs: BTreeMap<String, serde_json::Value>,
    /// What was rendered.
    pub rendered: Vec<String>,
    /// The programs that were not run.
    pub programs: Vec<Vec<String>>,
    /// Each check with what is known without the programs: `passed`, or `not run`.
    pub checks: BTreeMap<String, &'static str>,
    /// Why the step could not be rehearsed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<String>,
}

/// Goes through the plan in a folder of its own, which is deleted at the end. It commits nothing and is no evidence.
pub fn rehearse(project: &Project, planned: &Planned, sandbox: &Sandbox) -> Result<Vec<Rehearsed>> {
    ready(project, planned)?;
    let folder = tempfile::tempdir().context("cannot make a folder for the rehearsal")?;
    let directory = folder.path().canonicalize()?;
    bring_what_is_read(project, planned, &directory)?;
    let plan = &planned.plan;
    let mut state = RunState::replay(plan, &[]);
    let mut steps = Vec::new();
    // The order is the run's own: what comes next follows from the events so far.
    while let Some(next) = state.next_step() {
        let step = plan
            .step(&next.id)
            .context("the state has the steps of the plan")?;
        steps.push(rehearse_one(project, planned, step, &directory, sandbox)?);
        for event in stub_events(step) {
            state.apply(&Event {
                at: project.clock.now(),
                event,
            });
        }
    }
    Ok(steps)
}

fn stub_events(step: &Step) -> [EventKind; 3] {
    let plugin = step.action.plugin.clone();
    [
        EventKind::StepStarted {
            step: step.id.clone(),
        },
        EventKind::AttemptStarted {
            step: step.id.clone(),
            plugin: plugin.clone(),
            attempt: 1,
        },
        EventKind::StepFinished {
            step: step.id.clone(),
            plugin,
            attempts: 1,
            duration_ms: 0,
            findings: Vec::new(),
            services: Vec::new(),
            used: None,
            files: None,
        },
    ]
}

fn rehearse_one(
    project: &Project,
    planned: &Planned,
    step: &Step,
    directory: &Path,
    sandbox: &Sandbox,
) -> Result<Rehearsed> {
    let action = &step.action;
    let mut workspace = workspace(project, planned, action, directory, sandbox)?;
    let fault = rehearse_step(action, &mut workspace)?.err();
    let check = |check: &Check| {
        let known = match check.kind() {
            Ok(CheckKind::File(_) | CheckKind::Json(_)) => seen(step, check, &workspace)?,
            _ => false,
        };
        Ok((check.id.clone(), if known { "passed" } else { "not run" }))
    };
    Ok(Rehearsed {
        step: step.id.to_string(),
        title: step.title.clone(),
        plugin: action.plugin.to_string(),
        needs: step.needs.iter().map(ToString::to_string).collect(),
        inputs: action
            .connections
            .keys()
            .map(|name| (name.clone(), workspace.values[name].clone()))
            .collect(),
        rendered: workspace.written.clone(),
        programs: action
            .commands
            .iter()
            .map(|command| command.argv.clone())
            .collect(),
        checks: step.checks.iter().map(check).collect::<Result<_>>()?,
        fault: fault.map(|failure| failure.message),
    })
}

/// Says whether a check that only looks at files passes; one that does not may still pass once the programs have run.
fn seen(step: &Step, check: &Check, workspace: &Workspace) -> Result<bool> {
    let mut only = step.clone();
    only.checks = vec![check.clone()];
    let findings = validate::check_step(&only, workspace, &mut |_| {})?;
    Ok(validate::failure(&findings).is_none())
}

fn workspace(
    project: &Project,
    planned: &Planned,
    action: &Action,
    directory: &Path,
    sandbox: &Sandbox,
) -> Result<Workspace> {
    let (plugin, files) = planned_plugin(project, action)?;
    let values = planned.plan.values(
        action,
        plugin.spec.iter().flat_map(|spec| spec.inputs.keys()),
        |step| step.action.clone(),
    );
    let folders = Folders {
        directory: directory.to_path_buf(),
        scratch: directory.to_path_buf(),
        plugin: directory.to_path_buf(),
    };
    Ok(Workspace::new(folders, files, values, sandbox.clone()))
}

/// Copies the files that the plan declares from the commit that its run would start from.
fn bring_what_is_read(project: &Project, planned: &Planned, directory: &Path) -> Result<()> {
    let Some(base) = project.base() else {
        return Ok(());
    };
    for path in reads(&planned.plan).0 {
        for path in files_at(project, &base, &path)? {
            if let Some(bytes) = project.repository.read_file(&base, &path)? {
                crate::store::write_whole(&directory.join(&path), &bytes)?;
            }
        }
    }
    Ok(())
}
