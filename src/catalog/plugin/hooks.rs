//! Hooks: what runs on its own when something happens.

use serde_json::{Map, Value};

use super::{Origin, Reading, child};
use crate::catalog::json::Document;
use crate::model::{Hook, Severity};

/// The events that hooks can wait for.
const EVENTS: [&str; 33] = [
    "ConfigChange",
    "CwdChanged",
    "DirectoryAdded",
    "Elicitation",
    "ElicitationResult",
    "FileChanged",
    "InstructionsLoaded",
    "MessageDisplay",
    "Notification",
    "PermissionDenied",
    "PermissionRequest",
    "PostCompact",
    "PostModelSwitch",
    "PostToolBatch",
    "PostToolUse",
    "PostToolUseFailure",
    "PreCompact",
    "PreModelSwitch",
    "PreToolUse",
    "SessionEnd",
    "SessionStart",
    "Setup",
    "Stop",
    "StopFailure",
    "SubagentStart",
    "SubagentStop",
    "TaskCompleted",
    "TaskCreated",
    "TeammateIdle",
    "UserPromptExpansion",
    "UserPromptSubmit",
    "WorktreeCreate",
    "WorktreeRemove",
];

/// What a hook may be, and the field that says what it does.
const KINDS: [(&str, &str); 5] = [
    ("agent", "prompt"),
    ("command", "command"),
    ("http", "url"),
    ("mcp_tool", "tool"),
    ("prompt", "prompt"),
];

/// The events that guard permissions: a file that declares them where nobody looks is refused as a whole.
const GUARDS: [&str; 2] = ["PermissionRequest", "PreToolUse"];

const FORM: &str = "write `{\"hooks\": {\"Stop\": [{\"hooks\": [..]}]}}`";

/// The most hooks that one plugin is read with.
const HOOKS_MAX: usize = 1_000;

impl Reading<'_> {
    /// Adds the hooks of a file; says whether there is one.
    pub fn hooks_file(&mut self, file: &str) -> bool {
        self.json(file, |reading, document| {
            reading.hooks_document(file, document)
        })
    }

    fn hooks_document(&mut self, file: &str, document: &Document) {
        let origin = Origin::file(file, document);
        for guard in GUARDS {
            if document.value.get(guard).is_some() {
                let what = format!(
                    "`{guard}` stands outside of `hooks`, where it guards nothing: the plugin does not load"
                );
                let oddity = origin.odd(Severity::Error, &child("", guard), what);
                self.oddities
                    .push(oddity.hint("move it into the object `hooks`"));
                self.is_refused = true;
            }
        }
        match document.value.get("hooks") {
            Some(Value::Object(hooks)) => self.hooks(origin, "/hooks", hooks),
            Some(_) => {
                let what = "`hooks` is no object of events: the plugin does not load";
                let oddity = origin.odd(Severity::Error, "/hooks", what);
                self.oddities.push(oddity.hint(FORM));
                self.is_refused = true;
            }
            None if document.value.get("modules").is_some() => {}
            None => self.odd(
                Severity::Error,
                file,
                "the file has no object `hooks`",
                FORM,
            ),
        }
    }

    /// Adds hooks by their events, as they stand at a JSON pointer of their origin.
    pub fn hooks(&mut self, origin: Origin<'_>, pointer: &str, events: &Map<String, Value>) {
        for (event, matchers) in events {
            let at = child(pointer, event);
            if !EVENTS.contains(&event.as_str()) {
                let what = format!("there is no event `{}`", event.escape_debug());
                let oddity = origin.odd(Severity::Warning, &at, what);
                self.oddities
                    .push(oddity.hint("events are written like `PreToolUse`"));
                continue;
            }
            let Some(matchers) = matchers.as_array() else {
                let what = format!("the matchers of `{event}` are no list");
                let oddity = origin.odd(Severity::Error, &at, what);
                self.oddities
                    .push(oddity.hint("write `[{\"hooks\": [..]}]`"));
                continue;
            };
            for (index, matcher) in matchers.iter().enumerate() {
                self.matcher(origin, &child(&at, index), event, matcher);
            }
        }
    }

    fn matcher(&mut self, origin: Origin<'_>, at: &str, event: &str, matcher: &Value) {
        let Some(hooks) = matcher.get("hooks").and_then(Value::as_array) else {
            let oddity = origin.odd(Severity::Error, at, "the matcher has no list `hooks`");
            let hint = "write `{\"matcher\": .., \"hooks\": [..]}`";
            return self.oddities.push(oddity.hint(hint));
        };
        for (index, hook) in hooks.iter().enumerate() {
            let at = child(&child(at, "hooks"), index);
            let kind = hook.get("type").and_then(Value::as_str).unwrap_or_default();
            let Some((_, field)) = KINDS.iter().find(|(name, _)| *name == kind) else {
                let what = format!("the hook has the type `{}`", kind.escape_debug());
                let hint = "the types are `command`, `http`, `mcp_tool`, `prompt` and `agent`";
                self.oddities
                    .push(origin.odd(Severity::Error, &at, what).hint(hint));
                continue;
            };
            let what = hook.get(*field).and_then(Value::as_str).unwrap_or_default();
            let arguments = hook.get("args").and_then(Value::as_array);
            if kind == "command" && arguments.is_none() && has_bare_root(what) {
                let said = "the command has `${CLAUDE_PLUGIN_ROOT}` without quotes";
                let hint = "put it in double quotes: the folder's name may have a space in it";
                self.oddities
                    .push(origin.odd(Severity::Warning, &at, said).hint(hint));
            }
            if self.components.hooks.len() < HOOKS_MAX {
                self.components.hooks.push(Hook {
                    event: event.to_string(),
                    matcher: matcher_of(matcher),
                    kind: kind.to_string(),
                    what: with_arguments(what, arguments),
                });
            }
        }
    }
}

fn matcher_of(matcher: &Value) -> String {
    let text = matcher.get("matcher").and_then(Value::as_str);
    text.unwrap_or_default().to_string()
}

fn with_arguments(command: &str, arguments: Option<&Vec<Value>>) -> String {
    let mut words = vec![command];
    words.extend(arguments.into_iter().flatten().filter_map(Value::as_str));
    words.join(" ")
}

/// Says whether the plugin's folder stands in a shell command without quotes around it.
fn has_bare_root(command: &str) -> bool {
    let roots = command.match_indices("${CLAUDE_PLUGIN_ROOT}");
    roots.into_iter().any(|(at, _)| {
        let before = &command[..at];
        let is_closed = |quote| before.matches(quote).count().is_multiple_of(2);
        is_closed('"') && is_closed('\'')
    })
}
