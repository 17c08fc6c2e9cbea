//! Lists the files of `templates/` in a table, so that the binary carries them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Where in `templates/` the taxonomy is.
const TAXONOMY: &str = "taxonomy/";

fn main() {
    println!("cargo:rerun-if-changed=templates");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("templates"), "", &mut files);
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    let taxonomy = out.join("taxonomy.json");
    fs::write(&taxonomy, one_taxonomy(&files)).expect("cannot write the taxonomy");
    files.retain(|(name, _)| !name.starts_with(TAXONOMY));
    files.push(("taxonomy.json".to_string(), taxonomy));
    files.sort();
    let mut table = String::from("pub static FILES: &[(&str, &[u8])] = &[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),")
            .expect("a string takes everything");
    }
    table.push_str("];\n");
    fs::write(out.join("embedded.rs"), table).expect("cannot write the table of embedded files");
    // The code that reads marketplaces, so that no index outlives it; and what is embedded, so that it need not be hashed at each start.
    let reading = [
        "catalog", "encoder", "index", "model", "rank", "tree", "yaml",
    ]
    .map(|name| format!("src/{name}"));
    println!(
        "cargo:rustc-env=ORCHESTRATE_READER={:016x}",
        hash(&root, &reading)
    );
    let embedded = ["templates".to_string()];
    println!(
        "cargo:rustc-env=ORCHESTRATE_EMBEDDED={:016x}",
        hash(&root, &embedded)
    );
}

/// Returns the taxonomy's files as one JSON list: reading their YAML would take longer than everything else that a command does
/// before it starts. That they are what our own reader makes of them is for a test to say.
fn one_taxonomy(files: &[(String, PathBuf)]) -> String {
    let domains = files.iter().filter(|(name, _)| name.starts_with(TAXONOMY));
    let mut domains: Vec<(&str, serde_json::Value)> = domains
        .map(|(name, path)| {
            let text = fs::read_to_string(path).expect("cannot read a file of the taxonomy");
            let domain = serde_yaml::from_str(&text);
            (
                name.as_str(),
                domain.unwrap_or_else(|error| panic!("{name}: {error}")),
            )
        })
        .collect();
    domains.sort_by_key(|(name, _)| *name);
    let domains: Vec<serde_json::Value> = domains.into_iter().map(|(_, domain)| domain).collect();
    serde_json::Value::from(domains).to_string()
}

/// Returns a number that changes with the names and bytes of the files in the folders.
fn hash(root: &Path, folders: &[String]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for folder in folders {
        println!("cargo:rerun-if-changed={folder}");
        let mut files = Vec::new();
        collect(&root.join(folder), "", &mut files);
        files.sort();
        for (name, path) in files {
            let bytes = fs::read(&path).expect("cannot read a source file");
            // FNV-1a: it has to tell versions apart, and nothing else.
            for byte in name.bytes().chain([0]).chain(bytes) {
                hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
            }
        }
    }
    hash
}

fn collect(folder: &Path, prefix: &str, files: &mut Vec<(String, PathBuf)>) {
    let entries = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("cannot list {}: {error}", folder.display()));
    for entry in entries {
        let entry = entry.expect("cannot list a folder of templates");
        let name = entry
            .file_name()
            .into_string()
            .expect("the names of our templates are UTF-8");
        let name = format!("{prefix}{name}");
        match entry
            .file_type()
            .expect("cannot look at a template")
            .is_dir()
        {
            true => collect(&entry.path(), &format!("{name}/"), files),
            false => files.push((name, entry.path())),
        }
    }
}
