//! One plugin's folder, read into components: what every dialect shares.
//!
//! Nothing here knows where a dialect keeps its manifest or which folders it looks into: a dialect reads its manifest, tells `Reading`
//! what to read, and finishes it. `claude` is the only dialect here, as others speak it too.
//!
//! To add a kind of component, add a file with an `impl Reading`, a list to `model::Components`, and call it from the dialects that have it.

pub mod claude;
mod declared;
mod hooks;
mod manifest;
mod origin;
mod others;
mod schema;
mod servers;
mod skills;
mod texts;

use std::collections::BTreeSet;

use super::hidden::refused;
use super::json::{self, Document};
use super::payload::payloads;
use super::{Loaded, Request, Words, spec};
use crate::model::{Component, Components, Oddity, Place, Plugin, PluginId, Severity, beginning};
use crate::tree::{Kind, Tree};

pub use manifest::{Manifest, find};
pub use origin::Origin;
pub use schema::{Fault, check_entry, check_manifest};

/// The most bytes of texts that are kept for searching, for one plugin.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The most components of one kind that one plugin is read with, and the most folders below each other.
pub const COMPONENTS_MAX: usize = 5_000;
pub const DEPTH_MAX: usize = 16;
/// The most bytes of a manifest and of other JSON files of a plugin.
pub const JSON_BYTES_MAX: usize = 1024 * 1024;
/// The most keywords of one plugin.
pub const KEYWORDS_MAX: usize = 100;
/// The most folders of one plugin that are looked into: links to folders can go in circles.
pub const FOLDERS_MAX: usize = 4_000;
/// The most oddities that one plugin is told of.
pub const ODDITIES_MAX: usize = 200;

/// A plugin that is being read.
#[derive(Debug)]
pub struct Reading<'a> {
    /// The plugin's own folder; none where it is not here, and only its entry is known.
    pub tree: Option<&'a Tree>,
    pub components: Components,
    pub oddities: Vec<Oddity>,
    /// Whether something was met for which the plugin's own tool does not load it.
    pub is_refused: bool,
    body: String,
    /// How many folders were looked into.
    folders: usize,
    /// The files that are components already.
    seen: BTreeSet<String>,
}

/// What a manifest and an entry say of a plugin, besides its components.
#[derive(Debug, Clone, Default)]
pub struct About {
    /// What agents put before its components' names.
    pub namespace: String,
    pub display_name: String,
    pub version: String,
    pub description: String,
    pub keywords: Vec<String>,
    pub category: String,
}

