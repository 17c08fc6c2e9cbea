//! Plans written by hand: a skeleton to complete, and what a person made of it.

use anyhow::{Result, anyhow};
use serde_json::{Map, Value};

use super::plan::{PlanFiles, find_plan_id, form, plan, with_text};
use super::{Planned, Project, Silent, check_plan_text};
use crate::approve::text_diff;
use crate::model::{Fault, Hint, Plan, PluginId, Task, Trouble};
use crate::plan::PlanOptions;
use crate::render;
use crate::store::{self, paths};

/// What a draft came to.
pub enum Drafted {
    /// It can run.
    Plan {
        planned: Box<Planned>,
        /// How it differs from the plan that was edited.
        diff: String,
    },
    /// It cannot, and why.
    Faulty(Vec<Fault>),
}

/// Returns the text of a plan to complete: the one that planning gives, else one with a single step to fill in.
pub fn skeleton(project: &Project, task: &Task) -> Result<Vec<u8>> {
    if let Ok(planned) = plan(project, task, &PlanOptions::default(), &mut Silent) {
        return Ok(store::print_plan(&planned.plan)?.into_bytes());
    }
    let values = Map::from_iter([("task".to_string(), Value::from(quoted(&task.text)))]);
    Ok(render::text("plan.yaml.j2", form("files/plan.yaml.j2")?, &values)?.into_bytes())
}

/// Returns a text as a scalar of YAML; JSON's strings are ones.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Takes up the text of a plan, which stands at `file`.
pub fn drafted(project: &Project, file: &str, text: Vec<u8>) -> Result<Drafted> {
    take_up(project, file, text, None)
}

/// Takes up what a person made of the plan called `name`; it keeps its name.
pub fn edited(project: &Project, name: &str, text: Vec<u8>) -> Result<Drafted> {
    take_up(
        project,
        &paths::plan_yaml(&find_plan_id(project, name)?),
        text,
        Some(name),
    )
}

fn take_up(
    project: &Project,
    file: &str,
    mut text: Vec<u8>,
    name: Option<&str>,
) -> Result<Drafted> {
    if let Ok(plan) = store::parse_plan(file, &text) {
        text = filled_in(project, file, plan, text)?;
    }
    let faults = check_plan_text(file, &text);
    if !faults.is_empty() {
        return Ok(Drafted::Faulty(faults));
    }
    let plan = store::read_plan(file, &text).kind(Trouble::Request)?;
    let (id, diff) = match name {
        None => (None, String::new()),
        Some(name) => {
            let id = find_plan_id(project, name)?;
            let path = paths::plan_yaml(&id);
            let before = PlanFiles::default()
                .read(project, &path)?
                .unwrap_or_default();
            let diff = text_diff(&path, &before, &text);
            (Some(id), diff)
        }
    };
    let planned = with_text(project, plan, text, None, id)?;
    Ok(Drafted::Plan {
        planned: Box::new(planned),
        diff,
    })
}

/// Returns the text with the digests that are still blank: those of the plugins as they are now. Comments stay where that can be done.
fn filled_in(project: &Project, file: &str, mut plan: Plan, text: Vec<u8>) -> Result<Vec<u8>> {
    let mut edited = String::from_utf8_lossy(&text).into_owned();
    let mut blanks = 0;
    for step in &mut plan.steps {
        for action in std::iter::once(&mut step.action).chain(&mut step.fallbacks) {
            if action.digest.is_blank() {
                let digest = digest_now(project, &action.plugin)?;
                edited = edited.replacen(action.digest.as_str(), digest.as_str(), 1);
                action.digest = digest;
                blanks += 1;
            }
        }
    }
    if blanks == 0 {
        return Ok(text);
    }
    match store::parse_plan(file, edited.as_bytes()) {
        Ok(same) if same == plan => Ok(edited.into_bytes()),
        _ => Ok(store::print_plan(&plan)?.into_bytes()),
    }
}

fn digest_now(project: &Project, id: &PluginId) -> Result<crate::model::Digest> {
    let catalog = project.catalog(&mut Silent)?;
    match catalog.find(id)? {
        Some(plugin) => project.digest(&plugin),
        None => Err(anyhow!(
            "there is no plugin `{id}` in any known marketplace"
        ))
        .kind(Trouble::Request)
        .hint(format!("orchestrate plugin search {}", id.name)),
    }
}
