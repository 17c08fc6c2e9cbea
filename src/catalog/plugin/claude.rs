//! A Claude Code plugin: its manifest, the catalogue's entry, and what the two of them make of its folder.

use serde_json::{Map, Value};

use super::declared::Found;
use super::{
    About, KEYWORDS_MAX, Manifest, Origin, Reading, check_manifest, find, is_whole_marketplace,
};
use crate::catalog::json::Document;
use crate::catalog::{Loaded, Request};
use crate::model::{Oddity, PluginId, Severity};
use crate::tree::{Kind, Tree};

/// Where the manifest stands in a plugin.
pub const MANIFEST: &str = ".claude-plugin/plugin.json";

/// Fields of an entry that clash with a manifest where the entry is not `strict`.
const COMPONENT_FIELDS: [&str; 6] = [
    "agents",
    "commands",
    "hooks",
    "outputStyles",
    "skills",
    "themes",
];

/// Reads the plugin of an entry in the catalogue `catalogue`.
pub fn read(request: &Request<'_>, catalogue: &str) -> Result<Loaded, Vec<Oddity>> {
    let empty = Map::new();
    let entry = request.entry.value.as_object().unwrap_or(&empty);
    let origin = Origin::entry(catalogue, request.entry);
    let Some(tree) = request.folder else {
        let mut reading = Reading::new(None);
        reading.entry_hooks(entry, origin);
        reading.primary(entry, origin);
        return reading.finish(request, about(request, None, entry));
    };
    is_there(tree, origin)?;
    let manifest = find(tree, &[MANIFEST]).map_err(|oddity| vec![*oddity])?;
    let mut reading = Reading::new(Some(tree));
    let about = about(request, manifest.as_ref(), entry);
    match &manifest {
        None => {
            let what = "there is no manifest: the catalogue's entry stands in for it";
            reading.odd(Severity::Note, MANIFEST, what, "");
            let is_root = is_whole_marketplace(&request.entry.place);
            reading.whole(&request.entry.name, is_root, entry, origin);
            reading.entry_hooks(entry, origin);
        }
        Some(manifest) => {
            reading.manifest(manifest)?;
            reading.agreement(request, manifest, entry, origin)?;
            let fields = manifest.document.value.as_object().unwrap_or(&empty);
            let own = Origin::manifest(manifest);
            reading.whole(&request.entry.name, false, fields, own);
            if let Some(hooks) = fields.get("hooks") {
                reading.hooks_declared(own, "/hooks", hooks);
            }
            reading.appended(entry, origin);
        }
    }
    reading.finish(request, about)
}

/// Returns what is odd about a plugin by itself, without an entry.
pub fn oddities(tree: &Tree, manifest: Option<&Manifest>) -> Vec<Oddity> {
    let mut reading = Reading::new(Some(tree));
    let nothing = Document::default();
    let origin = match manifest {
        Some(manifest) => Origin::manifest(manifest),
        None => Origin::file(MANIFEST, &nothing),
    };
    if let Some(Err(oddities)) = manifest.map(|manifest| reading.manifest(manifest)) {
        return oddities;
    }
    let empty = Map::new();
    let fields = manifest.and_then(|manifest| manifest.document.value.as_object());
    let fields = fields.unwrap_or(&empty);
    let name = fields
        .get("name")
        .and_then(Value::as_str)
        .unwrap_or("plugin");
    reading.whole(name, false, fields, origin);
    if let Some(hooks) = fields.get("hooks") {
        reading.hooks_declared(origin, "/hooks", hooks);
    }
    if let Ok(id) = PluginId::try_from(format!("{name}@here")) {
        reading.spec(&id);
    }
    reading.oddities
}

fn is_there(tree: &Tree, origin: Origin<'_>) -> Result<(), Vec<Oddity>> {
    let what = match tree.kind("") {
        Ok(Some(Kind::Folder)) => return Ok(()),
        Ok(Some(Kind::Submodule)) => "it is a submodule, whose files are elsewhere".to_string(),
        Ok(Some(_)) => "it is no folder".to_string(),
        Ok(None) => "there is no such folder".to_string(),
        Err(error) => format!("{error:#}"),
    };
    Err(vec![origin.odd(Severity::Error, "/source", what)])
}

