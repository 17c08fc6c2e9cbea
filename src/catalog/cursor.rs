//! Cursor's marketplaces: `.cursor-plugin/marketplace.json`, with paths that need no `./`.

use anyhow::Result;

use super::conventional::{about, hooks, manifest, paths, servers, texts};
use super::place::Rules;
use super::plugin::Reading;
use super::{Dialect, Listing, Loaded, Request, catalogue};
use crate::model::Oddity;
use crate::tree::{Kind, Tree};

const CATALOGUE: &str = ".cursor-plugin/marketplace.json";
const MANIFESTS: [&str; 2] = [".cursor-plugin/plugin.json", "plugin.json"];

const RULES: Rules = Rules {
    kinds: &["local", "url", "github", "git-subdir", "npm"],
    bare: true,
};

pub const DIALECT: Dialect = Dialect {
    name: "cursor",
    detect: |tree| catalogue::is_there(tree, CATALOGUE),
    list,
    load,
};

fn list(tree: &Tree) -> Result<Listing> {
    catalogue::list(tree, CATALOGUE, &RULES)
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    catalogue::is_present(request)?;
    let mut reading = Reading::new(request.folder);
    let manifest = manifest(&mut reading, &MANIFESTS);
    let manifest = manifest.as_ref();
    texts(&mut reading, manifest);
    for path in paths(&mut reading, manifest, "rules", "rules") {
        match reading.kind(&path) {
            Some(Kind::Folder) => reading.files_in("rule", &path, ".mdc"),
            _ => reading
                .components
                .others
                .push(format!("rule:{}", stem(&path))),
        }
    }
    servers(&mut reading, manifest, &["mcp.json", ".mcp.json"]);
    hooks(&mut reading, manifest, &["hooks/hooks.json"]);
    let about = about(request, manifest.map(|manifest| &manifest.document.value));
    reading.finish(request, about)
}

fn stem(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_suffix(".mdc").unwrap_or(name)
}
