//! The catalogue of claude-code-templates: no file, but folders `cli-tool/components/<kind>/<category>/<name>`, each name one plugin.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::{Value, json};

use super::conventional::events;
use super::plugin::{About, Reading};
use super::{Dialect, Entry, Listing, Loaded, Request, agent_skills, catalogue, json as files};
use crate::model::{Oddity, Place, PluginId, Severity};
use crate::tree::{Kind, Tree};

const ROOT: &str = "cli-tool/components";
const NAME: &str = "claude-code-templates";

/// How many folders below each other are looked into, and how many files are listed.
const DEPTH_MAX: usize = 4;
const FILES_MAX: usize = 100_000;

pub const DIALECT: Dialect = Dialect {
    name: NAME,
    detect: |tree| matches!(tree.kind(ROOT), Ok(Some(Kind::Folder))),
    list,
    load,
};

/// What the files below a folder of `ROOT` are.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// Folders with a `SKILL.md`.
    Skill,
    Agent,
    Command,
    /// Part of an `.mcp.json`.
    Servers,
    /// Part of a `settings.json`, with hooks or without.
    Settings,
    /// A text that is only named.
    Named,
}

/// The kinds, as their folders are called.
const KINDS: [(&str, Form); 9] = [
    ("agents", Form::Agent),
    ("commands", Form::Command),
    ("hooks", Form::Settings),
    ("loops", Form::Command),
    ("mcps", Form::Servers),
    ("mods", Form::Named),
    ("sandbox", Form::Named),
    ("settings", Form::Settings),
    ("skills", Form::Skill),
];

impl Form {
    fn ending(self) -> &'static str {
        match self {
            Form::Servers | Form::Settings => ".json",
            Form::Skill | Form::Agent | Form::Command | Form::Named => ".md",
        }
    }
}

fn list(tree: &Tree) -> Result<Listing> {
    let mut found = Vec::new();
    let mut listing = Listing {
        name: Some(NAME.to_string()),
        ..Listing::default()
    };
    for (kind, form) in KINDS {
        let mut walk = Walk {
            tree,
            form,
            found: Vec::new(),
            oddities: &mut listing.oddities,
        };
        walk.folder(&format!("{ROOT}/{kind}"), "", 0)?;
        found.extend(
            walk.found
                .into_iter()
                .map(|(name, path)| (kind, name, path)),
        );
    }
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for (_, name, _) in &found {
        *counts.entry(name.to_lowercase()).or_default() += 1;
    }
    for (kind, name, path) in found {
        let name = match counts[&name.to_lowercase()] {
            1 => name,
            _ => format!("{kind}/{name}"),
        };
        if PluginId::try_from(format!("{name}@{NAME}")).is_err() {
            let what = format!("`{}` cannot be a plugin's name", name.escape_debug());
            listing
                .oddities
                .push(Oddity::of_file(Severity::Error, &path, what).hint("rename the file"));
            continue;
        }
        listing.entries.push(Entry {
            name,
            place: Place::Inside(path),
            field: String::new(),
            line: None,
            value: json!({"kind": kind}),
        });
    }
    Ok(listing)
}

struct Walk<'a> {
    tree: &'a Tree,
    form: Form,
    /// Names and paths.
    found: Vec<(String, String)>,
    oddities: &'a mut Vec<Oddity>,
}

