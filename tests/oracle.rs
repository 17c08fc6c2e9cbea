//! What Claude Code loads, and what its validation says, as recorded for real marketplaces and for made-up edge cases.
//!
//! The recordings are other people's data, which is not part of this project: `ORCHESTRATE_CORPORA` names the folder.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]
#![expect(
    clippy::print_stdout,
    reason = "the counts that agree are what the tests are for"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use orchestrate::catalog::{self, Entry, Loaded};
use orchestrate::model::{Component, Components, Oddity, Place, Severity};
use orchestrate::tree::Tree;
use serde_json::Value;

/// The marketplaces whose plugins were loaded, and how: installed, or by `--plugin-dir`, which does not read the catalogue.
const LOADED: [&str; 7] = [
    "ando-marketplace",
    "claude-code-plugins-plus-skills",
    "claude-plugins-official",
    "daymade-skills",
    "josiahsiegel",
    "knowledge-work-plugins",
    "wshobson-agents",
];

/// Where what we load is not what the recording lists: the marketplace, the list, how many names more and fewer, and why ours is right.
const DIFFERENCES: [(&str, &str, usize, usize, &str); 4] = [
    (
        "claude-plugins-official",
        "plugins",
        12,
        0,
        "language servers that only the catalogue's entry defines; the recording used `--plugin-dir`, which does not read it",
    ),
    (
        "claude-plugins-official",
        "skills",
        0,
        1,
        "a command with `disable-model-invocation: true`, which the recording lists among the skills; we list it as a command",
    ),
    (
        "knowledge-work-plugins",
        "skills",
        27,
        0,
        "skills with `user-invocable: false`: the agent uses them by itself, and the recording lists what a person can call",
    ),
    (
        "knowledge-work-plugins",
        "slash_commands",
        27,
        0,
        "the same 27 skills",
    ),
];

fn corpora() -> PathBuf {
    let folder = std::env::var("ORCHESTRATE_CORPORA");
    folder
        .expect(
            "ORCHESTRATE_CORPORA names the folder with `marketplaces`, `oracle` and `synthetic`",
        )
        .into()
}

fn json(path: &str) -> Value {
    serde_json::from_slice(&fs::read(corpora().join(path)).unwrap()).unwrap()
}

fn tree(path: &str) -> Tree {
    Tree::folder(&corpora().join(path)).unwrap()
}

/// Reads the plugins of a marketplace that are in it.
fn load(path: &str) -> Vec<Loaded> {
    let tree = tree(path);
    let dialect = catalog::dialect(&tree).unwrap();
    assert_eq!(dialect.name, "claude-code", "{path}");
    let listing = (dialect.list)(&tree).unwrap();
    let loaded = listing
        .entries
        .iter()
        .map(|entry| catalog::load(dialect, &tree, "m", entry));
    let inside = |loaded: &Loaded| matches!(loaded.plugin.place, Place::Inside(_));
    loaded.flatten().filter(inside).collect()
}

/// Reads one plugin by its folder, as `--plugin-dir` does.
fn load_folder(path: &str) -> Option<Loaded> {
    let entry = Entry {
        name: "plugin".to_string(),
        place: Place::Inside(path.to_string()),
        field: String::new(),
        line: None,
        value: Value::Null,
    };
    let dialect = catalog::DIALECTS
        .iter()
        .find(|dialect| dialect.name == "claude-code")
        .unwrap();
    catalog::load(dialect, &tree("synthetic"), "m", &entry).ok()
}

fn names<'a>(
    plugins: &'a [Loaded],
    pick: impl Fn(&'a Components) -> Vec<&'a Component>,
) -> BTreeSet<String> {
    let named = |loaded: &'a Loaded| {
        let plugin = &loaded.plugin;
        let components = pick(&plugin.components).into_iter();
        components.map(move |component| format!("{}:{}", plugin.namespace, component.name))
    };
    plugins.iter().flat_map(named).collect()
}

