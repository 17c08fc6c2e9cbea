//! What of a plugin is read for its meaning.

use super::words::identifier;
use crate::encoder::{Vector, vector as meaning};
use crate::model::beginning;

/// How much of the short and of the long passage is read, in bytes.
const SHORT_BYTES_MAX: usize = 1_200;
const LONG_BYTES_MAX: usize = 2_000;

/// What is told about a plugin, or about anything that can be found.
#[derive(Debug, Clone, Copy, Default)]
pub struct Passage<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// Its category and keywords.
    pub tags: &'a str,
    /// The names of what it is made of.
    pub parts: &'a str,
}

/// Returns the texts that are read: its name and description, and these with all else.
pub fn passages(passage: &Passage<'_>) -> Vec<String> {
    let short = format!("{}. {}", identifier(passage.name), passage.description);
    let mut long = short.clone();
    for more in [passage.tags, passage.parts] {
        if !more.is_empty() {
            long.push(' ');
            long.push_str(more);
        }
    }
    let mut texts = vec![beginning(&short, SHORT_BYTES_MAX).to_string()];
    if long != short {
        texts.push(beginning(&long, LONG_BYTES_MAX).to_string());
    }
    texts
}

/// Returns the one vector of a plugin.
pub fn vector(passage: &Passage<'_>) -> Vector {
    let vectors: Vec<Vector> = passages(passage).iter().map(|text| meaning(text)).collect();
    let parts: Vec<(f32, &Vector)> = vectors.iter().map(|vector| (1.0, vector)).collect();
    Vector::sum(&parts).0
}
