//! Copilot CLI, with a model of the person's own.

use serde_json::Value;

use super::codex::said;
use super::{Access, Agent, Call, Ended, Fault, Heard, Invocation, brief, number, text, tool};

pub const AGENT: Agent = Agent {
    name: "copilot",
    program: "copilot",
    package: "@github/copilot",
    native: &[
        "@github/copilot-linux-x64/copilot",
        "@github/copilot-linux-arm64/copilot",
        "@github/copilot-darwin-arm64/copilot",
    ],
    logins: &[Access {
        variable: "COPILOT_PROVIDER_API_KEY",
        address_variable: "COPILOT_PROVIDER_BASE_URL",
        address: "https://api.openai.com/v1",
    }],
    // It loads a plugin's folder, but does not call its components by their names without a person.
    loads_plugins: false,
    invoke,
    hear,
};

fn invoke(call: &Call<'_>) -> Invocation {
    let mut invocation =
        Invocation::new(call, &["--output-format", "json", "--disable-builtin-mcps"]);
    invocation.option("--plugin-dir", call.plugin.display().to_string());
    match call.allows_programs() {
        true => invocation.argv.push("--allow-all-tools".to_string()),
        false => invocation.option("--allow-tool", "write"),
    }
    if let Some(session) = call.session {
        invocation.option("--resume", session);
    }
    invocation.argv.push(format!("--prompt={}", call.text()));
    let home = call.home.display().to_string();
    let model = call.task.model.as_deref().unwrap_or("gpt-5");
    invocation.variables(&[
        (call.variable, call.pass),
        ("COPILOT_PROVIDER_BASE_URL", call.address),
        ("COPILOT_MODEL", model),
        ("COPILOT_OFFLINE", "true"),
        ("COPILOT_AUTO_UPDATE", "false"),
        ("HOME", &home),
    ]);
    invocation
}

fn hear(event: &Value, heard: &mut Heard) -> Option<String> {
    match text(event, "type") {
        "assistant.message" => {
            let words = match text(event, "data.content") {
                "" => text(event, "data"),
                words => words,
            };
            (!words.trim().is_empty()).then(|| brief(words))
        }
        "tool.execution_start" => Some(tool(
            text(event, "data.toolName"),
            &event["data"]["arguments"],
        )),
        "tool.execution_complete" => {
            let denied = event["data"]["success"] == Value::Bool(false)
                && text(event, "data.error.code") == "denied";
            if denied {
                heard
                    .denied
                    .insert(text(event, "data.toolName").to_string());
            }
            None
        }
        "session.error" => {
            let fault =
                said(text(event, "data.message")).with_status(number(event, "data.statusCode"));
            let shown = fault.words.clone();
            heard.trouble = Some(fault);
            Some(shown)
        }
        "result" => {
            heard.used.session = text(event, "sessionId").to_string();
            heard.used.turns += 1;
            let failed = number(event, "exitCode") != 0;
            let trouble = heard.trouble.clone();
            let fault =
                failed.then(|| trouble.unwrap_or_else(|| Fault::new("it reported an error")));
            heard.ended = Some(Ended {
                fault,
                words: String::new(),
            });
            None
        }
        _ => None,
    }
}
