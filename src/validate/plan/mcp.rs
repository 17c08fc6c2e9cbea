//! What a plan may ask of an MCP server.

use crate::model::{Action, Runner};
use crate::workspace::may_write;

const ARGUMENTS_BYTES_MAX: usize = 1 << 20;
const NAME_CHARACTERS_MAX: usize = 200;

/// Adds what is wrong with an action in so far as it calls a tool.
pub fn check(action: &Action, place: &str, faults: &mut Vec<String>) {
    for grant in ["internet", "mcp-server"] {
        if action.runner != Runner::Mcp && action.grants.network.iter().any(|name| name == grant) {
            faults.push(format!(
                "{place}.grants.network: `{grant}` is for the runner `mcp`"
            ));
        }
    }
    let call = match (action.runner, &action.mcp) {
        (Runner::Mcp, Some(call)) => call,
        (Runner::Mcp, None) => {
            faults.push(format!(
                "{place}.mcp: it says which tool is called, and is missing"
            ));
            return;
        }
        (runner, Some(_)) => {
            faults.push(format!(
                "{place}.mcp: the runner is `{runner}`, which calls no tool"
            ));
            return;
        }
        (_, None) => return,
    };
    for (field, name) in [("server", &call.server), ("tool", &call.tool)] {
        if name.is_empty()
            || name.chars().count() > NAME_CHARACTERS_MAX
            || name.contains(char::is_control)
        {
            faults.push(format!(
                "{place}.mcp.{field}: `{}` is no name",
                name.escape_debug()
            ));
        }
    }
    let arguments = serde_json::to_vec(&call.arguments).map_or(0, |bytes| bytes.len());
    if arguments > ARGUMENTS_BYTES_MAX {
        faults.push(format!(
            "{place}.mcp.arguments: they have at most {ARGUMENTS_BYTES_MAX} bytes"
        ));
    }
    if let Some(file) = call.into.iter().find(|file| !may_write(action, file)) {
        faults.push(format!(
            "{place}.mcp.into: `{}` is not among `writes`",
            file.escape_debug()
        ));
    }
}