impl Walk<'_> {
    fn folder(&mut self, path: &str, name: &str, depth: usize) -> Result<()> {
        if self.form == Form::Skill
            && depth > 0
            && self.tree.kind(&format!("{path}/SKILL.md"))? == Some(Kind::File)
        {
            self.found.push((name.to_string(), path.to_string()));
        }
        if depth == DEPTH_MAX || self.found.len() >= FILES_MAX {
            return Ok(());
        }
        for entry in self.tree.list(path)? {
            let below = format!("{path}/{}", entry.name);
            let named = |last: &str| match name {
                "" => last.to_string(),
                name => format!("{name}/{last}"),
            };
            match entry.kind {
                // A tool that was started in the wrong folder has left a second catalogue within the first.
                Kind::Folder if entry.name == "cli-tool" => {
                    let what = "a second catalogue within the first is not read";
                    self.oddities.push(
                        Oddity::of_file(Severity::Warning, &below, what)
                            .hint("move its files to where they belong"),
                    );
                }
                Kind::Folder => self.folder(&below, &named(&entry.name), depth + 1)?,
                Kind::File if depth > 0 && self.form != Form::Skill => {
                    let stem = entry.name.strip_suffix(self.form.ending());
                    // Papers beside the components, such as `README.md`, are in capitals.
                    if let Some(stem) =
                        stem.filter(|stem| stem.contains(|c: char| c.is_ascii_lowercase()))
                    {
                        self.found.push((named(stem), below));
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    let failed =
        |error: anyhow::Error| vec![Oddity::of_file(Severity::Error, "", format!("{error:#}"))];
    let kind = catalogue::text(&request.entry.value, "kind").unwrap_or_default();
    let form = KINDS
        .iter()
        .find(|(name, _)| *name == kind)
        .map_or(Form::Named, |(_, form)| *form);
    let Place::Inside(path) = &request.entry.place else {
        return Err(failed(anyhow::anyhow!(
            "the plugin is not in its marketplace"
        )));
    };
    let (folder, file) = path.rsplit_once('/').unwrap_or(("", path));
    let beside = request.root.below(folder).map_err(failed)?;
    let mut about = About {
        namespace: file
            .rsplit_once('.')
            .map_or(file, |(stem, _)| stem)
            .to_string(),
        category: category(path),
        ..About::default()
    };
    if form == Form::Skill {
        let mut reading = Reading::new(request.folder);
        reading.skill("", file);
        agent_skills::check(&mut reading, request.folder, "SKILL.md", file);
        about.description = first_description(&reading);
        return reading.finish(request, about);
    }
    let mut reading = Reading::new(Some(&beside));
    match form {
        Form::Agent => reading.agent(file, ""),
        Form::Command | Form::Skill => reading.command(file, ""),
        Form::Named => reading.components.others.push(format!(
            "{}:{}",
            kind.trim_end_matches('s'),
            about.namespace
        )),
        Form::Servers | Form::Settings => settings(&mut reading, file, form, &mut about),
    }
    if about.description.is_empty() {
        about.description = first_description(&reading);
    }
    reading.finish(request, about)
}

/// Returns the folder between that of the kind and the file.
fn category(path: &str) -> String {
    let below = path
        .strip_prefix(ROOT)
        .unwrap_or(path)
        .trim_start_matches('/');
    let mut parts = below.split('/').skip(1);
    let category = parts.next().unwrap_or_default();
    if parts.next().is_some() {
        category.to_string()
    } else {
        String::new()
    }
}

fn first_description(reading: &Reading<'_>) -> String {
    let components = &reading.components;
    let texts = components
        .skills
        .iter()
        .chain(&components.commands)
        .chain(&components.agents);
    texts
        .into_iter()
        .map(|component| component.description.clone())
        .next()
        .unwrap_or_default()
}

/// Reads a part of a settings file: its servers, its hooks, and which settings it has besides.
fn settings(reading: &mut Reading<'_>, file: &str, form: Form, about: &mut About) {
    let document = match reading.tree.map(|tree| tree.read(file)) {
        Some(Ok(Some(bytes))) => files::read(&bytes),
        Some(Err(error)) => return reading.odd(Severity::Error, file, format!("{error:#}"), ""),
        _ => return,
    };
    let document = match document {
        Ok(document) => document,
        Err(fault) => return reading.oddities.push(fault.oddity(file)),
    };
    if form == Form::Servers {
        reading.servers_file(file);
    } else {
        reading.oddities.extend(document.oddities(file));
    }
    let servers = document.value.get("mcpServers").and_then(Value::as_object);
    let mut descriptions = servers
        .into_iter()
        .flatten()
        .filter_map(|(_, server)| catalogue::text(server, "description"));
    about.description = catalogue::text(&document.value, "description")
        .or_else(|| descriptions.next())
        .unwrap_or_default();
    for (field, value) in document.value.as_object().into_iter().flatten() {
        match (field.as_str(), value) {
            ("description" | "mcpServers", _) => {}
            ("hooks", Value::Object(hooks)) => events(reading, file, hooks),
            _ => reading.components.others.push(format!("setting:{field}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::read;

    #[test]
    fn each_name_of_a_category_is_a_plugin() {
        let at = |path: &str| format!("{ROOT}/{path}");
        let text = "---\nname: n\ndescription: d\n---\nbody";
        let files = [
            (at("agents/db/expert.md"), text),
            (at("agents/db/README.md"), text),
            (
                at("agents/db/cli-tool/components/agents/db/expert.md"),
                text,
            ),
            (at("skills/db/expert/SKILL.md"), text),
            (at("skills/db/expert/inner/SKILL.md"), text),
            (at("commands/git/flow/c.md"), text),
            (
                at("mcps/db/pg.json"),
                r#"{"mcpServers": {"pg": {"description": "a database", "command": "npx", "args": ["-y", "pg"]}}}"#,
            ),
            (
                at("settings/model/fast.json"),
                r#"{"description": "fast", "model": "x"}"#,
            ),
            (
                at("hooks/git/h.json"),
                r#"{"description": "h", "hooks": {"Stop": [{"hooks": [{"type": "command", "command": "true"}]}]}}"#,
            ),
            (at("sandbox/e2b/box.md"), "# Box"),
            (at(".claude-plugin/marketplace.json"), r#"{"agents": []}"#),
        ];
        let files: Vec<_> = files
            .iter()
            .map(|(path, text)| (path.as_str(), *text))
            .collect();
        let read = read(&DIALECT, &files);
        assert_eq!(
            read.shown(),
            [
                "agents/db/expert agent:n",
                "git/flow/c command:c",
                "git/h hook:Stop",
                "db/pg mcp:pg",
                "e2b/box sandbox:box",
                "model/fast setting:model",
                "skills/db/expert skill:expert",
                "db/expert/inner skill:inner",
            ]
        );
        let server = &read.plugins[3].plugin;
        assert_eq!(
            (server.description.as_str(), server.category.as_str()),
            ("a database", "db")
        );
        assert_eq!(server.payloads[0].what, "pg");
        assert!(read.warnings()[0].contains("second catalogue"));
    }
}
