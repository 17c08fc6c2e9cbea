//! The MCP runner: one call of a tool of one of the plugin's servers, which is started for it, or spoken with where it is.

mod arguments;
mod client;
mod http;
mod pipe;

use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use rmcp::model::{CallToolResult, ContentBlock, ResourceContents};

use super::template::{inside, write};
use crate::model::{Action, Failure, FailureKind, McpCall};
use crate::workspace::{Line, Reached, Workspace, failure};
use client::{Broken, Request};

type Attempt = Result<Result<(), Failure>>;
type Answer = Result<Result<CallToolResult, Broken>>;
/// Where what a server tells meanwhile goes.
type Tell = Sender<String>;

/// The longest message that is understood, in bytes.
const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// Calls the tool; the text of its result goes to the log, and into the file that the plan names.
pub fn run(
    action: &Action,
    workspace: &mut Workspace,
    timeout: Duration,
    say: &mut dyn FnMut(Line<'_>),
) -> Attempt {
    let call = action
        .mcp
        .as_ref()
        .context("a step of the runner `mcp` says which tool it calls")?;
    let refused = |error: anyhow::Error| failure(FailureKind::Refused, format!("{error:#}"), "");
    let arguments = match arguments::filled(&call.arguments, workspace) {
        Ok(arguments) => arguments,
        Err(error) => return Ok(Err(refused(error))),
    };
    let reached = match workspace.reach(timeout) {
        Ok(reached) => reached,
        Err(error) => return Ok(Err(refused(error))),
    };
    let request = Request {
        tool: call.tool.clone(),
        arguments,
        deadline: Instant::now() + timeout,
        cancel: workspace.cancel.clone(),
    };
    let answer = speak(&request, reached, workspace, say)?;
    let result = match answer {
        Ok(result) => result,
        Err(broken) => return Ok(Err(told(call, broken, timeout))),
    };
    let text = workspace
        .hidden
        .redact(&workspace.portable(&text_of(&result)));
    text.lines().for_each(|line| say(Line::Program(line)));
    if result.is_error == Some(true) {
        let first = text.lines().next().unwrap_or("it does not say why");
        let message = format!(
            "the tool `{}` of `{}` failed: {first}",
            call.tool, call.server
        );
        return Ok(Err(failure(FailureKind::Command, message, &text)));
    }
    match keep(call, &text, workspace) {
        Ok(()) => Ok(Ok(())),
        Err(error) => Ok(Err(refused(error))),
    }
}

/// Speaks with the server on threads of their own, while what they tell is shown on this one.
fn speak(
    request: &Request,
    reached: Reached,
    workspace: &Workspace,
    say: &mut dyn FnMut(Line<'_>),
) -> Answer {
    let (tell, told) = channel::<String>();
    std::thread::scope(|scope| {
        let speaking = scope.spawn(move || match reached {
            Reached::Program(command) => pipe::call(request, &command, workspace, tell),
            Reached::Address { url, headers } => http::call(request, &url, &headers, tell),
        });
        for text in told {
            let text = workspace.hidden.redact(&workspace.portable(&text));
            text.lines().for_each(|line| say(Line::Program(line)));
        }
        match speaking.join() {
            Ok(answer) => answer,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

fn told(call: &McpCall, broken: Broken, timeout: Duration) -> Failure {
    let server = &call.server;
    let (kind, message, output) = match broken {
        Broken::Refused(why) => (FailureKind::Refused, why, String::new()),
        Broken::Protocol { during, why } => (
            FailureKind::Server,
            format!("the server `{server}` answered `{during}` with an error: {why}"),
            String::new(),
        ),
        Broken::Gone { during, why, log } => (
            FailureKind::Server,
            format!("the server `{server}` {why} before it answered `{during}`"),
            log,
        ),
        Broken::Late { during, log } => (
            FailureKind::Timeout,
            format!(
                "the server `{server}` did not answer `{during}` within {} s",
                timeout.as_secs()
            ),
            log,
        ),
        Broken::Stopped => (
            FailureKind::Command,
            "it was stopped".to_string(),
            String::new(),
        ),
    };
    failure(kind, message, &output)
}

/// Returns the text of a result; what is no text is named.
fn text_of(result: &CallToolResult) -> String {
    let parts: Vec<String> = result.content.iter().map(part).collect();
    match (parts.is_empty(), &result.structured_content) {
        (true, Some(value)) => serde_json::to_string_pretty(value).unwrap_or_default(),
        _ => parts.join("\n"),
    }
}

fn part(block: &ContentBlock) -> String {
    match block {
        ContentBlock::Text(text) => text.text.clone(),
        ContentBlock::Image(image) => named(&image.mime_type, image.data.len()),
        ContentBlock::Audio(audio) => named(&audio.mime_type, audio.data.len()),
        ContentBlock::Resource(resource) => match &resource.resource {
            ResourceContents::TextResourceContents { text, .. } => text.clone(),
            ResourceContents::BlobResourceContents { uri, blob, .. } => named(uri, blob.len()),
            _ => "[a resource of an unknown kind]".to_string(),
        },
        ContentBlock::ResourceLink(link) => format!("[{}]", link.uri),
        _ => "[content of an unknown kind]".to_string(),
    }
}

fn named(what: &str, base64_bytes: usize) -> String {
    format!("[{what}, {} bytes]", base64_bytes / 4 * 3)
}

fn keep(call: &McpCall, text: &str, workspace: &mut Workspace) -> Result<()> {
    let Some(file) = &call.into else {
        return Ok(());
    };
    let path = inside(&workspace.directory, file)?;
    let end = if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    };
    write(&path, &format!("{text}{end}"))?;
    workspace.written.push(file.clone());
    Ok(())
}
