//! `.orchestrate/` on disk: which file is where, its text in and out, and its schema.
//!
//! Files that belong to a run are read from a commit's tree and written into one, so most of this module turns values into text
//! and back; only the live log, the folders outside the repository and files in the user's checkout are touched here.
//!
//! To add a file, name it in `paths` and give it a `read_` and a `print_` beside its kin.

mod config;
mod folders;
mod lock;
mod log;
pub mod paths;
mod pins;
mod schema;
#[cfg(test)]
mod schemas;
mod taxonomy;
mod write;

use anyhow::{Context, Result, ensure};

use crate::model::{Approval, Check, Event, Evidence, Pattern, Plan};
use crate::yaml;
pub use config::{Config, SourceConfig, with_marketplace};
pub use folders::{Folders, RunFolder};
pub use lock::{Holder, RunLock};
pub use log::{LiveLog, sealed, segment_events};
pub use pins::{Lock, PluginLock};
pub use taxonomy::{embedded_taxonomy, extend_taxonomy, read_taxonomy};
pub use write::write_whole;

/// Returns the plan in `text`, which stands at `file`, whatever it says.
pub fn parse_plan(file: &str, text: &[u8]) -> Result<Plan> {
    schema::check(file, text)?;
    yaml::parse(file, text)
}

/// Returns the plan in `text`, which stands at `file`; each of its checks and remedies is one.
pub fn read_plan(file: &str, text: &[u8]) -> Result<Plan> {
    let plan = parse_plan(file, text)?;
    for step in &plan.steps {
        ensure!(
            !step.checks.is_empty(),
            "cannot read `{file}`: step `{}` has no check",
            step.id
        );
        step.checks
            .iter()
            .try_for_each(|check: &Check| check.kind().map(drop))
            .with_context(|| format!("cannot read `{file}`"))?;
        for remedy in step.actions().flat_map(|action| &action.remedies) {
            remedy
                .repair()
                .with_context(|| format!("cannot read `{file}`"))?;
        }
    }
    Ok(plan)
}

/// Returns the text of `plan.yaml`.
pub fn print_plan(plan: &Plan) -> Result<String> {
    yaml::print(plan)
}

/// Returns the approval in `text`, which stands at `file`.
pub fn read_approval(file: &str, text: &[u8]) -> Result<Approval> {
    schema::check(file, text)?;
    yaml::parse(file, text)
}

/// Returns the pattern in `text`, which stands at `file`.
pub fn read_pattern(file: &str, text: &[u8]) -> Result<Pattern> {
    schema::check(file, text)?;
    let pattern: Pattern = yaml::parse(file, text)?;
    ensure!(
        !pattern.steps.is_empty(),
        "cannot read `{file}`: a pattern has at least one step"
    );
    Ok(pattern)
}

/// Returns the evidence in `text`, which stands at `file`.
pub fn read_evidence(file: &str, text: &[u8]) -> Result<Evidence> {
    schema::check(file, text)?;
    yaml::parse(file, text)
}

/// Returns the events of a committed segment of a run's log, which is whole and ends with the event that closed it.
pub fn read_segment(file: &str, text: &[u8]) -> Result<Vec<Event>> {
    schema::check(file, text)?;
    ensure!(
        yaml::whole_part(text).len() == text.len(),
        "cannot read `{file}`: there is text after its last `...` line"
    );
    let events = segment_events(file, text)?;
    ensure!(
        events
            .last()
            .is_some_and(|event| event.event.closes_segment()),
        "cannot read `{file}`: the event that closed it is missing"
    );
    Ok(events)
}
