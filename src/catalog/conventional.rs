//! Components where a manifest says they are, or else in the folders that everybody uses.

use serde_json::{Map, Value};

use super::plugin::{About, Manifest, Origin, Reading, find, inside};
use super::{Request, catalogue::text, json};
use crate::model::{Hook, Oddity, Severity};
use crate::tree::Kind;

/// The most hooks of one file.
const HOOKS_MAX: usize = 1_000;

/// Returns the manifest of a plugin that may lack one: an error in it costs the manifest, and is told.
pub fn manifest(reading: &mut Reading<'_>, paths: &[&str]) -> Option<Manifest> {
    match find(reading.tree?, paths) {
        Ok(found) => {
            if let Some(manifest) = &found {
                reading
                    .oddities
                    .extend(manifest.document.oddities(&manifest.file));
            } else {
                let what = "there is no manifest, and only the catalogue says what the plugin is";
                reading.odd(Severity::Note, paths[0], what, "");
            }
            found
        }
        Err(oddity) => {
            reading.oddities.push(*oddity);
            None
        }
    }
}

/// Returns what the entry and the manifest say; the entry has the last word, except on the version.
pub fn about(request: &Request<'_>, manifest: Option<&Value>) -> About {
    let entry = &request.entry.value;
    let of = |value: Option<&Value>, field: &str| value.and_then(|value| text(value, field));
    let first = |field| {
        of(Some(entry), field)
            .or_else(|| of(manifest, field))
            .unwrap_or_default()
    };
    let words = |value: Option<&Value>, field: &str| -> Vec<String> {
        let list = value
            .and_then(|value| value.get(field)?.as_array())
            .into_iter()
            .flatten();
        list.filter_map(Value::as_str).map(str::to_string).collect()
    };
    let mut keywords = words(Some(entry), "keywords");
    for (value, field) in [
        (manifest, "keywords"),
        (Some(entry), "tags"),
        (manifest, "tags"),
    ] {
        for word in words(value, field) {
            if !keywords.contains(&word) {
                keywords.push(word);
            }
        }
    }
    About {
        namespace: of(manifest, "name").unwrap_or_else(|| request.entry.name.clone()),
        display_name: first("displayName"),
        version: of(manifest, "version")
            .or_else(|| of(Some(entry), "version"))
            .unwrap_or_default(),
        description: first("description"),
        keywords,
        category: first("category"),
    }
}

/// Returns the paths of a field of the manifest that lead somewhere, or `default` where it has no such field.
pub fn paths(
    reading: &mut Reading<'_>,
    manifest: Option<&Manifest>,
    field: &str,
    default: &str,
) -> Vec<String> {
    let declared = manifest.and_then(|manifest| {
        let paths = match manifest.document.value.get(field)? {
            Value::String(path) => vec![path.clone()],
            Value::Array(items) => items
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_string)
                .collect(),
            _ => return None,
        };
        Some((manifest, paths))
    });
    let Some((manifest, declared)) = declared else {
        let is_there = reading.kind(default).is_some();
        return is_there.then(|| default.to_string()).into_iter().collect();
    };
    let mut found = Vec::new();
    for path in declared {
        match inside(without_glob(&path)) {
            Some(inner) if reading.kind(inner).is_some() => found.push(inner.to_string()),
            Some(_) => tell(reading, manifest, field, &path, "leads to nothing"),
            None => tell(
                reading,
                manifest,
                field,
                &path,
                "leaves the plugin, and is not followed",
            ),
        }
    }
    found
}

fn tell(reading: &mut Reading<'_>, manifest: &Manifest, field: &str, path: &str, what: &str) {
    if reading.tree.is_some() {
        let what = format!("the path `{}` {what}", path.escape_debug());
        let oddity = Oddity::of_file(Severity::Warning, &manifest.file, what);
        let line = manifest.document.line(&format!("/{}", json::step(field)));
        reading.oddities.push(
            oddity
                .at(line, field)
                .hint("paths start at the plugin's own folder"),
        );
    }
}

/// Returns the folder that a pattern such as `./agents/**/*.md` looks into.
fn without_glob(path: &str) -> &str {
    match path.find('*') {
        Some(star) => path[..star]
            .rsplit_once('/')
            .map_or(".", |(folder, _)| folder),
        None => path,
    }
}