/// Returns what we load, by the lists of the recording; a skill without a description is nothing that an agent uses by itself.
fn lists(plugins: &[Loaded]) -> [(&'static str, BTreeSet<String>); 4] {
    let described = |skill: &&Component| !skill.description.is_empty();
    [
        (
            "slash_commands",
            names(plugins, |of| of.skills.iter().chain(&of.commands).collect()),
        ),
        (
            "skills",
            names(plugins, |of| of.skills.iter().filter(described).collect()),
        ),
        ("agents", names(plugins, |of| of.agents.iter().collect())),
        (
            "plugins",
            plugins
                .iter()
                .map(|loaded| loaded.plugin.namespace.clone())
                .collect(),
        ),
    ]
}

fn recorded(init: &Value, list: &str) -> BTreeSet<String> {
    let list = match (list, init.get("skills")) {
        ("skills", None) => "model_invocable_skills",
        (list, _) => list,
    };
    let name = |item: &Value| item.as_str().or(item["name"].as_str()).unwrap().to_string();
    init[list].as_array().unwrap().iter().map(name).collect()
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn real_marketplaces_load_as_claude_loads_them() {
    for marketplace in LOADED {
        let oracle = json(&format!("oracle/{marketplace}.json"));
        let plugins = load(&format!("marketplaces/{marketplace}"));
        for (list, ours) in lists(&plugins) {
            let theirs = recorded(&oracle["init"], list);
            let more: Vec<_> = ours.difference(&theirs).collect();
            let fewer: Vec<_> = theirs.difference(&ours).collect();
            let known = DIFFERENCES
                .iter()
                .find(|row| (row.0, row.1) == (marketplace, list));
            let expected = known.map_or((0, 0), |row| (row.2, row.3));
            let why = known.map_or("", |row| row.4);
            println!(
                "{marketplace}: {} of {} {list} {why}",
                ours.len() - more.len(),
                theirs.len()
            );
            assert_eq!(
                (more.len(), fewer.len()),
                expected,
                "{marketplace} {list}: {more:?} {fewer:?}"
            );
        }
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn what_the_recording_leaves_out_is_for_the_agent_alone() {
    let root = "marketplaces/knowledge-work-plugins";
    let theirs = recorded(
        &json("oracle/knowledge-work-plugins.json")["init"],
        "skills",
    );
    for loaded in load(root) {
        let Place::Inside(place) = &loaded.plugin.place else {
            continue;
        };
        for skill in &loaded.plugin.components.skills {
            if !theirs.contains(&format!("{}:{}", loaded.plugin.namespace, skill.name)) {
                let text =
                    fs::read_to_string(corpora().join(root).join(place).join(&skill.file)).unwrap();
                assert!(text.contains("\nuser-invocable: false\n"), "{}", skill.file);
            }
        }
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn servers_are_those_that_claude_starts_each_of_them_once() {
    for marketplace in LOADED {
        let init = &json(&format!("oracle/{marketplace}.json"))["init"];
        let theirs = recorded(init, "mcp_servers");
        let plugins = load(&format!("marketplaces/{marketplace}"));
        let mut ours = BTreeMap::new();
        for plugin in plugins.iter().map(|loaded| &loaded.plugin) {
            for server in &plugin.components.mcp_servers {
                let name = format!("plugin:{}:{}", plugin.namespace, server.name);
                ours.insert(name, (&server.argv, &server.url));
            }
        }
        let started: BTreeSet<_> = theirs.iter().map(|name| ours[name]).collect();
        let never: Vec<_> = ours
            .iter()
            .filter(|(_, what)| !started.contains(*what))
            .collect();
        println!(
            "{marketplace}: {} servers, {} of them started",
            ours.len(),
            theirs.len()
        );
        assert!(never.is_empty(), "{marketplace}: {never:?}");
    }
}

fn passes(oddities: &[Oddity]) -> bool {
    oddities
        .iter()
        .all(|oddity| oddity.severity < Severity::Error)
}

/// Returns the folder of a judged plugin; one that is not there is judged as an empty one.
fn judged(market: &str, source: &str) -> Vec<Oddity> {
    let marketplace = match market {
        "jeremy" => "claude-code-plugins-plus-skills",
        "official" => "claude-plugins-official",
        "wshobson" => "wshobson-agents",
        other => other,
    };
    let tree = tree(&format!("marketplaces/{marketplace}"));
    catalog::validate(&tree.below(source).unwrap())
}

/// Folders that Claude passes and we do not: which, and why.
const STRICTER: [(&str, &str, &str); 1] = [(
    "josiahsiegel",
    "plugins/context-master",
    "a command has raw control characters in it, which hide what it says",
)];

/// Compares our verdict with Claude's, and returns a line where they differ without a known reason.
fn disagreement(market: &str, folder: &str, passes_there: bool) -> Option<String> {
    let found = judged(market, folder);
    let mut known = STRICTER.iter();
    let is_known = known.any(|row| (row.0, row.1) == (market, folder));
    let differs = passes(&found) != (passes_there && !is_known);
    differs.then(|| {
        format!(
            "{market} {folder}: {passes_there}, and we say {:?}",
            errors(&found)
        )
    })
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn plugins_pass_validation_where_claude_passes_them() {
    let lines = fs::read_to_string(corpora().join("oracle/plugin-validate.jsonl")).unwrap();
    let rows: Vec<Value> = lines
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let text = |row: &Value, field: &str| row[field].as_str().unwrap().to_string();
    let differ = rows.iter().filter_map(|row| {
        disagreement(
            &text(row, "market"),
            &text(row, "source"),
            row["success"] == true,
        )
    });
    let differ: Vec<String> = differ.collect();
    println!(
        "{} of {} plugins agree",
        rows.len() - differ.len(),
        rows.len()
    );
    assert_eq!((rows.len(), differ), (439, Vec::new()));
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn folders_pass_validation_where_claude_passes_them() {
    let mut count = 0;
    let mut differ = Vec::new();
    for file in fs::read_dir(corpora().join("oracle")).unwrap() {
        let file = file.unwrap().file_name().into_string().unwrap();
        let Some(marketplace) = file.strip_suffix(".validate.json") else {
            continue;
        };
        for (folder, theirs) in json(&format!("oracle/{file}")).as_object().unwrap() {
            count += 1;
            differ.extend(disagreement(marketplace, folder, theirs["rc"] == 0));
        }
    }
    println!(
        "{} of {count} folders agree, {} of them for a reason",
        count - differ.len(),
        STRICTER.len()
    );
    assert_eq!(differ, Vec::<String>::new());
}

fn expected() -> Value {
    json("synthetic/expected.json")
}

fn errors(oddities: &[Oddity]) -> BTreeSet<String> {
    let errors = oddities
        .iter()
        .filter(|oddity| oddity.severity == Severity::Error);
    errors.map(|oddity| usual(&oddity.field)).collect()
}

/// Returns a field as the recording and we can agree upon: not which item of one, and not which part of a source.
fn usual(field: &str) -> String {
    let field = field.replace('[', ".").replace(']', "");
    let field = match field.split_once(".source.") {
        Some((entry, _)) => format!("{entry}.source"),
        None => field,
    };
    match field.strip_suffix(".0") {
        Some(list) if !list.starts_with("plugins") => list.to_string(),
        _ => field,
    }
}

/// Returns the fields of recorded messages, such as `plugins.4.source`; faults of the syntax have none.
fn fields(messages: &Value) -> BTreeSet<String> {
    let field = |message: &Value| {
        let (field, _) = message.as_str().unwrap().split_once(": ").unwrap();
        let field = field.rsplit_once("→ ").map_or(field, |(_, inner)| inner);
        match field {
            "json" | "root" => String::new(),
            field => usual(field),
        }
    };
    messages.as_array().unwrap().iter().map(field).collect()
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn synthetic_manifests_are_judged_and_loaded_as_recorded() {
    let expected = &expected()["manifest-cases"];
    let order = expected["order"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap());
    let folders: Vec<String> = order.map(|name| format!("manifest-cases/{name}")).collect();
    let plugins: Vec<Loaded> = folders
        .iter()
        .filter_map(|folder| load_folder(folder))
        .collect();
    for (list, ours) in lists(&plugins) {
        assert_eq!(ours, recorded(&expected["init"], list), "{list}");
    }
    for (name, theirs) in expected["validate"].as_object().unwrap() {
        let found = catalog::validate(&tree(&format!("synthetic/manifest-cases/{name}")));
        let mut theirs = fields(&theirs["manifest_errors"]);
        // Once a manifest is refused for its shape, its paths are not looked for.
        theirs.remove("commands.b.source");
        assert_eq!(errors(&found), theirs, "{name}: {:#?}", errors(&found));
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn synthetic_frontmatter_is_read_as_recorded() {
    for case in ["frontmatter-a", "frontmatter-b", "readme-as-component"] {
        let expected = &expected()[case];
        let plugins: Vec<Loaded> = load_folder(case).into_iter().collect();
        for (list, ours) in lists(&plugins) {
            assert_eq!(ours, recorded(&expected["init"], list), "{case} {list}");
        }
        let Some(theirs) = expected.get("validate") else {
            continue;
        };
        let found = catalog::validate(&tree(&format!("synthetic/{case}")));
        assert_eq!(passes(&found), theirs["rc"] == 0, "{case}");
        let contents = theirs["contents"].as_object().unwrap();
        for (severity, list) in [(Severity::Error, "errors"), (Severity::Warning, "warnings")] {
            let texts =
                |oddity: &&Oddity| oddity.severity == severity && oddity.file.ends_with(".md");
            let ours: BTreeSet<&str> = found
                .iter()
                .filter(texts)
                .map(|oddity| &*oddity.file)
                .collect();
            let told = contents
                .iter()
                .filter(|(_, said)| said[list] != Value::Array(Vec::new()));
            let theirs: BTreeSet<&str> = told.map(|(file, _)| &**file).collect();
            let silent: Vec<_> = theirs.difference(&ours).collect();
            assert!(silent.is_empty(), "{case}: no {list} about {silent:?}");
            // Text in UTF-16 is full of NUL characters: Claude reads past them, and we tell of them.
            let more: Vec<_> = ours.difference(&theirs).collect();
            let is_known = more.iter().all(|file| file.contains("utf16"));
            assert!(severity < Severity::Error || is_known, "{case}: {more:?}");
        }
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn synthetic_catalogues_are_judged_and_added_as_recorded() {
    for (name, theirs) in expected()["marketplace-json"].as_object().unwrap() {
        let tree = tree(&format!("synthetic/marketplace-json/{name}"));
        let found = catalog::validate(&tree);
        assert_eq!(
            passes(&found),
            theirs["validate"]["rc"] == 0,
            "{name}: {:?}",
            errors(&found)
        );
        let listing = catalog::dialect(&tree).and_then(|dialect| (dialect.list)(&tree));
        // A reserved name is the policy of one tool, and not how a catalogue is written.
        let is_added = theirs["claude_add"]["rc"] == 0 || name == "reserved";
        assert_eq!(listing.is_ok(), is_added, "{name}");
    }
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn synthetic_entries_are_judged_and_loaded_as_recorded() {
    let expected = &expected()["claude-entries"];
    let plugins = load("synthetic/claude-entries");
    for (list, ours) in lists(&plugins) {
        assert_eq!(ours, recorded(&expected["init"], list), "{list}");
    }
    let ours: BTreeSet<&str> = plugins
        .iter()
        .map(|loaded| &*loaded.plugin.id.name)
        .collect();
    let listed = expected["list"].as_array().unwrap().iter();
    let theirs = listed.map(|plugin| plugin["id"].as_str().unwrap().trim_end_matches("@m"));
    // Claude lists a plugin whose entry and manifest clash, and does not load it.
    let theirs: BTreeSet<&str> = theirs.filter(|name| *name != "strictf").collect();
    assert_eq!(ours, theirs);
    let found = catalog::validate(&tree("synthetic/claude-entries"));
    let mut judged = fields(&expected["validate"]["manifest_errors"]);
    // Two entries have one name: the recording says so only where nothing else is wrong.
    judged.insert("plugins.2.name".to_string());
    assert_eq!(errors(&found), judged, "{:#?}", errors(&found));
}
