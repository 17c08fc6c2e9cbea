//! Claude Code.

use serde_json::Value;

use super::{
    Access, Agent, Call, Ended, Fault, Heard, Invocation, brief, list, number, text, tool,
};
use crate::model::{AgentUse, Uses};

pub const AGENT: Agent = Agent {
    name: "claude",
    program: "claude",
    package: "@anthropic-ai/claude-code",
    native: &[],
    logins: &[
        access("ANTHROPIC_API_KEY"),
        access("ANTHROPIC_AUTH_TOKEN"),
        // Made by `claude setup-token`, for those who pay by subscription.
        access("CLAUDE_CODE_OAUTH_TOKEN"),
    ],
    loads_plugins: true,
    invoke,
    hear,
};

const fn access(variable: &'static str) -> Access {
    Access {
        variable,
        address_variable: "ANTHROPIC_BASE_URL",
        address: "https://api.anthropic.com",
    }
}

fn invoke(call: &Call<'_>) -> Invocation {
    let mut invocation = Invocation::new(
        call,
        &["--print", "--output-format", "stream-json", "--verbose"],
    );
    invocation.option("--plugin-dir", call.plugin.display().to_string());
    // A repository's own settings and servers would start programs that nobody granted.
    invocation.option("--setting-sources", "user");
    invocation.option("--permission-mode", "acceptEdits");
    if !call.task.tools.is_empty() {
        invocation.option("--allowedTools", call.task.tools.join(","));
    }
    invocation.option("--append-system-prompt", &call.order.rules);
    if let Some(model) = &call.task.model {
        invocation.option("--model", model);
    }
    if let Some((Uses::Agent(_), name)) = &call.order.component {
        invocation.option("--agent", name);
    }
    if let Some(session) = call.session {
        invocation.option("--resume", session);
    }
    if let Some(turns) = call.budget.turns {
        invocation.option("--max-turns", turns.to_string());
    }
    if let Some(usd) = call.budget.usd {
        invocation.option("--max-budget-usd", usd.to_string());
    }
    // What begins with a dash would be an option.
    invocation
        .argv
        .extend(["--".to_string(), call.order.work.clone()]);
    let home = call.home.display().to_string();
    invocation.variables(&[
        (call.variable, call.pass),
        ("ANTHROPIC_BASE_URL", call.address),
        ("CLAUDE_CONFIG_DIR", &home),
        ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
        // A late command or agent would outlive the end of the work.
        ("CLAUDE_CODE_DISABLE_BACKGROUND_TASKS", "1"),
        ("CLAUDE_CODE_MAX_RETRIES", "2"),
    ]);
    invocation
}

/// Takes in an event; Qwen Code's are the same.
pub(super) fn hear(event: &Value, heard: &mut Heard) -> Option<String> {
    match (text(event, "type"), text(event, "subtype")) {
        ("system", "init") => {
            begin(event, heard);
            None
        }
        ("system", "permission_denied") => {
            Some(format!("✗ not allowed: {}", text(event, "tool_name")))
        }
        ("system", "api_retry") => {
            let status = number(event, "error_status");
            heard.trouble = Some(
                Fault::new(format!("{} (tried again)", text(event, "error"))).with_status(status),
            );
            Some(format!("the model answered {status}; trying again"))
        }
        ("assistant", _) => {
            count(event, heard);
            let shown: Vec<String> = list(event, "message.content").filter_map(block).collect();
            (!shown.is_empty()).then(|| shown.join("\n"))
        }
        ("result", _) => {
            end(event, heard);
            None
        }
        _ => None,
    }
}

fn begin(event: &Value, heard: &mut Heard) {
    heard.used.session = text(event, "session_id").to_string();
    heard.used.model = text(event, "model").to_string();
    let version = text(event, "claude_code_version");
    if !version.is_empty() {
        heard.used.agent = format!("claude {version}");
    }
    let errors = list(event, "plugin_errors");
    heard.broken = errors.map(|error| brief(text(error, "message"))).collect();
    let failed = list(event, "mcp_servers").filter(|server| text(server, "status") == "failed");
    heard.broken.extend(
        failed.map(|server| format!("the server `{}` did not start", text(server, "name"))),
    );
    let names = ["slash_commands", "skills", "agents"]
        .iter()
        .flat_map(|field| list(event, field));
    heard.loaded = Some(
        names
            .filter_map(Value::as_str)
            .map(str::to_string)
            .collect(),
    );
}

/// Adds what a turn of the model read, which is told before its end; what it wrote is told at the end only.
fn count(event: &Value, heard: &mut Heard) {
    let message = text(event, "message.id");
    if message.is_empty() || message == heard.last_message {
        return;
    }
    heard.last_message = message.to_string();
    let fields = [
        "input_tokens",
        "cache_read_input_tokens",
        "cache_creation_input_tokens",
        "output_tokens",
    ];
    let tokens = fields.map(|field| number(event, &format!("message.usage.{field}")));
    heard.tokens_so_far += tokens.iter().sum::<u64>();
}

fn block(block: &Value) -> Option<String> {
    match text(block, "type") {
        "tool_use" => Some(tool(text(block, "name"), &block["input"])),
        "text" if !text(block, "text").trim().is_empty() => Some(brief(text(block, "text"))),
        _ => None,
    }
}

fn end(event: &Value, heard: &mut Heard) {
    let models = event
        .get("modelUsage")
        .and_then(Value::as_object)
        .into_iter()
        .flatten();
    let mut total = AgentUse {
        turns: number(event, "num_turns") as u32,
        cost_usd: event
            .get("total_cost_usd")
            .and_then(Value::as_f64)
            .unwrap_or_default(),
        ..AgentUse::default()
    };
    for (_, model) in models {
        total.input_tokens += number(model, "inputTokens");
        total.cached_tokens +=
            number(model, "cacheReadInputTokens") + number(model, "cacheCreationInputTokens");
        total.output_tokens += number(model, "outputTokens");
    }
    if total.tokens() == 0 {
        total.input_tokens = number(event, "usage.input_tokens");
        total.output_tokens = number(event, "usage.output_tokens");
        total.cached_tokens = number(event, "usage.cache_read_input_tokens")
            + number(event, "usage.cache_creation_input_tokens");
    }
    heard.report(total);
    heard.denied.extend(
        list(event, "permission_denials").map(|denial| text(denial, "tool_name").to_string()),
    );
    let words = text(event, "result").to_string();
    // The subtype says `success` of a model that could not be reached.
    let is_error = event
        .get("is_error")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    let fault = is_error.then(|| fault(event, &words));
    heard.ended = Some(Ended { fault, words });
}

fn fault(event: &Value, words: &str) -> Fault {
    let errors: Vec<&str> = list(event, "errors").filter_map(Value::as_str).collect();
    let said = text(event, "error.message");
    let words = match (words, errors.as_slice(), said) {
        ("", [], "") => text(event, "subtype").replace('_', " "),
        ("", [], said) => brief(said),
        ("", errors, _) => errors.join("; "),
        (words, _, _) => brief(words),
    };
    let fault = Fault::new(words).with_status(number(event, "api_error_status"));
    let reason = text(event, "terminal_reason");
    let subtype = text(event, "subtype");
    Fault {
        out_of_budget: matches!(reason, "budget_exhausted" | "max_turns")
            || matches!(subtype, "error_max_turns" | "error_max_budget_usd"),
        ..fault
    }
}
