//! Marketplaces as they are, read into plugins.
//!
//! Reading runs nothing, follows no link out of a marketplace, and writes nothing. One bad entry costs that entry.
//!
//! To add a marketplace format, write a file like `claude_code.rs` with `detect` and `read`, and list it in `FORMATS`.

mod claude_code;
mod digest;
mod root;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

use crate::model::{Hint, Plugin, PluginFile, PluginSource, Trouble};
pub use digest::{digest, of_bytes};
use root::Root;

/// A marketplace to read: its name and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Marketplace {
    /// The one in this binary.
    Builtin,
    Folder {
        name: String,
        path: PathBuf,
    },
}

/// All plugins of all marketplaces.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    /// Sorted by full name.
    pub plugins: Vec<Plugin>,
    /// What was wrong with entries that could not be read.
    pub complaints: Vec<String>,
}

/// How a marketplace is written.
struct Format {
    detect: fn(&Root) -> bool,
    read: fn(&str, &Root) -> Result<Catalog>,
}

const FORMATS: [Format; 1] = [Format {
    detect: claude_code::detect,
    read: claude_code::read,
}];

/// Reads every marketplace; one that cannot be read at all is an error that names it.
pub fn load(marketplaces: &[Marketplace]) -> Result<Catalog> {
    let mut catalog = Catalog::default();
    for marketplace in marketplaces {
        let (name, root) = match marketplace {
            Marketplace::Builtin => ("builtin", Root::Embedded("plugins".to_string())),
            Marketplace::Folder { name, path } => (name.as_str(), Root::Folder(path.clone())),
        };
        let found =
            read(name, &root).with_context(|| format!("cannot read the marketplace `{name}`"))?;
        catalog.plugins.extend(found.plugins);
        catalog.complaints.extend(found.complaints);
    }
    catalog.plugins.sort_by(|a, b| a.id.cmp(&b.id));
    Ok(catalog)
}

fn read(name: &str, root: &Root) -> Result<Catalog> {
    let format = FORMATS.iter().find(|format| (format.detect)(root));
    let Some(format) = format else {
        return Err(anyhow::anyhow!("there is no marketplace in {root}"))
            .kind(Trouble::Missing)
            .hint("a marketplace has a file `.claude-plugin/marketplace.json`");
    };
    (format.read)(name, root)
}

/// Returns the files of a plugin by their path in it.
pub fn files(plugin: &Plugin) -> Result<BTreeMap<String, PluginFile>> {
    let root = match &plugin.source {
        PluginSource::Embedded(folder) => Root::Embedded(folder.clone()),
        PluginSource::Folder(path) => Root::Folder(path.clone()),
    };
    root.files()
        .with_context(|| format!("cannot read the files of `{}`", plugin.id))
}

/// Returns the text of an embedded file outside the plugins, such as `patterns/<name>/pattern.yaml`.
pub fn embedded(prefix: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    root::embedded(prefix)
}

impl Catalog {
    /// Returns the plugin called `name@marketplace`.
    pub fn find(&self, id: &crate::model::PluginId) -> Option<&Plugin> {
        self.plugins.iter().find(|plugin| plugin.id == *id)
    }
}