/// Adds skills, commands and agents as the manifest names them.
pub fn texts(reading: &mut Reading<'_>, manifest: Option<&Manifest>) {
    for path in paths(reading, manifest, "skills", "skills") {
        let name = path.rsplit('/').next().unwrap_or_default();
        let name = if name.is_empty() {
            &manifest_name(manifest)
        } else {
            name
        };
        if !reading.skill(&path, name) {
            reading.skills_below(&path);
        }
    }
    for path in paths(reading, manifest, "commands", "commands") {
        match reading.kind(&path) {
            Some(Kind::Folder) => reading.commands_below(&path),
            _ => reading.command(&path, ""),
        }
    }
    for path in paths(reading, manifest, "agents", "agents") {
        match reading.kind(&path) {
            Some(Kind::Folder) => reading.agents_below(&path),
            _ => reading.agent(&path, ""),
        }
    }
    without_agent_ending(reading);
}

fn manifest_name(manifest: Option<&Manifest>) -> String {
    let name = manifest.and_then(|manifest| text(&manifest.document.value, "name"));
    name.unwrap_or_default()
}

/// An agent without a name of its own is called by its file, which some call `name.agent.md`.
pub fn without_agent_ending(reading: &mut Reading<'_>) {
    for agent in &mut reading.components.agents {
        if agent.file.ends_with(".agent.md") && agent.name.ends_with(".agent") {
            agent.name.truncate(agent.name.len() - ".agent".len());
        }
    }
}

/// Adds the servers that the manifest declares, or else those of the first of `defaults` that is there.
pub fn servers(reading: &mut Reading<'_>, manifest: Option<&Manifest>, defaults: &[&str]) {
    let declared =
        manifest.and_then(|manifest| Some((manifest, manifest.document.value.get("mcpServers")?)));
    match declared {
        Some((manifest, value)) => {
            reading.servers_declared(Origin::manifest(manifest), "/mcpServers", value)
        }
        None => {
            let _ = defaults.iter().any(|file| reading.servers_file(file));
        }
    }
}

/// Adds the hooks of the manifest or of the first of `defaults` that is there, in either of the ways in which they are written.
pub fn hooks(reading: &mut Reading<'_>, manifest: Option<&Manifest>, defaults: &[&str]) {
    let inline = manifest.and_then(|manifest| {
        let hooks = manifest.document.value.get("hooks")?.as_object()?;
        Some((manifest, hooks))
    });
    if let Some((manifest, hooks)) = inline {
        let hooks = hooks
            .get("hooks")
            .and_then(Value::as_object)
            .unwrap_or(hooks);
        return events(reading, &manifest.file, hooks);
    }
    let default = defaults
        .iter()
        .find(|file| reading.kind(file).is_some())
        .copied();
    for file in paths(reading, manifest, "hooks", default.unwrap_or_default()) {
        if reading.kind(&file) == Some(Kind::File) {
            hooks_file(reading, &file);
        }
    }
}

fn hooks_file(reading: &mut Reading<'_>, file: &str) {
    let document = match reading.tree.map(|tree| tree.read(file)) {
        Some(Ok(Some(bytes))) => json::read(&bytes),
        _ => return,
    };
    match document {
        Ok(document) => match document.value.get("hooks").and_then(Value::as_object) {
            Some(hooks) => events(reading, file, hooks),
            None => reading.odd(Severity::Error, file, "the file has no object `hooks`", ""),
        },
        Err(fault) => reading.oddities.push(fault.oddity(file)),
    }
}

/// Reads `{"stop": [{"command": ".."}]}`, and `{"Stop": [{"matcher": "..", "hooks": [{"command": ".."}]}]}`.
pub fn events(reading: &mut Reading<'_>, file: &str, events: &Map<String, Value>) {
    for (event, hooks) in events {
        let Some(hooks) = hooks.as_array() else {
            let oddity = Oddity::of_file(
                Severity::Error,
                file,
                format!("the hooks of `{event}` are no list"),
            );
            reading
                .oddities
                .push(oddity.at(None, format!("hooks.{event}")));
            continue;
        };
        for hook in hooks {
            let matcher = text(hook, "matcher").unwrap_or_default();
            match hook.get("hooks").and_then(Value::as_array) {
                Some(inner) => inner
                    .iter()
                    .for_each(|hook| push(reading, event, &matcher, hook)),
                None => push(reading, event, &matcher, hook),
            }
        }
    }
}

fn push(reading: &mut Reading<'_>, event: &str, matcher: &str, hook: &Value) {
    let what = ["command", "bash", "url", "prompt", "powershell"]
        .iter()
        .find_map(|field| Some((*field, text(hook, field)?)));
    if let Some((field, what)) = what.filter(|_| reading.components.hooks.len() < HOOKS_MAX) {
        let kind = match field {
            "url" => "http",
            "prompt" => "prompt",
            _ => "command",
        };
        reading.components.hooks.push(Hook {
            event: event.to_string(),
            matcher: matcher.to_string(),
            kind: kind.to_string(),
            what,
        });
    }
}
