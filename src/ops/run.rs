//! Carrying a plan out from its first step, or from where its run was left.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};

use anyhow::{Result, anyhow};

use super::approve::{self, Moment};
use super::finish::{self, Conclusion};
use super::history;
use super::host::{self, Place, RunHost, Surroundings};
use super::reuse::Reusable;
use super::session::{Session, planned_plugin};
use super::slots;
use super::tools::Tools;
use super::{Note, Planned, Project, Silent, Stop, Watch, failpoint};
use crate::checkpoint::{Head, Identity};
use crate::execute::{Ended, Host, Way, execute};
use crate::model::{
    EventKind, Hint, Oid, Phase, Plan, PlanId, RunId, RunReport, RunState, StepId, Trouble, hinted,
};
use crate::report;
use crate::sandbox::Sandbox;
use crate::store::RunLock;

/// What a person may say about a run.
#[derive(Debug, Clone, Default)]
pub struct RunOptions {
    /// Steps with effects outside their files that may be done again.
    pub repeat: Vec<StepId>,
    /// Take over what earlier runs have done with the same steps, plugins and input.
    pub reuse: bool,
    /// Leave the user's branch alone at the end.
    pub no_merge: bool,
    /// How many times what the plan lets agents use they may use.
    pub budget_times: Option<u32>,
    /// The most steps that run side by side; the machine's cores without it.
    pub jobs: Option<usize>,
}

impl RunOptions {
    fn jobs(&self) -> usize {
        let cores = || std::thread::available_parallelism().map_or(1, |cores| cores.get());
        self.jobs.unwrap_or_else(cores)
    }
}

/// Returns the sandbox in force, which is the first thing that a run says.
pub fn choose_sandbox(unsandboxed: bool, watch: &mut dyn Watch) -> Result<Sandbox> {
    let sandbox = Sandbox::choose(unsandboxed)?;
    watch.note(Note::Sandbox {
        describe: &sandbox.describe(),
    });
    Ok(sandbox)
}

/// Starts a run of the plan.
pub fn start(
    project: &Project,
    planned: &Planned,
    sandbox: Sandbox,
    options: RunOptions,
    watch: &mut dyn Watch,
    stop: &Stop,
) -> Result<RunReport> {
    let tools = ready(project, planned)?;
    failpoint::reach("approved");
    if !planned.is_as_named() {
        let text = "the plan was edited after it was made: what runs is plan.yaml, and PLAN.md beside it may say otherwise";
        watch.note(Note::Warning {
            text: text.to_string(),
        });
    }
    let beginning = Beginning {
        base: None,
        onto: onto(&project.head),
        reusable: match options.reuse {
            true => Reusable::of_all(project)?,
            false => Reusable::default(),
        },
    };
    let equipped = (sandbox, tools);
    start_on(project, planned, beginning, equipped, options, watch, stop)
}

/// Where a run begins, and what of it is done already.
struct Beginning {
    /// The commit; the one that is checked out without it.
    base: Option<Oid>,
    onto: Option<String>,
    reusable: Reusable,
}

fn start_on(
    project: &Project,
    planned: &Planned,
    beginning: Beginning,
    (sandbox, tools): (Sandbox, Tools),
    options: RunOptions,
    watch: &mut dyn Watch,
    stop: &Stop,
) -> Result<RunReport> {
    let identity = identity(project, watch);
    stop.listen();
    let base = match beginning.base {
        Some(base) => base,
        None => base(project, &identity)?,
    };
    let run = new_run_id(project, &planned.id)?;
    let folder = project
        .folders
        .run(project.repository.common_directory(), &run);
    folder.create()?;
    let _lock = RunLock::take(&folder.lock(), &run)?;
    project.repository.open_journal(&folder.journal())?;
    let session = Session {
        project,
        run,
        plan_id: planned.id.clone(),
        digest: planned.digest.clone(),
        folder,
        identity,
        base,
    };
    let surroundings = Surroundings {
        sandbox,
        tools,
        watch,
        stop,
    };
    let mut host = begin(&session, planned, beginning.onto, surroundings)
        .inspect_err(|_| never_begun(&session))?;
    host.reusable = beginning.reusable;
    carry_out(host, options).map_err(|error| resumable(error, &session.run))
}

/// Carries the plan of a run out anew from one of its steps on; what it did before that step is taken over.
pub fn start_from(
    project: &Project,
    name: &str,
    from: &str,
    sandbox: Sandbox,
    options: RunOptions,
    watch: &mut dyn Watch,
    stop: &Stop,
) -> Result<RunReport> {
    let run = history::find_run(&project.repository, name)?;
    let stored = history::load(&project.repository, &run)?;
    let state = RunState::replay(&stored.plan, &stored.events);
    let beginning = Beginning {
        base: history::base(&stored.events),
        onto: state.onto,
        reusable: Reusable::before(project, &run, &stored, from)?,
    };
    let planned = super::plan::of_run(project, &stored)?;
    approve::require(
        project,
        &planned.id,
        &planned.plan,
        &planned.files,
        Moment::Resume,
    )?;
    let equipped = (sandbox, preflight(project, &planned.plan)?);
    start_on(project, &planned, beginning, equipped, options, watch, stop)
}

