//! The end of a run whose steps are all done: learn, bring the result into the user's branch, tidy up.

use anyhow::{Result, anyhow};

use super::history;
use super::host::RunHost;
use super::run::RunOptions;
use super::session::Session;
use super::slots;
use super::{Note, Project};
use crate::checkpoint::{Head, Merge, NewCommit};
use crate::execute::Host;
use crate::learn::{self, Lesson, Proposal};
use crate::model::{
    EventKind, Evidence, Hint, Odds, Oid, PatternId, Phase, Plan, ProvenPattern, RunReport,
    RunState, Trouble,
};
use crate::report;
use crate::store::paths;
use crate::yaml;

/// A run whose steps are all done.
pub struct Conclusion<'a> {
    pub host: RunHost<'a>,
    pub options: RunOptions,
}

/// Learns, merges and tidies up; each part is skipped where an earlier session has done it.
pub fn conclude(conclusion: Conclusion<'_>) -> Result<RunReport> {
    let Conclusion { mut host, options } = conclusion;
    if host.state.phase != Phase::Learned {
        learn(&mut host)?;
    }
    let session = host.session;
    let mut account = session.account(host.plan, &host.state, &host.tip)?;
    account.report = Some(paths::report_md(&session.run));
    account.commit = Some(host.tip.clone());
    let merged = merge(&mut host, &account, options)?;
    account.merged = Some(merged.is_ok());
    match merged {
        Ok(commit) => account.commit = Some(commit),
        Err(why) => {
            account.reason = Some(format!("not merged: {why}"));
            account.next = Some(format!("git merge --no-ff {}", account.branch));
        }
    }
    drop(host);
    slots::remove(&session.project.repository, &session.folder, true)?;
    session.project.repository.close_journal()?;
    session.folder.remove()?;
    Ok(account)
}

fn learn(host: &mut RunHost<'_>) -> Result<()> {
    host.note(Note::Doing {
        what: "Phase 4: Recording learnings...".to_string(),
    });
    let others = |proven: &ProvenPattern| {
        let records = proven.evidence.iter();
        records
            .filter(|record| record.run != host.session.run)
            .count()
    };
    let before = host.session.pattern(host.plan).map_or(0, others);
    let lesson = host
        .session
        .lesson(host.plan, &host.state, host.session.project.clock.now());
    host.emit(EventKind::RunLearned {
        pattern: lesson.pattern.to_string(),
    })?;
    let mut lines = vec![
        format!("Pattern updated: \"{}\"", lesson.pattern),
        format!("  - Execution count: {before} → {}", before + 1),
        format!("  - {}", host.session.standing(host.plan)),
    ];
    if let Some(proposal) = &lesson.proposal {
        lines.extend(propose(host.session, host.plan, proposal)?);
    }
    host.note(Note::Learned { lines });
    Ok(())
}

impl Lesson {
    /// Returns the path and the text of the run's one record.
    pub fn evidence_file(&self) -> Result<(String, Vec<u8>)> {
        let text = yaml::print(&self.evidence)?;
        Ok((
            paths::evidence(&self.pattern, &self.evidence.run),
            text.into_bytes(),
        ))
    }
}

/// What a run taught, for people and scripts.
#[derive(Debug, serde::Serialize)]
pub struct Taught {
    pub pattern: PatternId,
    pub standing: String,
    pub evidence: Evidence,
    /// What is proposed for the pattern, with the diff.
    pub lines: Vec<String>,
}

/// Returns what the run called `name` taught; a proposal whose branch is gone is made again.
pub fn taught(project: &Project, name: &str) -> Result<Taught> {
    let run = history::find_run(&project.repository, name)?;
    let stored = history::load(&project.repository, &run)?;
    let state = RunState::replay(&stored.plan, &stored.events);
    let over = matches!(
        state.phase,
        Phase::Finished | Phase::Learned | Phase::Failed { .. }
    );
    if !over {
        return Err(anyhow!("run `{run}` is not over, and teaches nothing yet"))
            .kind(Trouble::Request)
            .hint(format!("orchestrate --resume {run}"));
    }
    let session = Session::of(project, &run, &stored)?;
    let at = stored
        .events
        .last()
        .map_or(project.clock.now(), |event| event.at);
    let lesson = session.lesson(&stored.plan, &state, at);
    let lines = match &lesson.proposal {
        Some(proposal) => propose(&session, &stored.plan, proposal)?,
        None => Vec::new(),
    };
    Ok(Taught {
        standing: session.pattern(&stored.plan).map_or_else(
            || "its first run".to_string(),
            |proven| Odds::of(&proven.evidence).words(),
        ),
        pattern: lesson.pattern,
        evidence: lesson.evidence,
        lines,
    })
}

