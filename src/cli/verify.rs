//! `orchestrate verify`: whether a run's branch proves what it says.

use anyhow::anyhow;

use super::arguments::Arguments;
use super::output::Output;
use super::terminal::Terminal;
use super::{Done, open};
use crate::model::{Hint, Trouble, counted};
use crate::ops::{self, Stop};

/// Prints what holds, or fails with what does not.
pub fn run(arguments: &Arguments, run: &str, rerun_checks: bool, output: &Output) -> Done {
    let mut verified = ops::verify(&arguments.shared.directory, run)?;
    if rerun_checks && verified.faults.is_empty() {
        let stop = Stop::default();
        let mut terminal = Terminal::new(output, &stop.cancel);
        let sandbox = ops::choose_sandbox(arguments.shared.unsandboxed, &mut terminal)?;
        let project = open(arguments)?;
        ops::rerun_checks(&project, &mut verified, sandbox, &mut terminal, &stop)?;
    }
    output.document(&verified)?;
    if !verified.faults.is_empty() {
        return Err(anyhow!(
            "run `{}` is not what it says:\n{}",
            verified.run,
            verified.faults.join("\n")
        ))
        .kind(Trouble::Integrity)
        .hint(format!("git log --stat {}", verified.run.branch()));
    }
    output.line(&format!(
        "Run {} holds: {}, {}, plan {}",
        verified.run,
        counted(verified.checkpoints, "checkpoint"),
        counted(verified.steps, "step"),
        verified.digest
    ));
    if let Some(checks) = verified.checks_rerun {
        output.line(&format!(
            "  {} passed again at the files of their steps",
            counted(checks, "check")
        ));
    }
    Ok(0)
}