/// Makes the run's branch with the plan and the run's first event.
fn begin<'a>(
    session: &'a Session<'a>,
    planned: &'a Planned,
    onto: Option<String>,
    surroundings: Surroundings<'a>,
) -> Result<RunHost<'a>> {
    let tip = write_research(session, planned, &session.base)?;
    let place = Place {
        tip,
        born: false,
        segment: 1,
    };
    let mut host = RunHost::new(session, &planned.plan, place, surroundings)?;
    host.plan_files = planned.files.clone();
    let started = EventKind::RunStarted {
        run: session.run.clone(),
        plan: planned.id.clone(),
        digest: planned.digest.clone(),
        base: session.base.clone(),
        onto,
        sandbox: host.sandbox.describe(),
        tool: tool(),
    };
    host.emit(started)?;
    Ok(host)
}

/// Leaves nothing behind of a run that could not begin.
fn never_begun(session: &Session<'_>) {
    let repository = &session.project.repository;
    if let Ok(None) = repository.branch_tip(&session.run.branch()) {
        slots::remove(repository, &session.folder, true).ok();
        session.folder.remove().ok();
    }
}

/// Makes sure that the plan is approved as it has to be, and that everything it uses is at hand and is what was approved.
pub fn ready(project: &Project, planned: &Planned) -> Result<Tools> {
    approve::require(
        project,
        &planned.id,
        &planned.plan,
        &planned.files,
        Moment::Start,
    )?;
    let tools = preflight(project, &planned.plan)?;
    nothing_in_the_way(project, &planned.plan)?;
    Ok(tools)
}

/// Goes on with a run from its last checkpoint.
pub fn resume(
    project: &Project,
    name: &str,
    sandbox: Sandbox,
    options: RunOptions,
    watch: &mut dyn Watch,
    stop: &Stop,
) -> Result<RunReport> {
    let run = history::find_run(&project.repository, name)?;
    if onto(&project.head) == Some(run.branch()) {
        return Err(anyhow!(
            "the branch of run `{run}` is checked out in your folder, and would move under it"
        ))
        .kind(Trouble::Busy)
        .hint("git switch -");
    }
    let folder = project
        .folders
        .run(project.repository.common_directory(), &run);
    folder.create()?;
    let _lock = RunLock::take(&folder.lock(), &run)?;
    project.repository.open_journal(&folder.journal())?;
    let stored = history::load(&project.repository, &run)?;
    let mut session = Session::of(project, &run, &stored)?;
    let files = history::plan_files(project, &stored)?;
    approve::require(
        project,
        &stored.plan_id,
        &stored.plan,
        &files,
        Moment::Resume,
    )?;
    let tools = preflight(project, &stored.plan)?;
    session.identity = identity(project, watch);
    stop.listen();
    let place = Place {
        tip: stored.tip.clone(),
        // In another clone the next checkpoint makes the branch, on top of what was fetched.
        born: stored.local,
        segment: stored.segments + 1,
    };
    let surroundings = Surroundings {
        sandbox,
        tools,
        watch,
        stop,
    };
    let mut host = RunHost::new(&session, &stored.plan, place, surroundings)?;
    host.replay(&stored.events);
    host.note(Note::Resumed {
        run: session.run.as_str(),
        done: host.state.done(),
        commit: stored.tip.short(),
    });
    if !is_over(&host.state) {
        let sandbox = host.sandbox.describe();
        host.emit(EventKind::RunResumed {
            sandbox,
            tool: tool(),
        })?;
    }
    host.budget_times = options.budget_times.unwrap_or(1);
    carry_out(host, options).map_err(|error| resumable(error, &session.run))
}

/// Trouble of ours in the middle of a run: the run is as it was at its last checkpoint.
fn resumable(error: anyhow::Error, run: &RunId) -> anyhow::Error {
    let hint = format!("orchestrate --resume {run}");
    hinted(error, Trouble::Resumable, hint)
}

fn is_over(state: &RunState) -> bool {
    matches!(state.phase, Phase::Finished | Phase::Learned)
}

