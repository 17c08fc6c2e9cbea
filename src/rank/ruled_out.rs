//! What a request does not want: `without OAuth`, `Selenium is banned`, `not in the cloud`.
//!
//! Only what names a technology, or a kind of them, rules plugins out, and what an order forbids (`don't add features`). Other negations are
//! goals and symptoms, such as `without downtime`, and stay in the text.

use std::collections::{BTreeSet, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{content, identifier};
use crate::model::Taxonomy;

/// The most words that the name of a technology or a kind has.
const NAME_WORDS_MAX: usize = 4;

/// What is not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuledOut {
    /// Names of technologies, in small letters: a plugin whose name, description or keywords have one is ruled out.
    pub names: BTreeSet<String>,
    /// Words of an order: a plugin whose name has one is ruled out.
    pub deeds: BTreeSet<String>,
}

/// Returns every technology that a phrase names, or names the kind of, with those that are part of it.
fn named_in<'a>(phrase: &str, taxonomy: &'a Taxonomy) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for name in names_in(phrase) {
        let members = taxonomy
            .of_kind(&name)
            .into_iter()
            .flat_map(|(_, members)| members);
        for technology in taxonomy.technology(&name).into_iter().chain(members) {
            found.extend(taxonomy.with_parts(technology));
        }
    }
    found
}

/// Returns the kinds of what a phrase names, in words.
fn kinds_in(phrase: &str, taxonomy: &Taxonomy) -> String {
    let mut kinds: Vec<String> = Vec::new();
    for name in names_in(phrase) {
        let technology = taxonomy.technology(&name).into_iter();
        let of_technology = technology.flat_map(|technology| taxonomy.kinds(technology));
        for kind in of_technology.chain(taxonomy.of_kind(&name).map(|(kind, _)| kind)) {
            let kind = kind.replace('-', " ");
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
    }
    kinds.join(", ")
}

/// Returns the runs of up to four words of a phrase, in small letters.
pub(super) fn names_in(phrase: &str) -> Vec<String> {
    let words = words(phrase);
    let mut names = Vec::new();
    for start in 0..words.len() {
        for end in (start + 1..=(start + NAME_WORDS_MAX).min(words.len())).rev() {
            names.push(words[start..end].join(" "));
        }
    }
    names
}

fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace("'s", "");
    let words = text.split(|c: char| !(c.is_alphanumeric() || "_.+#/-".contains(c)));
    let words = words.map(|word| word.trim_matches('.').to_string());
    words.filter(|word| !word.is_empty()).collect()
}

static BEFORE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b(?:(?:please\s+)?(?:do\s+not|don't|dont|never|must\s+not|mustn't|should\s+not|shouldn't|cannot|can't|can\s+not)\s+",
        r"(?:use|want|need|touch|add|have|like|rely\s+on|depend\s+on|go\s+with|consider|include|install|suggest|recommend|pick|choose)",
        r"|without(?:\s+using)?|avoid(?:ing)?|except(?:\s+for)?|excluding|other\s+than|rather\s+than|instead\s+of|anything\s+but|none\s+of|not|no)\s+",
    ))
    .expect("the expression is a constant")
});

static AFTER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)([\w.+#/-]+(?:\s+[\w.+#/-]+){0,2}?)\s+(?:is|are)\s+",
        r"(?:not\s+(?:an\s+option|allowed|permitted|acceptable|available|wanted|for\s+us)|banned|forbidden|prohibited|off\s+the\s+table",
        r"|out\s+of\s+the\s+question|ruled\s+out|disallowed|out)\b(?:\s+(?:for\s+us|here))?",
    ))
    .expect("the expression is a constant")
});

/// Where what is ruled out ends.
static END: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\s*(?:[,;:!?()]|\.(?:\s|$)|\s-\s|$|\b(?:and|but|or|so|because|since|as|ours|we|i|it|please|only|just|use|using|with|for|while)\b)")
        .expect("the expression is a constant")
});

/// An order stands alone; who does it is not said before it.
static SUBJECT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:i|we|you|they|he|she|it|that|who|which|what|there|this|users?|customers?|nobody|somebody|anybody|people|is|are|was|were|does|did|be|been)\s*$")
        .expect("the expression is a constant")
});

