//! Qwen Code.

use super::{Access, Agent, Call, Invocation, claude};

pub const AGENT: Agent = Agent {
    name: "qwen",
    program: "qwen",
    package: "@qwen-code/qwen-code",
    native: &[],
    logins: &[Access {
        variable: "OPENAI_API_KEY",
        address_variable: "OPENAI_BASE_URL",
        address: "https://dashscope.aliyuncs.com/compatible-mode/v1",
    }],
    loads_plugins: false,
    invoke,
    // Its events are those of Claude Code.
    hear: claude::hear,
};

fn invoke(call: &Call<'_>) -> Invocation {
    let mut invocation = Invocation::new(
        call,
        &[
            "--auth-type",
            "openai",
            "--output-format",
            "stream-json",
            "--approval-mode",
        ],
    );
    invocation.argv.push(
        if call.allows_programs() {
            "yolo"
        } else {
            "auto-edit"
        }
        .to_string(),
    );
    if let Some(turns) = call.budget.turns {
        invocation.option("--max-session-turns", turns.to_string());
    }
    if let Some(session) = call.session {
        invocation.option("--resume", session);
    }
    invocation.argv.push(format!("--prompt={}", call.text()));
    let home = call.home.display().to_string();
    let model = call.task.model.as_deref().unwrap_or("qwen3-coder-plus");
    invocation.variables(&[
        (call.variable, call.pass),
        ("OPENAI_BASE_URL", call.address),
        ("OPENAI_MODEL", model),
        ("HOME", &home),
    ]);
    invocation
}
