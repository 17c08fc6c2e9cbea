//! Finding plugins where no catalogue lists them: folders that hold something, at any depth.

use std::collections::BTreeMap;

use serde_json::json;

use super::{Entry, Listing};
use crate::model::{Oddity, Place, PluginId, Severity};
use crate::tree::{self, Kind, Tree};

/// How many folders below each other, and how many in all, are looked into.
const DEPTH_MAX: usize = 8;
const FOLDERS_MAX: usize = 500_000;

/// What to do about a folder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// It is one that is looked for, and has others below.
    TakeAndEnter,
    /// It is one, and what is below is its own.
    Take,
    Enter,
}

/// The folders that were found.
pub struct Found {
    /// Their paths, in order.
    pub folders: Vec<String>,
    /// Whether there were too many folders to look into them all.
    is_cut: bool,
}

/// Returns up to `limit` folders that `look` takes, by their path and the names in them.
pub fn find(tree: &Tree, limit: usize, look: impl Fn(&str, &[tree::Entry]) -> Look) -> Found {
    let mut found = Found {
        folders: Vec::new(),
        is_cut: false,
    };
    let mut waiting = vec![(String::new(), 0)];
    let mut seen = 0;
    while let Some((folder, depth)) = waiting.pop() {
        seen += 1;
        if seen > FOLDERS_MAX {
            found.is_cut = true;
            break;
        }
        let entries = tree.list(&folder).unwrap_or_default();
        let look = look(&folder, &entries);
        if look != Look::Enter {
            found.folders.push(folder.clone());
            if found.folders.len() >= limit {
                break;
            }
        }
        if look != Look::Take && depth < DEPTH_MAX {
            let below = entries.into_iter().rev().filter(|entry| {
                entry.kind == Kind::Folder
                    && !matches!(entry.name.as_str(), ".git" | "node_modules")
            });
            waiting.extend(below.map(|entry| match folder.as_str() {
                "" => (entry.name, depth + 1),
                folder => (format!("{folder}/{}", entry.name), depth + 1),
            }));
        }
    }
    found
}

impl Found {
    /// Says so where not all folders were looked into.
    fn oddity(&self) -> Option<Oddity> {
        let what = format!("only the first {FOLDERS_MAX} folders were looked into");
        self.is_cut
            .then(|| Oddity::of_file(Severity::Warning, "", what))
    }

    /// Returns each folder with what to call the plugin in it: its last part, or all parts where several share that.
    fn named(self) -> Vec<(String, String)> {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for folder in &self.folders {
            *counts.entry(last(folder).to_lowercase()).or_default() += 1;
        }
        let named = self.folders.into_iter().map(|folder| {
            let name = match counts[&last(&folder).to_lowercase()] {
                1 => last(&folder).to_string(),
                // `.claude/skills/x` is `claude/skills/x`.
                _ => folder
                    .split('/')
                    .map(|part| part.trim_start_matches(['.', '_', '-']))
                    .collect::<Vec<_>>()
                    .join("/"),
            };
            (folder, name)
        });
        named.collect()
    }

    /// Returns the catalogue that the folders amount to. `root` is what to call a plugin that is the whole tree.
    pub fn listing(self, root: impl Fn() -> String) -> Listing {
        let mut listing = Listing {
            oddities: self.oddity().into_iter().collect(),
            ..Listing::default()
        };
        for (folder, name) in self.named() {
            let name = match folder.as_str() {
                "" => root(),
                _ => name,
            };
            if PluginId::try_from(format!("{name}@m")).is_err() {
                let what = format!("`{}` cannot be a plugin's name", name.escape_debug());
                let oddity = Oddity::of_file(Severity::Error, &folder, what)
                    .hint("rename the folder: `a-z`, `0-9` and `-`");
                listing.oddities.push(oddity);
                continue;
            }
            listing.entries.push(Entry {
                value: json!({"name": name, "source": format!("./{folder}")}),
                name,
                place: Place::Inside(folder),
                field: String::new(),
                line: None,
            });
        }
        listing
    }
}

/// Returns the last part of a path.
pub fn last(folder: &str) -> &str {
    folder.rsplit('/').next().unwrap_or(folder)
}