/// Executes what is left, then reports, learns and merges.
fn carry_out(mut host: RunHost<'_>, options: RunOptions) -> Result<RunReport> {
    if !is_over(&host.state) {
        host.note(Note::Doing {
            what: "Phase 3: Executing workflow...".to_string(),
        });
        let way = Way {
            jobs: options.jobs(),
            verify: host::verify,
            repeat: options.repeat.clone(),
        };
        let ended = execute(host.plan, way, &mut host)?;
        if ended != Ended::Finished {
            let repository = &host.session.project.repository;
            host.slots.show(host.session, &host.tip)?;
            slots::remove(repository, &host.session.folder, false)?;
            repository.close_journal()?;
            let mut report = host.session.account(host.plan, &host.state, &host.tip)?;
            report.commit = Some(host.tip.clone());
            return Ok(report);
        }
    }
    finish::conclude(Conclusion { host, options })
}

/// Returns the name and the version of this program.
pub fn tool() -> String {
    format!("orchestrate {}", env!("CARGO_PKG_VERSION"))
}

fn onto(head: &Head) -> Option<String> {
    match head {
        Head::Branch { name, .. } => Some(name.clone()),
        Head::Detached { .. } => None,
    }
}

/// Makes sure, before anything is begun, that what the plan uses is at hand and is what was planned.
pub(super) fn preflight(project: &Project, plan: &Plan) -> Result<Tools> {
    for step in &plan.steps {
        for action in step.actions() {
            planned_plugin(project, action)?;
        }
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    if !std::env::split_paths(&path).any(|folder| folder.join("git").is_file()) {
        return Err(anyhow!(
            "there is no `git` in PATH, and the result is merged by it"
        ))
        .kind(Trouble::Missing)
        .hint("apt-get install git, or brew install git");
    }
    Tools::find(project, plan, &path)
}

/// Refuses a plan whose files are there already: its steps would stop at them.
fn nothing_in_the_way(project: &Project, plan: &Plan) -> Result<()> {
    let Some(base) = project.base() else {
        return Ok(());
    };
    for (number, path) in crate::plan::creates(plan, project.catalog(&mut Silent)?.planable()?)? {
        if project.repository.read_file(&base, &path)?.is_some() {
            let step = &plan.steps[number - 1].id;
            return Err(anyhow!("`{path}` is already in the repository, and step {number}, `{step}`, would make it anew"))
                .kind(Trouble::Request)
                .hint("work in another folder with `-C DIR`, or commit its removal first");
        }
    }
    Ok(())
}

fn identity(project: &Project, watch: &mut dyn Watch) -> Identity {
    let identity = project.repository.identity();
    if !identity.configured {
        let text = format!(
            "git knows no name for you, so commits are by `{} <{}>`; set yours with `git config --global user.name` and `user.email`",
            identity.name, identity.email
        );
        watch.note(Note::Warning { text });
    }
    identity
}

/// Returns the commit that the run starts from; a branch without any gets an empty root commit.
fn base(project: &Project, identity: &Identity) -> Result<Oid> {
    match project.base() {
        Some(commit) => Ok(commit),
        None => project
            .repository
            .empty_root_commit(identity, project.clock.now().as_second()),
    }
}

fn new_run_id(project: &Project, plan: &PlanId) -> Result<RunId> {
    // Tests fix the end of the name by the variable `ORCHESTRATE_RUN`.
    if let Ok(end) = std::env::var("ORCHESTRATE_RUN") {
        return format!("{plan}.{end}").parse();
    }
    loop {
        let run: RunId = format!("{plan}.{}", random_letters()).parse()?;
        if project.repository.branch_tip(&run.branch())?.is_none() {
            return Ok(run);
        }
    }
}

/// Four letters and digits that are not mistaken for each other when read aloud.
fn random_letters() -> String {
    const ALPHABET: &[u8] = b"abcdefghjkmnpqrstuvwxyz23456789";
    // The keys of a `RandomState` come from the system's source of randomness.
    let mut number = RandomState::new().build_hasher().finish();
    let mut letters = String::new();
    for _ in 0..4 {
        letters.push(char::from(
            ALPHABET[(number % ALPHABET.len() as u64) as usize],
        ));
        number /= ALPHABET.len() as u64;
    }
    letters
}

/// Writes the commit with what the analysts found, and returns the commit to go on from. The branch is made by the next one, so
/// that whoever finds it finds a run to go on with.
fn write_research(session: &Session<'_>, planned: &Planned, base: &Oid) -> Result<Oid> {
    let Some(research) = &planned.research else {
        return Ok(base.clone());
    };
    let repository = &session.project.repository;
    let tree = repository.with_files(&repository.tree_of(base)?, std::slice::from_ref(research))?;
    repository.write_commit(
        &tree,
        std::slice::from_ref(base),
        &report::research_message(&session.run, &session.digest, &planned.plan),
        &session.identity,
        session.project.clock.now().as_second(),
    )
}
