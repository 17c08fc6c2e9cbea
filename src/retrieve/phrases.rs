//! The words and phrases of a text, and what of them the taxonomy knows.

use std::ops::Range;

use crate::model::{Capability, Meaning, Taxonomy};
use crate::rank;

/// Orders to undo something: what follows is done by whoever understands the sentence, and never made anew.
const UNDOING: [&str; 7] = [
    "remove",
    "removing",
    "delete",
    "deleting",
    "drop",
    "disable",
    "uninstall",
];

/// A phrase of the taxonomy in a text.
pub struct Hit<'a> {
    pub phrase: &'a [String],
    pub capability: &'a Capability,
    pub range: Range<usize>,
}

/// A phrase as words, and what it asks for.
pub type Phrase = (Vec<String>, Capability);

/// The phrases of the taxonomy as words, the longest first; equally long ones in the order of their capability.
pub fn phrases(taxonomy: &Taxonomy) -> Vec<Phrase> {
    let of = |text: &str| {
        words(text)
            .iter()
            .map(|word| word.text.to_string())
            .collect()
    };
    let mut phrases: Vec<Phrase> = taxonomy
        .capabilities
        .iter()
        .flat_map(|(capability, meaning)| {
            let phrases = meaning.words.iter();
            phrases.map(move |phrase| (of(phrase), capability.clone()))
        })
        .collect();
    phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
    phrases
}

/// Returns the phrases in a text from its start to its end; none overlaps another.
pub fn hits<'a>(text: &str, phrases: &'a [Phrase]) -> Vec<Hit<'a>> {
    let words = words(text);
    let mut hits = Vec::new();
    let mut index = 0;
    while index < words.len() {
        let found = phrases
            .iter()
            .find(|(phrase, _)| starts_with(&words[index..], phrase));
        let Some((phrase, capability)) = found else {
            index += 1;
            continue;
        };
        let last = &words[index + phrase.len() - 1];
        hits.push(Hit {
            phrase,
            capability,
            range: words[index].start..last.start + last.text.len(),
        });
        index += phrase.len();
    }
    hits
}

fn starts_with(words: &[Word<'_>], phrase: &[String]) -> bool {
    words.len() >= phrase.len()
        && phrase
            .iter()
            .zip(words)
            .all(|(a, b)| a.eq_ignore_ascii_case(b.text))
}

/// Says whether a phrase is what an order wants undone: "remove the Redis cache".
pub fn is_undone(text: &str, hit: &Hit<'_>) -> bool {
    let before = words(&text[..hit.range.start]);
    let telling = before.iter().rev().map(|word| word.text.to_lowercase());
    let mut telling = telling.filter(|word| rank::is_content(word));
    telling
        .next()
        .is_some_and(|word| UNDOING.contains(&word.as_str()))
}

/// Returns the words that say something, are in no phrase, and stand in no text of the taxonomy.
pub fn leftover(text: &str, hits: &[Hit<'_>], taxonomy: &Taxonomy) -> Vec<String> {
    let is_open = |word: &&Word<'_>| !hits.iter().any(|hit| hit.range.contains(&word.start));
    let is_known = |word: &str| {
        let in_text = |text: &String| {
            words(text)
                .iter()
                .any(|own| own.text.eq_ignore_ascii_case(word))
        };
        let in_meaning = |meaning: &Meaning| {
            in_text(&meaning.title) || meaning.words.iter().chain(&meaning.signs).any(in_text)
        };
        taxonomy.technology(word).is_some() || taxonomy.capabilities.values().any(in_meaning)
    };
    let all = words(text);
    let open = all.iter().filter(is_open).map(|word| word.text);
    let open = open.filter(|word| {
        let lower = word.to_lowercase();
        rank::is_content(&lower) && !UNDOING.contains(&lower.as_str()) && !is_known(&lower)
    });
    open.map(str::to_string).collect()
}

/// A word of a text, and the byte at which it starts.
pub struct Word<'a> {
    pub text: &'a str,
    pub start: usize,
}

/// Splits into words; signs inside a word (`next.js`, `rate-limit`, `c++`) belong to it.
pub fn words(text: &str) -> Vec<Word<'_>> {
    let is_sign = |c: char| "-.+#_'".contains(c);
    let mut words = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices().chain([(text.len(), ' ')]) {
        match (c.is_alphanumeric() || is_sign(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                words.push((from, &text[from..at]));
                start = None;
            }
            _ => {}
        }
    }
    let trimmed = words.into_iter().map(|(from, word)| {
        let kept = word.trim_start_matches(['.', '-', '_', '\'']);
        Word {
            start: from + word.len() - kept.len(),
            text: kept.trim_end_matches(['.', '-', '_', '\'']),
        }
    });
    trimmed.filter(|word| !word.text.is_empty()).collect()
}
