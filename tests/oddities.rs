//! Everything odd that was found in real marketplaces is survived, and named with its file, its line and what to do.
//!
//! Each case is a small marketplace `m` with the plugin `p`, added and listed by the program as a person would.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use serde_json::Value;
use support::TestEnvironment;

const CATALOGUE: &str = ".claude-plugin/marketplace.json";
const MANIFEST: &str = "p/.claude-plugin/plugin.json";
const SKILL: &str = "p/skills/s/SKILL.md";
const ENTRY: &str = r#"{"name": "p", "source": "./p", "description": "Helps"}"#;

/// A marketplace that has been written down, and not been added yet.
struct Written {
    environment: TestEnvironment,
}

/// What the program says of the marketplace.
struct Listed {
    environment: TestEnvironment,
    document: Value,
}

/// Writes a catalogue with these entries, and a plugin with one skill.
fn marketplace(entries: &[&str]) -> Written {
    let catalogue = format!(
        "{{\n  \"name\": \"m\",\n  \"owner\": {{\"name\": \"Ada\"}},\n  \"plugins\": [\n    {}\n  ]\n}}\n",
        entries.join(",\n    ")
    );
    let written = Written {
        environment: TestEnvironment::new(),
    };
    written
        .file(CATALOGUE, catalogue)
        .file(MANIFEST, "{\"name\": \"p\", \"version\": \"1.0.0\"}\n")
        .file(SKILL, "---\nname: s\ndescription: Helps\n---\n\nHelp.\n")
}

impl Written {
    fn path(&self, name: &str) -> PathBuf {
        self.environment.path("m").join(name)
    }

    fn file(self, name: &str, content: impl AsRef<[u8]>) -> Written {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
        self
    }

    fn without(self, name: &str) -> Written {
        let path = self.path(name);
        match path.is_dir() {
            true => fs::remove_dir_all(path).unwrap(),
            false => fs::remove_file(path).unwrap(),
        }
        self
    }

    fn link(self, name: &str, target: &str) -> Written {
        symlink(target, self.path(name)).unwrap();
        self
    }

    #[track_caller]
    fn listed(self) -> Listed {
        let source = self.environment.path("m").display().to_string();
        listed(self.environment, &source)
    }
}

#[track_caller]
fn listed(environment: TestEnvironment, source: &str) -> Listed {
    environment
        .orchestrate(&["marketplace", "add", source])
        .exits(0);
    let ran = environment.orchestrate(&["plugin", "list", "--marketplace", "m", "--json"]);
    let document = ran.exits(0).json();
    Listed {
        environment,
        document,
    }
}

impl Listed {
    /// Looks at which plugins there are, each with its skills.
    #[track_caller]
    fn holds(self, expected: &[(&str, &[&str])]) -> Listed {
        let plugins = self.document["plugins"].as_array().unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_string();
        let found: Vec<(String, Vec<String>)> = plugins
            .iter()
            .map(|plugin| {
                let skills = plugin["skills"].as_array().unwrap();
                (text(&plugin["id"]), skills.iter().map(text).collect())
            })
            .collect();
        let expected: Vec<(String, Vec<String>)> = expected
            .iter()
            .map(|(id, skills)| {
                let skills = skills.iter().map(ToString::to_string);
                (format!("{id}@m"), skills.collect())
            })
            .collect();
        assert_eq!(found, expected, "{}", self.document);
        self
    }

    /// Looks for a finding in a file, about something, with something to do where that is not empty.
    #[track_caller]
    fn names(self, file: &str, line: Option<u64>, what: &str, hint: &str) -> Listed {
        let plugins = self.document["plugins"].as_array().unwrap();
        let of_plugins = plugins
            .iter()
            .flat_map(|plugin| plugin["findings"].as_array().unwrap());
        let all: Vec<&Value> = self.document["findings"]
            .as_array()
            .unwrap()
            .iter()
            .chain(of_plugins)
            .collect();
        let holds = |found: &Value, field: &str, words: &str| {
            found[field]
                .as_str()
                .is_some_and(|text| text.contains(words))
        };
        let is_it = |found: &&&Value| {
            found["file"] == file
                && found["line"].as_u64() == line
                && holds(found, "message", what)
                && holds(found, "hint", hint)
        };
        assert!(all.iter().any(|found| is_it(&found)), "{all:#?}");
        self
    }

    /// Looks at there being nothing to say.
    #[track_caller]
    fn finds_nothing(self) {
        let findings = self.document.to_string();
        assert_eq!(findings.matches("\"message\"").count(), 0, "{findings}");
    }
}

const LOADS: &[(&str, &[&str])] = &[("p", &["p:s"])];

