//! From a task to a plan, and a plan's files.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};

use super::history::{self, Stored};
use super::locks::{lock_files, lock_paths};
use super::names::Named;
use super::own_checks::own_checks;
use super::research::{missing_agent, research};
use super::{Note, Project, Watch, approve};
use crate::model::{
    Digest, Hint, PatternCandidate, Plan, PlanId, Plugin, Research, Runner, Task, Trouble,
};
use crate::plan::{PlanContext, PlanOptions, PlanPage};
use crate::report;
use crate::store::{self, paths};
use crate::tree;
use crate::validate;

/// A plan with its name and the text of its files.
pub struct Planned {
    pub id: PlanId,
    pub plan: Plan,
    pub digest: Digest,
    /// Path and text of each file.
    pub files: Vec<(String, Vec<u8>)>,
    /// Path and text of what the analysts wrote; none for a plan that was read.
    pub research: Option<(String, Vec<u8>)>,
}

impl Planned {
    /// Says whether the plan is the one that it was named after.
    pub fn is_as_named(&self) -> bool {
        let id = self.id.as_str();
        [4, 8]
            .iter()
            .any(|length| id.ends_with(&format!("-{}", self.digest.short(*length))))
    }
}

/// Researches the task and plans it.
pub fn plan(
    project: &Project,
    task: &Task,
    options: &PlanOptions,
    watch: &mut dyn Watch,
) -> Result<Planned> {
    let research = research(project, task, watch)?;
    let digest = |plugin: &Plugin| project.digest(plugin);
    let context = PlanContext {
        task,
        research: &research,
        plugins: project.catalog(watch)?.planable()?,
        taxonomy: &project.taxonomy,
        digest: &digest,
        agent: &project.settings.agent,
        own: &own_checks(project)?,
    };
    let plan = crate::plan::plan(&context, options)?;
    let faults = validate::check_plan(&plan);
    ensure!(
        faults.is_empty(),
        "the plan cannot run:\n{}",
        faults.join("\n")
    );
    if let Some(text) = missing_agent(project).filter(|_| is_for_agents(&plan)) {
        watch.note(Note::Warning { text });
    }
    let planned = named(project, plan, &research)?;
    let pattern = pattern_of(&planned.plan, &research);
    watch.note(Note::Planned {
        id: planned.id.as_str(),
        plan: &planned.plan,
        odds: pattern.map_or("no evidence yet".to_string(), |pattern| {
            pattern.odds.words()
        }),
        estimate: pattern.and_then(|pattern| pattern.duration_ms),
    });
    Ok(planned)
}

fn is_for_agents(plan: &Plan) -> bool {
    plan.steps
        .iter()
        .any(|step| step.action.runner == Runner::Agent)
}

fn pattern_of<'a>(plan: &Plan, research: &'a Research) -> Option<&'a PatternCandidate> {
    let id = plan.pattern.as_ref()?;
    research
        .patterns
        .iter()
        .find(|candidate| candidate.pattern.id == *id)
}

fn named(project: &Project, plan: Plan, research: &Research) -> Result<Planned> {
    let text = store::print_plan(&plan)?;
    let found = report::research_page(&plan.task, research);
    let pattern = pattern_of(&plan, research).cloned();
    let mut planned = with_text(project, plan, text.into_bytes(), pattern.as_ref(), None)?;
    planned.research = Some((paths::research_md(&planned.id), found.into_bytes()));
    Ok(planned)
}

/// Returns a plan that a person wrote, with the text that they wrote and the files that go with it; `id` is its name, if it has one.
pub fn with_text(
    project: &Project,
    plan: Plan,
    text: Vec<u8>,
    pattern: Option<&PatternCandidate>,
    id: Option<PlanId>,
) -> Result<Planned> {
    let digest = tree::of_bytes(&text);
    let id = match id {
        Some(id) => id,
        None => match same_plan(project, &plan, &digest)? {
            Some(id) => id,
            None => free_name(project, &plan, &digest)?,
        },
    };
    let page = PlanPage {
        id: &id,
        plan: &plan,
        pattern,
        form: form("files/PLAN.md.j2")?,
    };
    let markdown = page.markdown()?;
    let mut files = vec![
        (paths::plan_yaml(&id), text),
        (paths::plan_md(&id), markdown.into_bytes()),
    ];
    files.extend(lock_files(project, &plan)?);
    // The same plan as before keeps its approval.
    let approval = paths::approval(&id);
    if let Some(text) = project.read(&approval)? {
        files.push((approval, text));
    }
    Ok(Planned {
        files,
        research: None,
        id,
        plan,
        digest,
    })
}

/// Returns the name under which this very plan was planned before, perhaps on another day, and was not edited since.
fn same_plan(project: &Project, plan: &Plan, digest: &Digest) -> Result<Option<PlanId>> {
    let ending = format!("-{}", crate::plan::name_without_date(plan, digest));
    for name in plan_names(project)?
        .iter()
        .filter(|name| name.ends_with(&ending))
    {
        let id: PlanId = name.parse()?;
        let text = project.read(&paths::plan_yaml(&id))?;
        if text.is_some_and(|text| tree::of_bytes(&text) == *digest) {
            return Ok(Some(id));
        }
    }
    Ok(None)
}

