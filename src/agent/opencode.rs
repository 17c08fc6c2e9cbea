//! opencode.

use serde_json::{Value, json};

use super::{Access, Agent, Call, Ended, Fault, Heard, Invocation, brief, number, text, tool};

pub const AGENT: Agent = Agent {
    name: "opencode",
    program: "opencode",
    package: "opencode-ai",
    native: &[
        "opencode-linux-x64/bin/opencode",
        "opencode-linux-arm64/bin/opencode",
        "opencode-darwin-arm64/bin/opencode",
    ],
    logins: &[
        Access {
            variable: "ANTHROPIC_API_KEY",
            address_variable: "ANTHROPIC_BASE_URL",
            address: "https://api.anthropic.com",
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
    let mut invocation = Invocation::new(call, &["run", "--format", "json"]);
    if let Some(session) = call.session {
        invocation.option("--session", session);
    }
    invocation.argv.extend(["--".to_string(), call.text()]);
    let settings = call.home.join("opencode.json");
    let home = call.home.display().to_string();
    invocation.variables(&[
        ("OPENCODE_CONFIG", &settings.display().to_string()),
        ("OPENCODE_DISABLE_AUTOUPDATE", "1"),
        ("OPENCODE_DISABLE_MODELS_FETCH", "1"),
        ("OPENCODE_DISABLE_LSP_DOWNLOAD", "1"),
        ("OPENCODE_DISABLE_DEFAULT_PLUGINS", "1"),
        ("HOME", &home),
        ("XDG_DATA_HOME", &format!("{home}/data")),
        ("XDG_STATE_HOME", &format!("{home}/state")),
        ("XDG_CACHE_HOME", &format!("{home}/cache")),
        ("XDG_CONFIG_HOME", &format!("{home}/config")),
    ]);
    invocation
        .files
        .push((settings, self::settings(call).to_string()));
    invocation
}

fn settings(call: &Call<'_>) -> Value {
    let anthropic = call.variable == "ANTHROPIC_API_KEY";
    let library = match anthropic {
        true => "@ai-sdk/anthropic",
        false => "@ai-sdk/openai-compatible",
    };
    // Only the library for Claude leaves the version of the interface to the address.
    let address = match anthropic {
        true => format!("{}/v1", call.address),
        false => call.address.to_string(),
    };
    let usual = if anthropic {
        "claude-sonnet-4-5"
    } else {
        "gpt-5"
    };
    let model = call.task.model.as_deref().unwrap_or(usual);
    let named = format!("step/{model}");
    let mut models = serde_json::Map::new();
    models.insert(
        model.to_string(),
        json!({"limit": {"context": 200_000, "output": 32_000}}),
    );
    json!({
        "autoupdate": false,
        "share": "disabled",
        "model": named,
        "small_model": named,
        "enabled_providers": ["step"],
        "provider": {"step": {"npm": library, "options": {"baseURL": address, "apiKey": call.pass}, "models": models}},
        "permission": {"edit": "allow", "bash": permission(&call.task.tools, "Bash"), "webfetch": "deny"},
    })
}

fn permission(tools: &[String], name: &str) -> &'static str {
    match tools.iter().any(|tool| tool.eq_ignore_ascii_case(name)) {
        true => "allow",
        false => "deny",
    }
}

fn hear(event: &Value, heard: &mut Heard) -> Option<String> {
    let session = text(event, "sessionID");
    if !session.is_empty() {
        heard.used.session = session.to_string();
    }
    match text(event, "type") {
        "text" => {
            let words = text(event, "part.text").to_string();
            let shown = brief(&words);
            heard.ended = Some(Ended { fault: None, words });
            Some(shown)
        }
        "tool_use" => {
            let error = text(event, "part.state.error");
            if error.contains("rejected permission") || error.contains("prevents you from using") {
                heard.denied.insert(text(event, "part.tool").to_string());
            }
            Some(tool(
                text(event, "part.tool"),
                &event["part"]["state"]["input"],
            ))
        }
        "step_finish" => {
            let used = &mut heard.used;
            used.turns += 1;
            used.input_tokens += number(event, "part.tokens.input");
            used.output_tokens += number(event, "part.tokens.output");
            used.cached_tokens +=
                number(event, "part.tokens.cache.read") + number(event, "part.tokens.cache.write");
            used.cost_usd += event["part"]["cost"].as_f64().unwrap_or_default();
            heard.tokens_so_far = heard.used.tokens();
            None
        }
        "error" => {
            let said = match text(event, "error.data.message") {
                "" => text(event, "error.name"),
                said => said,
            };
            let fault = Fault::new(brief(said)).with_status(number(event, "error.data.statusCode"));
            heard.ended = Some(Ended {
                fault: Some(fault),
                words: String::new(),
            });
            Some(brief(said))
        }
        _ => None,
    }
}
