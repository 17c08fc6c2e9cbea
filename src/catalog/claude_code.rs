//! Claude Code's marketplaces: `.claude-plugin/marketplace.json`, and plugins in folders beside it or in repositories of their own.

mod names;
mod sources;

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Result, anyhow, bail, ensure};
use serde_json::{Map, Value};

use super::json::{self, Document};
use super::plugin::{self, Origin, check_entry};
use super::{Dialect, Entry, Listing, Loaded, Request, hidden};
use crate::model::{Hint, Oddity, Place, PluginId, Severity, Trouble};
use crate::tree::Tree;

pub(super) use names::{is_official, reserved_plugin};

/// Where the catalogue stands in a marketplace.
pub const CATALOGUE: &str = ".claude-plugin/marketplace.json";

pub const DIALECT: Dialect = Dialect {
    name: "claude-code",
    detect,
    list,
    load,
};

/// The most former names that are read.
const RENAMES_MAX: usize = 1_000;
/// The most oddities of its entries that a catalogue is told of.
const ODDITIES_MAX: usize = 2_000;

/// The fields that a catalogue, and its `metadata`, may have.
const FIELDS: [&str; 10] = [
    "$schema",
    "allowCrossMarketplaceDependenciesOn",
    "description",
    "forceRemoveDeletedPlugins",
    "metadata",
    "name",
    "owner",
    "plugins",
    "renames",
    "version",
];
const METADATA_FIELDS: [&str; 3] = ["description", "pluginRoot", "version"];

/// Other files are called like the catalogue: one without a name and plugins is none, one that cannot be read is a broken one.
fn detect(tree: &Tree) -> bool {
    match tree.read(CATALOGUE) {
        Ok(Some(bytes)) => json::read(&bytes).map_or(true, |document| {
            let has = |field: &str| document.value.get(field).is_some();
            !document.value.is_object() || has("plugins") || has("name")
        }),
        Ok(None) => false,
        Err(_) => true,
    }
}

fn list(tree: &Tree) -> Result<Listing> {
    let bytes = tree
        .read(CATALOGUE)?
        .ok_or_else(|| anyhow!("{tree} has no `{CATALOGUE}`"))
        .kind(Trouble::Request)?;
    let mut document = json::read(&bytes)
        .map_err(|fault| anyhow!("cannot read `{CATALOGUE}`: {fault}"))
        .kind(Trouble::Request)
        .hint("comments, and a comma behind the last item, are not JSON")?;
    let header = match header(&document.value) {
        Ok(header) => header,
        Err((pointer, what)) => {
            let line = document.nearest_line(pointer).unwrap_or(1);
            let field = match json::shown(pointer) {
                field if field.is_empty() => "it".to_string(),
                field => format!("`{field}`"),
            };
            return Err(anyhow!("cannot use `{CATALOGUE}`: {field} {what}, at line {line}"))
            .kind(Trouble::Request)
                .hint("it starts like `{\"name\": \"our-plugins\", \"owner\": {\"name\": \"us\"}, \"plugins\": [..]}`");
        }
    };
    let lines = document.item_lines("plugins");
    let plugins = match document.value["plugins"].take() {
        Value::Array(plugins) => plugins,
        _ => Vec::new(),
    };
    let mut oddities = document.oddities(CATALOGUE);
    oddities.extend(about_catalogue(&document, &header));
    let mut entries = Entries {
        root: header.root,
        lines,
        names: BTreeMap::new(),
        contested: BTreeSet::new(),
        kept: Vec::with_capacity(plugins.len()),
        oddities,
        untold: 0,
    };
    for (index, value) in plugins.into_iter().enumerate() {
        entries.take(index, value);
    }
    entries.settle();
    if entries.untold > 0 {
        let what = format!("{} more oddities are not told", entries.untold);
        entries
            .oddities
            .push(Oddity::of_file(Severity::Error, CATALOGUE, what));
    }
    let renames = renames(&document, &entries.names, &mut entries.oddities);
    Ok(Listing {
        name: Some(header.name),
        description: header.description,
        entries: entries.kept,
        renames,
        oddities: entries.oddities,
    })
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    plugin::claude::read(request, CATALOGUE)
}

/// What a catalogue says before its plugins.
struct Header {
    name: String,
    description: String,
    /// The folder of sources that are a mere name.
    root: Option<String>,
}

