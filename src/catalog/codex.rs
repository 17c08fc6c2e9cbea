//! Codex's marketplaces: `.agents/plugins/marketplace.json`, else Claude Code's file, both read as strictly as Codex does.

use anyhow::{Context, Result, anyhow, ensure};
use serde::Deserialize;
use serde_json::Value;

use super::conventional::{about, events, paths, servers};
use super::place::Rules;
use super::plugin::{Manifest, Reading, find};
use super::{Dialect, Listing, Loaded, Request, catalogue, json};
use crate::model::{Hint, Oddity, Severity, Trouble};
use crate::tree::{Kind, Tree};

const CATALOGUE: &str = ".agents/plugins/marketplace.json";
const FALLBACK: &str = ".claude-plugin/marketplace.json";

/// Where a manifest is looked for, in this order.
const MANIFESTS: [&str; 3] = [
    ".codex-plugin/plugin.json",
    ".claude-plugin/plugin.json",
    "plugin.json",
];

const RULES: Rules = Rules {
    kinds: &["local", "url", "git-subdir", "npm"],
    bare: false,
};

/// How many folders below each other are looked into for skills.
const DEPTH_MAX: usize = 6;

pub const DIALECT: Dialect = Dialect {
    name: "codex",
    detect: |tree| catalogue::is_there(tree, CATALOGUE),
    list,
    load,
};

