//! Names that Claude Code has rules about.

use anyhow::{Result, ensure};

/// Marketplaces that are taken from their maker's repositories only.
const OFFICIAL: [&str; 19] = [
    "agent-skills",
    "anthropic-agent-skills",
    "anthropic-marketplace",
    "anthropic-plugin-directory",
    "anthropic-plugins",
    "claude-code-marketplace",
    "claude-code-plugins",
    "claude-community",
    "claude-for-financial-services",
    "claude-for-legal",
    "claude-plugin-directory",
    "claude-plugins-community",
    "claude-plugins-official",
    "claude-tag-plugins",
    "financial-services-plugins",
    "first-party-plugins",
    "healthcare",
    "knowledge-work-plugins",
    "life-sciences",
];

/// Says whether the marketplace's name is reserved for its maker.
pub fn is_official(marketplace: &str) -> bool {
    OFFICIAL.contains(&marketplace)
}

/// Says why the name cannot be a marketplace's.
pub fn usable(name: &str) -> Result<()> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    ensure!(
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(plain)
            && !name.contains(".."),
        "is `{}`: it has only a-z, A-Z, 0-9, `.`, `_` and `-`, and starts with a letter or digit",
        name.escape_debug()
    );
    Ok(())
}

/// Says whether a plugin's name passes as one of Claude Code's maker, which only that maker's marketplaces may list.
pub fn reserved_plugin(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let starts = ["anthropic-", "anthropics-", "cc-plugin-", "claude-"];
    let words: Vec<&str> = name.split(['-', '_', '.']).collect();
    let has = |word: &str| words.contains(&word);
    starts.iter().any(|start| name.starts_with(start))
        || ["anthropic", "anthropics", "claude"].contains(&name.as_str())
        || (has("official") && (has("claude") || has("anthropic")))
}
