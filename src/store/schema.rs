//! The version of a file's format. Every file of ours opens with `schema: N`.
//!
//! Changes: 1 is the first. Added to it since: `mcp` of an action and of `orchestrate.yaml`, with the runner of that name.

use anyhow::{Result, anyhow};

use crate::model::{Hint, SCHEMA, Trouble};

/// Refuses a file that a newer orchestrate wrote, or that is none of ours, before the rest of it is looked at.
pub fn check(file: &str, text: &[u8]) -> Result<()> {
    let head = String::from_utf8_lossy(&text[..text.len().min(4096)]);
    let first = head
        .lines()
        .find(|line| !line.trim().is_empty() && !line.starts_with('#'));
    let Some(number) = first.and_then(|line| line.strip_prefix("schema:")) else {
        return Err(anyhow!(
            "cannot read `{file}`: it does not begin with `schema: {SCHEMA}`, at line 1"
        ))
        .kind(Trouble::Request)
        .hint(format!("see what changed it: `git log -p -- {file}`"));
    };
    match number.trim().parse::<u32>() {
        Ok(number) if (1..=SCHEMA).contains(&number) => Ok(()),
        Ok(number) => Err(anyhow!(
            "`{file}` has schema {number}, and this orchestrate reads up to {SCHEMA}"
        ))
        .kind(Trouble::Request)
        .hint("a newer orchestrate wrote it: upgrade, or go back to the file's previous commit"),
        Err(_) => Err(anyhow!(
            "cannot read `{file}`: schema: expected a number, found `{}`, at line 1",
            number.trim().escape_debug()
        ))
        .kind(Trouble::Request),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn newer_files_and_strangers_are_refused_by_name() {
        let said = |text: &str| {
            super::check("f", text.as_bytes())
                .err()
                .map(|error| error.to_string())
                .unwrap_or_default()
        };
        assert_eq!(said("# a comment\n\nschema: 1\nx: 2\n"), "");
        assert!(said("schema: 2\n").contains("reads up to 1"));
        assert!(said("schema: two\n").contains("expected a number"));
        assert!(said("").contains("does not begin with"));
    }
}
