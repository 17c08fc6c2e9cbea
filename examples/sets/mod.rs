//! Sets of things to find, requests for them and what is right, in the layout of the benches: a folder of each set holds `corpus.jsonl`,
//! `queries.jsonl` and more. The code that reads them is the same for all;
//! an example takes the files of this folder that it needs.

pub mod corpus;

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use serde_json::Value;

pub use corpus::Corpus;

/// Returns the values in a file, one a line.
pub fn lines(path: &Path) -> Result<Vec<Value>> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let lines = text.lines().enumerate();
    let lines = lines.filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            serde_json::from_str(line)
                .with_context(|| format!("`{}`:{} is no JSON", path.display(), number + 1))
        })
        .collect()
}

/// Returns the text in a field; an empty one where there is none.
pub fn text<'a>(of: &'a Value, field: &str) -> &'a str {
    of[field].as_str().unwrap_or_default()
}
