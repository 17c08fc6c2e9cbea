//! A folder of Claude Code plugins that no catalogue lists: each folder with a `.claude-plugin/plugin.json` is one.

use anyhow::Result;

use super::folders::{self, Found, Look};
use super::plugin::claude::{self, MANIFEST};
use super::{Dialect, Listing};
use crate::tree::{Kind, Tree};

const FOLDER: &str = ".claude-plugin";

pub const DIALECT: Dialect = Dialect {
    name: "plugin-folders",
    detect: |tree| !holders(tree, 1).folders.is_empty(),
    list,
    load: |request| claude::read(request, MANIFEST),
};

/// Returns the folders of plugins.
fn holders(tree: &Tree, limit: usize) -> Found {
    folders::find(tree, limit, |folder, entries| {
        let is_there = entries
            .iter()
            .any(|entry| entry.name == FOLDER && entry.kind == Kind::Folder);
        let manifest = match folder {
            "" => MANIFEST.to_string(),
            folder => format!("{folder}/{MANIFEST}"),
        };
        match is_there && matches!(tree.kind(&manifest), Ok(Some(Kind::File))) {
            true => Look::Take,
            false => Look::Enter,
        }
    })
}

fn list(tree: &Tree) -> Result<Listing> {
    Ok(holders(tree, usize::MAX).listing(|| "plugin".to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_manifest_is_a_plugin_at_any_depth() {
        let folder = tempfile::tempdir().unwrap();
        for path in ["a/one", "a/two", "b/two", "b/two/.claude-plugin/not/three"] {
            let plugin = folder.path().join(path).join(FOLDER);
            std::fs::create_dir_all(&plugin).unwrap();
            std::fs::write(plugin.join("plugin.json"), "{\"name\": \"p\"}").unwrap();
        }
        let tree = Tree::folder(folder.path()).unwrap();
        assert!((DIALECT.detect)(&tree));
        let listing = list(&tree).unwrap();
        let names: Vec<&str> = listing
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(names, ["one", "a/two", "b/two"]);
        for entry in &listing.entries {
            let loaded = super::super::load(&DIALECT, &tree, "m", entry).unwrap();
            assert_eq!(loaded.plugin.namespace, "p");
        }
    }
}