/// Returns a name for the plan that no other has, such as one that a person has edited.
fn free_name(project: &Project, plan: &Plan, digest: &Digest) -> Result<PlanId> {
    let date = project.clock.date();
    let id = crate::plan::name(plan, &date, digest)?;
    match project.read(&paths::plan_yaml(&id))? {
        Some(_) => format!("{date}-{}-{}", crate::plan::slug(plan), digest.short(8)).parse(),
        None => Ok(id),
    }
}

/// Returns the text of an embedded form.
pub(super) fn form(name: &str) -> Result<&'static str> {
    let (_, text) = tree::embedded(name)
        .next()
        .with_context(|| format!("the form `{name}` is not embedded"))?;
    std::str::from_utf8(text).with_context(|| format!("the form `{name}` is not UTF-8"))
}

/// Returns the names of all plans in the user's folder and in the commit there, sorted.
fn plan_names(project: &Project) -> Result<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    let folder = project.repository.work_directory().join(paths::PLANS);
    if let Ok(entries) = std::fs::read_dir(folder) {
        names.extend(
            entries
                .flatten()
                .map(|entry| entry.file_name().to_string_lossy().into_owned()),
        );
    }
    if let Some(base) = project.base() {
        let files = project.repository.list_files(&base, paths::PLANS)?;
        let owner = |file: &String| {
            file[paths::PLANS.len()..]
                .split('/')
                .next()
                .map(str::to_string)
        };
        names.extend(files.iter().filter_map(owner));
    }
    names.sort();
    names.dedup();
    Ok(names)
}

/// The files of a plan, each read once: what is checked is what is used.
#[derive(Default)]
pub struct PlanFiles(BTreeMap<String, Option<Vec<u8>>>);

impl PlanFiles {
    /// Returns the bytes of a file as they were when it was first asked for.
    pub fn read(&mut self, project: &Project, path: &str) -> Result<Option<Vec<u8>>> {
        if let Some(known) = self.0.get(path) {
            return Ok(known.clone());
        }
        let text = project.read(path)?;
        self.0.insert(path.to_string(), text.clone());
        Ok(text)
    }
}

/// Returns the plan called `name`, or by the one name that begins or ends so; one that was approved has to be as it was then.
pub fn find_plan(project: &Project, name: &str) -> Result<Planned> {
    let id = find_plan_id(project, name)?;
    let mut files = PlanFiles::default();
    approve::before_parsing(project, &id, &mut files)?;
    read_plan(project, &id, files)
}

/// Returns the full name of the plan called `name`, or by the one name that begins or ends so.
pub fn find_plan_id(project: &Project, name: &str) -> Result<PlanId> {
    let named = Named {
        noun: "plan",
        all: "ls .orchestrate/plans/",
        none: "make one first: orchestrate --plan-only \"[task]\"",
    };
    named.find(name, &plan_names(project)?)?.parse()
}

/// Returns the plan that a run carries out, with the files that its branch has of it.
pub fn of_run(project: &Project, stored: &Stored) -> Result<Planned> {
    let id = stored.plan_id.clone();
    let mut files = history::plan_files(project, stored)?;
    for path in [paths::plan_md(&id), paths::research_md(&id)] {
        let text = project.repository.read_file(&stored.tip, &path)?;
        files.extend(text.map(|text| (path, text)));
    }
    Ok(Planned {
        id,
        plan: stored.plan.clone(),
        digest: stored.digest.clone(),
        files,
        research: None,
    })
}

/// Returns the path and the text of a plan.
pub fn plan_text(project: &Project, id: &PlanId) -> Result<(String, Vec<u8>)> {
    let path = paths::plan_yaml(id);
    let text = project
        .read(&path)?
        .ok_or_else(|| anyhow!("there is no `{path}`"))
        .kind(Trouble::Request)?;
    Ok((path, text))
}

/// Reads a plan with its files, and looks whether it can run at all.
pub fn read_plan(project: &Project, id: &PlanId, mut files: PlanFiles) -> Result<Planned> {
    let path = paths::plan_yaml(id);
    let text = files
        .read(project, &path)?
        .ok_or_else(|| anyhow!("there is no `{path}`"))
        .kind(Trouble::Request)?;
    let plan = store::read_plan(&path, &text).kind(Trouble::Request)?;
    let faults = validate::check_plan(&plan);
    if !faults.is_empty() {
        return Err(anyhow!("`{path}` cannot run:\n{}", faults.join("\n"))).kind(Trouble::Request);
    }
    let digest = tree::of_bytes(&text);
    let mut all = vec![(path, text)];
    let mut beside = vec![
        paths::plan_md(id),
        paths::research_md(id),
        paths::approval(id),
    ];
    beside.extend(lock_paths(&plan));
    for path in beside {
        if let Some(text) = files.read(project, &path)? {
            all.push((path, text));
        }
    }
    Ok(Planned {
        id: id.clone(),
        plan,
        digest,
        files: all,
        research: None,
    })
}

/// Writes the plan's files into the user's folder; a file that has the same text is left alone.
pub fn save(project: &Project, planned: &Planned) -> Result<()> {
    for (path, text) in planned.files.iter().chain(&planned.research) {
        let full = project.repository.work_directory().join(path);
        if std::fs::read(&full).is_ok_and(|there| there == *text) {
            continue;
        }
        store::write_whole(&full, text).kind(Trouble::Request)?;
    }
    Ok(())
}
