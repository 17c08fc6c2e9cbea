//! GitHub Copilot's marketplaces: `.github/plugin/marketplace.json`, with manifests after Agent Plugins 1.0.
//!
//! The standard has no field for agents, and skills that several plugins share stand beside them all: a manifest names both below
//! `extensions`, by paths of the marketplace.

use anyhow::Result;
use serde_json::Value;

use super::conventional::{about, hooks, manifest, servers, texts, without_agent_ending};
use super::place::LOOSE;
use super::plugin::{Manifest, Origin, Reading, inside};
use super::{Dialect, Listing, Loaded, Request, agent_plugin, catalogue};
use crate::model::{Oddity, Severity};
use crate::tree::{Kind, Tree};

const CATALOGUE: &str = ".github/plugin/marketplace.json";
const MANIFESTS: [&str; 4] = [
    "plugin.json",
    ".github/plugin/plugin.json",
    ".plugin/plugin.json",
    ".claude-plugin/plugin.json",
];

pub const DIALECT: Dialect = Dialect {
    name: "copilot",
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
    if let Some(manifest) = manifest {
        agent_plugin::check(&mut reading, manifest)?;
    }
    texts(&mut reading, manifest);
    servers(&mut reading, manifest, &["mcp.json", ".mcp.json"]);
    hooks(&mut reading, manifest, &["hooks.json", "hooks/hooks.json"]);
    if let Some(manifest) = manifest {
        extensions(&mut reading, manifest, request.root);
    }
    let about = about(request, manifest.map(|manifest| &manifest.document.value));
    reading.finish(request, about)
}

/// Adds what the manifest names for Copilot alone.
fn extensions<'a>(reading: &mut Reading<'a>, manifest: &Manifest, root: &'a Tree) {
    let extensions = manifest
        .document
        .value
        .get("extensions")
        .and_then(Value::as_object);
    let mut shared = Reading::new(Some(root));
    for (_, extension) in extensions
        .into_iter()
        .flatten()
        .filter(|(name, _)| name.starts_with("com.github."))
    {
        for path in strings(extension, "skills") {
            add(reading, &mut shared, manifest, "skills", path);
        }
        for path in strings(extension, "agents") {
            add(reading, &mut shared, manifest, "agents", path);
        }
        if let Some(servers) = extension.get("mcpServers") {
            reading.servers_declared(Origin::manifest(manifest), "/extensions", servers);
        }
        for path in strings(extension, "extensions") {
            let name = path
                .trim_end_matches('/')
                .rsplit('/')
                .next()
                .unwrap_or(path);
            reading.components.others.push(format!("extension:{name}"));
        }
    }
    without_agent_ending(&mut shared);
    reading.absorb(shared);
}

fn strings<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a str> {
    let (one, many) = match value.get(field) {
        Some(Value::String(path)) => (Some(path.as_str()), None),
        Some(Value::Array(paths)) => (None, Some(paths)),
        _ => (None, None),
    };
    one.into_iter()
        .chain(many.into_iter().flatten().filter_map(Value::as_str))
}

/// Adds a component of the plugin's folder or, where there is none, of the marketplace's.
fn add<'a>(
    own: &mut Reading<'a>,
    shared: &mut Reading<'a>,
    manifest: &Manifest,
    field: &str,
    written: &str,
) {
    let told = |what: &str| {
        let what = format!("the path `{}` {what}", written.escape_debug());
        let oddity = Oddity::of_file(Severity::Warning, &manifest.file, what);
        oddity.at(
            manifest.document.line("/extensions"),
            format!("extensions.{field}"),
        )
    };
    let Some(path) = inside(written) else {
        return own
            .oddities
            .push(told("leaves the plugin, and is not followed"));
    };
    let file = match field {
        "skills" => format!("{path}/SKILL.md"),
        _ => path.to_string(),
    };
    // A published plugin has `agents/x.md` where the repository that it is made of has `agents/x.agent.md`.
    let source = file
        .strip_suffix(".md")
        .map(|stem| format!("{stem}.agent.md"));
    let found = [Some(file), source.filter(|_| field == "agents")]
        .into_iter()
        .flatten()
        .find_map(|file| {
            let is_own = own.kind(&file) == Some(Kind::File);
            (is_own || shared.kind(&file) == Some(Kind::File)).then_some((is_own, file))
        });
    match found {
        Some((is_own, file)) => {
            let reading = if is_own { own } else { shared };
            match field {
                "skills" => {
                    reading.skill(path, path.rsplit('/').next().unwrap_or(path));
                }
                _ => reading.agent(&file, ""),
            }
        }
        None => own.oddities.push(told(
            "leads to nothing, neither in the plugin nor in its marketplace",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::read;

    #[test]
    fn components_beside_the_plugin_are_its_own_as_well() {
        let manifest = r#"{"$schema": "https://agent-plugins.org/schemas/1.0.0/plugin.schema.json", "name": "a", "strange": 1,
            "extensions": {"com.github.x": {"skills": ["./skills/s/", "./skills/none/", "../out"], "agents": ["./agents/e.md"], "extensions": ["./extensions/canvas"]}}}"#;
        let read = read(
            &DIALECT,
            &[
                (
                    CATALOGUE,
                    r#"{"name": "m", "plugins": [{"name": "a", "source": "plugins/a"}, {"name": "b", "source": "plugins/b"}]}"#,
                ),
                ("plugins/a/plugin.json", manifest),
                (
                    "plugins/a/skills/own/SKILL.md",
                    "---\nname: own\ndescription: d\n---\n",
                ),
                ("plugins/b/plugin.json", &manifest.replace("\"a\"", "\"A\"")),
                (
                    "skills/s/SKILL.md",
                    "---\nname: s\ndescription: d\n---\nbody of s",
                ),
                ("agents/e.agent.md", "---\ndescription: d\n---\n"),
            ],
        );
        assert_eq!(
            read.shown(),
            ["a skill:own skill:s agent:e extension:canvas"]
        );
        let loaded = &read.plugins[0];
        assert_eq!(
            loaded.plugin.components.skills[1].file,
            "/skills/s/SKILL.md"
        );
        assert!(loaded.words.body.contains("body of s"));
        assert_eq!(
            loaded.plugin.oddities.len(),
            3,
            "{:?}",
            loaded.plugin.oddities
        );
        assert!(read.refused[0].1[0].what.contains("`A` is no name"));
    }
}
