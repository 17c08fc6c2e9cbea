//! What plugins are about, and the taxonomy that says it in people's words.

use anyhow::Result;

use super::settings::BUILTIN;
use crate::catalog;
use crate::encoder::Vector;
use crate::model::{Plugin, Taxonomy};
use crate::rank::{self, Passage};
use crate::store;
use crate::tree::{self, Tree};

/// Returns the taxonomy that is embedded in the program.
pub fn embedded_taxonomy() -> Result<Taxonomy> {
    let (_, json) = tree::embedded("taxonomy.json")
        .next()
        .expect("the build writes it");
    store::embedded_taxonomy(json)
}

/// Returns the texts that are read of the embedded plugins.
pub fn embedded_passages() -> Result<Vec<String>> {
    let tree = Tree::embedded("plugins");
    let dialect = catalog::dialect(&tree)?;
    let mut texts = Vec::new();
    for entry in (dialect.list)(&tree)?.entries {
        if let Ok(loaded) = catalog::load(dialect, &tree, BUILTIN, &entry) {
            texts.extend(of_plugin(&loaded.plugin, rank::passages));
        }
    }
    Ok(texts)
}

/// Returns the vector of a plugin.
pub fn vector(plugin: &Plugin) -> Vector {
    of_plugin(plugin, rank::vector)
}

fn of_plugin<T>(plugin: &Plugin, read: impl FnOnce(&Passage<'_>) -> T) -> T {
    let components = &plugin.components;
    let texts = [&components.skills, &components.commands, &components.agents];
    let names: Vec<String> = texts
        .into_iter()
        .flatten()
        .map(|component| component.name.replace(['-', '_', ':'], " "))
        .collect();
    read(&Passage {
        name: &plugin.id.name,
        description: &plugin.description,
        tags: &plugin.tags(),
        parts: &names.join(" "),
    })
}
