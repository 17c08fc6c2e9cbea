//! The MCP registry: `server.json` files of any generation, and lists of servers as the registry's seed and its answers hold them.
//!
//! Each server is a plugin with one server. What starts it is told from its first package that is known, else it is spoken to at its
//! first address.

mod server;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::Value;

use super::catalogue::text;
use super::plugin::{About, Reading};
use super::{Dialect, Entry, Listing, Loaded, Request, hidden, json};
use crate::model::{Oddity, Place, PluginId, Severity, counted};
use crate::tree::{Kind, Tree};

/// How many folders below each other, and how many files, are looked into.
const DEPTH_MAX: usize = 3;
const FILES_MAX: usize = 20_000;

pub const DIALECT: Dialect = Dialect {
    name: "mcp-registry",
    detect,
    list,
    load,
};

fn detect(tree: &Tree) -> bool {
    let files = files(tree);
    files
        .iter()
        .any(|file| matches!(tree.read(file), Ok(Some(bytes)) if !servers(&bytes).is_empty()))
}

/// Returns the files that servers may stand in: every `server.json`, and any JSON of the root.
fn files(tree: &Tree) -> Vec<String> {
    let mut files = Vec::new();
    let mut waiting = vec![(String::new(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        for entry in tree.list(&folder).unwrap_or_default() {
            let path = match folder.as_str() {
                "" => entry.name.clone(),
                folder => format!("{folder}/{}", entry.name),
            };
            let name = entry.name.as_str();
            let is_server = name == "server.json" || name.ends_with(".server.json");
            let is_list = depth == 0
                && name.ends_with(".json")
                && !matches!(name, "package.json" | "package-lock.json" | "tsconfig.json");
            match entry.kind {
                Kind::File if files.len() < FILES_MAX && (is_server || is_list) => files.push(path),
                Kind::Folder if depth < DEPTH_MAX && !matches!(name, ".git" | "node_modules") => {
                    waiting.push((path, depth + 1))
                }
                _ => {}
            }
        }
    }
    files.sort();
    files
}

/// Returns the servers in a file, each with the JSON pointer to it.
fn servers(bytes: &[u8]) -> Vec<(String, Value)> {
    let Ok(document) = json::read(bytes) else {
        return Vec::new();
    };
    let (before, list) = match &document.value {
        Value::Array(list) => ("", list.clone()),
        value => match value.get("servers").and_then(Value::as_array) {
            Some(list) => ("/servers", list.clone()),
            None => {
                return server::is_one(value)
                    .then(|| (String::new(), value.clone()))
                    .into_iter()
                    .collect();
            }
        },
    };
    let found = list.into_iter().enumerate();
    found
        .filter(|(_, value)| server::is_one(value))
        .map(|(index, value)| (format!("{before}/{index}"), value))
        .collect()
}

fn list(tree: &Tree) -> Result<Listing> {
    let mut listing = Listing::default();
    let mut entries: Vec<Entry> = Vec::new();
    let mut known: BTreeMap<String, usize> = BTreeMap::new();
    let mut older = 0;
    for file in files(tree) {
        let Some(bytes) = tree.read(&file)? else {
            continue;
        };
        for (pointer, value) in servers(&bytes) {
            let field = json::shown(&pointer);
            let server = value.get("server").unwrap_or(&value);
            let name = text(server, "name").unwrap_or_default();
            if let Err(oddity) = named(&name, server) {
                listing.oddities.push(Oddity {
                    file: file.clone(),
                    field,
                    ..oddity
                });
                continue;
            }
            let entry = Entry {
                name: name.clone(),
                place: Place::Inside(file.clone()),
                field,
                line: None,
                value,
            };
            match known.get(&name.to_lowercase()) {
                None => {
                    known.insert(name.to_lowercase(), entries.len());
                    entries.push(entry);
                }
                Some(&at) => {
                    older += 1;
                    if server::is_latest(&entry.value) && !server::is_latest(&entries[at].value) {
                        entries[at] = entry;
                    }
                }
            }
        }
    }
    if older > 0 {
        let what = format!(
            "{} of a server that is listed already",
            counted(older, "version")
        );
        listing
            .oddities
            .push(Oddity::of_file(Severity::Note, "", what));
    }
    listing.entries = entries;
    Ok(listing)
}

fn named(name: &str, server: &Value) -> Result<(), Oddity> {
    let odd = |what: String| Err(Oddity::of_file(Severity::Error, "", what));
    if name.is_empty() {
        return odd("the server has no name".to_string());
    }
    let description = text(server, "description").unwrap_or_default();
    if let Some(why) = hidden::refused(name).or_else(|| hidden::refused(&description)) {
        return odd(format!(
            "the name or description of `{}` {why}",
            name.escape_debug()
        ));
    }
    match PluginId::try_from(format!("{name}@m")) {
        Ok(_) => Ok(()),
        Err(_) => odd(format!(
            "`{}` cannot be a plugin's name",
            name.escape_debug()
        )),
    }
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    let value = &request.entry.value;
    let server = value.get("server").unwrap_or(value);
    // The folder is the file that the server stands in: there is nothing else to read.
    let mut reading = Reading::new(None);
    reading
        .components
        .mcp_servers
        .push(server::started(&request.entry.name, server));
    reading.components.others = server::others(server);
    let file = match &request.entry.place {
        Place::Inside(file) => file.as_str(),
        Place::Elsewhere(_) => "",
    };
    let mut odd = |severity, what: &str| {
        reading
            .oddities
            .push(Oddity::of_file(severity, file, what).at(None, &request.entry.field));
    };
    if let Some(what) = server::unusable(server) {
        odd(Severity::Warning, what);
    }
    let description = text(server, "description").unwrap_or_default();
    if description.is_empty() {
        odd(Severity::Warning, "the server has no description");
    }
    if description.chars().count() > server::DESCRIPTION_MAX {
        odd(
            Severity::Note,
            "the description is longer than the registry allows",
        );
    }
    reading.finish(
        request,
        About {
            namespace: request.entry.name.clone(),
            display_name: text(server, "title").unwrap_or_default(),
            version: server::version(server),
            description,
            ..About::default()
        },
    )
}
