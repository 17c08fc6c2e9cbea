//! What other people write: marketplaces, plugins and the texts in them.

use std::collections::BTreeMap;
use std::str;

use orchestrate::catalog::{self, json, plugin::COMPONENTS_MAX};
use orchestrate::model::{Components, Hook, McpServer, Oddity, Plugin, visible};
use orchestrate::tree::Tree;
use orchestrate::yaml;

/// Reads the catalogue of a marketplace, and each of its plugins.
pub fn marketplace(dialect: &str, bytes: &[u8]) {
    let dialect = super::dialect(dialect);
    let tree = tree(bytes);
    (dialect.detect)(&tree);
    let Ok(listing) = (dialect.list)(&tree) else {
        return;
    };
    shown(&listing.oddities);
    for entry in &listing.entries {
        match catalog::load(dialect, &tree, "m", entry) {
            Ok(loaded) => kept(&loaded.plugin),
            Err(oddities) => shown(&oddities),
        }
    }
}

/// Judges a folder as Claude Code does, and finds its dialect.
pub fn judged(bytes: &[u8]) {
    let tree = tree(bytes);
    shown(&catalog::validate(&tree));
    catalog::dialect(&tree).ok();
}

/// Reads JSON, and asks for the line of what is in it.
pub fn json(bytes: &[u8]) {
    let Ok(document) = json::read(bytes) else {
        return;
    };
    let lines = lines(&String::from_utf8_lossy(bytes));
    shown(&document.oddities("f.json"));
    let Some(fields) = document.value.as_object() else {
        return;
    };
    for (key, value) in fields.iter().take(8) {
        let pointer = format!("/{}", json::step(key));
        let line = document.line(&pointer).expect("the key stands somewhere");
        assert!((1..=lines).contains(&line));
        if let Some(list) = value.as_array() {
            assert_eq!(document.item_lines(key).len(), list.len());
        }
    }
}

/// Reads the start of a text.
pub fn frontmatter(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        let found = catalog::frontmatter::read("SKILL.md", text);
        assert!(text.ends_with(found.body));
        within(&found.oddities, lines(text));
    }
}

/// Reads YAML as lenient tools do.
pub fn lenient_yaml(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        if let Err(fault) = yaml::parse_lenient(text) {
            assert!(fault.line <= lines(text));
        }
    }
}

/// Looks for what cannot be seen.
pub fn hidden(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        within(&catalog::hidden("SKILL.md", text), lines(text));
    }
}

/// Looks for what is fetched: by the first line as a server's arguments, by the second as its address, and by the rest as a hook.
pub fn payload(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut parts = text.splitn(3, '\n');
    let mut part = || parts.next().unwrap_or_default();
    let argv = part().split(' ').map(str::to_string).collect();
    let mut components = Components::default();
    components.mcp_servers.push(McpServer {
        name: "s".to_string(),
        argv,
        url: part().to_string(),
        environment: Vec::new(),
    });
    for kind in ["command", "http"] {
        components.hooks.push(Hook {
            event: "Stop".to_string(),
            matcher: String::new(),
            kind: kind.to_string(),
            what: text.to_string(),
        });
    }
    catalog::payloads(&components);
}

/// Returns the files in an input: each begins with a line `-- PATH --`, as in Go's txtar.
fn tree(bytes: &[u8]) -> Tree {
    let mut files: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    let mut path = String::new();
    for line in bytes.split_inclusive(|byte| *byte == b'\n') {
        match named(line) {
            Some(name) => {
                path = name.to_string();
                files.entry(path.clone()).or_default();
            }
            None => files.entry(path.clone()).or_default().extend(line),
        }
    }
    Tree::memory(files)
}

fn named(line: &[u8]) -> Option<&str> {
    let name = line.strip_prefix(b"-- ")?.strip_suffix(b" --\n")?;
    str::from_utf8(name).ok()
}

/// A plugin is kept as JSON, is read back as it was, and has no more than it may.
fn kept(plugin: &Plugin) {
    shown(&plugin.oddities);
    let text = serde_json::to_vec(plugin).expect("a plugin is plain data");
    let read: Plugin = serde_json::from_slice(&text).expect("what was kept can be read");
    let again = serde_json::to_vec(&read).expect("a plugin is plain data");
    assert!(again == text);
    assert!(plugin.components.skills.len() <= COMPONENTS_MAX);
}

/// No oddity does anything to a terminal.
fn shown(oddities: &[Oddity]) {
    for oddity in oddities {
        let text = visible(&format!("{}{}{}", oddity.file, oddity.field, oddity.what));
        assert!(!text.contains(char::is_control));
    }
}

fn within(oddities: &[Oddity], lines: u32) {
    shown(oddities);
    for oddity in oddities {
        assert!(oddity.line.is_none_or(|line| (1..=lines).contains(&line)));
    }
}

/// Returns how many lines a text has, the one after its last line break included.
fn lines(text: &str) -> u32 {
    let breaks = text.bytes().filter(|byte| *byte == b'\n').count();
    u32::try_from(breaks).expect("inputs are small") + 1
}