#[test]
fn what_is_in_order_has_no_findings() {
    marketplace(&[ENTRY]).listed().holds(LOADS).finds_nothing();
}

#[test]
fn unquoted_frontmatter_is_repaired() {
    let text = "---\nname: s\ndescription: Use this: when it rains\n---\n\nHelp.\n";
    marketplace(&[ENTRY])
        .file(SKILL, text)
        .listed()
        .holds(LOADS)
        .names("skills/s/SKILL.md", Some(3), "after quoting", "quotes");
}

#[test]
fn frontmatter_ends_at_the_first_dashes_wherever_they_stand() {
    let text = "---\nname: s\ndescription: Helps --- a lot\n---\n\nHelp.\n";
    let listed = marketplace(&[ENTRY]).file(SKILL, text).listed();
    listed.holds(LOADS).names(
        "skills/s/SKILL.md",
        Some(3),
        "middle of a line",
        "another dash",
    );
}

#[test]
fn frontmatter_without_an_end_costs_the_frontmatter() {
    marketplace(&[ENTRY])
        .file(SKILL, "---\nname: s\ndescription: Helps\n\nHelp.\n")
        .listed()
        .holds(LOADS)
        .names("skills/s/SKILL.md", None, "has no end", "`---`");
}

#[test]
fn the_entry_stands_in_for_a_missing_manifest() {
    marketplace(&[ENTRY])
        .without(MANIFEST)
        .listed()
        .holds(LOADS)
        .names(
            ".claude-plugin/plugin.json",
            None,
            "there is no manifest",
            "",
        );
}

#[test]
fn paths_from_the_wrong_root_cost_what_they_name() {
    let entry = r#"{"name": "p", "source": "./p", "description": "Helps", "commands": ["./p/commands/c.md"]}"#;
    marketplace(&[entry])
        .file("p/commands/c.md", "---\ndescription: Does\n---\n\nDo.\n")
        .listed()
        .holds(LOADS)
        .names(CATALOGUE, Some(5), "commands/c.md", "");
}

#[test]
fn a_missing_folder_costs_its_plugin() {
    let gone = r#"{"name": "gone", "source": "./gone", "description": "Was"}"#;
    marketplace(&[gone, ENTRY]).listed().holds(LOADS).names(
        CATALOGUE,
        Some(5),
        "there is no such folder",
        "",
    );
}

#[test]
fn a_submodule_costs_its_plugin() {
    let below = r#"{"name": "sub", "source": "./sub", "description": "Is elsewhere"}"#;
    let written = marketplace(&[below, ENTRY]);
    let environment = written.environment;
    let address = environment.bare("m");
    let commit = environment.git_in("m", &["rev-parse", "HEAD"]);
    let gitlink = format!("160000,{},sub", commit.trim());
    environment.git_in("m", &["update-index", "--add", "--cacheinfo", &gitlink]);
    environment.git_in("m", &["commit", "--quiet", "--message", "Link"]);
    environment.git_in("m", &["push", "--quiet", "../m.git", "main"]);
    listed(environment, &address)
        .holds(LOADS)
        .names(CATALOGUE, Some(5), "submodule", "");
}

#[test]
fn a_name_in_two_marketplaces_has_to_be_said_in_full() {
    let listed = marketplace(&[ENTRY]).listed().holds(LOADS);
    let environment = &listed.environment;
    support::copy(&environment.path("m"), &environment.path("other"));
    let other = environment.path("other").display().to_string();
    let added = environment
        .orchestrate(&["marketplace", "add", &other])
        .exits(0);
    assert!(added.stdout.contains("✓ Added `other`"), "{}", added.stdout);
    let ran = environment.orchestrate(&["plugin", "show", "p"]).exits(2);
    assert!(ran.stderr.contains("p@m, p@other"), "{}", ran.stderr);
    environment
        .orchestrate(&["plugin", "show", "p@other"])
        .exits(0);
}

#[test]
fn of_entries_for_one_folder_the_first_stays() {
    let again = r#"{"name": "p", "source": "./p", "description": "Again"}"#;
    marketplace(&[ENTRY, again])
        .listed()
        .holds(LOADS)
        .names(CATALOGUE, Some(6), "duplicate", "");
}

#[test]
fn a_name_for_two_folders_is_nobodys() {
    let entries = [
        r#"{"name": "q", "source": "./p", "description": "Helps"}"#,
        ENTRY,
        r#"{"name": "p", "source": "./q", "description": "Poses as another"}"#,
    ];
    marketplace(&entries)
        .listed()
        .holds(&[("q", &["p:s"])])
        .names(CATALOGUE, Some(6), "nobody's", "")
        .names(CATALOGUE, Some(7), "duplicate", "");
}

