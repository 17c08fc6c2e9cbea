//! Files that are there with all of their text or not at all.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

/// Writes a file so that it is there with all of its text or not at all; its folder is made.
pub fn write_whole(path: &Path, text: &[u8]) -> Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let half = folder.join(format!(".{name}.{}.tmp", std::process::id()));
    let write = || {
        std::fs::create_dir_all(folder)?;
        let mut file = std::fs::File::create(&half)?;
        file.write_all(text)?;
        file.sync_all()?;
        std::fs::rename(&half, path)
    };
    write()
        .inspect_err(|_| drop(std::fs::remove_file(&half)))
        .with_context(|| format!("cannot write `{}`", path.display()))
}
