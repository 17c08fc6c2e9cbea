//! Claude Code's marketplaces: `.claude-plugin/marketplace.json`, and plugins in folders beside it.

use anyhow::{Context, Result, anyhow, bail, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::{Catalog, Root};
use crate::model::{Plugin, PluginId, PluginSource, PluginSpec, SCHEMA};
use crate::yaml;

const MANIFEST: &str = ".claude-plugin/marketplace.json";

#[derive(Deserialize)]
struct Manifest {
    name: String,
    plugins: Vec<Value>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    source: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
}

#[derive(Deserialize, Default)]
struct PluginManifest {
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    version: Option<String>,
    #[serde(default)]
    keywords: Vec<String>,
}

/// Says whether the folder holds such a marketplace.
pub fn detect(root: &Root) -> bool {
    matches!(root.read(MANIFEST), Ok(Some(_)))
}

/// Reads the marketplace, which we call `name`.
pub fn read(name: &str, root: &Root) -> Result<Catalog> {
    let bytes = root
        .read(MANIFEST)?
        .with_context(|| format!("{root} has no `{MANIFEST}`"))?;
    let manifest: Manifest = serde_json::from_slice(&bytes)
        .with_context(|| format!("cannot read `{MANIFEST}` of {root}"))?;
    ensure!(
        !manifest.name.is_empty(),
        "`{MANIFEST}` of {root} has an empty `name`"
    );
    let mut catalog = Catalog::default();
    for (index, value) in manifest.plugins.into_iter().enumerate() {
        match entry(name, root, value) {
            Ok(plugin) => catalog.plugins.push(plugin),
            Err(error) => catalog.complaints.push(format!(
                "`{name}`, `plugins[{index}]` of `{MANIFEST}`: {error:#}"
            )),
        }
    }
    Ok(catalog)
}

fn entry(marketplace: &str, root: &Root, value: Value) -> Result<Plugin> {
    let entry: Entry = serde_json::from_value(value)?;
    ensure!(
        entry.source.starts_with("./"),
        "the source `{}` does not start with `./`",
        entry.source.escape_debug()
    );
    let folder = root.below(&entry.source)?;
    let manifest = match folder.read(".claude-plugin/plugin.json")? {
        Some(bytes) => serde_json::from_slice(&bytes)
            .with_context(|| format!("cannot read `plugin.json` of `{}`", entry.name))?,
        None => PluginManifest::default(),
    };
    let id = PluginId::try_from(format!("{}@{marketplace}", entry.name))?;
    let spec = match folder.read("orchestrate.yaml")? {
        Some(bytes) => Some(spec(&id, &bytes)?),
        None => None,
    };
    let mut keywords = entry.keywords;
    keywords.extend(manifest.keywords);
    Ok(Plugin {
        id,
        version: manifest.version.or(entry.version).unwrap_or_default(),
        description: entry
            .description
            .or(manifest.description)
            .unwrap_or_default(),
        keywords,
        source: match folder {
            Root::Embedded(path) => PluginSource::Embedded(path),
            Root::Folder(path) => PluginSource::Folder(path),
        },
        spec,
    })
}

fn spec(id: &PluginId, bytes: &[u8]) -> Result<PluginSpec> {
    let spec: PluginSpec = yaml::parse(&format!("orchestrate.yaml of {id}"), bytes)?;
    if spec.schema != SCHEMA {
        bail!(
            "`orchestrate.yaml` of `{id}` has schema {}, and this orchestrate reads {SCHEMA}",
            spec.schema
        );
    }
    ensure!(
        !spec.checks.is_empty(),
        "`orchestrate.yaml` of `{id}` has no `checks`: a step without one is never done"
    );
    for check in &spec.checks {
        check.kind()?;
    }
    for remedy in &spec.remedies {
        remedy.repair()?;
        regex::Regex::new(&remedy.when).map_err(|error| {
            anyhow!(
                "remedy `{}` has a `when` that is no regular expression: {error}",
                remedy.id
            )
        })?;
    }
    for (name, input) in &spec.inputs {
        if let Some(note) = &input.note {
            regex::Regex::new(note).map_err(|error| {
                anyhow!("input `{name}` has a `note` that is no regular expression: {error}")
            })?;
        }
    }
    Ok(spec)
}
