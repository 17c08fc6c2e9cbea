//! What a request does not want: `without OAuth`, `Selenium is banned`, `not in the cloud`.
//!
//! Only what names a technology, or a kind of them, rules plugins out, and what an order forbids (`don't add features`). Other negations are
//! goals and symptoms, such as `without downtime`, and stay in the text.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::words::{content, identifier};
use crate::model::Taxonomy;

/// The most words that the name of a technology or a kind has.
const NAME_WORDS_MAX: usize = 4;

/// The technologies that people name, by all their names.
pub struct Technologies {
    /// By each name in small letters.
    names: HashMap<String, String>,
    /// The kinds of each.
    kinds: HashMap<String, Vec<String>>,
    /// The technologies of each kind.
    members: HashMap<String, BTreeSet<String>>,
    /// Those that are part of a platform.
    parts: HashMap<String, BTreeSet<String>>,
    /// All names of each.
    called: HashMap<String, BTreeSet<String>>,
}

/// What is not wanted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuledOut {
    /// What the person said, as written.
    pub said: Vec<String>,
    /// Names of technologies, in small letters: a plugin whose name, description or keywords have one is ruled out.
    pub names: BTreeSet<String>,
    /// Words of an order: a plugin whose name has one is ruled out.
    pub deeds: BTreeSet<String>,
}

impl Technologies {
    /// Returns the technologies of a taxonomy.
    pub fn of(taxonomy: &Taxonomy) -> Technologies {
        let mut all = Technologies {
            names: HashMap::new(),
            kinds: HashMap::new(),
            members: HashMap::new(),
            parts: HashMap::new(),
            called: HashMap::new(),
        };
        for (kind, technologies) in &taxonomy.technologies {
            let kind = kind.replace('-', " ");
            for (name, technology) in technologies {
                let name = name.to_lowercase();
                let also = technology.also.iter().map(|other| other.to_lowercase());
                for other in also.chain([name.clone()]) {
                    all.names.insert(other.clone(), name.clone());
                    all.called.entry(name.clone()).or_default().insert(other);
                }
                all.kinds
                    .entry(name.clone())
                    .or_default()
                    .push(kind.clone());
                let members = all.members.entry(kind.clone()).or_default();
                members.insert(name.clone());
                if let Some(platform) = &technology.of {
                    let parts = all.parts.entry(platform.to_lowercase()).or_default();
                    parts.insert(name);
                }
            }
        }
        all
    }

    /// Returns every technology that a phrase names, or names the kind of, with those that are part of it.
    fn named_in(&self, phrase: &str) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        for name in names_in(phrase) {
            if let Some(technology) = self.names.get(&name) {
                self.add(technology, &mut found);
            }
            for member in self.members(&name).into_iter().flatten() {
                self.add(member, &mut found);
            }
        }
        found
    }

    fn add<'a>(&'a self, technology: &'a str, found: &mut BTreeSet<&'a str>) {
        if found.insert(technology) {
            for part in self.parts.get(technology).into_iter().flatten() {
                self.add(part, found);
            }
        }
    }

    /// Returns the technologies of the kind called `name`: `clouds` are those of the kind `cloud`.
    fn members(&self, name: &str) -> Option<&BTreeSet<String>> {
        self.members
            .get(name)
            .or_else(|| self.members.get(name.strip_suffix('s')?))
    }

    /// Returns the kinds of what a phrase names, in words.
    fn kinds_in(&self, phrase: &str) -> String {
        let mut kinds: Vec<&str> = Vec::new();
        for name in names_in(phrase) {
            let of_technology = self.names.get(&name).and_then(|name| self.kinds.get(name));
            let singular = name.strip_suffix('s').unwrap_or(&name);
            let itself = [name.as_str(), singular].map(|kind| self.members.get_key_value(kind));
            let itself = itself.into_iter().flatten().map(|(kind, _)| kind).take(1);
            let found = of_technology.into_iter().flatten();
            for kind in found.chain(itself) {
                if !kinds.contains(&kind.as_str()) {
                    kinds.push(kind);
                }
            }
        }
        kinds.join(", ")
    }
}

/// Returns the runs of up to four words of a phrase, in small letters.
fn names_in(phrase: &str) -> Vec<String> {
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
struct Negation<'a> {
    range: Range<usize>,
    what: &'a str,
}

fn negations(text: &str) -> Vec<Negation<'_>> {
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
pub fn read(text: &str, technologies: &Technologies) -> (String, RuledOut) {
    let mut ruled_out = RuledOut::default();
    let mut left = String::new();
    let mut end = 0;
    for negation in negations(text) {
        let named = technologies.named_in(negation.what);
        let stands_alone = !SUBJECT.is_match(&text[..negation.range.start]);
        let is_order = ORDER.is_match(&text[negation.range.clone()]) && stands_alone;
        if named.is_empty() && !is_order || negation.range.start < end {
            continue;
        }
        left.push_str(&text[end..negation.range.start]);
        end = negation.range.end;
        ruled_out.said.push(negation.what.to_string());
        if named.is_empty() {
            ruled_out.deeds.extend(content(negation.what));
            continue;
        }
        left.push(' ');
        left.push_str(&technologies.kinds_in(negation.what));
        left.push(' ');
        let names = named
            .into_iter()
            .filter_map(|name| technologies.called.get(name));
        ruled_out.names.extend(names.flatten().cloned());
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

    /// Says whether nothing is ruled out.
    pub fn is_empty(&self) -> bool {
        self.said.is_empty()
    }
}

/// Names of one or two letters, such as `go` and `c`, are words of other things too often.
fn is_telling(name: &str) -> bool {
    name.len() > 2 || !name.chars().all(|c| c.is_ascii_lowercase())
}
