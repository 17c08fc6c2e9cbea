//! What carrying a plan out needs from the repository: clean folders, checks, checkpoints, and the log.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::Value;

use super::run::Session;
use super::{Note, Stop, Watch};
use crate::checkpoint::{NewCommit, Snapshot, Worktree};
use crate::execute::{Host, Verdict};
use crate::model::{
    Action, Event, EventKind, Failure, FailureKind, Oid, Plan, RunState, ServiceUse, Step, StepId,
};
use crate::report::{self, CommitMessage};
use crate::sandbox::{Provided, PythonTool, Sandbox, provide_port, provide_redis};
use crate::store::{LiveLog, paths};
use crate::validate;
use crate::workspace::{self, Line, Workspace, printable};

/// The most bytes of what a step printed that are kept.
const STEP_LOG_MAX: usize = 256 * 1024;

/// The host of one execution.
pub struct RunHost<'a> {
    pub session: &'a Session<'a>,
    pub plan: &'a Plan,
    pub worktree: Worktree,
    pub watch: &'a mut dyn Watch,
    pub stop: &'a Stop,
    pub sandbox: Sandbox,
    pub python: Option<Arc<PythonTool>>,
    /// The commit that the run's branch is at, or will start from while it is not born.
    pub tip: Oid,
    pub born: bool,
    /// The plan's files, until the first commit holds them.
    pub plan_files: Vec<(String, Vec<u8>)>,
    /// The open segment of the log, and its number.
    pub log: LiveLog,
    pub segment: usize,
    pub state: RunState,
    /// What the open segment held when it was opened.
    live: Vec<Event>,
    /// What the attempt left, between `integrate` and the event that commits it.
    pub result: Option<Snapshot>,
    pub step_log: Vec<u8>,
    pub step_log_left_out: usize,
}

impl Host for RunHost<'_> {
    fn prepare(&mut self, step: &Step, action: &Action) -> Result<Result<Workspace, Failure>> {
        self.worktree
            .restore(&self.session.project.repository.tree_of(&self.tip)?)?;
        self.write_log(&format!("== attempt with {}\n", action.plugin));
        let (plugin, files) = self.session.plugin(action)?;
        let folder = self.session.folder.plugin(&format!(
            "{}-{}",
            action.plugin.name,
            action.digest.short(12)
        ))?;
        workspace::lay_out(&folder, &files)?;
        let scratch = self.session.folder.scratch()?;
        let mut workspace = Workspace {
            directory: self.worktree.path().to_path_buf(),
            scratch: canonical(scratch)?,
            plugin: canonical(folder)?,
            files,
            values: values(
                self.plan,
                &self.state,
                action,
                plugin.spec.iter().flat_map(|spec| spec.inputs.keys()),
            ),
            services: Vec::new(),
            service_environment: BTreeMap::new(),
            ports: std::collections::BTreeSet::new(),
            running: Vec::new(),
            python: None,
            sandbox: self.sandbox.clone(),
            cancel: self.stop.cancel.clone(),
        };
        workspace.python = self.python_for(action);
        for service in &action.grants.services {
            if let Some(failure) = self.provide(service, step, action, &mut workspace)? {
                return Ok(Err(failure));
            }
        }
        Ok(Ok(workspace))
    }

    fn verify(&mut self, step: &Step, workspace: &mut Workspace) -> Result<Verdict> {
        if let Err(failure) = workspace.build_environment(&mut |line| self.show(line))? {
            return Ok(Verdict {
                findings: Vec::new(),
                failure: Some(failure),
            });
        }
        let findings = validate::check_step(step, workspace, &mut |line| self.show(line))?;
        let failure = validate::failure(&findings);
        Ok(Verdict { findings, failure })
    }

    fn integrate(&mut self, _step: &Step, action: &Action) -> Result<Result<(), Failure>> {
        let parent = self.session.project.repository.tree_of(&self.tip)?;
        let snapshot = self.worktree.snapshot(&parent)?;
        let stray = snapshot
            .changes
            .iter()
            .filter(|change| !workspace::may_write(action, &change.path));
        let mut refused: Vec<String> = stray
            .map(|change| {
                format!(
                    "`{}` was changed, and the step does not say that it writes there",
                    change.path
                )
            })
            .collect();
        refused.extend(snapshot.refused.clone());
        if !refused.is_empty() {
            refused.truncate(20);
            return Ok(Err(workspace::failure(
                FailureKind::Writes,
                refused.join("; "),
                "",
            )));
        }
        self.result = Some(snapshot);
        Ok(Ok(()))
    }

    fn emit(&mut self, kind: EventKind) -> Result<Event> {
        let event = Event {
            at: self.session.project.clock.now(),
            event: kind,
        };
        self.log.append(&event)?;
        self.state.apply(&event);
        if event.event.closes_segment() {
            self.checkpoint(&event)?;
        }
        self.watch.event(self.plan, &self.state, &event);
        Ok(event)
    }

    fn ask(&mut self, step: &Step, reason: &str, actions: &[String]) -> Result<bool> {
        Ok(self.watch.ask(step, reason, actions))
    }

    fn wait(&mut self, duration: Duration) {
        self.stop.cancel.sleep(duration);
    }

    fn stopped(&self) -> Option<String> {
        self.stop.signal().map(|signal| signal.name().to_string())
    }

    fn show(&mut self, line: Line<'_>) {
        let (Line::Program(text) | Line::Building(text)) = line;
        let text = printable(text);
        if matches!(line, Line::Program(_)) {
            self.write_log(&format!("{text}\n"));
        }
        self.watch.line(&text);
    }
}

