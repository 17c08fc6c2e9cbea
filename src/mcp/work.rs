//! What each tool does: a thin call of `ops`, and its result in words and as a document.

use std::fmt::Write as _;

use anyhow::{Result, anyhow};
use serde::Serialize;
use serde_json::Value;

use super::Place;
use super::answers::{Account, Explained, Hits, Researched, RunLine, Runs, Shown};
use super::asked::{
    ExecutePlan, ExplainPlugin, HITS_MAX, NamedRun, Nothing, PlanTask, Question, SearchPlugins,
    ShowPlan, read,
};
use super::listening::Listening;
use super::tools::Answer;
use crate::model::{Hint, RunReport, RunStatus, Task, Trouble};
use crate::ops::{
    self, Catalog, CatalogOptions, OpenOptions, Planned, Project, RunOptions, Settings, Stop,
};
use crate::plan::PlanOptions;
use crate::report;

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

pub fn search_plugins(
    place: &Place,
    arguments: Value,
    listening: &mut Listening,
    _stop: &Stop,
) -> Result<Answer> {
    let asked: SearchPlugins = read(arguments)?;
    let settings = Settings::find(&place.directory)?;
    let limit = asked.limit.clamp(1, HITS_MAX);
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

pub fn explain_plugin(
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

pub fn research(
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

pub fn plan(
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

pub fn show_plan(
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

pub fn execute_plan(
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

pub fn run_status(
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

pub fn run_report(
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
