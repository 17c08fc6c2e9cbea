//! What a request calls by name: `the movie "Twilight"`, `directed by Sofia Coppola`.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;

use super::ports::singular_words;

/// How many words beside a name may say what kind of thing it is.
const BESIDE: usize = 2;

/// A thing that is called by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub text: String,
    /// The words beside it, in the singular.
    pub beside: BTreeSet<String>,
    /// Whether something is done by it, or is its own: it is likely a person.
    pub is_doer: bool,
}

/// What stands in quotes, or in capitals inside of a sentence, with small words among them.
static NAME: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r#""([^"]+)"|“([^”]+)”|"#,
        r"((?:\b\d+\s+)?\b[A-Z][\w'-]*(?::?\s+(?:(?:of|the|and|to|in|for|a)\s+){0,2}[A-Z0-9][\w'-]*)*)",
    ))
    .expect("the expression is a constant")
});

static DOES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:by|with|from|of|that|actor|actress|director|author|singer|artist)\s*$")
        .expect("the expression is a constant")
});

/// Returns the names in a text, and the text without them.
pub fn named(text: &str) -> (Vec<Named>, String) {
    let mut names = Vec::new();
    let mut rest = String::new();
    let mut end = 0;
    for captures in NAME.captures_iter(text) {
        let Some(whole) = captures.get(0) else {
            continue;
        };
        let quoted = captures.get(1).or(captures.get(2));
        let (before, after) = (&text[..whole.start()], &text[whole.end()..]);
        let Some(name) = quoted
            .map(|quoted| quoted.as_str())
            .or_else(|| capitals(whole.as_str(), before))
        else {
            continue;
        };
        let owns = name.ends_with("'s") || after.starts_with("'s");
        names.push(Named {
            text: name.trim_end_matches("'s").to_string(),
            beside: beside(before, after),
            is_doer: quoted.is_none()
                && !name.starts_with("The ")
                && (owns || DOES.is_match(before)),
        });
        // The first word of a sentence is left where it is.
        let start = match quoted {
            Some(_) => whole.start(),
            None => whole.end() - name.len(),
        };
        rest.push_str(&text[end..start]);
        end = whole.end();
    }
    rest.push_str(&text[end..]);
    (names, rest)
}

/// Returns a text without what it calls by name: what is to be done is rarely told by that.
pub fn without_names(text: &str) -> String {
    let (_, rest) = named(text);
    rest.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a name in capitals, unless the capitals only open a sentence or abbreviate.
fn capitals<'a>(name: &'a str, before: &str) -> Option<&'a str> {
    let before = before.trim_end();
    let opens = before.is_empty() || before.ends_with(['.', '?', '!']);
    let name = match (opens, name.split_once(' ')) {
        // The first word of a sentence says nothing by its capital.
        (true, Some((_, rest))) if rest.starts_with(|c: char| c.is_ascii_uppercase()) => rest,
        (true, _) => return None,
        (false, _) => name,
    };
    let abbreviates = name.len() < 4 && name.chars().all(|c| c.is_ascii_uppercase() || c == '\'');
    (!abbreviates && name.len() > 1 && !name.starts_with("I'")).then_some(name)
}

fn beside(before: &str, after: &str) -> BTreeSet<String> {
    let ends_before = before.rfind(['.', '?', '!', ',']).map_or(0, |end| end + 1);
    let ends_after = after.find(['.', '?', '!', ',']).unwrap_or(after.len());
    let before = singular_words(&before[ends_before..]);
    let after = singular_words(&after[..ends_after]);
    let nearest = before.into_iter().rev().take(BESIDE);
    nearest.chain(after.into_iter().take(1)).collect()
}
