//! A catalogue file with a `name` and a list of `plugins`: what the dialects that have one share.

use std::collections::BTreeSet;

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::Value;

use super::json::{self, Document};
use super::place::{Rules, place};
use super::{Entry, Listing, Request, frontmatter, hidden};
use crate::model::{Hint, Oddity, PluginId, Severity, Trouble};
use crate::tree::{Kind, Tree};

/// The most entries that a catalogue may have.
pub const ENTRIES_MAX: usize = 500_000;

/// Says whether the file is there and is a catalogue: others use the same name for lists of their own. One that is no JSON counts, so that
/// its error is told.
pub fn is_there(tree: &Tree, file: &str) -> bool {
    match tree.read(file) {
        Ok(Some(bytes)) => json::read(&bytes)
            .map(|document| !document.value.is_object() || document.value.get("plugins").is_some())
            .unwrap_or(true),
        Ok(None) => false,
        Err(_) => matches!(tree.kind(file), Ok(Some(Kind::File))),
    }
}

/// Reads the JSON of a catalogue.
pub fn document(tree: &Tree, file: &str) -> Result<(Vec<u8>, Document)> {
    let bytes = tree
        .read(file)?
        .with_context(|| format!("{tree} has no `{file}`"))
        .kind(Trouble::Request)?;
    let document = json::read(&bytes)
        .map_err(|fault| anyhow!("`{file}` of {tree} is not JSON: {fault}"))
        .kind(Trouble::Request)?;
    Ok((bytes, document))
}

/// Reads a catalogue entry by entry: one that is wrong is an oddity, and costs nothing else.
pub fn list(tree: &Tree, file: &str, rules: &Rules) -> Result<Listing> {
    let (_, document) = document(tree, file)?;
    listing(file, &document, rules).with_context(|| format!("cannot read `{file}` of {tree}"))
}

/// Does as `list` for a file that was read already.
pub fn listing(file: &str, document: &Document, rules: &Rules) -> Result<Listing> {
    let root = &document.value;
    let plugins = root
        .get("plugins")
        .and_then(Value::as_array)
        .with_context(|| format!("`plugins` is no list in this {}", frontmatter::kind(root)))
        .kind(Trouble::Request)
        .hint("a catalogue is written `{\"name\": \"..\", \"plugins\": [{\"name\": \"..\", \"source\": \"..\"}]}`")?;
    ensure!(
        plugins.len() <= ENTRIES_MAX,
        "more than {ENTRIES_MAX} entries"
    );
    let mut listing = Listing {
        name: name(root),
        description: text(root, "description")
            .or_else(|| text(root.get("metadata")?, "description"))
            .unwrap_or_default(),
        oddities: document.oddities(file),
        ..Listing::default()
    };
    let lines = document.item_lines("plugins");
    let mut names = BTreeSet::new();
    for (index, value) in plugins.iter().enumerate() {
        let line = lines.get(index).copied();
        match entry(index, line, value, rules) {
            Ok(entry) if names.insert(entry.name.to_lowercase()) => listing.entries.push(entry),
            Ok(entry) => {
                let what = format!(
                    "a plugin `{}` is listed already, and the first one stays",
                    entry.name
                );
                let oddity =
                    Oddity::of_file(Severity::Error, file, what).hint("give it another name");
                listing
                    .oddities
                    .push(oddity.at(line, format!("plugins[{index}].name")));
            }
            Err((field, error)) => {
                let oddity = Oddity::of_file(Severity::Error, file, format!("{error:#}"));
                let field = format!("plugins[{index}]{field}");
                listing.oddities.push(
                    oddity
                        .at(line, field)
                        .hint("mend the entry: the others are read without it"),
                );
            }
        }
    }
    Ok(listing)
}

/// Returns what the catalogue calls its marketplace, where that can be a name.
fn name(root: &Value) -> Option<String> {
    text(root, "name").filter(|name| PluginId::try_from(format!("plugin@{name}")).is_ok())
}