impl Reading<'_> {
    /// Checks the manifest's shape: an error in it may cost a field, or the plugin.
    fn manifest(&mut self, manifest: &Manifest) -> Result<(), Vec<Oddity>> {
        self.oddities
            .extend(manifest.document.oddities(&manifest.file));
        let faults = check_manifest(&manifest.document.value);
        let origin = Origin::manifest(manifest);
        self.oddities
            .extend(faults.iter().map(|fault| origin.fault(fault)));
        match faults.iter().any(|fault| fault.is_fatal) {
            true => Err(std::mem::take(&mut self.oddities)),
            false => Ok(()),
        }
    }

    /// Compares the manifest and the entry: both may name components only where the entry is strict.
    fn agreement(
        &mut self,
        request: &Request<'_>,
        manifest: &Manifest,
        entry: &Map<String, Value>,
        origin: Origin<'_>,
    ) -> Result<(), Vec<Oddity>> {
        let clashing = COMPONENT_FIELDS
            .iter()
            .find(|field| entry.contains_key(**field));
        if let (Some(Value::Bool(false)), Some(field)) = (entry.get("strict"), clashing) {
            let what = format!(
                "the entry is not `strict` and has `{field}`, and the plugin has a manifest: neither counts"
            );
            let hint = "remove the field or the manifest, or make the entry strict";
            let oddity = origin
                .odd(Severity::Error, &format!("/{field}"), what)
                .hint(hint);
            self.oddities.push(oddity);
            return Err(std::mem::take(&mut self.oddities));
        }
        let value = &manifest.document.value;
        let own = Origin::manifest(manifest);
        if let Some(name) = value["name"]
            .as_str()
            .filter(|name| *name != request.entry.name)
        {
            let what = format!(
                "the manifest says `{name}`, and the entry `{}`: components are called by the manifest's",
                request.entry.name
            );
            self.oddities.push(
                own.odd(Severity::Warning, "/name", what)
                    .hint("give both the same name"),
            );
        }
        if let (Some(ours), Some(theirs)) = (
            value["version"].as_str(),
            entry.get("version").and_then(Value::as_str),
        ) && ours != theirs
        {
            let what = format!(
                "the manifest says version `{}`, and the entry `{}`: the manifest's counts",
                ours.escape_debug(),
                theirs.escape_debug()
            );
            self.oddities.push(
                own.odd(Severity::Warning, "/version", what)
                    .hint("leave it out of the entry"),
            );
        }
        Ok(())
    }

    /// Reads the folders that every plugin may have, and what the manifest, or the entry in its place, declares.
    ///
    /// A plugin that is its whole marketplace has the skills that are listed, and not those of the other entries.
    fn whole(
        &mut self,
        name: &str,
        is_root: bool,
        fields: &Map<String, Value>,
        origin: Origin<'_>,
    ) {
        let root = self.names("");
        self.tell_unloaded(&root);
        let has = |name: &str| root.iter().any(|other| other.name == name);
        for (field, folder) in [("commands", "commands"), ("agents", "agents")] {
            let found = match fields.get(field) {
                Some(value) => self.texts_declared(field, origin, value),
                None => Found::Nothing,
            };
            if found == Found::Nothing && has(folder) {
                match field {
                    "commands" => self.commands_below(folder),
                    _ => self.agents_below(folder),
                }
            }
        }
        self.all_skills(name, is_root, fields, origin, &has);
        if has("hooks") {
            self.hooks_file("hooks/hooks.json");
        }
        if has(".mcp.json") {
            self.servers_file(".mcp.json");
        }
        self.named(&has);
        self.primary(fields, origin);
    }

    fn all_skills(
        &mut self,
        name: &str,
        is_root: bool,
        fields: &Map<String, Value>,
        origin: Origin<'_>,
        has: &dyn Fn(&str) -> bool,
    ) {
        let declared = fields.get("skills");
        let is_listed = declared.is_some() && is_root;
        if has("skills") && !is_listed {
            self.skills_below("skills");
        }
        match declared {
            Some(value) => {
                self.skills_declared(origin, value);
            }
            None if has("SKILL.md") && !has("skills") => {
                self.skill_named("", name);
            }
            None => {}
        }
    }

    /// Reads what is only named: styles, workflows, themes, monitors, language servers, programs.
    fn named(&mut self, has: &dyn Fn(&str) -> bool) {
        let folders = [
            ("output-style", "output-styles", ".md"),
            ("workflow", "workflows", ".js"),
            ("theme", "themes", ".json"),
            ("bin", "bin", ""),
        ];
        for (kind, folder, ending) in folders {
            if has(folder) {
                self.files_in(kind, folder, ending);
            }
        }
        if has(".lsp.json") {
            self.names_in_file("lsp", ".lsp.json");
        }
        if has("monitors") {
            self.names_in_file("monitor", "monitors/monitors.json");
        }
    }

    /// Reads what the manifest, or the entry in its place, declares besides texts.
    fn primary(&mut self, fields: &Map<String, Value>, origin: Origin<'_>) {
        if let Some(servers) = fields.get("mcpServers") {
            self.servers_declared(origin, "/mcpServers", servers);
        }
        let others = [
            ("lsp", "lspServers", ""),
            ("output-style", "outputStyles", ".md"),
            ("workflow", "workflows", ".js"),
            ("theme", "themes", ".json"),
            ("monitor", "monitors", ""),
            ("channel", "channels", ""),
        ];
        for (kind, field, ending) in others {
            if let Some(value) = fields.get(field) {
                self.declared(kind, ending, origin, &format!("/{field}"), value);
            }
        }
    }

    /// Adds what an entry has beyond the manifest: texts are appended, and hooks replace those of the same event.
    fn appended(&mut self, entry: &Map<String, Value>, origin: Origin<'_>) {
        for field in ["commands", "agents"] {
            if let Some(value) = entry.get(field) {
                self.texts_declared(field, origin, value);
            }
        }
        if let Some(value) = entry.get("skills") {
            self.skills_declared(origin, value);
        }
        if let Some(value) = entry.get("outputStyles") {
            self.declared("output-style", ".md", origin, "/outputStyles", value);
        }
        self.entry_hooks(entry, origin);
    }

    /// Adds the hooks of an entry, which replace those of the same event.
    fn entry_hooks(&mut self, entry: &Map<String, Value>, origin: Origin<'_>) {
        match entry.get("hooks") {
            None => {}
            Some(Value::Object(events)) => {
                let hooks = &mut self.components.hooks;
                hooks.retain(|hook| !events.contains_key(&hook.event));
                self.hooks(origin, "/hooks", events);
            }
            Some(_) => {
                let what = "hooks of an entry are an object: a path or a list is not loaded";
                let hint = "write them here, or into `hooks/hooks.json` of the plugin";
                self.oddities
                    .push(origin.odd(Severity::Error, "/hooks", what).hint(hint));
            }
        }
    }
}

/// Returns what the two say about the plugin: the manifest's version and name count, and the entry's words.
fn about(request: &Request<'_>, manifest: Option<&Manifest>, entry: &Map<String, Value>) -> About {
    let none = Value::Null;
    let manifest = manifest.map_or(&none, |manifest| &manifest.document.value);
    let own = |field: &str| manifest[field].as_str();
    let listed = |field: &str| entry.get(field).and_then(Value::as_str);
    let text = |value: Option<&str>| value.unwrap_or_default().to_string();
    let keywords = [
        entry.get("keywords"),
        manifest.get("keywords"),
        entry.get("tags"),
    ];
    let lists = keywords.into_iter().flatten().filter_map(Value::as_array);
    let written = lists.flatten().filter_map(Value::as_str);
    let mut words: Vec<String> = Vec::new();
    for word in written.take(KEYWORDS_MAX) {
        if !words.iter().any(|other| other == word) {
            words.push(word.to_string());
        }
    }
    About {
        namespace: text(own("name").or(Some(&request.entry.name))),
        display_name: text(listed("displayName").or(own("displayName"))),
        version: text(own("version").or(listed("version"))),
        description: text(listed("description").or(own("description"))),
        keywords: words,
        category: text(listed("category")),
    }
}
