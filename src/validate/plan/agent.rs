//! What a plan may ask of an agent, and which secrets it may name.

use crate::model::{Action, AgentTask, Runner};

const CORRECTIONS_MAX: u32 = 10;
const SILENCE_S_MIN: u64 = 1;
const SILENCE_S_MAX: u64 = 3600;
const PROMPT_BYTES_MAX: usize = 100_000;
const PROGRAMS: [&str; 2] = ["hooks", "mcp-servers"];

/// Variables that are no secrets: they change what other programs do, or where they connect to.
const NO_SECRETS: [&str; 12] = [
    "BASH_ENV",
    "CDPATH",
    "ENV",
    "HOME",
    "IFS",
    "IS_SANDBOX",
    "NODE_OPTIONS",
    "PATH",
    "PYTHONPATH",
    "PYTHONSTARTUP",
    "SHELL",
    "TMPDIR",
];
const NO_SECRETS_BEGIN: [&str; 5] = ["CLAUDE_CODE_DISABLE", "DYLD_", "GIT_", "LD_", "XDG_"];
const NO_SECRETS_END: [&str; 4] = ["_BASE_URL", "_CONFIG", "_HOME", "_PROXY"];

/// Adds what is wrong with an action in so far as an agent does it, or secrets are granted to it.
pub fn check(action: &Action, place: &str, faults: &mut Vec<String>) {
    match (action.runner, &action.agent) {
        (Runner::Agent, Some(task)) => {
            self::task(task, &format!("{place}.agent"), faults);
            if !action.grants.network.iter().any(|grant| grant == "model") {
                faults.push(format!("{place}.grants.network: an agent needs `model`"));
            }
        }
        (Runner::Agent, None) => faults.push(format!(
            "{place}.agent: it says what the agent is asked, and is missing"
        )),
        (Runner::Command, None) if action.commands.is_empty() => {
            faults.push(format!(
                "{place}.commands: the runner is `command`, and there is none"
            ));
        }
        (_, Some(_)) => faults.push(format!(
            "{place}.agent: the runner is `{}`, which asks no agent",
            action.runner
        )),
        (_, None) => {}
    }
    for program in action
        .grants
        .programs
        .iter()
        .filter(|program| !PROGRAMS.contains(&program.as_str()))
    {
        faults.push(format!(
            "{place}.grants.programs: there is no `{program}`; known: {}",
            PROGRAMS.join(", ")
        ));
    }
    for name in action.grants.secrets.iter().filter(|name| !is_secret(name)) {
        faults.push(format!(
            "{place}.grants.secrets: `{}` is not the name of a secret",
            name.escape_debug()
        ));
    }
}

fn task(task: &AgentTask, place: &str, faults: &mut Vec<String>) {
    let mut refuse = |what: &str| faults.push(format!("{place}.{what}"));
    if task.prompt.trim().is_empty()
        || task.prompt.len() > PROMPT_BYTES_MAX
        || task.prompt.contains('\0')
    {
        refuse(&format!(
            "prompt: it is text of at most {PROMPT_BYTES_MAX} bytes"
        ));
    }
    if task.corrections_max > CORRECTIONS_MAX {
        refuse(&format!("corrections_max: it is at most {CORRECTIONS_MAX}"));
    }
    if !(SILENCE_S_MIN..=SILENCE_S_MAX).contains(&task.silence_s) {
        refuse(&format!(
            "silence_s: it is from {SILENCE_S_MIN} to {SILENCE_S_MAX}"
        ));
    }
    let names = [
        Some(task.agent.as_str()),
        task.model.as_deref(),
        task.uses.as_ref().map(|uses| uses.name()),
    ];
    for name in names.into_iter().flatten() {
        let odd = |c: char| c.is_control() || c.is_whitespace();
        if name.is_empty() || name.starts_with('-') || name.contains(odd) {
            refuse(&format!("agent: `{}` is no name", name.escape_debug()));
        }
    }
    if task
        .tools
        .iter()
        .any(|tool| tool.is_empty() || tool.starts_with('-') || tool.contains(char::is_control))
    {
        refuse("tools: a tool is a word, perhaps with a rule in brackets");
    }
    let budget = &task.budget;
    let nothing = budget.turns == Some(0) || budget.tokens == Some(0);
    if nothing
        || budget
            .usd
            .is_some_and(|usd| !(usd > 0.0 && usd.is_finite()))
    {
        refuse("budget: it is more than nothing");
    }
}

fn is_secret(name: &str) -> bool {
    let is_plain = name
        .chars()
        .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let begins = name.starts_with(|c: char| c.is_ascii_uppercase());
    is_plain
        && begins
        && !NO_SECRETS.contains(&name)
        && !NO_SECRETS_BEGIN.iter().any(|begin| name.starts_with(begin))
        && !NO_SECRETS_END.iter().any(|end| name.ends_with(end))
}

#[cfg(test)]
mod tests {
    use super::is_secret;

    #[test]
    fn variables_that_change_programs_are_no_secrets() {
        for name in [
            "ANTHROPIC_BASE_URL",
            "LD_PRELOAD",
            "GIT_SSH_COMMAND",
            "PATH",
            "CODEX_HOME",
            "HTTPS_PROXY",
            "a",
            "A-B",
            "",
        ] {
            assert!(!is_secret(name), "{name}");
        }
        for name in ["NPM_TOKEN", "DEPLOY_KEY_2", "DATABASE_URL"] {
            assert!(is_secret(name), "{name}");
        }
    }
}
