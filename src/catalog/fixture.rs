//! A small marketplace in a folder, read as a whole: what the dialects' tests share.

use std::fs;

use tempfile::TempDir;

use super::{Dialect, Listing, Loaded};
use crate::model::{Oddity, Severity};
use crate::tree::Tree;

/// What a marketplace was read as.
pub struct Read {
    pub listing: Listing,
    pub plugins: Vec<Loaded>,
    pub refused: Vec<(String, Vec<Oddity>)>,
    _folder: TempDir,
}

/// Returns a tree of files with their texts, and the folder that holds it as long as it lives.
pub fn tree(files: &[(&str, &str)]) -> (TempDir, Tree) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::folder(folder.path()).unwrap();
    (folder, tree)
}

/// Reads a marketplace of these files, which is found to be of the dialect.
#[track_caller]
pub fn read(dialect: &Dialect, files: &[(&str, &str)]) -> Read {
    let (folder, tree) = tree(files);
    assert_eq!(super::dialect(&tree).unwrap().name, dialect.name);
    let listing = (dialect.list)(&tree).unwrap();
    let (mut plugins, mut refused) = (Vec::new(), Vec::new());
    for entry in &listing.entries {
        match super::load(dialect, &tree, "m", entry) {
            Ok(loaded) => plugins.push(loaded),
            Err(oddities) => refused.push((entry.name.clone(), oddities)),
        }
    }
    Read {
        listing,
        plugins,
        refused,
        _folder: folder,
    }
}

impl Read {
    /// Returns the plugins, each with its components: `name skill:a command:b agent:c hook:Stop mcp:x other`.
    pub fn shown(&self) -> Vec<String> {
        self.plugins.iter().map(shown).collect()
    }

    /// Returns all oddities that are worse than notes.
    pub fn warnings(&self) -> Vec<String> {
        let own = self
            .plugins
            .iter()
            .flat_map(|loaded| &loaded.plugin.oddities);
        let refused = self.refused.iter().flat_map(|(_, oddities)| oddities);
        let all = self.listing.oddities.iter().chain(own).chain(refused);
        all.filter(|oddity| oddity.severity > Severity::Note)
            .map(|oddity| oddity.what.clone())
            .collect()
    }
}

fn shown(loaded: &Loaded) -> String {
    let components = &loaded.plugin.components;
    let mut words = vec![loaded.plugin.id.name.clone()];
    words.extend(
        components
            .skills
            .iter()
            .map(|skill| format!("skill:{}", skill.name)),
    );
    words.extend(
        components
            .commands
            .iter()
            .map(|command| format!("command:{}", command.name)),
    );
    words.extend(
        components
            .agents
            .iter()
            .map(|agent| format!("agent:{}", agent.name)),
    );
    words.extend(
        components
            .hooks
            .iter()
            .map(|hook| format!("hook:{}", hook.event)),
    );
    words.extend(
        components
            .mcp_servers
            .iter()
            .map(|server| format!("mcp:{}", server.name)),
    );
    words.extend(components.others.iter().cloned());
    words.join(" ")
}
