//! How a step is carried out: one file for each kind.

mod template;

use std::time::Duration;

use anyhow::Result;

use crate::model::{Action, Failure, Remedy, Runner};
use crate::workspace::{Line, Workspace};

/// Writes what the action renders itself, and starts nothing.
pub fn render(action: &Action, workspace: &mut Workspace) -> Result<Result<(), Failure>> {
    match action.runner {
        Runner::Template => template::render_only(action, workspace),
    }
}

/// Does what the action says in the workspace, with the remedies that were chosen for it; its result is what it leaves there.
pub fn run(
    action: &Action,
    workspace: &mut Workspace,
    remedies: &[Remedy],
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Result<(), Failure>> {
    match action.runner {
        Runner::Template => template::run(action, workspace, remedies, timeout, say),
    }
}
