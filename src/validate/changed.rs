//! The step has changed something where it was to.

use anyhow::Result;

use super::found;
use crate::model::{ANYWHERE, Finding, Outcome, counted};
use crate::workspace::Workspace;

/// Looks whether something at or below `path`, relative to the worktree, was changed, made or removed.
pub fn run(path: &str, workspace: &Workspace) -> Result<Finding> {
    let Some(changes) = &workspace.changes else {
        return Ok(found(Outcome::Skipped, "nobody knows what was changed"));
    };
    let changed = changes()?;
    let below = changed
        .iter()
        .filter(|changed| is_at(changed, path))
        .count();
    Ok(match below {
        0 => found(
            Outcome::Failed,
            match path {
                ANYWHERE => "nothing was changed".to_string(),
                path => format!("nothing was changed in `{path}`"),
            },
        ),
        count => found(
            Outcome::Passed,
            format!("{} changed", counted(count, "file")),
        ),
    })
}

fn is_at(changed: &str, path: &str) -> bool {
    let path = path.trim_end_matches('/');
    let below = changed.strip_prefix(path);
    path == ANYWHERE || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

#[cfg(test)]
mod tests {
    #[test]
    fn a_folder_holds_what_is_below_it() {
        for (changed, path, expected) in [
            ("docs/a.md", "docs/", true),
            ("docs/a.md", "docs", true),
            ("docs/a.md", "docs/a.md", true),
            ("docs2/a.md", "docs", false),
            ("a.md", ".", true),
        ] {
            assert_eq!(super::is_at(changed, path), expected, "{changed} {path}");
        }
    }
}
