use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::catalog::Entry;
use crate::model::Component;

const CATALOGUE: &str = "marketplace.json";

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in files {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap_or(Path::new(""))).unwrap();
            fs::write(path, text).unwrap();
        }
        Folder { folder }
    }

    /// Links `path` to what `target` says.
    fn link(self, path: &str, target: &str) -> Folder {
        let path = self.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
        self
    }

    fn load(&self, place: &str, entry: Value) -> Result<Plugin, Vec<Oddity>> {
        let tree = Tree::folder(self.folder.path()).unwrap();
        let entry = Entry {
            name: "p".to_string(),
            place: Place::Inside(place.to_string()),
            field: "plugins[0]".to_string(),
            line: Some(7),
            value: entry,
        };
        let folder = tree.below(place).unwrap();
        let request = Request {
            marketplace: "m",
            entry: &entry,
            root: &tree,
            folder: Some(&folder),
        };
        claude::read(&request, CATALOGUE).map(|loaded| loaded.plugin)
    }

    /// Loads the plugin in the folder `p`, with nothing in its entry.
    fn plugin(&self) -> Plugin {
        self.load("p", json!({})).unwrap()
    }
}

fn names(components: &[Component]) -> Vec<&str> {
    components
        .iter()
        .map(|component| &*component.name)
        .collect()
}

#[track_caller]
fn tells(oddities: &[Oddity], severity: Severity, file: &str, words: &str) {
    let is_it = |oddity: &Oddity| {
        oddity.severity == severity && oddity.file == file && oddity.what.contains(words)
    };
    assert!(oddities.iter().any(is_it), "{file}: {words}: {oddities:#?}");
}

const TEXT: &str = "---\ndescription: d\n---\nbody\n";

#[test]
fn components_are_called_as_claude_calls_them() {
    let folder = Folder::new(&[
        (
            "p/skills/a/SKILL.md",
            "---\nname: other\ndescription: d\n---\n",
        ),
        ("p/skills/v1.2/SKILL.md", TEXT),
        ("p/commands/x.md", TEXT),
        ("p/commands/sub/y.md", TEXT),
        (
            "p/agents/file.md",
            "---\nname: own\ndescription: d\ntools: Read, Bash(git:*)\n---\n",
        ),
        ("p/agents/deep/z.md", TEXT),
        ("p/bin/tool", ""),
        ("p/.lsp.json", "{\"go\": {}}"),
    ]);
    let plugin = folder.plugin();
    let components = &plugin.components;
    assert_eq!(names(&components.skills), ["a", "v1-2"]);
    assert_eq!(names(&components.commands), ["sub:y", "x"]);
    assert_eq!(names(&components.agents), ["deep:z", "own"]);
    assert_eq!(components.agents[1].tools, ["Read", "Bash(git:*)"]);
    assert_eq!(components.others, ["bin:tool", "lsp:go"]);
    tells(
        &plugin.oddities,
        Severity::Note,
        "skills/a/SKILL.md",
        "calls itself `other`",
    );
}

#[test]
fn what_is_nearly_a_component_is_told() {
    let folder = Folder::new(&[
        ("p/skills/low/skill.md", TEXT),
        ("p/skills/deep/nested/SKILL.md", TEXT),
        ("p/skills/flat.md", TEXT),
        ("p/skills/none/SKILL.md", "---\nname: none\n---\nbody"),
        ("p/commands/README.md", "words"),
        ("p/commands/empty.md", ""),
        ("p/commands/Empty.md", TEXT),
        (
            "p/agents/lfs.md",
            "version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
        ),
        ("p/CLAUDE.md", "words"),
    ]);
    let plugin = folder.plugin();
    assert_eq!(names(&plugin.components.skills), ["none"]);
    let told = |severity, file, words| tells(&plugin.oddities, severity, file, words);
    told(
        Severity::Warning,
        "skills/low/skill.md",
        "called `SKILL.md`",
    );
    told(
        Severity::Warning,
        "skills/deep/nested/SKILL.md",
        "more than one folder below",
    );
    told(Severity::Warning, "skills/flat.md", "is not loaded");
    told(Severity::Warning, "skills/none/SKILL.md", "no description");
    told(
        Severity::Warning,
        "commands/README.md",
        "taken for a command",
    );
    told(Severity::Warning, "commands/empty.md", "is empty");
    told(Severity::Warning, "commands/empty.md", "differ in case");
    told(Severity::Warning, "agents/lfs.md", "Git LFS");
    told(Severity::Warning, "CLAUDE.md", "is not loaded");
    told(Severity::Note, claude::MANIFEST, "no manifest");
}

