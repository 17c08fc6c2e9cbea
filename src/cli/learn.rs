//! `orchestrate learn RUN`: what a run taught.

use super::arguments::{Arguments, Learn};
use super::output::Output;
use super::{Done, open};
use crate::ops;

/// Prints the lesson of a run.
pub fn run(arguments: &Arguments, learn: &Learn, output: &Output) -> Done {
    let project = open(arguments)?;
    let taught = ops::taught(&project, &learn.run)?;
    output.document(&taught)?;
    output.line(&format!(
        "Pattern: {} ({})",
        taught.pattern, taught.standing
    ));
    for issue in &taught.evidence.issues {
        output.line(&format!(
            "Issue: {} ({}), mended by {}",
            issue.issue, issue.plugin, issue.mended_by
        ));
    }
    taught.lines.iter().for_each(|line| output.line(line));
    if taught.lines.is_empty() {
        output.line("Nothing new for the pattern.");
    }
    Ok(0)
}