/// The parts of a catalogue whose types Codex insists on: one that is wrong costs the whole file, and so does a key that stands twice.
#[derive(Deserialize)]
#[expect(dead_code, reason = "read for the sake of their types")]
struct Strict {
    name: String,
    #[serde(default)]
    interface: Option<Interface>,
    plugins: Vec<StrictEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Interface {
    #[serde(default)]
    display_name: Option<String>,
}

#[derive(Deserialize)]
#[expect(dead_code, reason = "read for the sake of their types")]
struct StrictEntry {
    name: String,
    source: Value,
    #[serde(default)]
    policy: Policy,
    #[serde(default)]
    category: Option<String>,
}

#[derive(Default, Deserialize)]
struct Policy {
    #[serde(default)]
    installation: Installation,
    #[serde(default)]
    #[expect(dead_code, reason = "read for the sake of its type")]
    authentication: Authentication,
    #[serde(default)]
    products: Option<Vec<String>>,
}

#[derive(Default, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Installation {
    #[default]
    Available,
    InstalledByDefault,
    NotAvailable,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
enum Authentication {
    #[default]
    OnInstall,
    OnUse,
}

fn list(tree: &Tree) -> Result<Listing> {
    let file = match tree.kind(CATALOGUE)? {
        Some(Kind::File) => CATALOGUE,
        _ => FALLBACK,
    };
    let bytes = tree
        .read(file)?
        .with_context(|| format!("{tree} has no `{file}`"))
        .kind(Trouble::Request)?;
    let strict: Strict = serde_json::from_slice(&bytes)
        .with_context(|| format!("cannot read `{file}` of {tree}"))
        .kind(Trouble::Request)
        .hint("Codex reads plain JSON without a byte order mark, and refuses the file for one field of another type")?;
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    ensure!(
        !strict.name.is_empty() && strict.name.chars().all(plain),
        "`{}` of `{file}` is no name of a Codex marketplace: letters, digits, `_` and `-` are",
        strict.name.escape_debug()
    );
    let document = json::read(&bytes).map_err(|fault| anyhow!("cannot read `{file}`: {fault}"))?;
    let mut listing = catalogue::listing(file, &document, &RULES)?;
    if let Some(name) = strict
        .interface
        .and_then(|interface| interface.display_name)
    {
        listing.description = name;
    }
    Ok(listing)
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    if let Some(why) = withheld(&request.entry.value) {
        let oddity = Oddity::of_file(Severity::Note, "", why);
        let field = format!("{}.policy", request.entry.field);
        return Err(vec![oddity.at(request.entry.line, field)]);
    }
    let mut reading = Reading::new(request.folder);
    let Some(folder) = request.folder else {
        return reading.finish(request, about(request, None));
    };
    let manifest = manifest(request, folder).map_err(|oddity| vec![*oddity])?;
    reading
        .oddities
        .extend(manifest.document.oddities(&manifest.file));
    skills(&mut reading, folder, &manifest);
    servers(&mut reading, Some(&manifest), &[".mcp.json"]);
    hooks(&mut reading, &manifest);
    apps(&mut reading, &manifest);
    tell_what_codex_lacks(&mut reading);
    let mut about = about(request, Some(&manifest.document.value));
    let interface = manifest
        .document
        .value
        .get("interface")
        .unwrap_or(&Value::Null);
    let of_interface = |field| catalogue::text(interface, field).unwrap_or_default();
    if about.display_name.is_empty() {
        about.display_name = of_interface("displayName");
    }
    if about.category.is_empty() {
        about.category = of_interface("category");
    }
    reading.finish(request, about)
}

/// Returns why an entry is listed and yet cannot be installed.
fn withheld(entry: &Value) -> Option<String> {
    let policy: Policy = serde_json::from_value(entry.get("policy")?.clone()).ok()?;
    let is_for_nobody = policy.products.is_some_and(|products| products.is_empty());
    if policy.installation == Installation::NotAvailable {
        Some("its policy says that it is not available for installation".to_string())
    } else {
        is_for_nobody.then(|| "its policy names no product that it is for".to_string())
    }
}

/// Returns the manifest, without which Codex installs nothing, and which has to bear the entry's name.
fn manifest(request: &Request<'_>, folder: &Tree) -> Result<Manifest, Box<Oddity>> {
    let name = &request.entry.name;
    let Some(manifest) = find(folder, &MANIFESTS)? else {
        let oddity = Oddity::of_file(Severity::Error, MANIFESTS[0], "there is no plugin.json");
        let hint =
            format!("write one, with `\"name\": \"{name}\"`: Codex does not load a plugin without");
        return Err(Box::new(oddity.hint(hint)));
    };
    let own = catalogue::text(&manifest.document.value, "name").unwrap_or_default();
    if own != *name {
        let what = format!(
            "the name in the manifest, `{}`, is not that of the entry, `{name}`",
            own.escape_debug()
        );
        let oddity = Oddity::of_file(Severity::Error, &manifest.file, what);
        let line = manifest.document.line("/name");
        return Err(Box::new(
            oddity.at(line, "name").hint("give both the same name"),
        ));
    }
    Ok(manifest)
}

/// Adds the skills at any depth: those in `skills`, and those where the manifest says there are more.
fn skills(reading: &mut Reading<'_>, folder: &Tree, manifest: &Manifest) {
    let mut roots = paths(reading, Some(manifest), "skills", "skills");
    if !roots.iter().any(|root| root == "skills") && reading.kind("skills").is_some() {
        roots.insert(0, "skills".to_string());
    }
    for root in roots {
        skills_within(reading, folder, &root, 0);
    }
}

fn skills_within(reading: &mut Reading<'_>, tree: &Tree, folder: &str, depth: usize) {
    let name = folder.rsplit('/').next().unwrap_or(folder);
    reading.skill(folder, name);
    if depth == DEPTH_MAX {
        return;
    }
    for entry in tree.list(folder).unwrap_or_default() {
        if entry.kind == Kind::Folder && !entry.name.starts_with('.') {
            let below = format!("{folder}/{}", entry.name);
            skills_within(reading, tree, below.trim_start_matches('/'), depth + 1);
        }
    }
}

fn hooks(reading: &mut Reading<'_>, manifest: &Manifest) {
    if let Some(inline) = manifest
        .document
        .value
        .get("hooks")
        .and_then(Value::as_object)
    {
        return events(reading, &manifest.file, inline);
    }
    for file in paths(reading, Some(manifest), "hooks", "hooks/hooks.json") {
        reading.hooks_file(&file);
    }
}

/// Adds the connected apps of `.app.json`.
fn apps(reading: &mut Reading<'_>, manifest: &Manifest) {
    for file in paths(reading, Some(manifest), "apps", ".app.json") {
        let Some(Ok(Some(bytes))) = reading.tree.map(|tree| tree.read(&file)) else {
            continue;
        };
        match json::read(&bytes) {
            Ok(document) => {
                let apps = document.value.get("apps").and_then(Value::as_object);
                let names = apps
                    .into_iter()
                    .flatten()
                    .map(|(name, _)| format!("app:{name}"));
                reading.components.others.extend(names);
            }
            Err(fault) => reading.oddities.push(fault.oddity(&file)),
        }
    }
}

fn tell_what_codex_lacks(reading: &mut Reading<'_>) {
    for folder in ["commands", "agents"] {
        if reading.kind(folder) == Some(Kind::Folder) {
            let what = format!("Codex has no {folder}, and does not read the folder");
            reading.odd(Severity::Note, folder, what, "offer the same as skills");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::{read, tree};

    const SKILL: &str = "---\nname: s\ndescription: d\n---\n";

    #[test]
    fn a_plugin_needs_a_manifest_of_its_name() {
        let catalogue = r#"{"name": "m", "plugins": [
            {"name": "a", "source": {"source": "local", "path": "./a"}, "category": "X"},
            {"name": "b", "source": "./b"},
            {"name": "c", "source": "./c"},
            {"name": "d", "source": "./a", "policy": {"installation": "NOT_AVAILABLE"}},
            {"name": "e", "source": {"source": "npm", "package": "@o/p"}},
            {"name": "f", "source": {"source": "github", "repo": "o/r"}},
            {"name": "a", "source": "./b"}]}"#;
        let read = read(
            &DIALECT,
            &[
                (CATALOGUE, catalogue),
                (
                    "a/.codex-plugin/plugin.json",
                    r#"{"name": "a", "apps": "./.app.json", "interface": {"displayName": "An A"}}"#,
                ),
                ("a/skills/s/SKILL.md", SKILL),
                ("a/skills/s/deep/SKILL.md", SKILL),
                ("a/.app.json", r#"{"apps": {"mail": {"id": "x"}}}"#),
                (
                    "a/.mcp.json",
                    r#"{"mcpServers": {"x": {"url": "https://example.org/mcp"}}}"#,
                ),
                ("a/commands/c.md", "text"),
                ("b/.claude-plugin/plugin.json", r#"{"name": "other"}"#),
                ("c/skills/s/SKILL.md", SKILL),
            ],
        );
        assert_eq!(read.shown(), ["a skill:s skill:deep mcp:x app:mail", "e"]);
        assert!(read.plugins[0].words.name.contains("An A"));
        assert_eq!(read.plugins[0].plugin.category, "X");
        let refused: Vec<_> = read.refused.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(refused, ["b", "c", "d"]);
        assert_eq!(
            read.listing.oddities.len(),
            2,
            "{:?}",
            read.listing.oddities
        );
    }

    #[test]
    fn one_field_of_another_type_costs_the_file() {
        let good = r#"{"name": "m", "plugins": [{"name": "a", "source": "./a"}]}"#;
        for (catalogue, is_read) in [
            (good.to_string(), true),
            (format!("\u{feff}{good}"), false),
            (good.replace("\"m\"", "\"m m\""), false),
            (
                good.replace("\"name\": \"m\"", "\"name\": \"m\", \"name\": \"n\""),
                false,
            ),
            (good.replace("\"name\": \"a\", ", ""), false),
            (
                good.replace(
                    "\"./a\"",
                    "\"./a\", \"policy\": {\"installation\": \"MAYBE\"}",
                ),
                false,
            ),
            (good.replace("[{", "[3, {"), false),
        ] {
            let (_folder, tree) = tree(&[(CATALOGUE, &catalogue)]);
            assert_eq!(list(&tree).is_ok(), is_read, "{catalogue}");
        }
    }
}
