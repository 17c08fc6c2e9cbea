//! A marketplace without an index, of a size that is searched without one.

use std::ops::RangeInclusive;

use anyhow::{Context, Result};

use super::marketplace::Pinned;
use super::summary::searched;
use crate::catalog::{self, Dialect, Entry};
use crate::index::{Document, Documents};
use crate::model::{Oddity, Plugin};
use crate::tree::Tree;

/// How many plugins are read for one search: to index fewer takes hardly longer, and to read more every time takes too long.
const PLUGINS: RangeInclusive<usize> = 32..=1_000;

/// What a marketplace lists, none of it read yet.
pub struct Unread {
    name: String,
    tree: Tree,
    dialect: &'static Dialect,
    /// Sorted by name.
    entries: Vec<Entry>,
}

impl Unread {
    /// Returns the marketplace where it has no index and is of such a size; none where it has to be opened by its index.
    pub fn of(pinned: &Pinned) -> Result<Option<Unread>> {
        if pinned.index.is_some() {
            return Ok(None);
        }
        let dialect = catalog::dialect(&pinned.tree)?;
        let mut entries = (dialect.list)(&pinned.tree)?.entries;
        if !PLUGINS.contains(&entries.len()) {
            return Ok(None);
        }
        entries.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Some(Unread {
            name: pinned.known.name.clone(),
            tree: pinned.tree.clone(),
            dialect,
            entries,
        }))
    }

    /// Returns the plugin.
    pub fn plugin(&self, number: usize) -> Result<Plugin> {
        let loaded = self.read(number).ok();
        let loaded = loaded.with_context(|| format!("`{}` changed at once", self.name))?;
        Ok(loaded.plugin)
    }

    fn read(&self, number: usize) -> Result<catalog::Loaded, Vec<Oddity>> {
        catalog::load(self.dialect, &self.tree, &self.name, &self.entries[number])
    }
}

impl Documents for Unread {
    fn count(&self) -> usize {
        self.entries.len()
    }

    fn load(&self, number: usize) -> Option<Document> {
        self.read(number).ok().map(searched)
    }
}
