//! Which step of which run wrote a line.

use anyhow::{Result, anyhow};

use super::{Project, history};
use crate::model::{Hint, Oid, RunId, Trouble, is_inside};

/// Who wrote a line.
#[derive(Debug, serde::Serialize)]
pub struct Blame {
    pub path: String,
    pub line: usize,
    pub text: String,
    pub commit: Oid,
    /// None where no run wrote it.
    pub run: Option<RunId>,
    pub step: Option<String>,
    pub title: Option<String>,
    pub plugin: Option<String>,
    pub task: Option<String>,
}

/// Returns who wrote the line at `place`, written `path:line`, of the checked out commit.
pub fn blame(project: &Project, place: &str) -> Result<Blame> {
    let parts = place
        .rsplit_once(':')
        .and_then(|(path, line)| Some((path, line.parse::<usize>().ok()?)));
    let (path, line) = parts
        .filter(|(path, line)| is_inside(path) && *line > 0)
        .ok_or_else(|| anyhow!("`{place}` is not a line of a file in the repository"))
        .kind(Trouble::Request)
        .hint("it is written from the top of the repository: `app/main.py:12`")?;
    let head = project
        .base()
        .ok_or_else(|| anyhow!("nothing is committed yet"))
        .kind(Trouble::Request)?;
    let repository = &project.repository;
    let (commit, text) = repository.blame(&head, path, line)?;
    let written = repository.read_commit(&commit)?;
    let run: Option<RunId> = written
        .trailer("Orchestrate-Run")
        .and_then(|run| run.parse().ok());
    let step = written
        .trailer("Orchestrate-Step")
        .and_then(|step| step.split_once(' '));
    let step = step.map(|(_, name)| name.to_owned());
    let plan = run
        .as_ref()
        .and_then(|run| history::load(repository, run).ok())
        .map(|stored| stored.plan);
    let title = plan.as_ref().and_then(|plan| {
        plan.steps
            .iter()
            .find(|known| Some(known.id.as_str()) == step.as_deref())
    });
    Ok(Blame {
        path: path.to_owned(),
        line,
        text,
        title: title.map(|step| step.title.clone()),
        plugin: written.trailer("Orchestrate-Plugin").map(str::to_owned),
        task: plan.as_ref().map(|plan| plan.task.clone()),
        commit,
        run,
        step,
    })
}