#[test]
fn declared_paths_replace_add_or_are_missed() {
    let manifest = json!({
        "name": "p",
        "commands": ["./extra/one.md", "./nope.md"],
        "agents": ["./nope.md"],
        "skills": ["./more", "./../out", "./commands/x.md"],
    });
    let folder = Folder::new(&[
        ("p/.claude-plugin/plugin.json", &manifest.to_string()),
        ("p/commands/x.md", TEXT),
        ("p/extra/one.md", TEXT),
        ("p/agents/a.md", TEXT),
        ("p/skills/s/SKILL.md", TEXT),
        ("p/more/t/SKILL.md", TEXT),
    ]);
    let plugin = folder.plugin();
    assert_eq!(names(&plugin.components.commands), ["one"]);
    // None of the declared agents is there, and so the usual folder counts.
    assert_eq!(names(&plugin.components.agents), ["a"]);
    assert_eq!(names(&plugin.components.skills), ["s", "t"]);
    let fields: Vec<_> = plugin
        .oddities
        .iter()
        .map(|oddity| (&*oddity.field, oddity.severity))
        .collect();
    let errors = ["commands[1]", "agents[0]", "skills[1]", "skills[2]"]
        .map(|field| (field, Severity::Error));
    assert_eq!(fields, errors);
}

#[test]
fn an_entry_stands_in_for_a_manifest_or_adds_to_it() {
    let hooks =
        |command: &str| json!({"Stop": [{"hooks": [{"type": "command", "command": command}]}]});
    let own = json!({"name": "p", "hooks": hooks("own")}).to_string();
    let files = [
        ("p/commands/x.md", TEXT),
        ("p/extra/one.md", TEXT),
        ("p/.claude-plugin/plugin.json", own.as_str()),
    ];
    let entry = json!({"commands": "./extra/", "hooks": hooks("entry"), "mcpServers": {"s": {"command": "x"}}});
    let without = Folder::new(&files[..2])
        .load("p", entry.clone())
        .unwrap()
        .components;
    assert_eq!(names(&without.commands), ["one"]);
    assert_eq!((without.hooks.len(), without.mcp_servers.len()), (1, 1));
    let with = Folder::new(&files)
        .load("p", entry.clone())
        .unwrap()
        .components;
    assert_eq!(names(&with.commands), ["x", "one"]);
    assert_eq!(
        (
            &*with.hooks[0].what,
            with.hooks.len(),
            with.mcp_servers.len()
        ),
        ("entry", 1, 0)
    );
    let mut entry = entry;
    entry["strict"] = json!(false);
    let refused = Folder::new(&files).load("p", entry).unwrap_err();
    tells(&refused, Severity::Error, CATALOGUE, "not `strict`");
    assert_eq!(refused[0].line, Some(7));
}

#[test]
fn a_plugin_that_is_its_marketplace_has_the_skills_of_its_entry() {
    let folder = Folder::new(&[
        ("skills/a/SKILL.md", TEXT),
        ("skills/b/SKILL.md", "---\nname: bee\n---\n"),
    ]);
    let entry = json!({"skills": ["./skills/b"]});
    assert_eq!(
        names(&folder.load("", entry).unwrap().components.skills),
        ["bee"]
    );
    assert_eq!(
        names(&folder.load("", json!({})).unwrap().components.skills),
        ["a", "b"]
    );
}

#[test]
fn a_bad_manifest_costs_the_plugin_or_a_field() {
    let load = |manifest: &str| {
        Folder::new(&[("p/.claude-plugin/plugin.json", manifest)]).load("p", json!({}))
    };
    assert!(load("{\"name\": \"p\", \"author\": \"me\", \"keywords\": \"x\"}").is_ok());
    assert!(load("\u{feff}{\"name\": \"p\", \"version\": \"1\", \"version\": \"2\"}").is_ok());
    for fatal in [
        "{",
        "[]",
        "{}",
        "{\"name\": \"a b\"}",
        "{\"name\": \"p\", \"version\": null}",
        "{\"name\": \"p\\u202e\"}",
    ] {
        assert!(load(fatal).is_err(), "{fatal}");
    }
}

