//! Cursor's marketplaces: `.cursor-plugin/marketplace.json`, with paths that need no `./`.

use anyhow::Result;

use super::conventional::{about, hooks, manifest, paths, servers, texts};
use super::place::LOOSE;
use super::plugin::Reading;
use super::{Dialect, Listing, Loaded, Request, catalogue};
use crate::model::Oddity;
use crate::tree::{Kind, Tree};

const CATALOGUE: &str = ".cursor-plugin/marketplace.json";
const MANIFESTS: [&str; 2] = [".cursor-plugin/plugin.json", "plugin.json"];

pub const DIALECT: Dialect = Dialect {
    name: "cursor",
    detect: |tree| catalogue::is_there(tree, CATALOGUE),
    list,
    load,
};

fn list(tree: &Tree) -> Result<Listing> {
    catalogue::list(tree, CATALOGUE, &LOOSE)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::read;

    #[test]
    fn components_are_where_the_manifest_says_or_else_by_convention() {
        let catalogue = r#"{"name": "m", "plugins": [{"name": "a", "source": "a"}, {"name": "b", "source": "x/b"}, {"name": "c", "source": "c"}]}"#;
        let read = read(
            &DIALECT,
            &[
                (CATALOGUE, catalogue),
                (
                    "a/.cursor-plugin/plugin.json",
                    r#"{"name": "a", "agents": "./helpers/*.md", "skills": ["./none/"], "tags": ["t"]}"#,
                ),
                ("a/helpers/h.md", "---\nname: helper\ndescription: d\n---\n"),
                ("a/skills/s/SKILL.md", "---\nname: s\ndescription: d\n---\n"),
                (
                    "a/hooks/hooks.json",
                    r#"{"version": 1, "hooks": {"stop": [{"command": "npx x"}]}}"#,
                ),
                (
                    "x/b/skills/s/SKILL.md",
                    "---\nname: s\ndescription: d\n---\n",
                ),
                ("x/b/rules/r.mdc", "---\ndescription: d\n---\n"),
                (
                    "x/b/mcp.json",
                    r#"{"mcpServers": {"x": {"command": "npx", "args": ["-y", "y"]}}}"#,
                ),
            ],
        );
        assert_eq!(
            read.shown(),
            ["a agent:helper hook:stop", "b skill:s mcp:x rule:r"]
        );
        assert_eq!(read.plugins[0].plugin.keywords, ["t"]);
        assert_eq!(read.refused[0].0, "c");
        assert!(
            read.warnings()
                .contains(&"the path `./none/` leads to nothing".to_string())
        );
    }
}
