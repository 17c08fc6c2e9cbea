//! A request cut into the things that it asks for.

use std::sync::LazyLock;

use regex::Regex;

use super::words::content;

/// The most clauses that are looked at by themselves.
const CLAUSES_MAX: usize = 8;
/// A part with fewer words that say something belongs to the part before it.
const WORDS_MIN: usize = 2;

static BREAK: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*(?:[;:.!?]\s+|\n+|,\s+(?:and\s+then|then|and|or|but)\s+|,\s+|\s+(?:and\s+then|then|and|but)\s+|\s+-\s+|\s*[()]\s*)")
        .expect("the expression is a constant")
});

/// Returns the clauses of a text, at least one and at most eight.
pub fn clauses(text: &str) -> Vec<String> {
    let mut clauses: Vec<String> = Vec::new();
    for part in BREAK.split(text) {
        let part = part.trim_matches(|c| " .,;:!?".contains(c));
        if part.is_empty() {
            continue;
        }
        let says_little = |text: &str| content(text).len() < WORDS_MIN;
        match clauses.last_mut() {
            Some(before) if says_little(part) || says_little(before) => {
                before.push_str(", ");
                before.push_str(part);
            }
            _ => clauses.push(part.to_string()),
        }
    }
    clauses.truncate(CLAUSES_MAX);
    if clauses.is_empty() {
        clauses.push(text.to_string());
    }
    clauses
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_thing_that_is_asked_for_is_a_clause() {
        let text = "Build a REST API with JWT authentication, then add Redis caching. Document it";
        assert_eq!(
            clauses(text),
            [
                "Build a REST API with JWT authentication",
                "add Redis caching, Document it"
            ]
        );
        assert_eq!(clauses("tests"), ["tests"]);
        assert_eq!(clauses(""), [""]);
    }
}
