use std::fs;
use std::path::Path;

use super::*;
use crate::catalog::load as load_from;

fn tree(files: &[(&str, &str)]) -> (tempfile::TempDir, Tree) {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
        fs::write(path, text).unwrap();
    }
    let tree = Tree::folder(folder.path()).unwrap();
    (folder, tree)
}

/// Lists a catalogue with these plugins.
fn listing(plugins: &str) -> Listing {
    let text =
        format!("{{\"name\": \"m\", \"owner\": {{\"name\": \"o\"}}, \"plugins\": [\n{plugins}]}}");
    let (_folder, tree) = tree(&[(CATALOGUE, &text)]);
    list(&tree).unwrap()
}

/// Checks that the one entry is refused, with these words.
#[track_caller]
fn refused(entry: &str, words: &str) {
    let listing = listing(entry);
    assert!(listing.entries.is_empty(), "{entry}");
    let said = listing
        .oddities
        .iter()
        .map(|oddity| format!("{}: {}", oddity.field, oddity.what));
    let said: Vec<String> = said.collect();
    assert!(
        said.iter().any(|said| said.contains(words)),
        "{entry}: {said:?}"
    );
}

#[track_caller]
fn source(source: &str, words: &str) {
    refused(&format!("{{\"name\": \"p\", \"source\": {source}}}"), words);
}

#[test]
fn a_bad_entry_costs_itself_and_says_where() {
    let listing = listing(
        "{\"name\": \"a\", \"source\": \"./a\"},\n5,\n{\"name\": \"b\", \"source\": \"b\"}",
    );
    let names: Vec<_> = listing.entries.iter().map(|entry| &*entry.name).collect();
    assert_eq!(names, ["a"]);
    let places: Vec<_> = listing
        .oddities
        .iter()
        .map(|oddity| (oddity.line, &*oddity.field))
        .collect();
    assert_eq!(
        places,
        [(Some(3), "plugins[1]"), (Some(4), "plugins[2].source")]
    );
}

#[test]
fn a_path_out_of_the_marketplace_is_refused() {
    source("\"./../a\"", "..");
    source("\"./a/../../b\"", "outside");
    source("\"/etc\"", "absolute");
    source("\"./a\\\\b\"", "outside");
    source("\"./.git/hooks\"", "git's own folder");
    source("\"plugins/a\"", "does not start with `./`");
    source("\"C:/a\"", "absolute");
}

#[test]
fn a_source_that_could_start_a_program_is_refused() {
    source("{\"source\": \"url\", \"url\": \"ext::sh -c true\"}", "ext");
    source(
        "{\"source\": \"url\", \"url\": \"--upload-pack=true\"}",
        "--upload-pack",
    );
    source(
        "{\"source\": \"url\", \"url\": \"ssh://-oProxyCommand=true/x.git\"}",
        "-oProxyCommand",
    );
    source(
        "{\"source\": \"url\", \"url\": \"file:///srv/a\"}",
        "this machine",
    );
    source(
        "{\"source\": \"github\", \"repo\": \"--config=a/b\"}",
        "--config",
    );
    source(
        "{\"source\": \"github\", \"repo\": \"a/b\", \"ref\": \"--force\"}",
        "--force",
    );
    source(
        "{\"source\": \"github\", \"repo\": \"a/b\", \"ref\": \"a:b\"}",
        "a:b",
    );
    source(
        "{\"source\": \"github\", \"repo\": \"a/b\", \"sha\": \"HEAD\"}",
        "sha",
    );
    source(
        "{\"source\": \"git-subdir\", \"url\": \"a/b\", \"path\": \".git/hooks\"}",
        "path",
    );
    source(
        "{\"source\": \"npm\", \"package\": \"a\", \"registry\": \"http://127.0.0.1:9\"}",
        "this machine",
    );
    source(
        "{\"source\": \"command\", \"command\": \"true\"}",
        "command",
    );
    source(
        "{\"source\": \"archive\", \"url\": \"https://example.org/a.zip\"}",
        "archive",
    );
    source("{\"source\": \"pip\", \"package\": \"a\"}", "pip");
}

#[test]
fn sources_elsewhere_are_read() {
    let place = |source: &str| {
        let listing = listing(&format!("{{\"name\": \"p\", \"source\": {source}}}"));
        match &listing.entries[0].place {
            Place::Elsewhere(source) => source.to_string(),
            Place::Inside(path) => path.clone(),
        }
    };
    assert_eq!(place("\".\""), "");
    assert_eq!(place("\"./plugins/a/\""), "plugins/a");
    let sha = "0123456789abcdef0123456789abcdef01234567";
    let pinned = place(&format!(
        "{{\"source\": \"github\", \"repo\": \"o/r\", \"sha\": \"{sha}\"}}"
    ));
    assert!(pinned.contains("o/r") && pinned.contains(sha), "{pinned}");
    assert!(place("{\"source\": \"npm\", \"package\": \"@o/p@1.0.0\"}").contains("1.0.0"));
}

#[test]
fn a_name_that_is_claimed_for_several_plugins_is_nobodys() {
    let entry =
        |name: &str, folder: &str| format!("{{\"name\": \"{name}\", \"source\": \"./{folder}\"}}");
    let plugins = [
        entry("tester", "a"),
        entry("Tester", "b"),
        entry("tester", "c"),
    ]
    .join(",\n");
    let listing = listing(&plugins);
    assert_eq!(listing.entries.len(), 0);
    let said: Vec<_> = listing
        .oddities
        .iter()
        .map(|oddity| oddity.what.contains("duplicate"))
        .collect();
    assert_eq!(said, [true, true, true]);
    let again = [entry("tester", "a"), entry("Tester", "a")].join(",\n");
    assert_eq!(self::listing(&again).entries.len(), 1);
}

