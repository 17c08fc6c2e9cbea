//! A sentence, read as capabilities.

use std::collections::BTreeSet;

use super::Library;
use crate::model::{Capability, Need, Task};

/// What was read out of a task.
pub struct Reading {
    pub needs: Vec<Need>,
    pub unknown_words: Vec<String>,
    pub understood_share: f64,
    pub avoid: Vec<String>,
}

/// Words that say nothing about what is wanted.
const FILLER: &[&str] = &[
    "a",
    "an",
    "the",
    "and",
    "or",
    "with",
    "using",
    "use",
    "in",
    "on",
    "for",
    "to",
    "of",
    "that",
    "which",
    "by",
    "my",
    "our",
    "me",
    "us",
    "it",
    "its",
    "is",
    "are",
    "build",
    "create",
    "make",
    "write",
    "add",
    "set",
    "up",
    "setup",
    "implement",
    "develop",
    "generate",
    "want",
    "need",
    "needs",
    "please",
    "new",
    "simple",
    "small",
    "full",
    "complete",
    "some",
    "app",
    "application",
    "project",
    "service",
    "server",
    "system",
    "based",
    "i",
    "we",
    "from",
    "into",
    "be",
    "should",
    "have",
    "has",
    "support",
    "supports",
    "supporting",
    "including",
    "include",
    "also",
    "via",
    "over",
    "this",
    "production-ready",
    "modern",
    "secure",
];

/// Words after which something is not wanted.
const NEGATIONS: &[&str] = &[
    "without",
    "no",
    "not",
    "don't",
    "never",
    "avoid",
    "avoiding",
    "except",
    "excluding",
    "remove",
    "removing",
    "delete",
    "drop",
    "disable",
];

/// Reads the capabilities that `task` asks for, those that these imply, and what it rules out.
pub fn read(task: &Task, library: &Library<'_>) -> Reading {
    let words = words(&task.text);
    let phrases = phrases(library);
    let technologies: BTreeSet<String> = library
        .plugins
        .iter()
        .filter_map(|plugin| plugin.spec.as_ref())
        .flat_map(|spec| spec.technologies.iter().cloned())
        .collect();
    let mut reading = Reading {
        needs: Vec::new(),
        unknown_words: Vec::new(),
        understood_share: 0.0,
        avoid: task.constraints.avoid.clone(),
    };
    let (mut known, mut counted) = (0, 0);
    let mut index = 0;
    while index < words.len() {
        let negated = negated(&words, index);
        let found = phrases
            .iter()
            .find(|(phrase, _)| starts_with(&words[index..], phrase));
        if let Some((phrase, capability)) = found {
            let said = words[index..index + phrase.len()].join(" ");
            if negated {
                reading.avoid.extend(phrase.iter().cloned());
                reading.avoid.push(said);
            } else {
                ask(&mut reading.needs, capability, said);
            }
            counted += phrase.len();
            // What is understood and can be done by nobody is no reason to plan the rest.
            if library.filling(capability).next().is_some() {
                known += phrase.len();
            }
            index += phrase.len();
            continue;
        }
        let word = &words[index];
        let lower = word.to_lowercase();
        if technologies.contains(&lower) {
            (known, counted) = (known + 1, counted + 1);
            if negated {
                reading.avoid.push(lower);
            }
        } else if !FILLER.contains(&lower.as_str()) && !NEGATIONS.contains(&lower.as_str()) {
            counted += 1;
            reading.unknown_words.push(word.clone());
        }
        index += 1;
    }
    reading.understood_share = if counted == 0 {
        0.0
    } else {
        known as f64 / counted as f64
    };
    specialise(&mut reading.needs);
    imply(&mut reading.needs, library);
    reading
}

fn ask(needs: &mut Vec<Need>, capability: &Capability, words: String) {
    match needs.iter_mut().find(|need| need.capability == *capability) {
        Some(need) => {
            let all = format!("{}, {words}", need.words.as_deref().unwrap_or_default());
            need.because = format!("asked for: \"{all}\"");
            need.words = Some(all);
        }
        None => needs.push(Need {
            capability: capability.clone(),
            because: format!("asked for: \"{words}\""),
            words: Some(words),
        }),
    }
}

/// "authentication" beside "JWT" asks for one thing, not two: the general need goes into the special one.
fn specialise(needs: &mut Vec<Need>) {
    let special: Vec<Capability> = needs.iter().map(|need| need.capability.clone()).collect();
    needs.retain(|need| {
        let general = need.capability.as_str() == need.capability.family();
        !general
            || !special.iter().any(|other| {
                *other != need.capability && other.family() == need.capability.as_str()
            })
    });
}

fn imply(needs: &mut Vec<Need>, library: &Library<'_>) {
    let mut index = 0;
    while index < needs.len() {
        let meaning = library.taxonomy.capabilities.get(&needs[index].capability);
        for implied in meaning.iter().flat_map(|meaning| &meaning.implies) {
            if !needs.iter().any(|need| need.capability == *implied) {
                let by = library.taxonomy.title(&needs[index].capability);
                needs.push(Need {
                    capability: implied.clone(),
                    words: None,
                    because: format!("implied by {by}"),
                });
            }
        }
        index += 1;
    }
}

/// The phrases of the taxonomy as words, the longest first; equally long ones in the order of their capability.
fn phrases(library: &Library<'_>) -> Vec<(Vec<String>, Capability)> {
    let mut phrases: Vec<(Vec<String>, Capability)> = library
        .taxonomy
        .capabilities
        .iter()
        .flat_map(|(capability, meaning)| {
            meaning
                .words
                .iter()
                .map(move |phrase| (words(phrase), capability.clone()))
        })
        .collect();
    phrases.sort_by_key(|(phrase, _)| std::cmp::Reverse(phrase.len()));
    phrases
}

fn starts_with(words: &[String], phrase: &[String]) -> bool {
    words.len() >= phrase.len()
        && phrase
            .iter()
            .zip(words)
            .all(|(a, b)| a.eq_ignore_ascii_case(b))
}

/// Looks back over words that say nothing: "do not build a REST API" wants none.
fn negated(words: &[String], index: usize) -> bool {
    let is = |list: &[&str], word: &str| list.iter().any(|known| word.eq_ignore_ascii_case(known));
    let before = words[..index].iter().rev().take(5);
    let telling = before
        .map(String::as_str)
        .find(|word| is(NEGATIONS, word) || !is(FILLER, word));
    telling.is_some_and(|word| is(NEGATIONS, word))
}

/// Splits into words; signs inside a word (`next.js`, `rate-limit`, `c++`) belong to it.
fn words(text: &str) -> Vec<String> {
    text.split(|c: char| !(c.is_alphanumeric() || "-.+#_'".contains(c)))
        .map(|word| word.trim_matches(['.', '-', '_', '\'']).to_string())
        .filter(|word| !word.is_empty())
        .collect()
}
