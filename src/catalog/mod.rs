//! Marketplaces as they are, read into plugins.
//!
//! Reading runs nothing, follows no link out of a marketplace, and writes nothing. One bad entry costs that entry, and is named.
//!
//! To add a dialect, write a file like `claude_code.rs` with `detect`, `list` and `load`, and put it into `DIALECTS`.

mod agent_plugin;
mod agent_skills;
mod catalogue;
mod claude_code;
mod claude_code_templates;
mod codex;
mod conventional;
mod copilot;
mod cursor;
#[cfg(test)]
mod fixture;
mod folders;
pub mod frontmatter;
mod grok;
mod hidden;
pub mod json;
mod mcp_registry;
mod payload;
mod place;
pub mod plugin;
mod plugin_folders;
mod spec;
mod validate;

use std::collections::BTreeMap;

use anyhow::{Result, anyhow};
use serde_json::Value;

use crate::model::{Hint, Oddity, Place, Plugin, Severity, Trouble};
use crate::tree::{Kind, Tree};
pub use hidden::hidden;
pub use payload::payloads;
pub use plugin::mcp_start;
pub use validate::validate;

/// How a marketplace is written.
pub struct Dialect {
    pub name: &'static str,
    /// Says whether the tree holds such a marketplace.
    pub detect: fn(&Tree) -> bool,
    /// Reads the catalogue; one that cannot be read at all is an error.
    pub list: fn(&Tree) -> Result<Listing>,
    /// Reads one plugin.
    pub load: fn(&Request<'_>) -> Result<Loaded, Vec<Oddity>>,
}

/// The dialects; of several that a tree speaks, the first is read.
pub const DIALECTS: [Dialect; 9] = [
    claude_code::DIALECT,
    codex::DIALECT,
    cursor::DIALECT,
    copilot::DIALECT,
    grok::DIALECT,
    claude_code_templates::DIALECT,
    mcp_registry::DIALECT,
    plugin_folders::DIALECT,
    agent_skills::DIALECT,
];

/// What a catalogue says.
#[derive(Debug, Clone, Default)]
pub struct Listing {
    /// What the marketplace calls itself, where that can be used as a name.
    pub name: Option<String>,
    pub description: String,
    pub entries: Vec<Entry>,
    /// Former names of plugins; none for one that is gone.
    pub renames: BTreeMap<String, Option<String>>,
    /// What is wrong with the catalogue, and with entries that it costs.
    pub oddities: Vec<Oddity>,
}

/// One plugin of a catalogue.
#[derive(Debug, Clone)]
pub struct Entry {
    pub name: String,
    pub place: Place,
    /// Where it stands in the catalogue, such as `plugins[3]`, and the line.
    pub field: String,
    pub line: Option<u32>,
    /// The entry as written.
    pub value: Value,
}

/// What to read.
pub struct Request<'a> {
    /// What the marketplace is called here.
    pub marketplace: &'a str,
    pub entry: &'a Entry,
    /// The marketplace: some plugins share components that stand beside their folders.
    pub root: &'a Tree,
    /// The plugin's own folder; none where its source is elsewhere and not fetched.
    pub folder: Option<&'a Tree>,
}

/// A plugin, and its text for searching.
#[derive(Debug, Clone)]
pub struct Loaded {
    pub plugin: Plugin,
    pub words: Words,
}

/// The text of a plugin by how much a word in it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    /// Its names: the entry's, the manifest's, the display name.
    pub name: String,
    /// Its description, keywords and category.
    pub summary: String,
    /// The names and descriptions of its components.
    pub components: String,
    /// The texts of its components.
    pub body: String,
}

/// Returns the dialect of the tree.
pub fn dialect(tree: &Tree) -> Result<&'static Dialect> {
    DIALECTS
        .iter()
        .find(|dialect| (dialect.detect)(tree))
        .ok_or_else(|| anyhow!("there is no marketplace in {tree}"))
        .kind(Trouble::Request)
        .hint("a marketplace has a file such as `.claude-plugin/marketplace.json`")
}

/// Returns the folder of a plugin, in which there is nothing that could do harm by being read or laid out.
fn vetted(tree: &Tree, path: &str) -> Result<Tree> {
    let folder = tree.below(path)?;
    // A plugin at the root has all of the marketplace for its folder; it is looked through when it is used.
    let is_whole = path.trim_matches(['.', '/']).is_empty();
    match !is_whole && folder.kind("")? == Some(Kind::Folder) {
        true => folder.looked_through(),
        false => Ok(folder),
    }
}

/// Reads one plugin of the marketplace in `tree`.
pub fn load(
    dialect: &Dialect,
    tree: &Tree,
    marketplace: &str,
    entry: &Entry,
) -> Result<Loaded, Vec<Oddity>> {
    let folder = match &entry.place {
        Place::Inside(path) => Some(vetted(tree, path).map_err(|error| {
            let oddity = Oddity::of_file(Severity::Refused, path, format!("{error:#}"));
            vec![oddity.at(entry.line, &entry.field)]
        })?),
        Place::Elsewhere(_) => None,
    };
    (dialect.load)(&Request {
        marketplace,
        entry,
        root: tree,
        folder: folder.as_ref(),
    })
}
