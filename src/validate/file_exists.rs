//! A file is there, is a regular file, and is not empty.

use anyhow::{Context, Result};

use super::found;
use crate::model::{Finding, Outcome};
use crate::workspace::Workspace;

/// Looks at `path`, relative to the worktree.
pub fn run(path: &str, workspace: &Workspace) -> Result<Finding> {
    let full = workspace.directory.join(path);
    let metadata = match full.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(found(Outcome::Failed, format!("`{path}` is not there")));
        }
        Err(error) => {
            return Err(error).with_context(|| format!("cannot look at `{}`", full.display()));
        }
    };
    Ok(match (metadata.is_file(), metadata.len()) {
        (false, _) => found(Outcome::Failed, format!("`{path}` is not a regular file")),
        (true, 0) => found(Outcome::Failed, format!("`{path}` is empty")),
        (true, bytes) => found(Outcome::Passed, format!("`{path}` is there, {bytes} bytes")),
    })
}
