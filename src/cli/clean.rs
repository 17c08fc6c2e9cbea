//! `orchestrate clean`: what ended runs have left.

use super::arguments::Arguments;
use super::output::Output;
use super::{Done, open};
use crate::ops;

/// Removes it, or says what would be removed.
pub fn run(arguments: &Arguments, branches: bool, dry_run: bool, output: &Output) -> Done {
    let project = open(arguments)?;
    let cleaned = ops::clean(&project, branches, dry_run)?;
    output.document(&cleaned)?;
    let word = if dry_run { "would remove" } else { "removed" };
    for what in cleaned
        .folders
        .iter()
        .map(|path| format!("`{path}`"))
        .chain(
            cleaned
                .branches
                .iter()
                .map(|branch| format!("branch `{branch}`")),
        )
    {
        output.line(&format!("{word} {what}"));
    }
    if cleaned.folders.is_empty() && cleaned.branches.is_empty() {
        output.line("nothing to remove");
    }
    cleaned
        .kept
        .iter()
        .for_each(|kept| output.line(&format!("kept {kept}")));
    Ok(0)
}
