//! Claude Code's marketplaces: `.claude-plugin/marketplace.json`, and plugins in folders beside it.

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::Value;

use super::{Dialect, Entry, Listing, Loaded, Request, Words, spec};
use crate::model::{Components, Oddity, Place, Plugin, PluginId, Severity};
use crate::tree::Tree;

const CATALOGUE: &str = ".claude-plugin/marketplace.json";

pub const DIALECT: Dialect = Dialect {
    name: "claude-code",
    detect,
    list,
    load,
};

#[derive(Deserialize)]
struct Manifest {
    name: String,
    plugins: Vec<Value>,
}

fn detect(tree: &Tree) -> bool {
    matches!(tree.read(CATALOGUE), Ok(Some(_)))
}

fn list(tree: &Tree) -> Result<Listing> {
    let bytes = tree
        .read(CATALOGUE)?
        .with_context(|| format!("{tree} has no `{CATALOGUE}`"))?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .with_context(|| format!("cannot read `{CATALOGUE}` of {tree}"))?;
    let entries = manifest.plugins.into_iter().enumerate();
    Ok(Listing {
        name: Some(manifest.name),
        entries: entries
            .filter_map(|(index, value)| {
                Some(Entry {
                    name: value["name"].as_str()?.to_string(),
                    place: Place::Inside(value["source"].as_str()?.to_string()),
                    field: format!("plugins[{index}]"),
                    line: None,
                    value,
                })
            })
            .collect(),
        ..Listing::default()
    })
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    plugin(request).map_err(|error| {
        vec![
            Oddity::of_file(Severity::Error, CATALOGUE, format!("{error:#}"))
                .at(request.entry.line, &request.entry.field),
        ]
    })
}

fn plugin(request: &Request<'_>) -> Result<Loaded> {
    let entry = request.entry;
    let folder = request.folder.context("remote")?;
    let id = PluginId::try_from(format!("{}@{}", entry.name, request.marketplace))?;
    let spec = match folder.read(spec::FILE)? {
        Some(bytes) => Some(spec::read(&id, &bytes)?),
        None => None,
    };
    let plugin = Plugin {
        namespace: entry.name.clone(),
        id,
        version: String::new(),
        description: entry.value["description"]
            .as_str()
            .unwrap_or_default()
            .to_string(),
        keywords: Vec::new(),
        category: String::new(),
        place: entry.place.clone(),
        components: Components::default(),
        payloads: Vec::new(),
        spec,
        oddities: Vec::new(),
    };
    Ok(Loaded {
        words: Words {
            name: entry.name.clone(),
            ..Words::default()
        },
        plugin,
    })
}
