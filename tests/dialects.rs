//! The dialects against real marketplaces and recorded answers: `ORCHESTRATE_CORPORA=.. cargo test --test dialects -- --ignored`.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use orchestrate::catalog::{self, DIALECTS, Dialect, Listing, Loaded};
use orchestrate::model::{Oddity, Place, Severity};
use orchestrate::tree::Tree;
use serde_json::Value;

fn corpora(path: &str) -> PathBuf {
    let folder = std::env::var_os("ORCHESTRATE_CORPORA")
        .expect("ORCHESTRATE_CORPORA names the folder of the unpacked corpora");
    Path::new(&folder).join(path)
}

fn tree(path: &str) -> Tree {
    Tree::folder(&corpora(path)).unwrap()
}

fn dialect(name: &str) -> &'static Dialect {
    DIALECTS
        .iter()
        .find(|dialect| dialect.name == name)
        .unwrap()
}

/// A marketplace that was read as a whole.
struct Read {
    listing: Listing,
    plugins: Vec<Loaded>,
    refused: Vec<(String, Vec<Oddity>)>,
}

fn read(dialect: &Dialect, tree: &Tree) -> Read {
    let listing = (dialect.list)(tree).unwrap();
    let (mut plugins, mut refused) = (Vec::new(), Vec::new());
    for entry in &listing.entries {
        match catalog::load(dialect, tree, "m", entry) {
            Ok(loaded) => plugins.push(loaded),
            Err(oddities) => refused.push((entry.name.clone(), oddities)),
        }
    }
    Read {
        listing,
        plugins,
        refused,
    }
}

/// What a marketplace holds: its dialect, then entries in it, entries elsewhere, skills, commands and agents that load, servers.
///
/// The files on disk are more, and these are why:
/// - wshobson-agents: 181 skills and 202 agents, of which Claude refuses `pptx-deck-creation` with 5 skills and an agent.
/// - claude-code-plugins-plus-skills: 838 skills, of which Claude refuses `langfuse-pack` with 24; the folder of `axiom` is a submodule;
///   it refuses `travel-assistant` too, with 6 commands and 4 agents, for hooks that are no object.
/// - knowledge-work-plugins: 212 skills, of which 27 stand deeper than one folder below `skills`, where Claude does not look.
/// - claude-code-templates: 423 agents, of which one is a README and one is in a second catalogue within the first; `loops` count as commands.
/// - openai-plugins: 42 commands and 9 agents, and Codex has neither.
/// - cursor-plugins: 82 skills, of which 3 are in `automations`, which no manifest names.
/// - awesome-copilot: 402 skills and 224 agents stand beside the plugins, which name 163 and 112 of them as theirs.
/// - mcp-registry: 471 servers of the seed, of which 7 have no name, and 4 of files.
const COUNTS: [(&str, &str, [usize; 6]); 16] = include!("dialects/counts.in");

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn all_marketplaces_load_with_what_was_counted_in_them() {
    let mut wrong = Vec::new();
    for (folder, name, expected) in COUNTS {
        let tree = tree(&format!("marketplaces/{folder}"));
        let dialect = catalog::dialect(&tree).unwrap();
        let read = read(dialect, &tree);
        let all = |count: fn(&Loaded) -> usize| read.plugins.iter().map(count).sum::<usize>();
        let inside = read
            .listing
            .entries
            .iter()
            .filter(|entry| matches!(entry.place, Place::Inside(_)))
            .count();
        let found = [
            inside,
            read.listing.entries.len() - inside,
            all(|loaded| loaded.plugin.components.skills.len()),
            all(|loaded| loaded.plugin.components.commands.len()),
            all(|loaded| loaded.plugin.components.agents.len()),
            all(|loaded| loaded.plugin.components.mcp_servers.len()),
        ];
        if (dialect.name, found) != (name, expected) {
            let name_found = dialect.name;
            wrong.push(format!(
                "{folder}: {name_found} {found:?}, expected {name} {expected:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn no_entry_is_lost_but_those_without_a_name() {
    for (folder, _, _) in COUNTS {
        let tree = tree(&format!("marketplaces/{folder}"));
        let listing = (catalog::dialect(&tree).unwrap().list)(&tree).unwrap();
        let errors = listing
            .oddities
            .iter()
            .filter(|oddity| oddity.severity == Severity::Error);
        let what: Vec<_> = errors.map(|oddity| oddity.what.as_str()).collect();
        let nameless = if folder == "mcp-registry" { 7 } else { 0 };
        assert_eq!(what, vec!["the server has no name"; nameless], "{folder}");
    }
}

fn expected() -> Value {
    let text = std::fs::read(corpora("synthetic/expected.json")).unwrap();
    serde_json::from_slice(&text).unwrap()
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn codex_lists_and_installs_what_it_was_recorded_to() {
    let expected = &expected()["codex-entries"];
    let tree = tree("synthetic/codex-entries");
    let read = read(dialect("codex"), &tree);
    let listed: Vec<_> = read
        .listing
        .entries
        .iter()
        .map(|entry| entry.name.as_str())
        .collect();
    let available: Vec<_> = expected["available"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["name"].as_str().unwrap())
        .collect();
    assert_eq!(listed, available);
    let loaded: BTreeSet<_> = read
        .plugins
        .iter()
        .map(|loaded| loaded.plugin.id.name.as_str())
        .collect();
    for (name, result) in expected["entries"].as_object().unwrap() {
        assert_eq!(
            loaded.contains(name.as_str()),
            result["rc"] == 0,
            "{name}: {result} {:?}",
            read.refused
        );
    }
    let missing = |name: &str| {
        read.refused
            .iter()
            .find(|(refused, _)| refused == name)
            .unwrap()
            .1[0]
            .what
            .clone()
    };
    assert!(missing("nomanifest").contains("plugin.json"));
    assert!(missing("c").contains("`c-manifest-name`"));
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn codex_accepts_and_refuses_the_catalogues_that_it_was_recorded_to() {
    for (case, result) in expected()["marketplace-json"].as_object().unwrap() {
        let tree = tree(&format!("synthetic/marketplace-json/{case}"));
        let listed = (dialect("codex").list)(&tree);
        assert_eq!(
            listed.is_ok(),
            result["codex_add"]["rc"] == 0,
            "{case}: {listed:?} {}",
            result["codex_add"]
        );
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn a_skill_with_hidden_orders_loads_with_warnings_that_say_so() {
    let tree = tree("hostile/dev/d36-hidden-comment");
    let read = read(catalog::dialect(&tree).unwrap(), &tree);
    let warnings: Vec<_> = read.plugins[0]
        .plugin
        .oddities
        .iter()
        .filter(|oddity| oddity.severity == Severity::Warning)
        .map(|oddity| (oddity.line, oddity.what.as_str()))
        .collect();
    assert!(
        warnings
            .iter()
            .any(|(line, what)| *line == Some(9) && what.contains("comment")),
        "{warnings:?}"
    );
    assert!(
        warnings
            .iter()
            .any(|(line, what)| *line == Some(10) && what.contains("base64")),
        "{warnings:?}"
    );
}
