//! Keeps the picture in CONTRIBUTING.md true: which module may use which, and where each library lives.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use orchestrate::catalog;
use orchestrate::tree::{self, Tree};

/// Each module with the modules it may use besides itself.
const LAYERS: &[(&str, &str)] = &[
    ("cli", "ops mcp report model plan execute sandbox yaml"),
    ("mcp", "ops report model plan execute sandbox"),
    (
        "ops",
        "agent catalog chain encoder fetch index rank tree retrieve plan approve validate execute report learn workspace store checkpoint sandbox secret model render yaml",
    ),
    ("catalog", "model tree yaml"),
    ("chain", "encoder rank"),
    ("fetch", "model tree"),
    ("index", "encoder model"),
    ("rank", "encoder index model"),
    ("encoder", "model tree"),
    ("retrieve", "encoder index model rank"),
    ("plan", "model render"),
    ("approve", "model tree"),
    ("validate", "model workspace"),
    (
        "execute",
        "agent gateway model render sandbox workspace yaml",
    ),
    ("report", "model"),
    ("learn", "model"),
    ("workspace", "agent model sandbox secret yaml"),
    ("store", "model yaml"),
    ("checkpoint", "model"),
    ("sandbox", "model secret"),
    ("agent", "model sandbox secret"),
    ("gateway", "model secret"),
    ("secret", ""),
    ("tree", "model"),
    ("model", ""),
    ("render", ""),
    ("yaml", "model"),
];

/// Each library with the modules it lives in; `serde`, `serde_json` and `anyhow` are welcome anywhere.
const HOMES: &[(&str, &str)] = &[
    ("anstream", "cli"),
    ("anstyle", "cli"),
    ("aho_corasick", "secret"),
    ("base64", "fetch secret"),
    ("cap_std", "tree"),
    ("clap", "cli"),
    ("clap_complete", "cli"),
    ("boon", "execute"),
    ("crc32fast", "index"),
    ("etcetera", "store"),
    ("fearless_simd", "encoder"),
    ("flate2", "fetch"),
    ("gix", "checkpoint fetch tree"),
    ("fst", "index"),
    ("http_body_util", "gateway mcp"),
    ("hyper", "gateway mcp"),
    ("hyper_util", "gateway mcp"),
    ("hashbrown", "index"),
    ("indicatif", "report"),
    ("jiff", "model ops learn store"),
    ("landlock", "sandbox"),
    ("libc", "sandbox"),
    ("memmap2", "index"),
    ("memchr", "catalog"),
    ("minijinja", "render"),
    ("nodejs_semver", "fetch"),
    ("puruspe", "model"),
    ("regex", "catalog chain execute plan rank validate"),
    ("reqwest", "execute fetch gateway"),
    ("rmcp", "execute mcp"),
    ("roxmltree", "validate"),
    ("rust_stemmers", "index"),
    ("rustix", "checkpoint sandbox tree workspace"),
    ("rustls", "execute fetch gateway"),
    ("schemars", "mcp model store"),
    ("seccompiler", "sandbox"),
    ("serde_path_to_error", "yaml"),
    ("serde_yaml", "yaml"),
    ("sha2", "fetch sandbox tree"),
    ("shlex", "catalog"),
    ("similar", "approve learn"),
    ("strsim", "cli model ops"),
    ("tar", "fetch"),
    ("tempfile", "*"),
    ("tokio", "execute gateway mcp"),
    ("toml", "sandbox"),
    ("unicode_normalization", "encoder"),
    ("walkdir", "tree"),
    ("anyhow", "*"),
];

#[test]
fn modules_use_only_what_is_below_them() {
    for_each_line(|module, file, line| {
        for used in words_after(line, "crate::") {
            let known = LAYERS.iter().any(|(name, _)| *name == used);
            let allowed = used == module || lookup(LAYERS, module).split(' ').any(|a| a == used);
            assert!(
                !known || allowed,
                "{}: `{module}` uses `{used}`: {line}",
                file.display()
            );
        }
    });
}

