//! A bare folder of Agent Skills: each folder with a `SKILL.md`, at any depth, is a plugin with that one skill.

use anyhow::Result;
use serde_json::{Map, Value};

use super::conventional::about;
use super::folders::{self, Found, Look, last};
use super::plugin::Reading;
use super::{Dialect, Listing, Loaded, Request, catalogue, frontmatter};
use crate::model::{Oddity, Severity};
use crate::tree::{Kind, Tree};

const FILE: &str = "SKILL.md";

/// How many lines the standard advises a skill to have at most.
const LINES_MAX: usize = 500;

/// The fields of the standard.
const FIELDS: [&str; 6] = [
    "name",
    "description",
    "license",
    "compatibility",
    "metadata",
    "allowed-tools",
];

pub const DIALECT: Dialect = Dialect {
    name: "agent-skills",
    detect: |tree| !holders(tree, 1).folders.is_empty(),
    list,
    load,
};

fn list(tree: &Tree) -> Result<Listing> {
    Ok(holders(tree, usize::MAX).listing(|| own_name(tree)))
}

/// Returns the folders with a skill.
fn holders(tree: &Tree, limit: usize) -> Found {
    folders::find(tree, limit, |_, entries| {
        let skill = entries.iter().find(|entry| entry.name == FILE);
        match skill.is_some_and(|entry| entry.kind == Kind::File) {
            true => Look::TakeAndEnter,
            false => Look::Enter,
        }
    })
}

/// Returns the name of a skill that is the whole tree: only its frontmatter can tell.
fn own_name(tree: &Tree) -> String {
    let fields = fields(tree, FILE).map(|(fields, _)| fields);
    let name = fields.and_then(|fields| Some(fields.get("name")?.as_str()?.to_string()));
    name.unwrap_or_else(|| "skill".to_string())
}

fn fields(tree: &Tree, file: &str) -> Option<(Map<String, Value>, usize)> {
    let bytes = tree.read(file).ok()??;
    let text = String::from_utf8_lossy(&bytes);
    Some((frontmatter::read(file, &text).fields, text.lines().count()))
}

fn load(request: &Request<'_>) -> Result<Loaded, Vec<Oddity>> {
    catalogue::is_present(request)?;
    let name = last(&request.entry.name);
    let mut reading = Reading::new(request.folder);
    if !reading.skill("", name) {
        reading.odd(Severity::Error, FILE, "there is no skill", "");
        return Err(reading.oddities);
    }
    check(&mut reading, request.folder, FILE, name);
    let mut about = about(request, None);
    about.namespace = name.to_string();
    about.description = reading
        .components
        .skills
        .first()
        .map(|skill| skill.description.clone())
        .unwrap_or_default();
    reading.finish(request, about)
}

/// Notes where a skill is not as the standard wants it; agents load it all the same.
pub fn check(reading: &mut Reading<'_>, tree: Option<&Tree>, file: &str, folder: &str) {
    let Some((fields, lines)) = tree.and_then(|tree| fields(tree, file)) else {
        return;
    };
    let mut broken = rules(&fields, folder);
    if lines > LINES_MAX {
        broken.push(format!(
            "it has {lines} lines, and at most {LINES_MAX} are advised"
        ));
    }
    if !broken.is_empty() {
        let what = format!(
            "the Agent Skills standard wants it otherwise: {}",
            broken.join("; ")
        );
        reading.odd(
            Severity::Note,
            file,
            what,
            "mend it, for agents that keep to the standard",
        );
    }
}

/// Returns the rules that the fields of a skill break.
fn rules(fields: &Map<String, Value>, folder: &str) -> Vec<String> {
    let mut broken = Vec::new();
    match fields.get("name").and_then(Value::as_str) {
        None => broken.push("it has no `name`".to_string()),
        Some(name) if !is_name(name) => broken.push(format!(
            "the name `{}` is not of 1 to 64 `a-z`, `0-9` and single `-`",
            name.escape_debug()
        )),
        Some(name) if name != folder => {
            broken.push(format!("its name, `{name}`, is not that of its folder"))
        }
        Some(_) => {}
    }
    match fields
        .get("description")
        .and_then(Value::as_str)
        .map(|text| text.chars().count())
    {
        None | Some(0) => broken.push("it has no `description`".to_string()),
        Some(length) if length > 1024 => broken.push(format!(
            "its description has {length} characters, and 1024 are allowed"
        )),
        Some(_) => {}
    }
    let strange: Vec<_> = fields
        .keys()
        .filter(|key| !FIELDS.contains(&key.as_str()))
        .collect();
    if let Some(first) = strange.first() {
        let more = match strange.len() - 1 {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        broken.push(format!(
            "`{}`{more} is no field of it",
            first.escape_debug()
        ));
    }
    if fields
        .get("allowed-tools")
        .is_some_and(|tools| !tools.is_string())
    {
        broken.push("`allowed-tools` is not a text".to_string());
    }
    let texts = |map: &Map<String, Value>| map.values().all(Value::is_string);
    if fields
        .get("metadata")
        .is_some_and(|metadata| !metadata.as_object().is_some_and(texts))
    {
        broken.push("`metadata` is not an object of texts".to_string());
    }
    broken
}

fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    (1..=64).contains(&name.len())
        && name.chars().all(|c| plain(c) || c == '-')
        && name.starts_with(plain)
        && name.ends_with(plain)
        && !name.contains("--")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::fixture::read;

    #[test]
    fn each_skill_is_a_plugin_wherever_it_is() {
        let good = "---\nname: a\ndescription: d\n---\n";
        let read = read(
            &DIALECT,
            &[
                ("a/SKILL.md", good),
                (
                    ".claude/skills/b/SKILL.md",
                    "---\nname: B\nauthor: x\ntags: [y]\n---\n",
                ),
                ("x/c/SKILL.md", good),
                ("y/c/SKILL.md", good),
                ("node_modules/d/SKILL.md", good),
                ("e e/SKILL.md", good),
            ],
        );
        assert_eq!(
            read.shown(),
            ["b skill:b", "a skill:a", "x/c skill:c", "y/c skill:c"]
        );
        let notes: Vec<_> = read.plugins[0]
            .plugin
            .oddities
            .iter()
            .filter(|oddity| oddity.what.contains("standard"))
            .collect();
        assert_eq!(notes.len(), 1);
        assert!(
            notes[0].what.contains("`author` and 1 more is no field"),
            "{}",
            notes[0].what
        );
        assert!(read.listing.oddities[0].what.contains("e e"));
    }

    #[test]
    fn a_tree_that_is_one_skill_is_called_by_itself() {
        let read = read(
            &DIALECT,
            &[("SKILL.md", "---\nname: my-skill\ndescription: d\n---\n")],
        );
        assert_eq!(read.shown(), ["my-skill skill:my-skill"]);
        assert_eq!(read.plugins[0].plugin.description, "d");
    }
}
