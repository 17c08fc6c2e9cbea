//! What Claude Code loads, and what its validation says, as recorded for real marketplaces and made-up edge cases.
//!
//! The recordings are other people's data, which is not part of this project: `ORCHESTRATE_CORPORA` names the folder.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use orchestrate::catalog::{self, Loaded};
use orchestrate::model::{Oddity, Place};
use orchestrate::tree::Tree;
use serde_json::Value;

fn corpora() -> PathBuf {
    let folder = std::env::var("ORCHESTRATE_CORPORA");
    folder
        .expect(
            "ORCHESTRATE_CORPORA names the folder with `marketplaces/`, `oracle/` and `synthetic/`",
        )
        .into()
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(corpora().join(path)).unwrap()).unwrap()
}

fn tree(path: &str) -> Tree {
    Tree::folder(&corpora().join(path)).unwrap()
}

/// Reads all plugins of a marketplace that are in it.
fn load(path: &str) -> (Vec<Loaded>, Vec<Oddity>) {
    let tree = tree(path);
    let dialect = catalog::dialect(&tree).unwrap();
    let listing = (dialect.list)(&tree).unwrap();
    let mut oddities = listing.oddities;
    let mut plugins = Vec::new();
    for entry in &listing.entries {
        match catalog::load(dialect, &tree, "m", entry) {
            Ok(loaded) if matches!(loaded.plugin.place, Place::Inside(_)) => plugins.push(loaded),
            Ok(_) => {}
            Err(found) => oddities.extend(found),
        }
    }
    (plugins, oddities)
}

fn strings(value: &Value) -> Vec<String> {
    let items = value.as_array().unwrap().iter();
    items
        .map(|item| item.as_str().unwrap().to_string())
        .collect()
}

fn set(names: impl IntoIterator<Item = String>) -> BTreeSet<String> {
    names.into_iter().collect()
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn explore() {
    for entry in fs::read_dir(corpora().join("oracle")).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name
            .strip_suffix(".json")
            .filter(|n| !n.contains("validate"))
        else {
            continue;
        };
        let oracle = json(&format!("oracle/{name}.json"));
        let (plugins, oddities) = load(&format!("marketplaces/{name}"));
        println!("== {name}: {} plugins", plugins.len());
        for o in oddities
            .iter()
            .filter(|o| o.severity == orchestrate::model::Severity::Error)
        {
            println!("   ODD {o:?}");
        }
        let names =
            |pick: fn(&orchestrate::model::Components) -> Vec<&orchestrate::model::Component>| {
                set(plugins.iter().flat_map(|l| {
                    pick(&l.plugin.components)
                        .into_iter()
                        .map(|c| format!("{}:{}", l.plugin.namespace, c.name))
                        .collect::<Vec<_>>()
                }))
            };
        let all = names(|c| c.skills.iter().chain(&c.commands).collect());
        let skills = names(|c| {
            c.skills
                .iter()
                .filter(|s| !s.description.is_empty())
                .collect()
        });
        let agents = names(|c| c.agents.iter().collect());
        let ours_plugins = set(plugins.iter().map(|l| l.plugin.namespace.clone()));
        for (field, ours) in [
            ("slash_commands", all),
            ("skills", skills),
            ("agents", agents),
            ("plugins", ours_plugins),
        ] {
            let v = &oracle["init"][field];
            let theirs = set(v
                .as_array()
                .unwrap()
                .iter()
                .map(|p| p.as_str().or(p["name"].as_str()).unwrap().to_string()));
            let a: Vec<_> = ours.difference(&theirs).collect();
            let b: Vec<_> = theirs.difference(&ours).collect();
            println!(
                "   {field}: {} theirs {}; only ours {} {:?}; only theirs {} {:?}",
                ours.len(),
                theirs.len(),
                a.len(),
                &a[..a.len().min(8)],
                b.len(),
                &b[..b.len().min(8)]
            );
        }
    }
}
