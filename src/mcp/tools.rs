//! The tools: what each is called with, and what it calls.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use rmcp::model::{Tool as Described, ToolAnnotations};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Place;
use super::answers::{Account, Explained, Hits, Researched, RunLine, Runs, Shown};
use super::listening::Listening;
use crate::model::{Hint, RunReport, RunStatus, Task, Trouble};
use crate::ops::{
    self, Catalog, CatalogOptions, OpenOptions, Planned, Project, RunOptions, Settings, Stop,
};
use crate::plan::PlanOptions;
use crate::report;

/// How many plugins a search returns unless it says otherwise, and at most.
const HITS: usize = 10;
const HITS_MAX: usize = 50;

/// One tool.
pub struct Tool {
    pub name: &'static str,
    title: &'static str,
    text: &'static str,
    /// Whether it leaves the project as it is.
    reads_only: bool,
    schemas: fn(Described) -> Described,
    pub call: fn(&Place, Value, &mut Listening, &Stop) -> Result<Answer>,
}

/// What a tool answers.
pub struct Answer {
    pub text: String,
    pub value: Value,
    /// Whether what was asked for did not come about, though everything was done right.
    pub is_failure: bool,
}

/// Every tool.
pub const TOOLS: [Tool; 8] = [
    Tool {
        name: "search_plugins",
        title: "Search plugins",
        text: "Finds plugins in the project's marketplaces: up to three words are looked up, and a sentence is understood.",
        reads_only: true,
        schemas: schemas::<SearchPlugins, Hits>,
        call: search_plugins,
    },
    Tool {
        name: "explain_plugin",
        title: "Explain a plugin's place",
        text: "Says why a plugin is found for a request, or is not.",
        reads_only: true,
        schemas: schemas::<ExplainPlugin, Explained>,
        call: explain_plugin,
    },
    Tool {
        name: "research",
        title: "Research",
        text: "Finds out which plugins and proven patterns there are for something, without a plan.",
        reads_only: true,
        schemas: schemas::<Question, Researched>,
        call: research,
    },
    Tool {
        name: "plan",
        title: "Plan a task",
        text: "Plans a task and saves the plan; nothing of it runs. Show the plan to the person before anything else.",
        reads_only: false,
        schemas: schemas::<PlanTask, Shown>,
        call: plan,
    },
    Tool {
        name: "show_plan",
        title: "Show a plan",
        text: "Shows a saved plan, with the digest that names exactly it.",
        reads_only: true,
        schemas: schemas::<ShowPlan, Shown>,
        call: show_plan,
    },
    Tool {
        name: "execute_plan",
        title: "Execute a plan",
        text: "Carries a saved plan out in a branch of its own, with a checkpoint after each step, and merges it when it is done. \
The person must have seen the plan and said that it is to run: ask them, in your own words, each time. \
Where the project asks for an approval, only a person can give it, with `orchestrate approve`; without it nothing runs.",
        reads_only: false,
        schemas: schemas::<ExecutePlan, Account>,
        call: execute_plan,
    },
    Tool {
        name: "run_status",
        title: "List runs",
        text: "Lists the project's runs and how they stand.",
        reads_only: true,
        schemas: schemas::<Nothing, Runs>,
        call: run_status,
    },
    Tool {
        name: "run_report",
        title: "Report of a run",
        text: "Shows how a run ended, or how it stands: each step, what it left, and what goes on from there.",
        reads_only: true,
        schemas: schemas::<NamedRun, Account>,
        call: run_report,
    },
];

impl Tool {
    /// Returns the tool as clients see it.
    pub fn described(&self) -> Described {
        let hints = ToolAnnotations::with_title(self.title)
            .read_only(self.reads_only)
            .destructive(false)
            .open_world(!self.reads_only);
        let described = Described::new(self.name, self.text, serde_json::Map::new());
        (self.schemas)(described.with_title(self.title).with_annotations(hints))
    }
}