#[test]
fn near_duplicates_are_one_hit() {
    let body =
        "Look at every change twice, once for what it does and once for what it leaves undone. ";
    let text = |end: &str| {
        format!(
            "---\nname: s\ndescription: Looks twice\n---\n\n{}{end}\n",
            body.repeat(20)
        )
    };
    let listed = marketplace(&[ENTRY])
        .file(SKILL, text("Thoroughly."))
        .listed();
    let environment = &listed.environment;
    support::copy(&environment.path("m"), &environment.path("other"));
    fs::write(environment.path("other").join(SKILL), text("Quickly.")).unwrap();
    let other = environment.path("other").display().to_string();
    environment
        .orchestrate(&["marketplace", "add", &other])
        .exits(0);
    let found = environment
        .orchestrate(&["plugin", "search", "--json", "twice"])
        .exits(0)
        .json();
    let hits = found["hits"].as_array().unwrap();
    assert_eq!(hits.len(), 1, "{found}");
    assert_eq!(hits[0]["id"], "p@m");
    assert_eq!(hits[0]["same_as"], serde_json::json!(["p@other"]));
}

#[test]
fn a_renamed_plugin_is_found_by_its_former_name() {
    let catalogue = format!(
        "{{\"name\": \"m\", \"owner\": {{\"name\": \"Ada\"}}, \"renames\": {{\"older\": \"old\", \"old\": \"p\", \"ring\": \"ring\"}}, \"plugins\": [{ENTRY}]}}"
    );
    let listed = marketplace(&[])
        .file(CATALOGUE, catalogue)
        .listed()
        .holds(LOADS);
    let ran = listed
        .environment
        .orchestrate(&["plugin", "show", "older@m"])
        .exits(0);
    assert!(
        ran.stderr.contains("`older` is called `p` by now"),
        "{}",
        ran.stderr
    );
    listed
        .environment
        .orchestrate(&["plugin", "show", "ring@m"])
        .exits(2);
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_text() {
    let catalogue = format!(
        "\u{feff}{{\"name\": \"m\", \"owner\": {{\"name\": \"Ada\"}}, \"plugins\": [{ENTRY}]}}"
    );
    marketplace(&[])
        .file(CATALOGUE, catalogue)
        .file(
            SKILL,
            "\u{feff}---\nname: s\ndescription: Helps\n---\n\nHelp.\n",
        )
        .listed()
        .holds(LOADS)
        .names(CATALOGUE, None, "byte order mark", "without one")
        .names("skills/s/SKILL.md", None, "byte order mark", "without one");
}

#[test]
fn lines_may_end_as_on_windows() {
    marketplace(&[ENTRY])
        .file(
            SKILL,
            "---\r\nname: s\r\ndescription: Helps\r\n---\r\n\r\nHelp.\r\n",
        )
        .listed()
        .holds(LOADS)
        .finds_nothing();
}

#[test]
fn bytes_that_are_no_text_are_replaced() {
    marketplace(&[ENTRY])
        .file(
            SKILL,
            b"---\nname: s\ndescription: Helps\n---\n\nHelp \xff\xfe.\n",
        )
        .listed()
        .holds(LOADS)
        .names(
            "skills/s/SKILL.md",
            None,
            "not UTF-8",
            "save the file as UTF-8",
        );
}

#[test]
fn a_long_skill_is_read() {
    let text = format!(
        "---\nname: s\ndescription: Helps\n---\n\n{}",
        "Help. ".repeat(50_000)
    );
    marketplace(&[ENTRY])
        .file(SKILL, text)
        .listed()
        .holds(LOADS);
}

#[test]
fn a_link_within_its_marketplace_is_followed() {
    marketplace(&[ENTRY])
        .link("p/skills/t", "s")
        .listed()
        .holds(&[("p", &["p:s", "p:t"])]);
}

#[test]
fn a_link_out_of_its_marketplace_costs_its_plugin() {
    let other = r#"{"name": "other", "source": "./other", "description": "Is fine"}"#;
    marketplace(&[ENTRY, other])
        .file(
            "other/skills/s/SKILL.md",
            "---\nname: s\ndescription: Helps\n---\n\nHelp.\n",
        )
        .link("p/skills/t", "../../../project")
        .listed()
        .holds(&[("other", &["other:s"])])
        .names("p", Some(5), "skills/t", "");
}

#[test]
fn names_that_differ_in_case_alone_are_both_there() {
    marketplace(&[ENTRY])
        .file(
            "p/skills/S/SKILL.md",
            "---\nname: S\ndescription: Helps too\n---\n\nHelp.\n",
        )
        .listed()
        .holds(&[("p", &["p:S", "p:s"])])
        .names("skills/s", None, "case", "");
}
