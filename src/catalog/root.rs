//! A folder to read from: one on the disk, or one in this binary.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use walkdir::WalkDir;

use crate::model::PluginFile;

mod table {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// The most files, and bytes in all, that one plugin may have.
const FILES_MAX: usize = 20_000;
const BYTES_MAX: u64 = 256 * 1024 * 1024;

/// A folder to read from.
#[derive(Debug, Clone)]
pub enum Root {
    /// The path in `templates/`, without a slash at its end.
    Embedded(String),
    Folder(PathBuf),
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Root::Embedded(path) => write!(f, "the embedded folder `{path}`"),
            Root::Folder(path) => write!(f, "`{}`", path.display()),
        }
    }
}

impl Root {
    /// Returns the file at `path`, or none; a link in the way is an error.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        match self {
            Root::Embedded(folder) => {
                let name = format!("{folder}/{path}");
                Ok(table::FILES
                    .iter()
                    .find(|(file, _)| *file == name)
                    .map(|(_, bytes)| bytes.to_vec()))
            }
            Root::Folder(folder) => {
                let mut full = folder.clone();
                for part in path.split('/') {
                    full.push(part);
                    let Ok(metadata) = full.symlink_metadata() else {
                        return Ok(None);
                    };
                    ensure!(
                        !metadata.is_symlink(),
                        "`{}` is a link, and links are not followed",
                        full.display()
                    );
                }
                ensure!(full.is_file(), "`{}` is not a regular file", full.display());
                let size = full.metadata().map_or(0, |metadata| metadata.len());
                ensure!(
                    size <= BYTES_MAX,
                    "`{}` has {size} bytes, and at most {BYTES_MAX} are read",
                    full.display()
                );
                let bytes = std::fs::read(&full)
                    .with_context(|| format!("cannot read `{}`", full.display()))?;
                Ok(Some(bytes))
            }
        }
    }

    /// Returns the folder `path` below this one; it has to be relative and may not climb.
    pub fn below(&self, path: &str) -> Result<Root> {
        let path = path
            .strip_prefix("./")
            .unwrap_or(path)
            .trim_end_matches('/');
        let climbs = path.split('/').any(|part| matches!(part, ".." | "." | ""));
        ensure!(
            !climbs && !path.starts_with(['/', '-']) && !path.contains(['\\', ':']),
            "the source `{}` leaves the marketplace",
            path.escape_debug()
        );
        Ok(match self {
            Root::Embedded(folder) => Root::Embedded(format!("{folder}/{path}")),
            Root::Folder(folder) => Root::Folder(folder.join(path)),
        })
    }

    /// Returns every file below the folder by its path; links, devices and pipes are refused.
    pub fn files(&self) -> Result<BTreeMap<String, PluginFile>> {
        match self {
            Root::Embedded(folder) => {
                let prefix = format!("{folder}/");
                let files = embedded(&prefix).map(|(name, bytes)| {
                    let file = PluginFile {
                        bytes: bytes.to_vec(),
                        executable: false,
                    };
                    (name[prefix.len()..].to_string(), file)
                });
                Ok(files.collect())
            }
            Root::Folder(folder) => on_disk(folder),
        }
    }
}

fn on_disk(folder: &PathBuf) -> Result<BTreeMap<String, PluginFile>> {
    let mut files = BTreeMap::new();
    let mut bytes_total = 0;
    for entry in WalkDir::new(folder).follow_links(false).min_depth(1) {
        let entry = entry.with_context(|| format!("cannot list `{}`", folder.display()))?;
        if entry.file_type().is_dir() {
            continue;
        }
        let shown = entry.path().display();
        ensure!(
            entry.file_type().is_file(),
            "`{shown}` is not a regular file"
        );
        let below = entry
            .path()
            .strip_prefix(folder)
            .context("a walk stays below its start")?;
        let Some(name) = below.to_str() else {
            bail!("the name of `{shown}` is not UTF-8");
        };
        if name
            .split('/')
            .any(|part| part.eq_ignore_ascii_case(".git"))
        {
            continue;
        }
        let metadata = entry
            .metadata()
            .with_context(|| format!("cannot look at `{shown}`"))?;
        bytes_total += metadata.len();
        ensure!(
            bytes_total <= BYTES_MAX && files.len() < FILES_MAX,
            "`{}` has more than {FILES_MAX} files or {BYTES_MAX} bytes",
            folder.display()
        );
        let bytes =
            std::fs::read(entry.path()).with_context(|| format!("cannot read `{shown}`"))?;
        files.insert(
            name.to_string(),
            PluginFile {
                bytes,
                executable: executable(&metadata),
            },
        );
    }
    Ok(files)
}

#[cfg(unix)]
fn executable(metadata: &std::fs::Metadata) -> bool {
    use std::os::unix::fs::PermissionsExt;
    metadata.permissions().mode() & 0o100 != 0
}

#[cfg(not(unix))]
fn executable(_metadata: &std::fs::Metadata) -> bool {
    false
}

/// Returns the embedded files whose path starts with `prefix`, sorted.
pub fn embedded(prefix: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    table::FILES
        .iter()
        .copied()
        .filter(move |(name, _)| name.starts_with(prefix))
}
