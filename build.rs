//! Lists the files of `templates/` in a table, so that the binary carries them.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() {
    println!("cargo:rerun-if-changed=templates");
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let mut files = Vec::new();
    collect(&root.join("templates"), "", &mut files);
    files.sort();
    let mut table = String::from("pub static FILES: &[(&str, &[u8])] = &[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),")
            .expect("a string takes everything");
    }
    table.push_str("];\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));
    fs::write(out.join("embedded.rs"), table).expect("cannot write the table of embedded files");
    // The code that reads marketplaces, so that no index outlives it; and what is embedded, so that it need not be hashed at each start.
    let reading = ["catalog", "index", "model", "tree", "yaml"].map(|name| format!("src/{name}"));
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
