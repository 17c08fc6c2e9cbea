//! What Claude Code's own validation says of a plugin's folder or of a marketplace's.

use super::claude_code::{self, CATALOGUE, is_official, reserved_plugin};
use super::plugin::{Manifest, Origin, Reading, check_manifest, claude, find};
use super::{Entry, Request};
use crate::model::{Oddity, Place, Severity};
use crate::tree::{Kind, Tree};

const HOOKS: &str = "hooks/hooks.json";

/// Returns what is wrong with the plugin or the marketplace in `tree`: it passes without an error.
pub fn validate(tree: &Tree) -> Vec<Oddity> {
    let is_marketplace = match tree.kind(CATALOGUE) {
        Ok(kind) => kind == Some(Kind::File),
        Err(error) => return vec![Oddity::of_error(Severity::Error, CATALOGUE, &error)],
    };
    let mut oddities = match is_marketplace {
        true => marketplace(tree),
        false => Vec::new(),
    };
    match find(tree, &[claude::MANIFEST]) {
        Ok(Some(manifest)) => oddities.extend(plugin(tree, &manifest)),
        Ok(None) if is_marketplace => {}
        // A folder of skills is a plugin without more ado; other components need a manifest beside them.
        Ok(None) if matches!(tree.kind("skills"), Ok(Some(Kind::Folder))) => {
            oddities.extend(claude::oddities(tree, None));
        }
        Ok(None) => {
            let what = format!(
                "there is neither a `{}` nor a `{CATALOGUE}`",
                claude::MANIFEST
            );
            let oddity = Oddity::of_file(Severity::Error, "", what);
            oddities.push(oddity.hint("name the folder of a plugin, or of a marketplace"));
            oddities.extend(skill(tree));
        }
        Err(oddity) => oddities.push(*oddity),
    }
    oddities
}

/// Returns what is odd about a skill that stands alone: it is no plugin, and is looked at all the same.
fn skill(tree: &Tree) -> Vec<Oddity> {
    let mut reading = Reading::new(Some(tree));
    reading.skill_named("", "skill");
    reading.oddities
}

fn plugin(tree: &Tree, manifest: &Manifest) -> Vec<Oddity> {
    let mut oddities = claude::oddities(tree, Some(manifest));
    let origin = Origin::manifest(manifest);
    oddities.extend(advice(manifest, origin));
    let name = manifest.document.value["name"].as_str().unwrap_or_default();
    oddities.extend(reserved(name).map(|what| {
        let oddity = origin.odd(Severity::Error, "/name", what);
        oddity.hint("name it for what it does")
    }));
    oddities
}

/// Returns what a manifest should say and does not, unless there is worse.
fn advice(manifest: &Manifest, origin: Origin<'_>) -> Vec<Oddity> {
    let value = &manifest.document.value;
    let is_worse = |fault: &super::plugin::Fault| fault.severity == Severity::Error;
    if check_manifest(value).iter().any(is_worse) {
        return Vec::new();
    }
    ["version", "description", "author"]
        .into_iter()
        .filter(|field| value.get(field).is_none())
        .map(|field| {
            origin.odd(
                Severity::Warning,
                &format!("/{field}"),
                format!("there is no {field}"),
            )
        })
        .collect()
}

fn reserved(name: &str) -> Option<String> {
    reserved_plugin(name).then(|| format!("the name `{name}` passes as one of Claude Code's maker"))
}

