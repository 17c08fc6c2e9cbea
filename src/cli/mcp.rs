//! `orchestrate mcp`: the same program for agents, as an MCP server.

use super::Done;
use super::arguments::{Arguments, Mcp};
use super::failure;
use super::output::Output;
use crate::mcp::{self, Place};
use crate::ops::Stop;

/// What clients over HTTP have to bear, where it is set: on a machine with several users each can reach the port.
const TOKEN: &str = "ORCHESTRATE_MCP_TOKEN";

/// Serves until the client leaves, or somebody stops it.
pub fn run(arguments: &Arguments, command: &Mcp, output: &Output, stop: &Stop) -> Done {
    let place = Place {
        directory: arguments.shared.directory.clone(),
        offline: arguments.shared.offline,
        unsandboxed: arguments.shared.unsandboxed,
        words: failure::words,
    };
    match command.http {
        None => mcp::serve_stdio(place, stop)?,
        Some(address) => mcp::serve_http(place, address, token(), stop, |address| {
            output.error(&format!("Listening on http://{address}/mcp"));
        })?,
    }
    Ok(stop.signal().map_or(0, |signal| signal.exit_code()))
}

fn token() -> Option<String> {
    std::env::var(TOKEN).ok().filter(|token| !token.is_empty())
}