impl<'a> Reading<'a> {
    /// Starts with nothing.
    pub fn new(tree: Option<&'a Tree>) -> Reading<'a> {
        Reading {
            tree,
            components: Components::default(),
            oddities: Vec::new(),
            is_refused: false,
            body: String::new(),
            folders: 0,
            seen: BTreeSet::new(),
        }
    }

    /// Notes an oddity of a file as a whole.
    pub fn odd(&mut self, severity: Severity, file: &str, what: impl Into<String>, hint: &str) {
        self.oddities
            .push(Oddity::of_file(severity, file, what).hint(hint));
    }

    /// Returns what stands at `path`; a path that leaves the plugin is noted, and nothing stands there.
    pub fn kind(&mut self, path: &str) -> Option<Kind> {
        match self.tree?.kind(path) {
            Ok(kind) => kind,
            Err(error) => {
                let hint = "keep links inside of the plugin, and paths relative to its folder";
                self.odd(Severity::Error, path, format!("{error:#}"), hint);
                None
            }
        }
    }

    /// Returns the bytes of a file; one that cannot be read is noted.
    fn bytes(&mut self, path: &str) -> Option<Vec<u8>> {
        match self.tree?.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.odd(Severity::Error, path, format!("{error:#}"), "");
                None
            }
        }
    }

    /// Hands a JSON file to `read`, unless it is none, which is noted; says whether there is such a file.
    fn json(&mut self, file: &str, read: impl FnOnce(&mut Self, &Document)) -> bool {
        let Some(bytes) = self.bytes(file) else {
            return false;
        };
        match json::read_within(&bytes, JSON_BYTES_MAX) {
            Ok(document) => {
                self.oddities.extend(document.oddities(file));
                read(self, &document);
            }
            Err(fault) => self.oddities.push(fault.oddity(file)),
        }
        true
    }

    /// Returns the plugin, unless it was refused. Names that cannot be an id, and characters in names that a reader cannot see, are refused.
    pub fn finish(mut self, request: &Request<'_>, about: About) -> Result<Loaded, Vec<Oddity>> {
        if self.is_refused {
            return Err(self.oddities);
        }
        let id = match id(request) {
            Ok(id) => id,
            Err(oddity) => {
                self.oddities.push(*oddity);
                return Err(self.oddities);
            }
        };
        for (what, text) in [
            ("name", &about.namespace),
            ("display name", &about.display_name),
            ("description", &about.description),
        ] {
            if let Some(why) = refused(text) {
                let what = format!("the plugin's {what} {why}");
                self.odd(Severity::Error, "", what, "");
                return Err(self.oddities);
            }
        }
        let spec = self.spec(&id);
        self.truncate();
        let words = self.words(&id, &about);
        let plugin = Plugin {
            id,
            namespace: about.namespace,
            version: about.version,
            description: about.description,
            keywords: about.keywords,
            category: about.category,
            place: request.entry.place.clone(),
            payloads: payloads(&self.components),
            components: self.components,
            spec,
            oddities: self.oddities,
        };
        Ok(Loaded { plugin, words })
    }

    fn spec(&mut self, id: &PluginId) -> Option<crate::model::PluginSpec> {
        let bytes = self.bytes(spec::FILE)?;
        match spec::read(id, &bytes) {
            Ok(spec) => Some(spec),
            Err(error) => {
                let what = format!("the plugin is known by its text alone: {error:#}");
                self.odd(Severity::Error, spec::FILE, what, "");
                None
            }
        }
    }

    fn truncate(&mut self) {
        if self.oddities.len() > ODDITIES_MAX {
            let more = self.oddities.len() - ODDITIES_MAX;
            self.oddities
                .sort_by_key(|oddity| std::cmp::Reverse(oddity.severity));
            self.oddities.truncate(ODDITIES_MAX);
            self.odd(
                Severity::Warning,
                "",
                format!("{more} more oddities are not told"),
                "",
            );
        }
    }

    fn words(&mut self, id: &PluginId, about: &About) -> Words {
        let mut name = id.name.clone();
        for other in [&about.namespace, &about.display_name] {
            if !other.is_empty() && *other != id.name {
                name.push('\n');
                name.push_str(other);
            }
        }
        let summary = [
            &about.description,
            &about.category,
            &about.keywords.join(" "),
        ];
        let mut components = String::new();
        let texts = [
            &self.components.skills,
            &self.components.commands,
            &self.components.agents,
        ];
        for component in texts.into_iter().flatten() {
            components.push_str(&component.name);
            components.push(' ');
            components.push_str(&component.description);
            components.push('\n');
        }
        for server in &self.components.mcp_servers {
            components.push_str(&server.name);
            components.push('\n');
        }
        Words {
            name,
            summary: summary.map(String::as_str).join("\n"),
            components,
            body: std::mem::take(&mut self.body),
        }
    }

    /// Takes over what was read beside the plugin: its files are named from the root of the marketplace, with a `/` before them.
    pub fn absorb(&mut self, beside: Reading<'_>) {
        let rooted = |file: String| match file.is_empty() {
            true => file,
            false => format!("/{file}"),
        };
        let Components {
            skills,
            commands,
            agents,
            ..
        } = beside.components;
        let own = &mut self.components;
        for (all, more) in [
            (&mut own.skills, skills),
            (&mut own.commands, commands),
            (&mut own.agents, agents),
        ] {
            all.extend(more.into_iter().map(|component| Component {
                file: rooted(component.file),
                ..component
            }));
        }
        let oddities = beside.oddities.into_iter();
        self.oddities.extend(oddities.map(|oddity| Oddity {
            file: rooted(oddity.file),
            ..oddity
        }));
        self.keep(&beside.body);
    }

    /// Keeps text for searching, as far as there is room.
    fn keep(&mut self, text: &str) {
        let room = BODY_BYTES_MAX.saturating_sub(self.body.len() + 1);
        self.body.push_str(beginning(text, room));
        if room > 0 {
            self.body.push('\n');
        }
    }
}

fn id(request: &Request<'_>) -> Result<PluginId, Box<Oddity>> {
    let name = &request.entry.name;
    PluginId::try_from(format!("{name}@{}", request.marketplace)).map_err(|_| {
        let what = format!("`{}` cannot be a plugin's name", name.escape_debug());
        let hint = "write it with a-z, A-Z, 0-9, `.`, `_` and `-`, starting with a letter or digit";
        let oddity = Oddity::of_file(Severity::Error, "", what).hint(hint);
        Box::new(oddity.at(request.entry.line, format!("{}.name", request.entry.field)))
    })
}

/// Returns the path that an author wrote, without `./` before and `/` after it; none where it leaves the plugin.
pub fn inside(written: &str) -> Option<&str> {
    let path = written.trim_start_matches("./").trim_end_matches('/');
    let climbs = path.split('/').any(|part| part == "..") || written.starts_with('/');
    let path = if path == "." { "" } else { path };
    (!climbs && !path.contains(['\\', '\0'])).then_some(path)
}

/// Returns `folder/name`, with an empty folder for the plugin's own.
fn join(folder: &str, name: &str) -> String {
    match folder {
        "" => name.to_string(),
        folder => format!("{folder}/{name}"),
    }
}

/// Returns the JSON pointer of a child.
fn child(pointer: &str, key: impl std::fmt::Display) -> String {
    format!("{pointer}/{}", json::step(&key.to_string()))
}

/// Says whether the entry's files are those of its whole marketplace.
pub fn is_whole_marketplace(place: &Place) -> bool {
    matches!(place, Place::Inside(path) if inside(path) == Some(""))
}

#[cfg(test)]
mod tests;
