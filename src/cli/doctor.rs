//! `orchestrate doctor`: what works here.

use super::arguments::Arguments;
use super::output::Output;
use super::{Done, open};
use crate::ops;

/// Prints what was looked at; exits 7 where something needed is missing.
pub fn run(arguments: &Arguments, output: &Output) -> Done {
    let project = open(arguments);
    let doctor = ops::doctor(project.as_ref().ok());
    output.document(&doctor)?;
    for examined in &doctor.examined {
        let mark = if examined.works { "✓" } else { "⚠️" };
        output.line(&format!("{mark} {}: {}", examined.what, examined.found));
        if let Some(mend) = &examined.mend {
            output.line(&format!("  hint: {mend}"));
        }
    }
    if let Err(error) = project {
        output.line(&format!("⚠️ repository: {error:#}"));
    }
    let needed = doctor
        .examined
        .iter()
        .take(2)
        .all(|examined| examined.works);
    Ok(if needed { 0 } else { 7 })
}
