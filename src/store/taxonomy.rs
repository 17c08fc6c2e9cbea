//! The taxonomy's files: the embedded ones in one piece, and a repository's own over them.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, bail};

use super::schema;
use crate::model::{Capability, Domain, Taxonomy};
use crate::yaml;

/// Returns the domain in `text`, which stands at `file`.
pub fn read_taxonomy(file: &str, text: &[u8]) -> Result<Domain> {
    schema::check(file, text)?;
    yaml::parse(file, text)
}

/// Returns the taxonomy of the embedded domains, which the build has put into one JSON text.
pub fn embedded_taxonomy(json: &[u8]) -> Result<Taxonomy> {
    let domains: Vec<Domain> =
        serde_json::from_slice(json).context("cannot read the embedded taxonomy")?;
    let mut taxonomy = Taxonomy::default();
    domains.into_iter().for_each(|domain| taxonomy.add(domain));
    Ok(taxonomy)
}

/// Adds files, each with its name and text, which have the say over what is there; refuses what stands twice among them, and
/// what does not fit together.
pub fn extend_taxonomy(taxonomy: &mut Taxonomy, files: &[(String, Vec<u8>)]) -> Result<()> {
    if files.is_empty() {
        return Ok(());
    }
    let mut domains = Vec::new();
    for (file, text) in files {
        domains.push((file.as_str(), read_taxonomy(file, text)?));
    }
    let place = |name: &str, phrase: &str| place(files, name, phrase);
    twice(&domains, &place)?;
    domains
        .into_iter()
        .for_each(|(_, domain)| taxonomy.add(domain));
    match taxonomy.faults().first() {
        None => Ok(()),
        Some(fault) => Err(anyhow!("{fault}, at {}", place(fault.name(), "")))
            .context("the taxonomy does not fit together"),
    }
}

/// Refuses a capability, a phrase or a technology's other name that stands twice.
fn twice(domains: &[(&str, Domain)], place: &dyn Fn(&str, &str) -> String) -> Result<()> {
    let mut files: BTreeMap<&Capability, &str> = BTreeMap::new();
    let mut phrases: BTreeMap<&str, &str> = BTreeMap::new();
    let mut names: BTreeMap<&str, &str> = BTreeMap::new();
    for (file, domain) in domains {
        for (capability, meaning) in &domain.capabilities {
            if let Some(other) = files.insert(capability, file) {
                bail!("the capability `{capability}` stands in `{other}` and in `{file}`");
            }
            for phrase in &meaning.words {
                if let Some(other) = phrases.insert(phrase, capability.as_str()) {
                    bail!(
                        "the phrase `{phrase}` asks for `{other}` at {}, and for `{capability}` at {}",
                        place(other, phrase),
                        place(capability.as_str(), phrase)
                    );
                }
            }
        }
        for (name, technology) in domain.technologies.values().flatten() {
            for other_name in &technology.also {
                if let Some(other) = names.insert(other_name, name).filter(|other| other != name) {
                    bail!(
                        "`{other_name}` is another name of `{other}` at {}, and of `{name}` at {}",
                        place(other, other_name),
                        place(name, other_name)
                    );
                }
            }
        }
    }
    Ok(())
}

/// Returns where `phrase` stands in what is said of `name`, as file and line; the whole taxonomy where no file has it.
fn place(files: &[(String, Vec<u8>)], name: &str, phrase: &str) -> String {
    for (file, text) in files {
        let text = String::from_utf8_lossy(text);
        let Some(first) = text.lines().position(|line| is_key(line, name)) else {
            continue;
        };
        let below = text
            .lines()
            .skip(first)
            .position(|line| line.contains(phrase));
        let number = first + below.unwrap_or_default();
        return format!("`{file}` line {}", number + 1);
    }
    "a domain that is embedded".to_string()
}

fn is_key(line: &str, name: &str) -> bool {
    let after = line.trim_start().trim_start_matches('"').strip_prefix(name);
    after.is_some_and(|rest| rest.trim_start_matches('"').starts_with(':'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn complaint(texts: &[&str]) -> String {
        let files: Vec<(String, Vec<u8>)> = texts
            .iter()
            .zip(["a.yaml", "b.yaml"])
            .map(|(text, name)| {
                (
                    name.to_string(),
                    format!("schema: 1\ndomain: d\n{text}").into_bytes(),
                )
            })
            .collect();
        let done = extend_taxonomy(&mut Taxonomy::default(), &files);
        done.err()
            .map(|error| format!("{error:#}"))
            .unwrap_or_default()
    }

    #[test]
    fn what_stands_twice_is_named_with_its_places() {
        let one = "capabilities:\n  x.y:\n    title: t\n    stage: feature\n    words: [do it]\n";
        let other = "capabilities:\n  x.z:\n    title: t\n    stage: feature\n    words:\n      - more\n      - do it\n";
        assert_eq!(complaint(&[one]), "");
        assert_eq!(
            complaint(&[one, one]),
            "the capability `x.y` stands in `a.yaml` and in `b.yaml`"
        );
        assert_eq!(
            complaint(&[one, other]),
            "the phrase `do it` asks for `x.y` at `a.yaml` line 7, and for `x.z` at `b.yaml` line 9"
        );
        let names = "technologies:\n  k:\n    a: {also: [c]}\n    b: {also: [c]}\n";
        assert_eq!(
            complaint(&[names]),
            "`c` is another name of `a` at `a.yaml` line 5, and of `b` at `a.yaml` line 6"
        );
    }

    #[test]
    fn what_does_not_fit_together_is_named_with_its_place() {
        assert_eq!(
            complaint(&[
                "capabilities:\n  x:\n    title: t\n    stage: feature\n    after: [gone]\n"
            ]),
            "the taxonomy does not fit together: `x`: after: there is no capability `gone`, at `a.yaml` line 4"
        );
        let said =
            complaint(&["capabilities:\n  x:\n    title: t\n    stage: feature\n    wrods: [a]\n"]);
        assert!(
            said.contains("`a.yaml`") && said.contains("wrods") && said.contains("line 7"),
            "{said}"
        );
    }
}
