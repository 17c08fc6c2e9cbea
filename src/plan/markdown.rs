//! PLAN.md: the plan as a reviewer reads it in a pull request. It is written and never parsed back.

use anyhow::Result;
use serde_json::{Value, json};

use crate::model::{ANYWHERE, Action, Effects, PatternCandidate, Plan, PlanId, Step};
use crate::render;

/// What PLAN.md shows.
pub struct PlanPage<'a> {
    pub id: &'a PlanId,
    pub plan: &'a Plan,
    /// The pattern that the plan follows, with its record.
    pub pattern: Option<&'a PatternCandidate>,
    /// The form, `templates/files/PLAN.md.j2`.
    pub form: &'a str,
}

impl PlanPage<'_> {
    /// Returns the page.
    pub fn markdown(&self) -> Result<String> {
        let plan = serde_json::to_value(self.plan)?;
        let values = json!({
            "id": self.id.as_str(),
            "plan": plan,
            "graph": graph(self.plan),
            "steps": self.plan.steps.iter().map(row).collect::<Vec<Value>>(),
            "odds": self.pattern.map_or("no evidence yet: this sequence was composed for this task".to_string(), |pattern| pattern.odds.words()),
            "standing": self.pattern.map_or("untried", |pattern| pattern.odds.standing.word()),
            "pattern_title": self.pattern.map(|pattern| pattern.pattern.title.clone()),
            "estimate": estimate(self.pattern),
            "context_tokens": context_tokens(self.plan),
        });
        let Value::Object(values) = values else {
            unreachable!("it is written as an object")
        };
        render::text("PLAN.md.j2", self.form, &values)
    }
}

fn estimate(pattern: Option<&PatternCandidate>) -> String {
    match pattern.and_then(|pattern| Some((pattern.duration_ms?, pattern.odds.successes))) {
        Some((duration, runs)) => format!(
            "{} s, the median of {runs} successful runs",
            duration.div_ceil(1000)
        ),
        None => "no evidence yet".to_string(),
    }
}

fn row(step: &Step) -> Value {
    json!({
        "id": step.id.as_str(),
        "title": escape(&step.title),
        "plugin": step.action.plugin.to_string(),
        "digest": step.action.digest.as_str(),
        "why": escape(&step.why),
        "needs": step.needs.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", "),
        "checks": step.checks.iter().map(|check| format!("`{}`", check.id)).collect::<Vec<_>>().join(", "),
        "writes": step.action.writes.iter().map(|path| written(path)).collect::<Vec<_>>().join(", "),
        "external": step.effects == Effects::External,
        "grants": grants(&step.action),
        "commands": commands(step),
        "orders": orders(step),
        "calls": calls(step),
        "fallbacks": step.fallbacks.iter().map(|action| format!("`{}`", action.plugin)).collect::<Vec<_>>().join(", "),
        "remedies": step.action.remedies.iter().map(|remedy| format!("`{}`", remedy.id)).collect::<Vec<_>>().join(", "),
        "runners_up": step.runners_up.iter().map(|other| format!("`{}` ({})", other.plugin, escape(&other.why_not))).collect::<Vec<_>>().join("; "),
        "attempts_max": step.attempts_max,
        "timeout_s": step.timeout_s,
    })
}

fn written(path: &str) -> String {
    match path {
        ANYWHERE => "anything but `.orchestrate/`".to_string(),
        path => format!("`{path}`"),
    }
}

/// Returns how many tokens the plugins are estimated to add to what agents read, all steps together; none where no agent does a step.
fn context_tokens(plan: &Plan) -> Option<u64> {
    let tasks = plan
        .steps
        .iter()
        .filter_map(|step| step.action.agent.as_ref());
    tasks
        .filter_map(|task| task.context_tokens)
        .reduce(|a, b| a + b)
}