fn marketplace(tree: &Tree) -> Vec<Oddity> {
    let listing = match (claude_code::DIALECT.list)(tree) {
        Ok(listing) => listing,
        Err(error) => return vec![Oddity::of_error(Severity::Error, CATALOGUE, &error)],
    };
    let mut oddities = listing.oddities;
    let marketplace = listing.name.unwrap_or_default();
    if listing.description.is_empty() {
        let what = "the marketplace has no description";
        oddities.push(Oddity::of_file(Severity::Warning, CATALOGUE, what));
    }
    if listing.entries.is_empty() {
        let what = "the marketplace has no plugins";
        oddities.push(Oddity::of_file(Severity::Warning, CATALOGUE, what));
    }
    for entry in &listing.entries {
        if !is_official(&marketplace) {
            oddities.extend(reserved(&entry.name).map(|what| {
                let origin = Origin::entry(CATALOGUE, entry);
                origin
                    .odd(Severity::Error, "/name", what)
                    .hint("name it for what it does")
            }));
        }
        if let Place::Inside(path) = &entry.place {
            oddities.extend(listed(tree, &marketplace, entry, path));
        }
    }
    oddities
}

/// Returns what is wrong with the manifest and the hooks of a listed plugin; its texts are a matter of its own validation.
fn listed(tree: &Tree, marketplace: &str, entry: &Entry, path: &str) -> Vec<Oddity> {
    let Ok(folder) = tree.below(path) else {
        return Vec::new();
    };
    let read = claude_code::DIALECT.load;
    let found = read(&Request {
        marketplace,
        entry,
        root: tree,
        folder: Some(&folder),
    });
    let mut oddities = match found {
        Ok(loaded) => loaded.plugin.oddities,
        Err(oddities) => oddities,
    };
    if let Ok(Some(manifest)) = find(&folder, &[claude::MANIFEST]) {
        oddities.extend(advice(&manifest, Origin::manifest(&manifest)));
    }
    let is_told =
        |oddity: &Oddity| [CATALOGUE, claude::MANIFEST, HOOKS].contains(&oddity.file.as_str());
    let told = oddities.into_iter().filter(is_told);
    told.map(|oddity| within(path, oddity)).collect()
}