static ORDER: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:please\s+)?(?:do\s+not|don't|dont|never)\s")
        .expect("the expression is a constant")
});

/// Where something is said not to be wanted, and what.
pub(super) struct Negation<'a> {
    pub range: Range<usize>,
    what: &'a str,
}

/// Returns where a text says what is not wanted, in order.
pub(super) fn negations(text: &str) -> Vec<Negation<'_>> {
    let mut found: Vec<Negation<'_>> = Vec::new();
    for captures in AFTER.captures_iter(text) {
        if let (Some(all), Some(what)) = (captures.get(0), captures.get(1)) {
            found.push(Negation {
                range: all.range(),
                what: what.as_str(),
            });
        }
    }
    for cue in BEFORE.find_iter(text) {
        if found.iter().any(|other| other.range.contains(&cue.start())) {
            continue;
        }
        let rest = &text[cue.end()..];
        let end = END.find(rest).map_or(rest.len(), |end| end.start());
        if end > 0 {
            found.push(Negation {
                range: cue.start()..cue.end() + end,
                what: &rest[..end],
            });
        }
    }
    found.sort_by_key(|negation| negation.range.start);
    found
}

/// Reads what a text rules out, and returns the text that is left: in the place of a technology stands its kind, since `Selenium is banned` still
/// asks for browser automation.
pub fn read(text: &str, taxonomy: &Taxonomy) -> (String, RuledOut) {
    let mut ruled_out = RuledOut::default();
    let mut left = String::new();
    let mut end = 0;
    for negation in negations(text) {
        let named = named_in(negation.what, taxonomy);
        let stands_alone = !SUBJECT.is_match(&text[..negation.range.start]);
        let is_order = ORDER.is_match(&text[negation.range.clone()]) && stands_alone;
        if named.is_empty() && !is_order || negation.range.start < end {
            continue;
        }
        left.push_str(&text[end..negation.range.start]);
        end = negation.range.end;
        if named.is_empty() {
            ruled_out.deeds.extend(content(negation.what));
            continue;
        }
        left.push(' ');
        left.push_str(&kinds_in(negation.what, taxonomy));
        left.push(' ');
        let names = named.into_iter().flat_map(|name| taxonomy.names(name));
        ruled_out.names.extend(names.map(str::to_lowercase));
    }
    left.push_str(&text[end..]);
    let left = left.split_whitespace().collect::<Vec<_>>().join(" ");
    (
        left.replace(" ,", ",")
            .replace(" .", ".")
            .replace(" ;", ";"),
        ruled_out,
    )
}

impl RuledOut {
    /// Returns what ruling these words out means: technologies among them by all their names, with those that are part of them.
    pub fn of(words: &[String], taxonomy: &Taxonomy) -> RuledOut {
        let mut ruled_out = RuledOut::default();
        for word in words {
            let parts = taxonomy.technology(word).into_iter();
            let parts = parts.flat_map(|technology| taxonomy.with_parts(technology));
            let names = parts.flat_map(|part| taxonomy.names(part));
            ruled_out.names.extend(names.map(str::to_lowercase));
            ruled_out.names.insert(word.to_lowercase());
        }
        ruled_out
    }

    /// Returns why a plugin is not wanted, if it is not: `about` is its name, description and keywords.
    pub fn reason(&self, name: &str, about: &str) -> Option<String> {
        if !self.names.is_empty() {
            let about = format!("{name} {} {about}", identifier(name));
            let has = |said: &String| is_telling(said) && self.names.contains(said);
            if let Some(said) = names_in(&about).into_iter().find(has) {
                return Some(format!("`{said}` is not wanted"));
            }
        }
        let own: HashSet<String> = content(&identifier(name)).into_iter().collect();
        let deed = self.deeds.iter().find(|deed| own.contains(*deed));
        deed.map(|deed| format!("`{deed}` is not wanted"))
    }
}

/// Names of one or two letters, such as `go` and `c`, are words of other things too often.
pub(super) fn is_telling(name: &str) -> bool {
    name.len() > 2 || !name.chars().all(|c| c.is_ascii_lowercase())
}
