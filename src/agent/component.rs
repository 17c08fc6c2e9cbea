//! The plugin as an agent of one step finds it: what is granted of it, and the text of the component that does the work.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Map, Value, json};

use crate::model::{Component, Components, Plugin, PluginFile, Uses};

/// Files that make a plugin start programs by itself, by the grant that allows them.
const STARTERS: [(&str, &[&str]); 2] = [
    ("hooks", &["hooks/hooks.json", "hooks.json"]),
    ("mcp-servers", &[".mcp.json", "mcp.json"]),
];
/// The fields of a manifest that do the same.
const FIELDS: [(&str, &[&str]); 2] = [("hooks", &["hooks"]), ("mcp-servers", &["mcpServers"])];
/// What else an agent would start, and nobody can grant: it has no place in a step.
const NEVER: [&str; 1] = ["lspServers"];
const MANIFEST: &str = ".claude-plugin/plugin.json";

/// Returns the files of the plugin without what starts programs and is not granted; components that only its catalogue's entry names are
/// named in its manifest then. The bytes were checked before: what is left out here was looked at as well.
pub fn granted(
    plugin: &Plugin,
    files: &BTreeMap<String, PluginFile>,
    programs: &[String],
) -> Result<BTreeMap<String, PluginFile>> {
    let denied = |grant: &str| !programs.iter().any(|program| program == grant);
    let mut kept = files.clone();
    kept.remove(".lsp.json");
    for (_, names) in STARTERS.iter().filter(|(grant, _)| denied(grant)) {
        kept.retain(|name, _| !names.contains(&name.as_str()));
    }
    let mut manifest = match files.get(MANIFEST) {
        Some(file) => serde_json::from_slice(&file.bytes)
            .with_context(|| format!("cannot read `{MANIFEST}` of `{}`", plugin.id))?,
        None => named_by_the_entry(plugin),
    };
    for (_, fields) in FIELDS.iter().filter(|(grant, _)| denied(grant)) {
        manifest.retain(|field, _| !fields.contains(&field.as_str()));
    }
    manifest.retain(|field, _| !NEVER.contains(&field.as_str()));
    let bytes = serde_json::to_vec_pretty(&manifest)?;
    kept.insert(
        MANIFEST.to_string(),
        PluginFile {
            bytes,
            executable: false,
        },
    );
    Ok(kept)
}

/// Returns a manifest for a plugin without one: its entry may name components that stand elsewhere than where they are looked for.
fn named_by_the_entry(plugin: &Plugin) -> Map<String, Value> {
    let mut manifest = Map::new();
    manifest.insert("name".to_string(), json!(plugin.namespace));
    if !plugin.description.is_empty() {
        manifest.insert("description".to_string(), json!(plugin.description));
    }
    let Components {
        skills,
        commands,
        agents,
        ..
    } = &plugin.components;
    for (field, components) in [
        ("skills", skills),
        ("commands", commands),
        ("agents", agents),
    ] {
        let usual = format!("{field}/");
        let elsewhere = components.iter().filter(|component| {
            let file = component.file.as_str();
            !file.is_empty() && !file.starts_with('/') && !file.starts_with(&usual)
        });
        let paths: Vec<String> = elsewhere
            .map(
                |component| match (field, component.file.strip_suffix("/SKILL.md")) {
                    ("skills", Some(folder)) => format!("./{folder}"),
                    ("skills", None) if component.file == "SKILL.md" => "./".to_string(),
                    _ => format!("./{}", component.file),
                },
            )
            .collect();
        if !paths.is_empty() {
            manifest.insert(field.to_string(), json!(paths));
        }
    }
    manifest
}

/// The text of a component, for an agent that is told it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Instructions {
    text: String,
    is_command: bool,
}

impl Instructions {
    /// Reads the component from the plugin, which is laid out in `folder`; a component that is not there is an error.
    pub fn of(
        plugin: &Plugin,
        files: &BTreeMap<String, PluginFile>,
        uses: &Uses,
        folder: &Path,
    ) -> Result<Instructions> {
        let component = find(plugin, uses)?;
        let file = files.get(&component.file).with_context(|| {
            format!(
                "the {} `{}` of `{}` is not among its files",
                uses.kind(),
                uses.name(),
                plugin.id
            )
        })?;
        let text = std::str::from_utf8(&file.bytes)
            .with_context(|| format!("`{}` is not UTF-8", component.file))?;
        let (own, _) = component.file.rsplit_once('/').unwrap_or(("", ""));
        let root = folder.display().to_string();
        let text = body(text)
            .replace("${CLAUDE_PLUGIN_ROOT}", &root)
            .replace("${CLAUDE_SKILL_DIR}", &format!("{root}/{own}"));
        let place = match uses {
            Uses::Skill(_) => format!("\n\nIts other files are in `{root}/{own}`."),
            _ => String::new(),
        };
        Ok(Instructions {
            text: text + &place,
            is_command: matches!(uses, Uses::Command(_)),
        })
    }

    /// Returns the text with a command's arguments in their places, as Claude Code fills them in: `$0` is the first.
    pub fn with_arguments(&self, arguments: &str) -> String {
        if !self.is_command {
            return self.text.clone();
        }
        let mut text = self.text.replace("$ARGUMENTS", arguments);
        for (index, word) in arguments.split_whitespace().enumerate().take(10) {
            text = text.replace(&format!("${index}"), word);
        }
        text
    }
}

/// Returns the component that the plan names; one that the plugin has not is an error.
pub fn find<'a>(plugin: &'a Plugin, uses: &Uses) -> Result<&'a Component> {
    let Components {
        skills,
        commands,
        agents,
        ..
    } = &plugin.components;
    let components = match uses {
        Uses::Skill(_) => skills,
        Uses::Command(_) => commands,
        Uses::Agent(_) => agents,
    };
    let found = components
        .iter()
        .find(|component| component.name == uses.name());
    let names: Vec<&str> = components
        .iter()
        .map(|component| component.name.as_str())
        .collect();
    ensure!(
        found.is_some(),
        "`{}` has no {} `{}`; it has: {}",
        plugin.id,
        uses.kind(),
        uses.name(),
        if names.is_empty() {
            "none".to_string()
        } else {
            names.join(", ")
        }
    );
    Ok(found.expect("it was just found"))
}

/// Returns the text without its front matter, which is for programs.
fn body(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("---\n") else {
        return text;
    };
    match rest.find("\n---\n") {
        Some(end) => &rest[end + 5..],
        None => text,
    }
}