/// Reads what has to be right for any plugin to be read: Claude Code refuses the whole file otherwise.
fn header(value: &Value) -> Result<Header, (&'static str, String)> {
    let text = |value: &Value| value.as_str().map(str::to_string);
    let wrong = |field: &Value, what: &str| match field {
        Value::Null => "is missing".to_string(),
        _ => format!("is no {what}"),
    };
    if !value.is_object() {
        return Err(("", "is no object".to_string()));
    }
    let name = text(&value["name"]).ok_or_else(|| ("/name", wrong(&value["name"], "text")))?;
    names::usable(&name).map_err(|error| ("/name", error.to_string()))?;
    if !value["owner"].is_object() {
        return Err(("/owner", wrong(&value["owner"], "object")));
    }
    if !value["owner"]["name"].is_string() {
        return Err(("/owner/name", wrong(&value["owner"]["name"], "text")));
    }
    if !value["plugins"].is_array() {
        return Err(("/plugins", wrong(&value["plugins"], "list")));
    }
    let metadata = &value["metadata"];
    Ok(Header {
        name,
        description: text(&value["description"])
            .or_else(|| text(&metadata["description"]))
            .unwrap_or_default(),
        root: text(&metadata["pluginRoot"]),
    })
}

/// Returns what is odd about the catalogue besides its plugins.
fn about_catalogue(document: &Document, header: &Header) -> Vec<Oddity> {
    let origin = Origin::file(CATALOGUE, document);
    let mut found = Vec::new();
    const UNKNOWN_MAX: usize = 20;
    let mut unknown = |fields: Option<&Map<String, Value>>, before: &str, known: &[&str]| {
        let fields = fields.into_iter().flat_map(Map::keys);
        let unknown = fields.filter(|field| !known.contains(&field.as_str()));
        for field in unknown.take(UNKNOWN_MAX) {
            let what = format!(
                "the field `{}` is unknown, and does nothing",
                field.escape_debug()
            );
            let pointer = format!("{before}/{}", json::step(field));
            found.push(origin.odd(Severity::Warning, &pointer, what));
        }
    };
    unknown(document.value.as_object(), "", &FIELDS);
    unknown(
        document.value["metadata"].as_object(),
        "/metadata",
        &METADATA_FIELDS,
    );
    if is_official(&header.name) {
        let what = format!(
            "Claude Code takes a marketplace called `{}` from its maker's repositories only",
            header.name
        );
        found.push(origin.odd(Severity::Note, "/name", what));
    }
    found
}

/// The entries that were kept so far.
struct Entries {
    root: Option<String>,
    lines: Vec<u32>,
    /// Each name with its index, without regard to case: two that differ in case only are one folder on many machines.
    names: BTreeMap<String, (usize, String)>,
    /// Names, in small letters, that entries claim for different plugins.
    contested: BTreeSet<String>,
    kept: Vec<Entry>,
    oddities: Vec<Oddity>,
    /// How many more oddities there were than are told.
    untold: usize,
}

impl Entries {
    fn take(&mut self, index: usize, value: Value) {
        let mut entry = Entry {
            name: value["name"].as_str().unwrap_or_default().to_string(),
            place: Place::Inside(String::new()),
            field: format!("plugins[{index}]"),
            line: self.lines.get(index).copied(),
            value,
        };
        let (faults, place) = self.judge(&entry);
        self.contest(&entry.name, place.as_ref());
        let is_refused = faults
            .iter()
            .any(|oddity| oddity.severity >= Severity::Error);
        let room = ODDITIES_MAX.saturating_sub(self.oddities.len());
        self.untold += faults.len().saturating_sub(room);
        self.oddities.extend(faults.into_iter().take(room));
        if let (false, Some(place)) = (is_refused, place) {
            self.names
                .insert(entry.name.to_lowercase(), (index, entry.name.clone()));
            entry.place = place;
            self.kept.push(entry);
        }
    }

    /// Notes that a name is claimed for other files than those of its first entry.
    fn contest(&mut self, name: &str, place: Option<&Place>) {
        let name = name.to_lowercase();
        let Some((index, _)) = self.names.get(&name) else {
            return;
        };
        let field = format!("plugins[{index}]");
        let first = self.kept.iter().find(|entry| entry.field == field);
        if first.is_some_and(|first| place.is_some_and(|place| *place != first.place)) {
            self.contested.insert(name);
        }
    }

