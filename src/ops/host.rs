//! What carrying a plan out needs from the repository: clean folders, checks, checkpoints, and the log.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::approve::within;
use super::commit::StepLog;
use super::reuse::{self, Reusable};
use super::session::Session;
use super::slots::Slots;
use super::tools::Tools;
use super::{Note, Stop, Watch};
use crate::checkpoint::{Graft, Snapshot};
use crate::execute::{Host, Integrated, Reused, Verdict};
use crate::model::{
    Action, Effects, Event, EventKind, Failure, FailureKind, Oid, Plan, RunState, Step, StepId,
};
use crate::sandbox::{Cancel, Sandbox};
use crate::secret::Secrets;
use crate::store::LiveLog;
use crate::validate;
use crate::workspace::{self, Line, Workspace, printable};

/// The host of one execution.
pub struct RunHost<'a> {
    pub session: &'a Session<'a>,
    pub plan: &'a Plan,
    pub slots: Slots,
    pub watch: &'a mut dyn Watch,
    pub stop: &'a Stop,
    pub sandbox: Sandbox,
    pub tools: Tools,
    /// What nobody may see.
    pub hidden: Secrets,
    /// How many times what the plan lets agents use they may use.
    pub budget_times: u32,
    /// The commit that the run's branch is at, or will start from while it is not born.
    pub tip: Oid,
    pub born: bool,
    /// The plan's files, until the first commit holds them.
    pub plan_files: Vec<(String, Vec<u8>)>,
    /// The open segment of the log, and its number.
    pub log: LiveLog,
    pub segment: usize,
    pub state: RunState,
    /// What each step is done with.
    pub keys: BTreeMap<StepId, String>,
    /// What earlier runs have done.
    pub reusable: Reusable,
    /// What the open segment held when it was opened.
    live: Vec<Event>,
    /// What the attempt left, between `integrate` and the event that commits it.
    pub result: Option<Snapshot>,
    /// What the attempts at each step printed that is not done.
    pub step_logs: BTreeMap<StepId, StepLog>,
}

impl Host for RunHost<'_> {
    fn state(&self) -> &RunState {
        &self.state
    }

    fn prepare(&mut self, step: &Step, action: &Action) -> Result<Result<Workspace, Failure>> {
        self.prepare_workspace(step, action)
    }

    fn integrate(&mut self, action: &Action, workspace: &Workspace) -> Result<Integrated> {
        let repository = &self.session.project.repository;
        let slot = self.slots.at(&workspace.directory)?;
        let base = repository.tree_of(&slot.base)?;
        let hidden = &self.hidden;
        let gives_away = |bytes: &[u8]| {
            let name = hidden.named_in(bytes)?;
            Some(format!("it gives the secret `{name}` away"))
        };
        let written = workspace
            .writes_are_known
            .then_some(workspace.written.as_slice());
        let worktree = &slot.worktree;
        let snapshot = worktree.snapshot_without(&base, written, &gives_away)?;
        let secret = snapshot
            .refused
            .iter()
            .find(|why| why.contains("gives the secret"));
        if let Some(secret) = secret {
            let message = hidden.redact(secret);
            let failure = workspace::failure(FailureKind::Secret, message, "");
            return Ok(Integrated::Refused(failure));
        }
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
        let guarded = snapshot.changes.iter().filter(|change| {
            workspace::is_carried_out_later(&change.path)
                && !workspace::may_change(action, &change.path)
        });
        refused.extend(guarded.map(|change| {
            format!(
                "`{}` was changed, which other tools carry out later, and the plan does not grant it under `protected`",
                change.path
            )
        }));
        refused.extend(snapshot.refused.clone());
        for path in &workspace.written {
            if !repository.snapshot_holds(&snapshot, path)? {
                refused.push(format!(
                    "`{path}` is ignored by git here, so what the step wrote there would be lost"
                ));
            }
        }
        if !refused.is_empty() {
            refused.truncate(20);
            let failure = workspace::failure(FailureKind::Writes, refused.join("; "), "");
            return Ok(Integrated::Refused(failure));
        }
        self.slots.seen(&workspace.directory, snapshot.held());
        let tip = repository.tree_of(&self.tip)?;
        match repository.graft(&tip, &base, snapshot)? {
            Graft::Done(snapshot) => self.result = Some(snapshot),
            Graft::Conflict(paths) => return Ok(Integrated::Conflict(paths)),
        }
        Ok(Integrated::Taken)
    }

    fn reuse(&mut self, step: &Step) -> Result<Option<(Reused, Workspace)>> {
        self.reuse_step(step)
    }

    fn release(&mut self, workspace: Workspace) {
        self.slots.release(&workspace.directory);
    }

    fn emit(&mut self, mut kind: EventKind) -> Result<()> {
        if let (EventKind::StepFinished { files, .. }, Some(result)) = (&mut kind, &self.result) {
            *files = Some(self.session.project.repository.files_of(result)?);
        }
        within(&self.session.run, self.plan, &kind)?;
        let event = Event {
            at: self.session.project.clock.now(),
            event: self.without_secrets(kind)?,
        };
        let external = matches!(&event.event, EventKind::AttemptStarted { step, .. } if self.is_external(step));
        self.log
            .append(&event, external || event.event.is_spent())?;
        self.state.apply(&event);
        if event.event.closes_segment() {
            self.checkpoint(&event)?;
        }
        self.watch.event(self.plan, &self.state, &event);
        Ok(())
    }

    fn ask(&mut self, step: &Step, reason: &str, actions: &[String]) -> Result<bool> {
        Ok(self.watch.ask(step, reason, actions))
    }

    fn stopped(&self) -> Option<String> {
        self.stop.signal().map(|signal| signal.name().to_string())
    }

    fn cancel(&self) -> Cancel {
        self.stop.cancel.clone()
    }

    fn show(&mut self, step: &StepId, line: Line<'_>) {
        let (Line::Program(text) | Line::Building(text)) = line;
        let text = printable(text);
        if matches!(line, Line::Program(_)) {
            let log = self.step_logs.entry(step.clone()).or_default();
            log.write(&format!("{text}\n"));
        }
        self.watch.line(&text);
    }
}

