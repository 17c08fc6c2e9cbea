//! The embedded taxonomy: what its files say fits together, and is what the binary carries.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use orchestrate::model::{Stage, Taxonomy};
use orchestrate::{rank, store, tree};

/// The files of `templates/taxonomy`, each with its name and text, sorted.
fn files() -> Vec<(String, Vec<u8>)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("templates/taxonomy");
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let mut files: Vec<(String, Vec<u8>)> = entries
        .map(|path| {
            let name = path.file_name().unwrap().to_str().unwrap().to_string();
            (name, fs::read(&path).unwrap())
        })
        .collect();
    files.sort();
    files
}

fn embedded() -> Taxonomy {
    let (_, json) = tree::embedded("taxonomy.json").next().unwrap();
    store::embedded_taxonomy(json).unwrap()
}

#[test]
fn nothing_stands_twice_and_every_name_is_known() {
    let mut taxonomy = Taxonomy::default();
    store::extend_taxonomy(&mut taxonomy, &files()).unwrap();
    assert!(taxonomy.capabilities.len() >= 350);
    // What the build has made of the files is what their strict reader reads.
    assert_eq!(taxonomy, embedded());
}

#[test]
fn a_file_is_named_after_its_domain() {
    for (name, text) in files() {
        let domain = store::read_taxonomy(&name, &text).unwrap();
        assert_eq!(name, format!("{}.yaml", domain.domain));
    }
}

#[test]
fn each_capability_can_be_asked_for_in_words_and_in_signs() {
    for (capability, meaning) in &embedded().capabilities {
        assert!(!meaning.words.is_empty(), "{capability}");
        assert!((3..=10).contains(&meaning.signs.len()), "{capability}");
        for said in meaning.words.iter().chain(&meaning.technologies) {
            assert_eq!(*said, said.to_lowercase(), "{capability}");
        }
        for said in meaning.words.iter().chain(&meaning.signs) {
            assert_eq!(said.split_whitespace().collect::<Vec<_>>().join(" "), *said);
        }
        // One word is a name; a sign is what somebody says who has no name for it.
        assert!(
            meaning.signs.iter().all(|sign| sign.contains(' ')),
            "{capability}"
        );
    }
}

#[test]
fn kinds_stand_in_for_each_other_in_two_families_alone() {
    let taxonomy = embedded();
    let families: BTreeSet<&str> = taxonomy
        .capabilities
        .keys()
        .filter(|capability| capability.as_str() != capability.family())
        .map(|capability| capability.family())
        .filter(|family| taxonomy.capabilities.contains_key(&family.parse().unwrap()))
        .collect();
    assert_eq!(families.into_iter().collect::<Vec<_>>(), ["auth", "cache"]);
}

#[test]
fn no_sign_stands_twice() {
    let mut seen = BTreeMap::new();
    for (capability, meaning) in &embedded().capabilities {
        for sign in &meaning.signs {
            let other = seen.insert(sign.clone(), capability.clone());
            assert_eq!(other, None, "`{sign}` is a sign of {capability} too");
        }
    }
}

#[test]
fn technologies_go_by_one_name() {
    let taxonomy = embedded();
    let names: BTreeSet<&String> = taxonomy
        .technologies
        .values()
        .flat_map(BTreeMap::keys)
        .collect();
    assert!(names.len() >= 150);
    for (name, technology) in taxonomy.technologies.values().flatten() {
        for other in &technology.also {
            assert!(
                !names.contains(other),
                "`{other}` is a technology, and another name of `{name}`"
            );
            assert_eq!(taxonomy.technology(other), Some(name.as_str()));
        }
    }
    for (capability, meaning) in &taxonomy.capabilities {
        for name in &meaning.technologies {
            let known = taxonomy.technology(name);
            assert!(
                known.is_none_or(|known| known == name),
                "{capability}: {name} is {known:?}"
            );
        }
    }
}

#[test]
fn the_rules_of_a_sequence_agree_with_the_stages_of_building() {
    let taxonomy = embedded();
    let early = |stage| stage <= Stage::Structure;
    for (capability, meaning) in &taxonomy.capabilities {
        for earlier in &meaning.after {
            let (before, after) = (taxonomy.stage(earlier), meaning.stage);
            // Within one plan, nothing that lays the ground waits for what is only done once something runs.
            assert!(
                !(early(after) && before >= Stage::Document),
                "{capability} after {earlier}"
            );
        }
    }
}

#[test]
fn a_technology_is_named_as_people_write_it() {
    let taxonomy = embedded();
    let named = |text: &str| -> Vec<String> {
        let named = rank::technologies(text, &taxonomy);
        named.into_iter().map(str::to_string).collect()
    };
    assert_eq!(named("a service in Go with Postgres"), ["go", "postgresql"]);
    assert_eq!(named("let it go on K8s"), ["kubernetes"]);
    assert_eq!(named("Go through the code"), Vec::<String>::new());
}
