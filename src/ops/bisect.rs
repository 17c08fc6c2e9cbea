//! Which step of a run broke something: a command is tried at the files that the steps left.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow};

use super::{Project, history, slots};
use crate::checkpoint::{Commit, Worktree};
use crate::model::{Hint, Oid, RunId, Trouble};
use crate::store::RunLock;

/// What a command says about the files of a commit, in the words and numbers of `git bisect`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Good,
    Bad,
    Unknown,
}

impl Verdict {
    /// Returns the verdict as a word.
    pub fn word(self) -> &'static str {
        match self {
            Verdict::Good => "good",
            Verdict::Bad => "bad",
            Verdict::Unknown => "cannot be told",
        }
    }
}

/// The files after a step, or before the first one.
#[derive(Debug, Clone, serde::Serialize)]
pub struct Tried {
    pub after: String,
    pub plugin: Option<String>,
    pub commit: Oid,
    pub verdict: Verdict,
}

/// What a search found.
#[derive(Debug, serde::Serialize)]
pub struct Bisected {
    pub run: RunId,
    /// The step after which the command fails; none where it never does.
    pub first_bad: Option<Tried>,
    pub tried: Vec<Tried>,
}

/// Finds the first step after which `command` fails. It runs with everything that the person may do, as `git bisect run` has it.
pub fn bisect(
    project: &Project,
    name: &str,
    command: &[String],
    tell: &mut dyn FnMut(&Tried),
) -> Result<Bisected> {
    let repository = &project.repository;
    let run = history::find_run(repository, name)?;
    let stored = history::load(repository, &run)?;
    let base = history::base(&stored.events).context("a run has a beginning")?;
    let mut places = vec![repository.read_commit(&base)?];
    let mut steps = repository.history(&stored.tip, Some(&base))?;
    steps.retain(|commit| commit.trailer("Orchestrate-Step").is_some());
    steps.reverse();
    places.extend(steps);
    // A folder of its own: the run may be going on.
    let searched: RunId = format!("{}.bisect{}", run.plan(), std::process::id()).parse()?;
    let folder = project
        .folders
        .run(repository.common_directory(), &searched);
    folder.create()?;
    let _lock = RunLock::take(&folder.lock(), &searched)?;
    let worktree = Worktree::open_or_add(repository, &folder.worktree(0), &base)?;
    let found = search(&places, &mut |place| {
        worktree.set_head(&place.id)?;
        worktree.restore(&place.tree)?;
        let tried = attempt(place, command, &worktree)?;
        tell(&tried);
        Ok(tried)
    });
    slots::remove(repository, &folder, true)?;
    folder.remove()?;
    let (first_bad, tried) = found.with_context(|| format!("cannot search run `{run}`"))?;
    Ok(Bisected {
        run,
        first_bad,
        tried,
    })
}

/// Halves the distance between the last place known as good and the first known as bad.
fn search(
    places: &[Commit],
    look: &mut dyn FnMut(&Commit) -> Result<Tried>,
) -> Result<(Option<Tried>, Vec<Tried>)> {
    let (first, last) = (look(&places[0])?, look(&places[places.len() - 1])?);
    let mut tried = vec![first.clone(), last.clone()];
    if first.verdict != Verdict::Good {
        return Err(anyhow!("the command fails before the first step already"))
            .kind(Trouble::Request)
            .hint("try it in your folder first");
    }
    if last.verdict == Verdict::Good {
        return Ok((None, tried));
    }
    let (mut good, mut bad) = (0, places.len() - 1);
    let mut first_bad = last;
    while bad - good > 1 {
        let mut middle = good + (bad - good) / 2;
        let mut found = look(&places[middle])?;
        tried.push(found.clone());
        // One that cannot be told is passed over, towards the bad end.
        while found.verdict == Verdict::Unknown && middle + 1 < bad {
            middle += 1;
            found = look(&places[middle])?;
            tried.push(found.clone());
        }
        match found.verdict {
            Verdict::Good => good = middle,
            Verdict::Bad => (bad, first_bad) = (middle, found),
            Verdict::Unknown => bad = good + (bad - good) / 2,
        }
    }
    Ok((Some(first_bad), tried))
}

fn attempt(place: &Commit, command: &[String], worktree: &Worktree) -> Result<Tried> {
    let (program, arguments) = command.split_first().context("there is a command")?;
    let status = Command::new(program)
        .args(arguments)
        .current_dir(worktree.path())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{program}`"))
        .kind(Trouble::Request)?;
    let step = place.trailer("Orchestrate-Step");
    Ok(Tried {
        after: step.map_or_else(
            || "before the first step".to_owned(),
            |step| format!("step {step}"),
        ),
        plugin: place.trailer("Orchestrate-Plugin").map(str::to_owned),
        commit: place.id.clone(),
        verdict: match status.code() {
            Some(0) => Verdict::Good,
            Some(125) => Verdict::Unknown,
            Some(_) => Verdict::Bad,
            None => {
                return Err(anyhow!("`{program}` was ended by a signal"))
                    .kind(Trouble::Interrupted);
            }
        },
    })
}