#[test]
fn links_out_are_told_and_links_in_circles_end() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    fs::write(secret.path(), "---\ndescription: secret\n---\n").unwrap();
    let folder = Folder::new(&[("p/commands/x.md", TEXT)])
        .link("p/skills/s/SKILL.md", secret.path().to_str().unwrap())
        .link("p/commands/again", ".")
        .link("p/commands/more", "..");
    let plugin = folder.plugin();
    assert!(plugin.components.skills.is_empty());
    tells(
        &plugin.oddities,
        Severity::Error,
        "skills/s/SKILL.md",
        "symlink leads out",
    );
    assert!(plugin.components.commands.len() <= COMPONENTS_MAX);
    let missing = Folder::new(&[]).load("p", json!({})).unwrap_err();
    tells(&missing, Severity::Error, CATALOGUE, "no such folder");
}

#[test]
fn a_bad_orchestrate_yaml_costs_only_what_it_says() {
    let folder = Folder::new(&[
        ("p/orchestrate.yaml", "schema: 9\n"),
        ("p/commands/x.md", TEXT),
    ]);
    let plugin = folder.plugin();
    assert!(plugin.spec.is_none() && plugin.components.commands.len() == 1);
    tells(
        &plugin.oddities,
        Severity::Error,
        spec::FILE,
        "known by its text alone",
    );
}

#[test]
fn servers_are_read_with_and_without_their_wrapper() {
    let wrapped = "{\"mcpServers\": {\"a\": {\"command\": \"x\", \"args\": [\"y\"], \"env\": {\"K\": \"v\"}}}}";
    let folder = Folder::new(&[
        (
            "p/.mcp.json",
            "{\"a\": {\"command\": \"old\"}, \"b\": {\"type\": \"http\", \"url\": \"https://b\"}, \"c\": {}}",
        ),
        (
            "p/.claude-plugin/plugin.json",
            "{\"name\": \"p\", \"mcpServers\": \"./servers.json\"}",
        ),
        ("p/servers.json", wrapped),
    ]);
    let plugin = folder.plugin();
    let servers = &plugin.components.mcp_servers;
    assert_eq!(
        (
            &*servers[0].url,
            &servers[1].argv,
            &*servers[1].environment[0]
        ),
        ("https://b", &vec!["x".to_string(), "y".to_string()], "K")
    );
    tells(
        &plugin.oddities,
        Severity::Error,
        ".mcp.json",
        "`c` has neither",
    );
}

#[test]
fn texts_are_kept_for_searching_up_to_a_bound() {
    let long = "\u{e9}".repeat(BODY_BYTES_MAX);
    let folder = Folder::new(&[("p/commands/x.md", &long)]);
    let tree = Tree::folder(folder.folder.path())
        .unwrap()
        .below("p")
        .unwrap();
    let mut reading = Reading::new(Some(&tree));
    reading.commands_below("commands");
    assert!(reading.body.len() <= BODY_BYTES_MAX && reading.body.len() > BODY_BYTES_MAX - 8);
}

proptest! {
    #[test]
    fn a_path_inside_never_climbs(written in "[./a\\\\]{0,12}") {
        if let Some(path) = inside(&written) {
            prop_assert!(!path.contains('\\') && path.split('/').all(|part| part != ".."));
        }
    }

    #[test]
    fn any_manifest_is_judged(key in "(name|author|commands|agents|skills|hooks|mcpServers|lspServers|userConfig|channels|keywords)", value in "[\\[\\]{}\",:0-9a-c./]{0,30}") {
        if let Ok(value) = serde_json::from_str::<Value>(&value) {
            let manifest = json!({"name": "p", key: value});
            let folder = Folder::new(&[("p/.claude-plugin/plugin.json", &manifest.to_string())]);
            let _ = folder.load("p", manifest);
        }
    }
}