    /// Leaves out the plugins whose names are claimed for several folders: nobody can say which is meant, and one may pose as another.
    fn settle(&mut self) {
        let is_contested = |entry: &Entry| self.contested.contains(&entry.name.to_lowercase());
        for entry in self.kept.extract_if(.., |entry| is_contested(entry)) {
            let what = format!(
                "several entries claim the name `{}` for different plugins: a duplicate name is nobody's",
                entry.name.escape_debug()
            );
            let origin = Origin::entry(CATALOGUE, &entry);
            self.oddities
                .push(origin.odd(Severity::Error, "/name", what));
        }
    }

    fn judge(&self, entry: &Entry) -> (Vec<Oddity>, Option<Place>) {
        let origin = Origin::entry(CATALOGUE, entry);
        let Some(fields) = entry.value.as_object() else {
            let what = "the entry is no object";
            return (vec![origin.odd(Severity::Error, "", what)], None);
        };
        let faults = check_entry(fields);
        let is_misnamed = faults.iter().any(|fault| fault.pointer == "/name");
        let mut oddities: Vec<Oddity> = faults.iter().map(|fault| origin.fault(fault)).collect();
        let mut refuse =
            |pointer: &str, error: &anyhow::Error| oddities.push(origin.error(pointer, error));
        if !is_misnamed && let Err(error) = self.name(&entry.name) {
            refuse("/name", &error);
        }
        for field in ["description", "displayName"] {
            if let Some(why) = fields
                .get(field)
                .and_then(Value::as_str)
                .and_then(hidden::refused)
            {
                refuse(&format!("/{field}"), &anyhow!("the {field} {why}"));
            }
        }
        let place = match sources::place(fields.get("source"), self.root.as_deref()) {
            Ok((place, None)) => Some(place),
            Ok((place, Some(what))) => {
                oddities.push(origin.odd(Severity::Warning, "/source", what));
                Some(place)
            }
            Err(error) => {
                let mut oddity = origin.error("/source", &error);
                if fields.get("source").is_some_and(sources::is_program) {
                    oddity.severity = Severity::Refused;
                }
                oddities.push(oddity);
                None
            }
        };
        (oddities, place)
    }

    /// Says why an entry cannot have the name.
    fn name(&self, name: &str) -> Result<()> {
        if let Some(why) = hidden::refused(name) {
            bail!("the name {why}");
        }
        ensure!(
            PluginId::try_from(format!("{name}@x")).is_ok() && !name.contains('/'),
            "`{}` cannot be installed: a name has only a-z, A-Z, 0-9, `.`, `_` and `-`, and starts with a letter or digit",
            name.escape_debug()
        );
        if let Some((first, other)) = self.names.get(&name.to_lowercase()) {
            bail!(
                "`{name}` is a duplicate of `{other}` in plugins[{first}]: this entry is left out"
            );
        }
        Ok(())
    }
}

/// Returns the former names of plugins; a chain of them that leads nowhere is told, and kept as it is.
fn renames(
    document: &Document,
    names: &BTreeMap<String, (usize, String)>,
    oddities: &mut Vec<Oddity>,
) -> BTreeMap<String, Option<String>> {
    let Some(written) = document.value["renames"].as_object() else {
        return BTreeMap::new();
    };
    let renames: BTreeMap<String, Option<String>> = written
        .iter()
        .take(RENAMES_MAX)
        .map(|(old, new)| (old.clone(), new.as_str().map(str::to_string)))
        .collect();
    let is_listed = |name: &str| {
        names
            .get(&name.to_lowercase())
            .is_some_and(|(_, other)| other == name)
    };
    for old in renames.keys() {
        let mut at = old;
        let mut steps = 0;
        // A chain that is longer than the table goes in a circle.
        while let Some(Some(next)) = renames.get(at).filter(|_| steps <= renames.len()) {
            at = next;
            steps += 1;
        }
        let ends = renames.get(at) == Some(&None) || is_listed(at);
        if steps > renames.len() || !ends {
            let what = format!(
                "the former name `{}` leads to no plugin",
                old.escape_debug()
            );
            let origin = Origin::file(CATALOGUE, document);
            let pointer = format!("/renames/{}", json::step(old));
            oddities.push(
                origin
                    .odd(Severity::Error, &pointer, what)
                    .hint("name a plugin of the list, or null for one that is gone"),
            );
        }
    }
    renames
}

#[cfg(test)]
mod tests;
