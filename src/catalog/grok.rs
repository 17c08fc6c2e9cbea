//! xAI's marketplaces: `.grok-plugin/marketplace.json`, whose local sources have a `type` and whose repositories have paths.

use anyhow::Result;

use super::conventional::{about, hooks, manifest, servers, texts};
use super::place::LOOSE;
use super::plugin::Reading;
use super::{Dialect, Listing, Loaded, Request, catalogue};
use crate::model::Oddity;
use crate::tree::Tree;

const CATALOGUE: &str = ".grok-plugin/marketplace.json";
const MANIFESTS: [&str; 3] = [
    ".grok-plugin/plugin.json",
    ".claude-plugin/plugin.json",
    "plugin.json",
];

pub const DIALECT: Dialect = Dialect {
    name: "grok",
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
    servers(&mut reading, manifest, &[".mcp.json", "mcp.json"]);
    hooks(&mut reading, manifest, &["hooks/hooks.json"]);
    let about = about(request, manifest.map(|manifest| &manifest.document.value));
    reading.finish(request, about)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::read;
    use crate::model::{Place, Source};

    #[test]
    fn local_sources_have_a_type_and_repositories_a_path() {
        let catalogue = r#"{"name": "m", "plugins": [
            {"name": "a", "source": {"type": "local", "path": "./p/a"}, "keywords": ["k"]},
            {"name": "b", "source": {"source": "url", "url": "https://example.org/r.git", "path": "sub"}}]}"#;
        let read = read(
            &DIALECT,
            &[
                (CATALOGUE, catalogue),
                (
                    "p/a/.grok-plugin/plugin.json",
                    r#"{"name": "a", "version": "1.0.0"}"#,
                ),
                ("p/a/commands/git/c.md", "---\ndescription: d\n---\n"),
                ("p/a/.mcp.json", r#"{"x": {"command": "x"}}"#),
            ],
        );
        assert_eq!(read.shown(), ["a command:git:c mcp:x", "b"]);
        assert_eq!(read.plugins[0].plugin.version, "1.0.0");
        let Place::Elsewhere(Source::Git(git)) = &read.plugins[1].plugin.place else {
            panic!("{:?}", read.plugins[1].plugin.place);
        };
        assert_eq!(git.path.as_deref(), Some("sub"));
    }
}
