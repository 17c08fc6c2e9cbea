//! Everything that the configured marketplaces offer.

use std::collections::BTreeMap;

use anyhow::{Context, Result};

use crate::catalog;
use crate::model::{Oddity, Place, Plugin, PluginFile, PluginId};
use crate::tree::Tree;

/// The name of the marketplace in this binary.
pub const BUILTIN: &str = "builtin";

/// All plugins of all marketplaces.
#[derive(Debug, Default)]
pub struct Catalog {
    trees: BTreeMap<String, Tree>,
    /// Sorted by full name.
    pub plugins: Vec<Plugin>,
    /// What was wrong with entries that could not be read.
    pub oddities: Vec<Oddity>,
}

impl Catalog {
    /// Reads the marketplace in `tree`, called `name`.
    pub fn add(&mut self, name: &str, tree: Tree) -> Result<()> {
        let dialect = catalog::dialect(&tree)?;
        let listing = (dialect.list)(&tree)
            .with_context(|| format!("cannot read the marketplace `{name}`"))?;
        self.oddities.extend(listing.oddities);
        for entry in &listing.entries {
            match catalog::load(dialect, &tree, name, entry) {
                Ok(loaded) => self.plugins.push(loaded.plugin),
                Err(oddities) => self.oddities.extend(oddities),
            }
        }
        self.plugins.sort_by(|a, b| a.id.cmp(&b.id));
        self.trees.insert(name.to_string(), tree);
        Ok(())
    }

    /// Returns the plugin called `name@marketplace`.
    pub fn find(&self, id: &PluginId) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.id == *id)
    }

    /// Returns the files of a plugin by their path in it.
    pub fn files(&self, plugin: &Plugin) -> Result<BTreeMap<String, PluginFile>> {
        let tree = self
            .trees
            .get(&plugin.id.marketplace)
            .with_context(|| format!("`{}` is of no marketplace here", plugin.id))?;
        match &plugin.place {
            Place::Inside(path) => tree.below(path)?.files(),
            Place::Elsewhere(_) => anyhow::bail!("it is not fetched"),
        }
        .with_context(|| format!("cannot read the files of `{}`", plugin.id))
    }
}