/// Where a run's branch stands.
pub struct Place {
    /// The commit to go on from.
    pub tip: Oid,
    /// Whether the branch is there.
    pub born: bool,
    /// The number of the segment of the log that is written next.
    pub segment: usize,
}

/// What a run is carried out with.
pub struct Surroundings<'a> {
    pub sandbox: Sandbox,
    pub python: Option<Arc<PythonTool>>,
    pub watch: &'a mut dyn Watch,
    pub stop: &'a Stop,
}

impl<'a> RunHost<'a> {
    /// Opens the worktree and the log of a run; what the log already holds is in the state.
    pub fn new(
        session: &'a Session<'a>,
        plan: &'a Plan,
        place: Place,
        surroundings: Surroundings<'a>,
    ) -> Result<RunHost<'a>> {
        let repository = &session.project.repository;
        let worktree = Worktree::open_or_add(repository, &session.folder.worktree(), &place.tip)?;
        worktree.set_head(&place.tip)?;
        let (log, live) = LiveLog::open(&session.folder.live_log(place.segment))?;
        let Surroundings {
            sandbox,
            python,
            watch,
            stop,
        } = surroundings;
        Ok(RunHost {
            session,
            plan,
            worktree,
            watch,
            stop,
            sandbox,
            python,
            tip: place.tip,
            born: place.born,
            plan_files: Vec::new(),
            log,
            segment: place.segment,
            state: RunState::replay(plan, &live),
            live,
            result: None,
            step_log: Vec::new(),
            step_log_left_out: 0,
        })
    }

    /// Puts the events of the commits before those of the open segment.
    pub fn replay(&mut self, committed: &[Event]) {
        let events: Vec<Event> = committed.iter().chain(&self.live).cloned().collect();
        self.state = RunState::replay(self.plan, &events);
    }
}