/// Returns what the step may reach beyond its own worktree, in words.
fn grants(action: &Action) -> String {
    let network = action
        .grants
        .network
        .iter()
        .map(|grant| match grant.as_str() {
            "python-packages" => {
                "the Python package index, while its environment is built".to_string()
            }
            "model" => "its model's host, through a gateway".to_string(),
            "internet" => "any address of the network".to_string(),
            "mcp-server" => "its MCP server's address, with the arguments of the call".to_string(),
            other => other.to_string(),
        });
    let services = action
        .grants
        .services
        .iter()
        .map(|service| match service.as_str() {
            "redis" => "Redis on this machine or at `REDIS_URL`".to_string(),
            "port" => "one free port on loopback".to_string(),
            other => other.to_string(),
        });
    let secrets = action
        .grants
        .secrets
        .iter()
        .map(|name| format!("the secret `{name}`"));
    let programs = action
        .grants
        .programs
        .iter()
        .map(|program| format!("starts the plugin's {program}"));
    let protected = action
        .grants
        .protected
        .iter()
        .map(|path| format!("writes `{path}`, which others carry out later"));
    let grants = network
        .chain(services)
        .chain(secrets)
        .chain(programs)
        .chain(protected);
    match grants.collect::<Vec<_>>() {
        list if list.is_empty() => "nothing".to_string(),
        list => list.join("; "),
    }
}

/// Returns what agents are asked in the step, each with how far it may go.
fn orders(step: &Step) -> Vec<Value> {
    let asked = step
        .actions()
        .filter_map(|action| Some((action, action.agent.as_ref()?)));
    asked
        .map(|(action, task)| {
            let limits = [
                task.budget.turns.map(|turns| format!("{turns} turns")),
                task.budget.tokens.map(|tokens| format!("{tokens} tokens")),
                task.budget.usd.map(|usd| format!("{usd} USD")),
            ];
            let limits: Vec<String> = limits.into_iter().flatten().collect();
            json!({
                "agent": task.agent,
                "plugin": action.plugin.to_string(),
                "uses": task.uses.as_ref().map(|uses| format!("{} `{}`", uses.kind(), uses.name())),
                "tools": task.tools.iter().map(|tool| format!("`{}`", escape(tool))).collect::<Vec<_>>().join(", "),
                "context_tokens": task.context_tokens,
                "budget": if limits.is_empty() { "no limit but time".to_string() } else { limits.join(", ") },
                "prompt": task.prompt.lines().map(|line| format!("  > {}", escape(line))).collect::<Vec<_>>().join("\n"),
            })
        })
        .collect()
}

/// Returns the tools that are called in the step, with their arguments.
fn calls(step: &Step) -> Vec<Value> {
    let called = step
        .actions()
        .filter_map(|action| Some((action, action.mcp.as_ref()?)));
    called
        .map(|(action, call)| {
            json!({
                "tool": escape(&call.tool),
                "server": escape(&call.server),
                "plugin": action.plugin.to_string(),
                "arguments": escape(&Value::Object(call.arguments.clone()).to_string()).replace('`', "'"),
                "into": call.into,
            })
        })
        .collect()
}

fn commands(step: &Step) -> Vec<String> {
    let checks = step.checks.iter().filter_map(|check| {
        let argv = check
            .tests
            .as_ref()
            .map(|tests| &tests.argv)
            .or(check.command.as_ref().map(|command| &command.argv))?;
        Some(argv.join(" "))
    });
    step.action
        .commands
        .iter()
        .map(|command| command.argv.join(" "))
        .chain(checks)
        .collect()
}

/// Returns the plan's graph for Mermaid, as GitHub draws it.
pub fn graph(plan: &Plan) -> String {
    let mut text = String::from("graph TD\n");
    for (index, step) in plan.steps.iter().enumerate() {
        let title = step.title.replace('"', "'");
        text.push_str(&format!(
            "  s{}[\"{}. {title}<br/>{}\"]\n",
            index + 1,
            index + 1,
            step.action.plugin.name
        ));
    }
    for (index, step) in plan.steps.iter().enumerate() {
        for need in &step.needs {
            text.push_str(&format!("  s{} --> s{}\n", plan.number(need), index + 1));
        }
    }
    text
}

/// Keeps a plugin's words from being read as Markdown structure.
fn escape(text: &str) -> String {
    text.replace('|', "\\|")
        .replace('<', "&lt;")
        .replace(['\n', '\r'], " ")
}