/// Commits the changed pattern on a branch of its own, to be reviewed like any other change.
fn propose(session: &Session<'_>, plan: &Plan, proposal: &Proposal) -> Result<Vec<String>> {
    let repository = &session.project.repository;
    let path = paths::pattern_yaml(&proposal.pattern.id);
    let branch = format!("orchestrate/learn/{}", session.run);
    let before = repository
        .read_file(&session.base, &path)?
        .unwrap_or_default();
    let after = yaml::print(&proposal.pattern)?;
    let tree = repository.with_files(
        &repository.tree_of(&session.base)?,
        &[(path.clone(), after.clone().into_bytes())],
    )?;
    let lines: Vec<String> = proposal
        .lines
        .iter()
        .map(|line| format!("- {line}"))
        .collect();
    let message = format!(
        "learn: {}\n\n{}\n\nOrchestrate-Run: {}\nOrchestrate-Plan: {}\nOrchestrate-Phase: learn\n",
        proposal
            .lines
            .first()
            .map_or(plan.task.as_str(), String::as_str),
        lines.join("\n"),
        session.run,
        session.digest
    );
    let there = repository.branch_tip(&branch)?.is_some();
    let new = NewCommit {
        branch: &branch,
        expected: None,
        tree: &tree,
        parents: std::slice::from_ref(&session.base),
        message: &message,
        identity: &session.identity,
        time_s: session.project.clock.now().as_second(),
    };
    if !there {
        repository.commit(&new)?;
        repository.sync()?;
    }
    let mut told: Vec<String> = proposal
        .lines
        .iter()
        .map(|line| format!("  - {line}"))
        .collect();
    told.push(format!("  Proposed on the branch `{branch}`:"));
    told.extend(
        learn::diff(&path, &String::from_utf8_lossy(&before), &after)?
            .lines()
            .map(|line| format!("    {line}")),
    );
    Ok(told)
}

/// Brings the run into the user's branch by one merge commit, or says why it may not.
fn merge(
    host: &mut RunHost<'_>,
    account: &RunReport,
    options: RunOptions,
) -> Result<Result<Oid, String>> {
    let session = host.session;
    if let Some(commit) = merged_before(session, &host.tip)? {
        return Ok(Ok(commit));
    }
    let onto = host.state.onto.clone();
    let branch = match target(session.project, onto.as_deref(), &session.base, &options)? {
        Ok(branch) => branch,
        Err(why) => return Ok(Err(why)),
    };
    let commit = merge_commit(host, account)?;
    let moved = session
        .project
        .repository
        .fast_forward(&branch, &session.base, &commit)?;
    Ok(match moved {
        Merge::Done => {
            host.note(Note::Merged {
                branch: &branch,
                commit: commit.short(),
            });
            Ok(commit)
        }
        Merge::Refused { why } => Err(why),
    })
}

/// Returns the commit of the checked out branch that brought the run in, if one did.
fn merged_before(session: &Session<'_>, tip: &Oid) -> Result<Option<Oid>> {
    let repository = &session.project.repository;
    let (Head::Branch {
        commit: Some(head), ..
    }
    | Head::Detached { commit: head }) = repository.head()?
    else {
        return Ok(None);
    };
    let since = repository.history(&head, Some(&session.base))?;
    let merge = since
        .into_iter()
        .find(|commit| commit.parents.contains(tip));
    Ok(merge.map(|commit| commit.id))
}

/// Returns the branch to merge into, or why there is none.
fn target(
    project: &Project,
    onto: Option<&str>,
    base: &Oid,
    options: &RunOptions,
) -> Result<Result<String, String>> {
    if options.no_merge {
        return Ok(Err("`--no-merge` was given".to_string()));
    }
    let Some(onto) = onto else {
        return Ok(Err("the run was started on a detached HEAD".to_string()));
    };
    Ok(match project.repository.head()? {
        Head::Branch { name, commit } if name == onto => match commit {
            Some(commit) if commit != *base => {
                Err(format!("`{onto}` has moved since the run began"))
            }
            _ if !project.repository.is_clean()? => {
                Err("there are uncommitted changes in your folder".to_string())
            }
            _ => Ok(name),
        },
        _ => Err(format!("`{onto}` is not checked out any more")),
    })
}

fn merge_commit(host: &RunHost<'_>, account: &RunReport) -> Result<Oid> {
    let session = host.session;
    let repository = &session.project.repository;
    let message = report::merge_message(account, host.plan, &session.plan_id, &session.digest);
    let commit = repository.write_commit(
        &repository.tree_of(&host.tip)?,
        &[session.base.clone(), host.tip.clone()],
        &message,
        &session.identity,
        session.project.clock.now().as_second(),
    )?;
    repository.sync()?;
    Ok(commit)
}