fn entry(
    index: usize,
    line: Option<u32>,
    value: &Value,
    rules: &Rules,
) -> Result<Entry, (&'static str, anyhow::Error)> {
    let at = |field| move |error| (field, error);
    (|| {
        ensure!(
            value.is_object(),
            "the entry is {} rather than an object",
            frontmatter::kind(value)
        );
        Ok(())
    })()
    .map_err(at(""))?;
    let name = text(value, "name")
        .context("the entry has no `name`")
        .map_err(at(".name"))?;
    named(&name).map_err(at(".name"))?;
    let description = text(value, "description").unwrap_or_default();
    if let Some(why) = hidden::refused(&description) {
        return Err((".description", anyhow!("the description of `{name}` {why}")));
    }
    let source = value
        .get("source")
        .context("the entry has no `source`")
        .map_err(at(".source"))?;
    Ok(Entry {
        place: place(source, rules).map_err(at(".source"))?,
        name,
        field: format!("plugins[{index}]"),
        line,
        value: value.clone(),
    })
}

/// Says why the text cannot be the name of an entry.
pub fn named(name: &str) -> Result<()> {
    if let Some(why) = hidden::refused(name) {
        return Err(anyhow!("the name `{}` {why}", name.escape_debug()));
    }
    let is_word = !name.contains(['/', '@']) && PluginId::try_from(format!("{name}@m")).is_ok();
    ensure!(
        is_word,
        "`{}` is no name of a plugin: letters, digits, `.`, `_` and `-` are",
        name.escape_debug()
    );
    Ok(())
}

/// Says that a plugin of the marketplace has a folder, or why it is not read.
pub fn is_present(request: &Request<'_>) -> Result<(), Vec<Oddity>> {
    let what = match request.folder.map(|folder| folder.kind("")) {
        None | Some(Ok(Some(Kind::Folder))) => return Ok(()),
        Some(Ok(Some(Kind::Submodule))) => {
            "it is a submodule, whose files are elsewhere".to_string()
        }
        Some(Ok(Some(_))) => "it is no folder".to_string(),
        Some(Ok(None)) => "there is no such folder".to_string(),
        Some(Err(error)) => format!("{error:#}"),
    };
    let oddity = Oddity::of_file(Severity::Error, "", what);
    Err(vec![oddity.at(
        request.entry.line,
        format!("{}.source", request.entry.field),
    )])
}

/// Returns a field that is a text with something in it.
pub fn text(value: &Value, field: &str) -> Option<String> {
    let text = value.get(field)?.as_str()?.trim();
    (!text.is_empty()).then(|| text.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::place::tests::LOCAL;

    #[track_caller]
    fn check(catalogue: &str, names: &[&str], oddities: &[(u32, &str, &str)]) {
        let document = json::read(catalogue.as_bytes()).unwrap();
        let listing = listing("m.json", &document, &LOCAL).unwrap();
        let found: Vec<_> = listing
            .entries
            .iter()
            .map(|entry| entry.name.as_str())
            .collect();
        assert_eq!(found, names);
        assert_eq!(
            listing.oddities.len(),
            oddities.len(),
            "{:?}",
            listing.oddities
        );
        for (oddity, (line, field, part)) in listing.oddities.iter().zip(oddities) {
            assert_eq!((oddity.line, oddity.field.as_str()), (Some(*line), *field));
            assert!(oddity.what.contains(part), "{}", oddity.what);
        }
    }

    #[test]
    fn one_bad_entry_costs_that_entry() {
        check(
            "{\"name\": \"m\", \"plugins\": [\n{\"name\": \"a\", \"source\": \"./a\"},\n3,\n{\"source\": \"./b\"},\n{\"name\": \"A\", \"source\": \"./c\"},\n{\"name\": \"d\"},\n{\"name\": \"e\u{202e}\", \"source\": \"./e\"}]}",
            &["a"],
            &[
                (3, "plugins[1]", "number"),
                (4, "plugins[2].name", "no `name`"),
                (5, "plugins[3].name", "already"),
                (6, "plugins[4].source", "no `source`"),
                (7, "plugins[5].name", "U+202E"),
            ],
        );
    }

    #[test]
    fn a_list_of_something_else_is_no_catalogue() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("no.json"), "{\"agents\": []}").unwrap();
        std::fs::write(folder.path().join("cut.json"), "{\"plugins\": [").unwrap();
        let tree = Tree::folder(folder.path()).unwrap();
        assert!(!is_there(&tree, "no.json"));
        assert!(!is_there(&tree, "none.json"));
        assert!(is_there(&tree, "cut.json"));
    }
}