#[test]
fn names_that_show_otherwise_are_refused() {
    refused(
        "{\"name\": \"a\u{202e}b\", \"source\": \"./a\"}",
        "character",
    );
    refused("{\"name\": \"a b\", \"source\": \"./a\"}", "space");
    refused(
        "{\"name\": \"\u{dc}ber\", \"source\": \"./a\"}",
        "cannot be installed",
    );
    refused(
        "{\"name\": \"a\", \"source\": \"./a\", \"description\": \"x\u{202e}y\"}",
        "U+202E",
    );
}

#[test]
fn a_catalogue_that_claude_refuses_is_refused_with_the_line() {
    let said = |text: &str| {
        let (_folder, tree) = tree(&[(CATALOGUE, text)]);
        format!("{:#}", list(&tree).expect_err(text))
    };
    assert!(said("{\"name\": \"a\",\n\"plugins\": []}").contains("`owner` is missing, at line 1"));
    assert!(
        said("{\"name\": \"a b\", \"owner\": {\"name\": \"o\"}, \"plugins\": []}")
            .contains("`name` is `a b`")
    );
    assert!(
        said("{\"name\": \"a\", \"owner\": {\"name\": \"o\"},\n \"plugins\": {}}")
            .contains("line 2")
    );
    assert!(said("{\"name\": \"a\",}").contains("line 1 column"));
    assert!(said("[]").contains("it is no object"));
}

#[test]
fn a_file_of_the_same_name_is_no_catalogue() {
    let is_one = |text: &str| detect(&tree(&[(CATALOGUE, text)]).1);
    assert!(is_one("{\"name\": \"a\"}") && is_one("{") && is_one("[]"));
    assert!(!is_one("{\"agents\": []}"));
}

#[test]
fn former_names_that_lead_nowhere_are_told() {
    let text = "{\"name\": \"m\", \"owner\": {\"name\": \"o\"}, \"plugins\": [{\"name\": \"p\", \"source\": \"./p\"}],\n\"renames\": {\"a\": \"b\", \"b\": \"p\", \"c\": null, \"x\": \"y\", \"y\": \"x\", \"z\": \"q\"}}";
    let listing = list(&tree(&[(CATALOGUE, text)]).1).unwrap();
    let fields: Vec<_> = listing
        .oddities
        .iter()
        .map(|oddity| &*oddity.field)
        .collect();
    assert_eq!(fields, ["renames.x", "renames.y", "renames.z"]);
    assert_eq!(listing.renames["c"], None);
}

#[test]
fn a_plugin_is_read_with_and_without_a_manifest() {
    let (_folder, tree) = tree(&[
        (
            CATALOGUE,
            "{\"name\": \"m\", \"owner\": {\"name\": \"o\"}, \"plugins\": [{\"name\": \"a\", \"source\": \"./a\", \"version\": \"1\"}, {\"name\": \"b\", \"source\": \"./b\"}]}",
        ),
        (
            "a/.claude-plugin/plugin.json",
            "{\"name\": \"other\", \"version\": \"2\", \"mcpServers\": {\"s\": {\"command\": \"npx\", \"args\": [\"p@latest\"]}}}",
        ),
        (
            "a/skills/s/SKILL.md",
            "---\nname: s\ndescription: Does it.\n---\nbody",
        ),
        (
            "a/commands/git/commit.md",
            "---\ndescription: Commits.\nallowed-tools: Bash(git add:*), Read\n---\n",
        ),
        (
            "a/agents/x.md",
            "---\nname: reviewer\ndescription: Reviews.\n---\n",
        ),
        (
            "a/hooks/hooks.json",
            "{\"hooks\": {\"Stop\": [{\"hooks\": [{\"type\": \"command\", \"command\": \"true\"}]}]}}",
        ),
        ("b/commands/README.md", "words"),
    ]);
    let listing = list(&tree).unwrap();
    let load = |index: usize| load_from(&DIALECT, &tree, "m", &listing.entries[index]).unwrap();
    let (a, words) = {
        let loaded = load(0);
        (loaded.plugin, loaded.words)
    };
    assert_eq!((&*a.namespace, &*a.version), ("other", "2"));
    let components = &a.components;
    assert_eq!(components.skills[0].name, "s");
    assert_eq!(components.commands[0].name, "git:commit");
    assert_eq!(components.commands[0].tools, ["Bash(git add:*)", "Read"]);
    assert_eq!(components.agents[0].name, "reviewer");
    assert_eq!(
        (
            components.hooks.len(),
            components.mcp_servers[0].argv.len(),
            a.payloads.len()
        ),
        (1, 2, 1)
    );
    assert!(words.components.contains("Does it.") && words.body.contains("body"));
    let odd: Vec<_> = a.oddities.iter().map(|oddity| &*oddity.field).collect();
    assert_eq!(odd, ["name", "version"]);
    let b = load(1).plugin;
    assert_eq!(
        (&*b.namespace, &*b.components.commands[0].name),
        ("b", "README")
    );
    assert!(
        b.oddities
            .iter()
            .any(|oddity| oddity.what.contains("`README.md` is taken for a command"))
    );
}

#[test]
fn a_source_that_is_a_program_is_refused_and_not_merely_wrong() {
    let source = "{\"source\": \"command\", \"command\": \"touch x\"}";
    let listing = listing(&format!("{{\"name\": \"a\", \"source\": {source}}}"));
    assert!(listing.entries.is_empty());
    assert_eq!(listing.oddities[0].severity, Severity::Refused);
}
