//! Gemini CLI.

use serde_json::{Value, json};

use super::codex::said;
use super::{Access, Agent, Call, Ended, Heard, Invocation, brief, number, text, tool};
use crate::model::AgentUse;

/// The usual choice asks another model first which model to ask.
const MODEL: &str = "gemini-2.5-pro";

pub const AGENT: Agent = Agent {
    name: "gemini",
    program: "gemini",
    package: "@google/gemini-cli",
    native: &[],
    logins: &[Access {
        variable: "GEMINI_API_KEY",
        address_variable: "GOOGLE_GEMINI_BASE_URL",
        address: "https://generativelanguage.googleapis.com",
    }],
    loads_plugins: false,
    invoke,
    hear,
};

fn invoke(call: &Call<'_>) -> Invocation {
    let mut invocation =
        Invocation::new(call, &["--output-format", "stream-json", "--approval-mode"]);
    invocation.argv.push(
        if call.allows_programs() {
            "yolo"
        } else {
            "auto_edit"
        }
        .to_string(),
    );
    invocation.option("--model", call.task.model.as_deref().unwrap_or(MODEL));
    if let Some(session) = call.session {
        invocation.option("--resume", session);
    }
    // As one word, since what begins with a dash would be an option.
    invocation.argv.push(format!("--prompt={}", call.text()));
    let home = call.home.display().to_string();
    invocation.variables(&[
        (call.variable, call.pass),
        ("GOOGLE_GEMINI_BASE_URL", call.address),
        ("GEMINI_CLI_TRUST_WORKSPACE", "true"),
        ("HOME", &home),
    ]);
    let settings = json!({
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "privacy": {"usageStatisticsEnabled": false},
        "telemetry": {"enabled": false},
        "general": {"enableAutoUpdate": false},
    });
    invocation.files.push((
        call.home.join(".gemini/settings.json"),
        settings.to_string(),
    ));
    invocation
}

fn hear(event: &Value, heard: &mut Heard) -> Option<String> {
    match text(event, "type") {
        "init" => {
            heard.used.session = text(event, "session_id").to_string();
            heard.used.model = text(event, "model").to_string();
            None
        }
        "tool_use" => Some(tool(text(event, "tool_name"), &event["parameters"])),
        "tool_result" if text(event, "status") == "error" => {
            let error = text(event, "error.message");
            if error.contains("denied by policy") || error.contains("not allowed") {
                heard.denied.insert(text(event, "tool_id").to_string());
            }
            Some(format!("✗ {}", brief(error)))
        }
        "error" => {
            heard.trouble = Some(said(text(event, "message")));
            Some(brief(text(event, "message")))
        }
        "result" => {
            let cached = number(event, "stats.cached");
            heard.report(AgentUse {
                turns: heard.used.turns + 1,
                input_tokens: number(event, "stats.input_tokens").saturating_sub(cached),
                cached_tokens: cached,
                output_tokens: number(event, "stats.output_tokens"),
                ..AgentUse::default()
            });
            let fault =
                (text(event, "status") != "success").then(|| said(text(event, "error.message")));
            heard.ended = Some(Ended {
                fault,
                words: String::new(),
            });
            None
        }
        _ => None,
    }
}