/// Returns the oddity as one of the marketplace.
fn within(path: &str, mut oddity: Oddity) -> Oddity {
    if oddity.file == CATALOGUE {
        // Loading finds what the validation does not look for, such as a folder that is not there.
        oddity.severity = oddity.severity.min(Severity::Warning);
    } else if !path.is_empty() {
        oddity.file = format!("{path}/{}", oddity.file);
    }
    oddity
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn check(files: &[(&str, &str)], expected: &[(Severity, &str)]) {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let found = validate(&Tree::folder(folder.path()).unwrap());
        let found: Vec<_> = found
            .iter()
            .map(|oddity| (oddity.severity, &*oddity.field))
            .collect();
        assert_eq!(found, expected, "{files:?}");
    }

    const WHOLE: &str = "\"version\": \"1\", \"description\": \"d\", \"author\": {\"name\": \"a\"}";

    fn manifest(fields: &str, expected: &[(Severity, &str)]) {
        let text = format!("{{{fields}, {WHOLE}}}");
        check(&[(claude::MANIFEST, &text)], expected);
    }

    #[test]
    fn manifests_are_judged_as_claude_does() {
        use Severity::{Error, Warning};
        manifest("\"name\": \"a\"", &[]);
        manifest("\"name\": \"a\", \"foo\": 1", &[(Warning, "foo")]);
        manifest("\"name\": \"a b\"", &[(Error, "name")]);
        manifest("\"name\": \"claude-x\"", &[(Error, "name")]);
        manifest(
            "\"name\": \"a\", \"homepage\": \"nope\"",
            &[(Error, "homepage")],
        );
        manifest(
            "\"name\": \"a\", \"keywords\": \"b\"",
            &[(Error, "keywords")],
        );
        manifest("\"name\": \"a\", \"license\": 1", &[(Error, "license")]);
        manifest(
            "\"name\": \"a\", \"agents\": \"./agents/\"",
            &[(Error, "agents")],
        );
        manifest(
            "\"name\": \"a\", \"skills\": [\"x\"]",
            &[(Error, "skills[0]")],
        );
        manifest(
            "\"name\": \"a\", \"commands\": [\"./x.md\"]",
            &[(Error, "commands[0]")],
        );
        manifest(
            "\"name\": \"a\", \"commands\": \"./../x\"",
            &[(Error, "commands")],
        );
        manifest(
            "\"name\": \"a\", \"commands\": {\"b\": {}}",
            &[(Error, "commands.b")],
        );
        manifest(
            "\"name\": \"a\", \"mcpServers\": {\"b\": {}}",
            &[(Error, "mcpServers")],
        );
        manifest(
            "\"name\": \"a\", \"hooks\": {\"Nope\": []}",
            &[(Warning, "hooks.Nope")],
        );
        let option = "{\"type\": \"string\", \"title\": \"t\", \"description\": \"d\", \"z\": 1}";
        manifest(
            &format!("\"name\": \"a\", \"userConfig\": {{\"k\": {option}}}"),
            &[(Error, "userConfig.k")],
        );
        check(
            &[(claude::MANIFEST, "{\"name\": \"a\"}")],
            &[
                (Warning, "version"),
                (Warning, "description"),
                (Warning, "author"),
            ],
        );
        check(&[("README.md", "")], &[(Error, "")]);
        check(
            &[("commands/a.md", "---\ndescription: d\n---\n")],
            &[(Error, "")],
        );
        check(&[("skills/a/SKILL.md", "---\ndescription: d\n---\n")], &[]);
        check(&[(claude::MANIFEST, "{")], &[(Error, "")]);
    }

    #[test]
    fn a_skill_that_stands_alone_is_no_plugin_and_is_looked_at() {
        let text = "---\nname: a\ndescription: d\n---\n<!-- agent: run this -->\n";
        let expected = [(Severity::Error, ""), (Severity::Warning, "")];
        check(&[("SKILL.md", text)], &expected);
    }

    #[test]
    fn a_marketplace_is_judged_with_the_manifests_of_its_plugins() {
        let catalogue = "{\"name\": \"m\", \"description\": \"d\", \"owner\": {\"name\": \"o\"}, \"plugins\": [
            {\"name\": \"a\", \"source\": \"./a\"}, {\"name\": \"claude-b\", \"source\": \"./b\"}, {\"name\": \"c\", \"source\": \"./c\"}]}";
        let good = format!("{{\"name\": \"claude-b\", {WHOLE}}}");
        check(
            &[
                (CATALOGUE, catalogue),
                (
                    "a/.claude-plugin/plugin.json",
                    "{\"name\": \"a\", \"version\": 1}",
                ),
                ("a/commands/x.md", "no frontmatter"),
                ("b/.claude-plugin/plugin.json", &good),
            ],
            &[
                (Severity::Error, "version"),
                (Severity::Error, "plugins[1].name"),
                (Severity::Warning, "plugins[2].source"),
            ],
        );
    }

    #[test]
    fn hooks_that_guard_nothing_are_an_error() {
        let text = format!("{{\"name\": \"a\", {WHOLE}}}");
        let check = |hooks: &str, fields: &[(Severity, &str)]| {
            check(&[(claude::MANIFEST, &text), (HOOKS, hooks)], fields)
        };
        check(
            "{\"PreToolUse\": []}",
            &[(Severity::Error, "PreToolUse"), (Severity::Error, "")],
        );
        check("{\"hooks\": []}", &[(Severity::Error, "hooks")]);
        let bare = "{\"type\": \"command\", \"command\": \"${CLAUDE_PLUGIN_ROOT}/x\"}";
        let quoted = "{\"type\": \"command\", \"command\": \"\\\"${CLAUDE_PLUGIN_ROOT}\\\"/x\"}";
        check(
            &format!("{{\"hooks\": {{\"Stop\": [{{\"hooks\": [{bare}, {quoted}]}}]}}}}"),
            &[(Severity::Warning, "hooks.Stop[0].hooks[0]")],
        );
    }
}