fn schemas<I: JsonSchema + 'static, O: JsonSchema + 'static>(tool: Described) -> Described {
    tool.with_input_schema::<I>().with_output_schema::<O>()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SearchPlugins {
    /// What is to be done, in your words; up to three words are looked up as they are.
    request: String,
    /// The most that are returned, 10 without it, at most 50.
    #[serde(default)]
    limit: Option<usize>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExplainPlugin {
    /// The plugin, `name@marketplace` or its name.
    plugin: String,
    /// What is to be done, in your words.
    request: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Question {
    /// The question, in a sentence.
    question: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PlanTask {
    /// What to do, in a sentence, with constraints in brackets, such as `[prefer: fastapi] [avoid: redis]`.
    task: String,
    /// The pattern to follow; the best one without it.
    #[serde(default)]
    pattern: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ShowPlan {
    /// The plan's name, or the beginning or end of it.
    plan: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExecutePlan {
    /// The plan's name, or the beginning or end of it.
    plan: String,
    /// The digest of the plan that the person has seen.
    digest: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct NamedRun {
    /// The run's name, or the beginning or end of it.
    run: String,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Nothing {}

fn read<T: DeserializeOwned>(arguments: Value) -> Result<T> {
    serde_json::from_value(arguments)
        .map_err(|error| anyhow!("the arguments do not fit: {error}"))
        .kind(Trouble::Request)
}

fn answer(text: String, value: impl Serialize) -> Result<Answer> {
    Ok(Answer {
        text,
        value: serde_json::to_value(value)?,
        is_failure: false,
    })
}

fn open(place: &Place, listening: &Listening) -> Result<Project> {
    let options = OpenOptions {
        offline: place.offline,
        ..OpenOptions::default()
    };
    let project = Project::open(&place.directory, options)?;
    for said in &project.recovered {
        listening.tell.send(said.clone()).ok();
    }
    Ok(project)
}

fn catalog_options(place: &Place) -> CatalogOptions {
    CatalogOptions {
        offline: place.offline,
        refresh: false,
    }
}

fn search_plugins(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: SearchPlugins = read(arguments)?;
    let settings = Settings::find(&place.directory)?;
    let limit = asked.limit.unwrap_or(HITS).clamp(1, HITS_MAX);
    let options = catalog_options(place);
    let search = ops::search(&settings, options, &asked.request, limit, listening)?;
    let hits = Hits::from(search);
    let mut text = String::new();
    for hit in &hits.hits {
        writeln!(text, "{}: {}", hit.plugin, hit.description)?;
    }
    if text.is_empty() {
        text.push_str("no plugin fits");
    }
    answer(text, hits)
}

fn explain_plugin(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: ExplainPlugin = read(arguments)?;
    let settings = Settings::find(&place.directory)?;
    let options = catalog_options(place);
    let catalog = Catalog::open(&settings, options, listening)?;
    let plugin = ops::one_plugin(&catalog, &asked.plugin)?;
    let explanation = ops::explain(&settings, options, &plugin, &asked.request, listening)?;
    let explained = Explained::from(explanation);
    let mut text = format!(
        "{} is number {} of {}",
        explained.plugin, explained.rank, explained.of
    );
    if let Some(why) = &explained.ruled_out {
        write!(text, ", and is ruled out: {why}")?;
    }
    if !explained.matched.is_empty() {
        write!(text, "; it matches: {}", explained.matched.join(", "))?;
    }
    answer(text, explained)
}

fn research(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: Question = read(arguments)?;
    let task = Task::parse(&asked.question).kind(Trouble::Request)?;
    let project = open(place, listening)?;
    let found = ops::research(&project, &task, listening)?;
    let page = report::research_page(&task.text, &found);
    answer(page, Researched::from(&found))
}

fn plan(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: PlanTask = read(arguments)?;
    let task = Task::parse(&asked.task).kind(Trouble::Request)?;
    let mut options = PlanOptions::default();
    if let Some(pattern) = &asked.pattern {
        options.pattern = Some(pattern.parse().kind(Trouble::Request)?);
    }
    let project = open(place, listening)?;
    let planned = ops::plan(&project, &task, &options, listening)?;
    ops::save(&project, &planned)?;
    shown(&project, &planned)
}

fn show_plan(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: ShowPlan = read(arguments)?;
    let project = open(place, listening)?;
    let planned = ops::find_plan(&project, &asked.plan)?;
    shown(&project, &planned)
}

fn shown(project: &Project, planned: &Planned) -> Result<Answer> {
    let policy = ops::approval_policy(project)?.rule.policy;
    let approval = serde_json::to_value(policy)?;
    let approval = approval.as_str().unwrap_or_default().to_string();
    let page = planned
        .files
        .iter()
        .find(|(path, _)| path.ends_with("/PLAN.md"));
    let page = match page {
        Some((_, text)) => String::from_utf8_lossy(text).into_owned(),
        None => planned.id.to_string(),
    };
    answer(page, Shown::of(planned, approval))
}

fn execute_plan(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    stop: &Stop,
) -> Result<Answer> {
    let asked: ExecutePlan = read(arguments)?;
    let sandbox = ops::choose_sandbox(place.unsandboxed, listening)?;
    let project = open(place, listening)?;
    let planned = ops::find_plan(&project, &asked.plan)?;
    if planned.digest.as_str() != asked.digest {
        return Err(anyhow!(
            "plan `{}` is not the one that was shown: its digest is {} by now",
            planned.id,
            planned.digest
        ))
        .kind(Trouble::Integrity)
        .hint("show the plan again, and ask the person again");
    }
    let options = RunOptions::default();
    let report = ops::start(&project, &planned, sandbox, options, listening, stop)?;
    accounted(&report, String::new())
}

fn run_status(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let Nothing {} = read(arguments)?;
    let project = open(place, listening)?;
    let (runs, complaints) = ops::runs(&project)?;
    let runs: Vec<RunLine> = runs.iter().map(RunLine::of).collect::<Result<_>>()?;
    let mut text = String::new();
    for run in &runs {
        let RunLine {
            run,
            status,
            task,
            steps_done,
            steps,
            ..
        } = run;
        writeln!(
            text,
            "{run} {status} {steps_done}/{steps} steps, \"{task}\""
        )?;
    }
    if text.is_empty() {
        text.push_str("no runs");
    }
    answer(text, Runs { runs, complaints })
}

fn run_report(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: NamedRun = read(arguments)?;
    let project = open(place, listening)?;
    let report = ops::run_report(&project, &asked.run)?;
    let page = match (&report.report, &report.commit) {
        (Some(path), Some(commit)) => project.repository.read_file(commit, path)?,
        _ => None,
    };
    let page = page.map(|page| String::from_utf8_lossy(&page).into_owned());
    let mut answer = accounted(&report, page.unwrap_or_default())?;
    // That a run failed is what was asked for here.
    answer.is_failure = false;
    Ok(answer)
}

/// Returns the account of a run, with `page` after it.
fn accounted(report: &RunReport, page: String) -> Result<Answer> {
    let account = Account::of(report)?;
    let mut text = format!(
        "run {} on branch {}: {}",
        account.run, account.branch, account.status
    );
    for step in &account.steps {
        write!(text, "\n  {} {} ({})", step.id, step.status, step.plugin)?;
    }
    let after = [account.reason.as_ref(), account.next.as_ref()];
    for line in after.into_iter().flatten().chain(&account.actions) {
        write!(text, "\n{line}")?;
    }
    if !page.is_empty() {
        write!(text, "\n\n{page}")?;
    }
    let mut answer = answer(text, account)?;
    answer.is_failure = report.status != RunStatus::Done;
    Ok(answer)
}
