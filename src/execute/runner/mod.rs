//! How a step is carried out: one file for each kind.

mod agent;
mod command;
mod mcp;
mod template;

use std::time::Duration;

use anyhow::Result;

use crate::model::{Action, Failure, Remedy, Runner, Step};
use crate::workspace::{Line, Workspace};

/// What a runner leaves beside the files: somebody to turn to where a check finds something.
pub struct Done {
    conversation: Option<agent::Conversation>,
}

/// Writes what the action renders itself, and starts nothing.
pub fn render(action: &Action, workspace: &mut Workspace) -> Result<Result<(), Failure>> {
    match action.runner {
        Runner::Template => template::render_only(action, workspace),
        Runner::Command | Runner::Mcp | Runner::Agent => Ok(Ok(())),
    }
}

/// Does what the action says in the workspace, with the remedies that were chosen for it; its result is what it leaves there.
pub fn run(
    step: &Step,
    action: &Action,
    workspace: &mut Workspace,
    remedies: &[Remedy],
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Result<Done, Failure>> {
    Ok(match action.runner {
        Runner::Template => template::run(action, workspace, remedies, timeout, say)?
            .map(|()| Done { conversation: None }),
        Runner::Command => command::run(action, workspace, remedies, timeout, say)?
            .map(|()| Done { conversation: None }),
        Runner::Mcp => {
            mcp::run(action, workspace, timeout, say)?.map(|()| Done { conversation: None })
        }
        Runner::Agent => {
            agent::run(step, action, workspace, timeout, say)?.map(|conversation| Done {
                conversation: Some(conversation),
            })
        }
    })
}

impl Done {
    /// Has who did the step mend what was found; false where nobody can, or may.
    pub fn correct(
        &mut self,
        found: &Failure,
        workspace: &mut Workspace,
        say: &mut dyn FnMut(Line<'_>),
    ) -> Result<Result<bool, Failure>> {
        match &mut self.conversation {
            Some(conversation) => conversation.correct(found, workspace, say),
            None => Ok(Ok(false)),
        }
    }
}