impl RunHost<'_> {
    fn python_for(&self, action: &Action) -> Option<workspace::Python> {
        let environment = action.environment.as_ref()?;
        Some(workspace::Python {
            tool: self.python.clone()?,
            cache: self.session.project.folders.cache.clone(),
            manifest: environment.python.clone(),
            may_download: action
                .grants
                .network
                .iter()
                .any(|grant| grant == "python-packages"),
            built: None,
        })
    }

    /// Gives the workspace a service; returns why the step cannot begin where a person has to act first.
    fn provide(
        &mut self,
        service: &str,
        step: &Step,
        action: &Action,
        workspace: &mut Workspace,
    ) -> Result<Option<Failure>> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let provided = match service {
            "redis" => {
                let url = redis_url(self.plan, action);
                provide_redis(url.as_deref(), &path, &workspace.scratch, &self.sandbox)?
            }
            "port" => provide_port()?,
            other => anyhow::bail!("step `{}` asks for the unknown service `{other}`", step.id),
        };
        match provided {
            Provided::Real {
                how,
                environment,
                ports,
                running,
            } => {
                workspace.services.push(ServiceUse {
                    service: service.to_string(),
                    real: true,
                    how,
                });
                workspace.service_environment.extend(environment);
                workspace.ports.extend(ports);
                workspace.running.extend(running);
            }
            Provided::Substitute { why } => {
                workspace.services.push(ServiceUse {
                    service: service.to_string(),
                    real: false,
                    how: why,
                });
            }
            Provided::Absent { what, actions } => {
                let mut failure = workspace::failure(FailureKind::Service, what, "");
                failure.actions = actions;
                return Ok(Some(failure));
            }
        }
        Ok(None)
    }

    fn write_log(&mut self, text: &str) {
        let room = STEP_LOG_MAX.saturating_sub(self.step_log.len());
        if text.len() <= room {
            self.step_log.extend_from_slice(text.as_bytes());
        } else {
            self.step_log_left_out += text.len();
        }
    }

    /// Commits what an event closes: the step's files and the run's state together.
    fn checkpoint(&mut self, event: &Event) -> Result<()> {
        let repository = &self.session.project.repository;
        let segment = paths::segment(&self.session.run, self.segment);
        let mut files = vec![(segment, self.log.text().to_vec())];
        files.extend(self.files_beside(event)?);
        let tree = match &event.event {
            EventKind::StepFinished { .. } => {
                let result = self.result.take();
                let result = result.context("a finished step was integrated")?;
                repository.with_snapshot(&result, &files)?
            }
            _ => repository.with_files(&repository.tree_of(&self.tip)?, &files)?,
        };
        let message = report::commit_message(&CommitMessage {
            run: &self.session.run,
            digest: &self.session.digest,
            plan: self.plan,
            state: &self.state,
            event: &event.event,
            sandbox: self.sandbox.name(),
        });
        let tip = repository.commit(&NewCommit {
            branch: &self.session.run.branch(),
            expected: self.born.then_some(&self.tip),
            tree: &tree,
            parents: std::slice::from_ref(&self.tip),
            message: &message,
            identity: &self.session.identity,
            time_s: event.at.as_second(),
        })?;
        repository.sync()?;
        self.worktree.set_head(&tip)?;
        self.tip = tip;
        self.born = true;
        self.next_segment()
    }

    /// What the commit holds beside the log: the step's findings and its output, the report, the evidence.
    fn files_beside(&mut self, event: &Event) -> Result<Vec<(String, Vec<u8>)>> {
        match &event.event {
            EventKind::RunStarted { .. } => Ok(std::mem::take(&mut self.plan_files)),
            EventKind::StepFinished { step, findings, .. } => {
                let text = crate::yaml::print(&report::FindingsFile::new(findings))?;
                Ok(vec![
                    (paths::findings(&self.session.run, step), text.into_bytes()),
                    (paths::step_log(&self.session.run, step), self.take_log()?),
                ])
            }
            EventKind::RunPaused { step, .. } => Ok(vec![(
                paths::step_log(&self.session.run, step),
                self.take_log()?,
            )]),
            EventKind::RunFailed { step, .. } => {
                // A failure is evidence too: rates that knew only of successes would be invented.
                let lesson = self.session.lesson(self.plan, &self.state, event.at);
                Ok(vec![
                    (paths::step_log(&self.session.run, step), self.take_log()?),
                    lesson.evidence_file()?,
                ])
            }
            EventKind::RunFinished { .. } => {
                let account = self.session.account(self.plan, &self.state, &self.tip)?;
                let page = report::report_page(
                    &account,
                    self.plan,
                    &self.state,
                    &self.session.standing(self.plan),
                );
                Ok(vec![
                    (paths::report_md(&self.session.run), page.into_bytes()),
                    (
                        paths::report_yaml(&self.session.run),
                        crate::yaml::print(&account)?.into_bytes(),
                    ),
                ])
            }
            EventKind::RunLearned { .. } => {
                let lesson = self.session.lesson(self.plan, &self.state, event.at);
                Ok(vec![lesson.evidence_file()?])
            }
            _ => Ok(Vec::new()),
        }
    }

    fn take_log(&mut self) -> Result<Vec<u8>> {
        let mut log = std::mem::take(&mut self.step_log);
        let left_out = std::mem::take(&mut self.step_log_left_out);
        if left_out > 0 {
            writeln!(log, "… {left_out} bytes left out …")?;
        }
        if log.is_empty() {
            log.extend_from_slice(b"(it printed nothing)\n");
        }
        Ok(log)
    }

    fn next_segment(&mut self) -> Result<()> {
        self.segment += 1;
        let (next, _) = LiveLog::open(&self.session.folder.live_log(self.segment))?;
        std::mem::replace(&mut self.log, next).close()
    }

    /// Tells the watcher something that is no event.
    pub fn note(&mut self, note: Note<'_>) {
        self.watch.note(note);
    }
}

/// Returns the inputs of the action by name: its plain ones, and the outputs that the steps before really made.
fn values<'a>(
    plan: &Plan,
    state: &RunState,
    action: &Action,
    names: impl Iterator<Item = &'a String>,
) -> serde_json::Map<String, Value> {
    let mut values: serde_json::Map<String, Value> =
        names.map(|name| (name.clone(), Value::Null)).collect();
    values.extend(action.inputs.clone());
    for (name, connection) in &action.connections {
        let output = action_used(plan, state, &connection.step)
            .and_then(|used| used.outputs.get(&connection.output));
        values.insert(
            name.clone(),
            output.map_or(Value::Null, |output| output.value.clone()),
        );
    }
    values
}

fn action_used<'a>(plan: &'a Plan, state: &RunState, id: &StepId) -> Option<&'a Action> {
    let step = plan.step(id)?;
    Some(
        state
            .step(id)
            .map_or(&step.action, |state| state.action_of(step)),
    )
}

/// Returns the Redis that the plan or the person names: a port set by a note, else `REDIS_URL`.
fn redis_url(plan: &Plan, action: &Action) -> Option<String> {
    const USUAL: u64 = 6379;
    let actions = plan
        .steps
        .iter()
        .map(|step| &step.action)
        .chain(std::iter::once(action));
    let port = actions
        .filter_map(|action| action.inputs.get("redis_port").and_then(Value::as_u64))
        .find(|port| *port != USUAL);
    match port {
        Some(port) => Some(format!("redis://127.0.0.1:{port}/0")),
        None => std::env::var("REDIS_URL")
            .ok()
            .filter(|url| !url.is_empty()),
    }
}

fn canonical(path: PathBuf) -> Result<PathBuf> {
    path.canonicalize()
        .with_context(|| format!("cannot find `{}`", path.display()))
}
