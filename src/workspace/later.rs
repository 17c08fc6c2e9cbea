//! Files that other tools carry out or obey later: who writes them acts beyond the step.

use crate::model::Action;

/// Folders and files at any place in the repository; a folder ends in `/`. Upper and lower case make no difference.
const LATER: [&str; 38] = [
    // What runs when something is pushed.
    ".github/",
    ".gitlab/",
    ".gitlab-ci.yml",
    ".circleci/",
    ".buildkite/",
    ".forgejo/",
    ".gitea/",
    ".woodpecker/",
    ".woodpecker.yml",
    ".travis.yml",
    ".drone.yml",
    "azure-pipelines.yml",
    "bitbucket-pipelines.yml",
    "jenkinsfile",
    // What git itself obeys.
    ".gitattributes",
    ".gitmodules",
    ".githooks/",
    ".husky/",
    ".pre-commit-config.yaml",
    "lefthook.yml",
    // What agents obey, or start.
    ".claude/",
    ".claude-plugin/",
    "claude.md",
    ".codex/",
    "agents.md",
    ".agents/",
    ".gemini/",
    "gemini.md",
    ".qwen/",
    ".opencode/",
    "opencode.json",
    ".cursor/",
    ".mcp.json",
    // What editors and shells carry out on opening.
    ".vscode/",
    ".idea/",
    ".devcontainer/",
    ".devcontainer.json",
    ".envrc",
];

/// Says whether other tools carry the file at `path` out, or obey it, when the step is long over.
pub fn is_carried_out_later(path: &str) -> bool {
    let path = path.to_ascii_lowercase();
    let mut parts: Vec<&str> = path.split('/').collect();
    let name = parts.pop().unwrap_or_default();
    LATER.iter().any(|later| match later.strip_suffix('/') {
        Some(folder) => parts.contains(&folder),
        None => name == *later,
    })
}

/// Says whether the plan grants the action such a file.
pub fn may_change(action: &Action, path: &str) -> bool {
    super::is_under(&action.grants.protected, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_runs_later_is_known_wherever_it_stands() {
        for path in [
            ".github/workflows/ci.yml",
            ".GitHub/x",
            "a/.claude/settings.json",
            "CLAUDE.md",
            "docs/AGENTS.md",
            ".mcp.json",
            "Jenkinsfile",
            ".envrc",
        ] {
            assert!(is_carried_out_later(path), "{path}");
        }
        for path in [
            "github/x",
            "src/claude.rs",
            "agents.md.txt",
            "a.mcp.json",
            ".gitignore",
            "README.md",
        ] {
            assert!(!is_carried_out_later(path), "{path}");
        }
    }
}