/// Checks what an attempt left, in the environment that its worktree asks for by then.
pub fn verify(
    step: &Step,
    workspace: &mut Workspace,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Verdict> {
    if let Err(failure) = workspace.build_environment(say)? {
        return Ok(Verdict {
            findings: Vec::new(),
            failure: Some(failure),
        });
    }
    let findings = validate::check_step(step, workspace, say)?;
    let failure = validate::failure(&findings);
    Ok(Verdict { findings, failure })
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
    pub tools: Tools,
    pub watch: &'a mut dyn Watch,
    pub stop: &'a Stop,
}

impl<'a> RunHost<'a> {
    /// Opens the log of a run; what the log already holds is in the state.
    pub fn new(
        session: &'a Session<'a>,
        plan: &'a Plan,
        place: Place,
        surroundings: Surroundings<'a>,
    ) -> Result<RunHost<'a>> {
        let (log, live) = LiveLog::open(&session.folder.live_log(place.segment))?;
        let Surroundings {
            sandbox,
            tools,
            watch,
            stop,
        } = surroundings;
        Ok(RunHost {
            session,
            plan,
            slots: Slots::default(),
            watch,
            stop,
            sandbox,
            hidden: tools.hidden()?,
            budget_times: 1,
            tools,
            tip: place.tip,
            born: place.born,
            plan_files: Vec::new(),
            log,
            segment: place.segment,
            state: RunState::replay(plan, &live),
            keys: reuse::keys(session.project, plan, &session.base)?,
            reusable: Reusable::default(),
            live,
            result: None,
            step_logs: BTreeMap::new(),
        })
    }

    /// Puts the events of the commits before those of the open segment.
    pub fn replay(&mut self, committed: &[Event]) {
        let events: Vec<Event> = committed.iter().chain(&self.live).cloned().collect();
        self.state = RunState::replay(self.plan, &events);
    }
}

impl RunHost<'_> {
    /// Returns the event with the names of secrets in their place, wherever it tells what somebody said.
    fn without_secrets(&self, event: EventKind) -> Result<EventKind> {
        let mut value = serde_json::to_value(&event)?;
        if self.hidden.named_in(value.to_string().as_bytes()).is_none() {
            return Ok(event);
        }
        redact(&mut value, &self.hidden);
        Ok(serde_json::from_value(value)?)
    }

    fn is_external(&self, step: &StepId) -> bool {
        self.plan
            .step(step)
            .is_some_and(|step| step.effects == Effects::External)
    }

    /// Tells the watcher something that is no event.
    pub fn note(&mut self, note: Note<'_>) {
        self.watch.note(note);
    }
}

fn redact(value: &mut Value, hidden: &Secrets) {
    match value {
        Value::String(text) => *text = hidden.redact(text),
        Value::Array(items) => items.iter_mut().for_each(|item| redact(item, hidden)),
        Value::Object(fields) => fields.values_mut().for_each(|field| redact(field, hidden)),
        _ => {}
    }
}