#[test]
fn each_library_lives_in_its_home() {
    for_each_line(|module, file, line| {
        for &(library, homes) in HOMES {
            let named =
                line.contains(&format!(" {library}::")) || line.contains(&format!("({library}::"));
            let home = homes == "*" || homes.split(' ').any(|home| home == module);
            assert!(
                !named || home,
                "{}: `{library}` lives in `{homes}`: {line}",
                file.display()
            );
        }
    });
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let dependencies = manifest
        .split("[dev-dependencies]")
        .next()
        .unwrap()
        .split("[dependencies]")
        .nth(1)
        .unwrap();
    for line in dependencies
        .lines()
        .filter(|line| line.contains(" = ") && !line.starts_with(['[', '#']))
    {
        let name = line.split(' ').next().unwrap().replace('-', "_");
        let everywhere = matches!(name.as_str(), "serde" | "serde_json");
        assert!(
            everywhere || HOMES.iter().any(|(library, _)| *library == name),
            "`{name}` has no home"
        );
    }
}

#[test]
fn only_the_command_line_prints() {
    for_each_line(|module, file, line| {
        let prints = ["println!", "print!(", "eprintln!"]
            .iter()
            .any(|word| line.contains(word));
        assert!(module == "cli" || !prints, "{}: {line}", file.display());
    });
}

#[test]
fn every_module_says_what_it_does() {
    for &(module, _) in LAYERS {
        let text = fs::read_to_string(root().join("src").join(module).join("mod.rs")).unwrap();
        let paragraphs = text
            .lines()
            .take_while(|line| line.starts_with("//!"))
            .filter(|line| *line == "//!")
            .count()
            + 1;
        assert!(
            paragraphs >= 3,
            "`{module}`: what it does, what it does not, how to add to it"
        );
    }
}

#[test]
fn every_embedded_file_loads() {
    let plugins = fs::read_dir(root().join("templates/plugins"))
        .unwrap()
        .flatten();
    let folders = plugins
        .filter(|entry| entry.path().join("orchestrate.yaml").is_file())
        .count();
    let tree = Tree::embedded("plugins");
    let dialect = catalog::dialect(&tree).unwrap();
    let listing = (dialect.list)(&tree).unwrap();
    assert_eq!(listing.oddities, []);
    let load = |entry| {
        catalog::load(dialect, &tree, "builtin", entry)
            .unwrap()
            .plugin
    };
    let plugins: Vec<_> = listing.entries.iter().map(load).collect();
    assert_eq!(plugins.len(), folders);
    assert!(plugins.iter().all(|plugin| plugin.oddities.is_empty()));
    let patterns: Vec<_> = tree::embedded("patterns/").collect();
    assert!(!patterns.is_empty());
    for (name, text) in patterns {
        let pattern = orchestrate::store::read_pattern(name, text).unwrap();
        assert_eq!(name, format!("patterns/{}/pattern.yaml", pattern.id));
        for step in &pattern.steps {
            let plugin = plugins
                .iter()
                .find(|plugin| plugin.id == step.plugin)
                .unwrap();
            assert!(
                plugin
                    .spec
                    .as_ref()
                    .unwrap()
                    .provides
                    .contains(&step.capability),
                "{name}: {}",
                step.plugin
            );
        }
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn lookup(table: &[(&'static str, &'static str)], name: &str) -> &'static str {
    let table: BTreeMap<_, _> = table.iter().copied().collect();
    table
        .get(name)
        .copied()
        .unwrap_or_else(|| panic!("`{name}` is not in the picture"))
}

fn words_after<'a>(line: &'a str, prefix: &str) -> Vec<&'a str> {
    let word = |rest: &'a str| {
        rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .next()
            .unwrap_or_default()
    };
    line.split(prefix).skip(1).map(word).collect()
}

/// Calls `look` with the module, the file and each line of code in `src`.
fn for_each_line(look: impl Fn(&str, &Path, &str)) {
    let source = root().join("src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    for file in files {
        let below = file.strip_prefix(&source).unwrap();
        let Some(module) = below.parent().and_then(|parent| parent.iter().next()) else {
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        for line in text
            .lines()
            .filter(|line| !line.trim_start().starts_with("//"))
        {
            look(module.to_str().unwrap(), below, line);
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().flatten() {
        match entry.path() {
            path if path.is_dir() => collect(&path, files),
            path if path.extension().is_some_and(|extension| extension == "rs") => files.push(path),
            _ => {}
        }
    }
}
