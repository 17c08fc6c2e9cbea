//! Codex.

use serde_json::Value;

use super::{Access, Agent, Call, Ended, Fault, Heard, Invocation, brief, number, text, tool};
use crate::model::AgentUse;

pub const AGENT: Agent = Agent {
    name: "codex",
    program: "codex",
    package: "@openai/codex",
    native: &[
        "@openai/codex-linux-x64/vendor/x86_64-unknown-linux-musl/bin/codex",
        "@openai/codex-linux-arm64/vendor/aarch64-unknown-linux-musl/bin/codex",
        "@openai/codex-darwin-arm64/vendor/aarch64-apple-darwin/bin/codex",
        "@openai/codex-darwin-x64/vendor/x86_64-apple-darwin/bin/codex",
    ],
    logins: &[
        Access {
            variable: "CODEX_API_KEY",
            address_variable: "OPENAI_BASE_URL",
            address: "https://api.openai.com/v1",
        },
        Access {
            variable: "OPENAI_API_KEY",
            address_variable: "OPENAI_BASE_URL",
            address: "https://api.openai.com/v1",
        },
    ],
    loads_plugins: false,
    invoke,
    hear,
};

fn invoke(call: &Call<'_>) -> Invocation {
    // Our own sandbox holds it: its own would need what ours forbids.
    let all = [
        "exec",
        "--json",
        "--skip-git-repo-check",
        "--dangerously-bypass-approvals-and-sandbox",
    ];
    let mut invocation = Invocation::new(call, &all);
    if let Some(model) = &call.task.model {
        invocation.option("--model", model);
    }
    if let Some(session) = call.session {
        invocation.option("resume", session);
    }
    invocation.argv.extend(["--".to_string(), call.text()]);
    let home = call.home.display().to_string();
    invocation.variables(&[(call.variable, call.pass), ("CODEX_HOME", &home)]);
    invocation
        .files
        .push((call.home.join("config.toml"), settings(call)));
    invocation
}

fn settings(call: &Call<'_>) -> String {
    // Strings of JSON are strings of TOML.
    let quoted = |text: &str| Value::from(text).to_string();
    format!(
        "model_provider = \"step\"\n\
         approval_policy = \"never\"\n\
         check_for_update_on_startup = false\n\
         [analytics]\n\
         enabled = false\n\
         [model_providers.step]\n\
         name = \"step\"\n\
         base_url = {}\n\
         env_key = {}\n\
         wire_api = \"responses\"\n\
         request_max_retries = 2\n\
         stream_max_retries = 2\n",
        quoted(call.address),
        quoted(call.variable)
    )
}

fn hear(event: &Value, heard: &mut Heard) -> Option<String> {
    match text(event, "type") {
        "thread.started" => {
            heard.used.session = text(event, "thread_id").to_string();
            None
        }
        "item.started" => item(&event["item"]),
        "item.completed" if text(event, "item.type") == "agent_message" => {
            let words = text(event, "item.text").to_string();
            let shown = brief(&words);
            heard.ended = Some(Ended { fault: None, words });
            Some(shown)
        }
        "turn.completed" => {
            let cached = number(event, "usage.cached_input_tokens");
            heard.report(AgentUse {
                turns: heard.used.turns + 1,
                input_tokens: number(event, "usage.input_tokens").saturating_sub(cached),
                cached_tokens: cached,
                output_tokens: number(event, "usage.output_tokens"),
                ..AgentUse::default()
            });
            let words = heard
                .ended
                .take()
                .map_or(String::new(), |ended| ended.words);
            heard.ended = Some(Ended { fault: None, words });
            None
        }
        "turn.failed" => {
            let fault = said(text(event, "error.message"));
            heard.ended = Some(Ended {
                fault: Some(fault),
                words: String::new(),
            });
            None
        }
        // Also mere warnings, such as that it connects again.
        "error" => {
            heard.ended = None;
            heard.trouble = Some(said(text(event, "message")));
            Some(brief(text(event, "message")))
        }
        _ => None,
    }
}

fn item(item: &Value) -> Option<String> {
    match text(item, "type") {
        "command_execution" => Some(tool("shell", item)),
        "mcp_tool_call" => Some(tool(text(item, "tool"), &item["arguments"])),
        "web_search" => Some(tool("web_search", item)),
        _ => None,
    }
}

/// Returns the fault in words that name the status of the model's answer among them.
pub(super) fn said(words: &str) -> Fault {
    let numbers = words
        .split(|c: char| !c.is_ascii_digit())
        .filter(|digits| digits.len() == 3);
    let status = numbers
        .filter_map(|digits| digits.parse().ok())
        .find(|status| (400..600).contains(status));
    Fault::new(brief(words)).with_status(status.unwrap_or_default())
}
