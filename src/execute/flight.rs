//! An attempt while its programs and its checks run, on a thread of its own.

use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use super::{Verdict, Verify, runner};
use crate::model::{Action, Failure, FailureKind, Remedy, Step, StepId};
use crate::workspace::{Line, Workspace, failure};

/// Everything that an attempt takes with it.
pub struct Attempt {
    pub step: Step,
    pub action: Action,
    pub remedies: Vec<Remedy>,
    pub workspace: Workspace,
    pub verify: Verify,
    /// The folder holds the result already, and only the checks are left.
    pub reused: bool,
}

/// What an attempt has to say.
pub enum Message {
    Line {
        step: StepId,
        text: String,
        building: bool,
    },
    Landed {
        step: StepId,
        landed: Box<Landed>,
    },
}

/// An attempt whose programs and checks have ended.
pub struct Landed {
    pub action: Action,
    pub workspace: Workspace,
    pub began: Instant,
    pub reused: bool,
    /// How it went; the outer error is a panic.
    pub outcome: std::thread::Result<Result<Result<Verdict, Failure>>>,
}

/// Starts the attempt; it says on `to` what it prints, and in the end how it went.
pub fn start(attempt: Attempt, to: Sender<Message>) -> Result<JoinHandle<()>> {
    let name = attempt.step.id.to_string();
    let thread = std::thread::Builder::new().name(name);
    thread
        .spawn(move || fly(attempt, &to))
        .context("cannot start a thread for a step")
}

fn fly(mut attempt: Attempt, to: &Sender<Message>) {
    let began = Instant::now();
    // A panic is handed over like any other end, or whoever listens would wait for ever.
    let outcome =
        std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| carry_out(&mut attempt, to)));
    let landed = Landed {
        action: attempt.action,
        workspace: attempt.workspace,
        began,
        reused: attempt.reused,
        outcome,
    };
    let step = attempt.step.id;
    to.send(Message::Landed {
        step,
        landed: Box::new(landed),
    })
    .ok();
}

fn carry_out(attempt: &mut Attempt, to: &Sender<Message>) -> Result<Result<Verdict, Failure>> {
    let Attempt {
        step,
        action,
        remedies,
        workspace,
        verify,
        reused,
    } = attempt;
    let mut say = |line: Line<'_>| {
        let building = matches!(line, Line::Building(_));
        let (Line::Program(text) | Line::Building(text)) = line;
        let (step, text) = (step.id.clone(), text.to_owned());
        to.send(Message::Line {
            step,
            text,
            building,
        })
        .ok();
    };
    let timeout = Duration::from_secs(step.timeout_s);
    let mut done = None;
    if !*reused {
        match runner::run(step, action, workspace, remedies, timeout, &mut say)? {
            Ok(ran) => done = Some(ran),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    let mut verdict = verify(step, workspace, &mut say)?;
    // Who did the step is told what the checks find, as often as the plan allows.
    while let Some(found) = &verdict.failure {
        let mended = match &mut done {
            Some(done) => done.correct(found, workspace, &mut say)?,
            None => Ok(false),
        };
        match mended {
            Ok(true) => verdict = verify(step, workspace, &mut say)?,
            Ok(false) => return Ok(Err(found.clone())),
            Err(failure) => return Ok(Err(failure)),
        }
    }
    if workspace.cancel.is_cancelled() {
        return Ok(Err(failure(FailureKind::Command, "it was stopped", "")));
    }
    Ok(Ok(verdict))
}
