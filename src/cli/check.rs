//! `orchestrate check`: every file of ours in the repository, and what is wrong with it.

use serde_json::json;

use super::Done;
use super::arguments::{Arguments, Check, FaultFormat};
use super::output::Output;
use crate::model::{Fault, counted};
use crate::ops;
use crate::report;

/// The exit code where something is wrong.
pub const FAULTY: u8 = 2;

/// Prints the faults in the form that is asked for.
pub fn run(arguments: &Arguments, check: &Check, output: &Output) -> Done {
    let checked = ops::check(&arguments.shared.directory)?;
    show(&checked.faults, check.format, output)?;
    if check.format == FaultFormat::Text {
        let count = counted(checked.files, "file");
        output.line(&match checked.faults.as_slice() {
            [] => format!("✓ {count}, nothing wrong"),
            faults => format!("✗ {count}, {}", counted(faults.len(), "fault")),
        });
    }
    Ok(if checked.faults.is_empty() { 0 } else { FAULTY })
}

/// Prints faults in the given form; with `--json` always as our own document.
pub fn show(faults: &[Fault], format: FaultFormat, output: &Output) -> anyhow::Result<()> {
    let status = if faults.is_empty() { "ok" } else { "faulty" };
    output.document(&json!({"status": status, "faults": faults}))?;
    match format {
        FaultFormat::Text => faults
            .iter()
            .for_each(|fault| output.line(&report::fault_line(fault))),
        FaultFormat::Github => faults
            .iter()
            .for_each(|fault| output.line(&report::github_annotation(fault))),
        FaultFormat::Sarif => output.line(&serde_json::to_string_pretty(&report::sarif(faults))?),
    }
    Ok(())
}
