//! What an agent is told: the order of the step, and how a step has to be done.

use serde_json::{Map, Value};

use super::Instructions;
use crate::model::{ANYWHERE, Action, AgentTask, Check, Failure, Uses};

/// The order of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// How the work has to be done, whatever the work is.
    pub rules: String,
    /// The work itself.
    pub work: String,
    /// The component as the agent calls it, such as `plugin:review`, where it is called by its name.
    pub component: Option<(Uses, String)>,
}

impl Order {
    /// Returns the order for an agent that has loaded the plugin, and calls its component by name.
    pub fn by_name(
        task: &AgentTask,
        namespace: &str,
        rules: String,
        values: &Map<String, Value>,
    ) -> Order {
        let name = |uses: &Uses| format!("{namespace}:{}", uses.name());
        let said = with_inputs(&task.prompt, values);
        let work = match &task.uses {
            Some(uses @ (Uses::Skill(_) | Uses::Command(_))) => format!("/{} {said}", name(uses)),
            _ => said,
        };
        Order {
            rules,
            work,
            component: task.uses.as_ref().map(|uses| (uses.clone(), name(uses))),
        }
    }

    /// Returns the order for an agent that is told the component's text.
    pub fn in_full(
        task: &AgentTask,
        told: Option<&Instructions>,
        rules: String,
        values: &Map<String, Value>,
    ) -> Order {
        let said = with_inputs(&task.prompt, values);
        let work = match (&task.uses, told) {
            (Some(uses), Some(told)) => format!(
                "Follow these instructions, the {} `{}`:\n\n<instructions>\n{}\n</instructions>\n\n{said}",
                uses.kind(),
                uses.name(),
                told.with_arguments(&task.prompt).trim()
            ),
            _ => said,
        };
        Order {
            rules,
            work,
            component: None,
        }
    }

    /// Returns everything in one text, for agents that are told nothing beside it.
    pub fn whole(&self) -> String {
        format!("{}\n\n{}", self.work, self.rules)
    }
}

/// Returns the rules that hold for every step: nobody answers, and what counts is what is in the files.
pub fn rules(action: &Action, checks: &[Check]) -> String {
    let mut rules = vec![
        "You carry out one step of a plan, unattended: nobody sees your questions, so decide by what you are told.".to_string(),
        "Work in the current folder, a git worktree, and leave your result there as files; do not commit, and leave `.git` and `.orchestrate` alone.".to_string(),
    ];
    let list = |paths: &[String]| {
        let paths: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
        paths.join(", ")
    };
    rules.push(match action.writes.is_empty() {
        true => "Change no file: a result with changed files is refused.".to_string(),
        false if action.writes.iter().any(|path| path == ANYWHERE) => {
            "You may change any file that this step's work needs changed; leave all others as they are.".to_string()
        }
        false => format!(
            "Change files only here, as a result with others is refused: {}.",
            list(&action.writes)
        ),
    });
    let commands: Vec<String> = checks.iter().filter_map(check).collect();
    if !commands.is_empty() {
        rules.push(format!(
            "Afterwards this is checked: {}.",
            commands.join("; ")
        ));
    }
    rules.push("End with one sentence that says what you did, or what stopped you.".to_string());
    rules.join("\n")
}

fn check(check: &Check) -> Option<String> {
    let program = |argv: &[String]| format!("`{}` succeeds", argv.join(" "));
    let file = check.file.as_ref().map(|path| format!("`{path}` is there"));
    let command = check.command.as_ref().map(|command| program(&command.argv));
    let tests = check.tests.as_ref().map(|tests| program(&tests.argv));
    let json = check
        .json
        .as_ref()
        .map(|json| format!("`{}` holds what it should", json.path));
    let changed = check.changed.as_ref().map(|path| match path.as_str() {
        ANYWHERE => "something is changed".to_string(),
        path => format!("something in `{path}` is changed"),
    });
    file.or(changed).or(command).or(tests).or(json)
}

/// Returns what a session is told whose result did not pass.
pub fn correction(failure: &Failure) -> String {
    let output = match failure.output.trim() {
        "" => String::new(),
        output => format!("\n\nIt printed:\n{output}"),
    };
    format!(
        "A check of your result failed: {}{output}\n\nFind out why and mend it in the files; the same rules hold as before.",
        failure.message
    )
}

fn with_inputs(prompt: &str, values: &Map<String, Value>) -> String {
    let given = values.iter().filter(|(_, value)| !value.is_null());
    let lines: Vec<String> = given
        .map(|(name, value)| match value {
            Value::String(text) => format!("- {name}: {text}"),
            other => format!("- {name}: {other}"),
        })
        .collect();
    match lines.is_empty() {
        true => prompt.trim().to_string(),
        false => format!("{}\n\nInputs:\n{}", prompt.trim(), lines.join("\n")),
    }
}
