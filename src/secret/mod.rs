//! Values that nobody but the step they are granted to may see: kept out of every log, terminal, event and commit.
//!
//! A secret is looked for in plain, and as base64, hexadecimal, URL and JSON text write it, wherever in a longer text it stands. What was
//! compressed, encrypted, turned round, or written as base64 with line breaks inside is not found. Nothing is read from the environment here.
//!
//! To add a way of writing, add it to `forms` and to the property test of `stream`.

mod forms;
mod stream;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use aho_corasick::AhoCorasick;
use anyhow::{Context, Result, ensure};

pub use stream::Redaction;

/// The fewest bytes of a secret: a shorter one would be found everywhere.
pub const BYTES_MIN: usize = 8;

/// A value with the name that it is granted by.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret {
    pub name: String,
    value: String,
}

impl Secret {
    /// Returns the secret; one that is too short to be told from other text is refused.
    pub fn new(name: &str, value: String) -> Result<Secret> {
        ensure!(
            value.len() >= BYTES_MIN,
            "the secret `{name}` has fewer than {BYTES_MIN} characters, so it could not be kept out of logs"
        );
        let name = name.to_string();
        Ok(Secret { name, value })
    }

    /// Returns the value itself.
    pub fn reveal(&self) -> &str {
        &self.value
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({})", self.name)
    }
}

/// Finds secrets in text; clones share it. The default one has nothing to look for.
#[derive(Clone, Default)]
pub struct Secrets(Option<Arc<Wanted>>);

struct Wanted {
    finder: AhoCorasick,
    /// Each pattern, and the name of the secret that it is a form of.
    patterns: Vec<(Vec<u8>, String)>,
}

/// A place in a text that would give a secret away.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    range: Range<usize>,
    /// The place of its form among the patterns.
    pattern: usize,
}

impl Secrets {
    /// Returns what finds these secrets.
    pub fn new(secrets: &[Secret]) -> Result<Secrets> {
        let mut patterns = Vec::new();
        for secret in secrets {
            let forms = forms::forms(secret.reveal().as_bytes());
            patterns.extend(forms.into_iter().map(|form| (form, secret.name.clone())));
        }
        if patterns.is_empty() {
            return Ok(Secrets::default());
        }
        let finder = AhoCorasick::new(patterns.iter().map(|(form, _)| form))
            .context("cannot look for so many secrets")?;
        Ok(Secrets(Some(Arc::new(Wanted { finder, patterns }))))
    }

    /// Returns the name of a secret that `bytes` hold, if they hold any.
    pub fn named_in(&self, bytes: &[u8]) -> Option<&str> {
        let wanted = self.0.as_ref()?;
        let found = wanted.finder.find(bytes)?;
        Some(&wanted.patterns[found.pattern().as_usize()].1)
    }

    /// Returns `text` with the name of each secret in its place.
    pub fn redact(&self, text: &str) -> String {
        if self.named_in(text.as_bytes()).is_none() {
            return text.to_string();
        }
        let mut redaction = Redaction::new(self.clone());
        let mut redacted = redaction.push(text.as_bytes());
        redacted.extend(redaction.finish());
        String::from_utf8_lossy(&redacted).into_owned()
    }

    /// Returns every place that holds a secret, in order; places that touch or overlap are one.
    fn places(&self, bytes: &[u8]) -> Vec<Found> {
        let Some(wanted) = &self.0 else {
            return Vec::new();
        };
        let mut places: Vec<Found> = wanted
            .finder
            .find_overlapping_iter(bytes)
            .map(|found| Found {
                range: found.range(),
                pattern: found.pattern().as_usize(),
            })
            .collect();
        places.sort_by_key(|found| (found.range.start, found.range.end));
        let mut merged: Vec<Found> = Vec::new();
        for found in places {
            match merged.last_mut() {
                Some(last) if found.range.start < last.range.end => {
                    last.range.end = last.range.end.max(found.range.end);
                }
                _ => merged.push(found),
            }
        }
        merged
    }

    /// Returns where in `bytes` a secret could begin that goes on after their end.
    fn open_end(&self, bytes: &[u8]) -> usize {
        let patterns = self.0.iter().flat_map(|wanted| &wanted.patterns);
        let begun = |pattern: &[u8]| {
            let longest = (pattern.len() - 1).min(bytes.len());
            let suffixes = (1..=longest).rev();
            let begun = suffixes.map(|length| bytes.len() - length);
            begun
                .into_iter()
                .find(|start| pattern.starts_with(&bytes[*start..]))
        };
        patterns
            .filter_map(|(pattern, _)| begun(pattern))
            .min()
            .unwrap_or(bytes.len())
    }

    fn mark(&self, found: &Found) -> String {
        let name = self
            .0
            .as_ref()
            .map(|wanted| &wanted.patterns[found.pattern].1);
        format!("[redacted: {}]", name.map_or("", String::as_str))
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let forms = self.0.as_ref().map_or(0, |wanted| wanted.patterns.len());
        write!(f, "Secrets({forms} forms)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_shows_its_name_only() {
        let secret = Secret::new("TOKEN", "correct horse".to_string()).unwrap();
        assert_eq!(format!("{secret:?}"), "Secret(TOKEN)");
        let secrets = Secrets::new(&[secret]).unwrap();
        assert!(!format!("{secrets:?}").contains("horse"));
        assert_eq!(secrets.redact("a correct horse."), "a [redacted: TOKEN].");
        assert_eq!(secrets.redact("a correct horst"), "a correct horst");
        assert_eq!(secrets.named_in(b"x Y29ycmVjdCBob3JzZQ== y"), Some("TOKEN"));
    }

    #[test]
    fn a_short_secret_is_refused() {
        let error = Secret::new("PIN", "1234567".to_string()).unwrap_err();
        assert!(error.to_string().contains("`PIN`") && !error.to_string().contains("1234567"));
    }

    #[test]
    fn without_secrets_nothing_is_looked_for() {
        let none = Secrets::default();
        assert_eq!(none.redact("anything"), "anything");
        assert_eq!(none.named_in(b"anything"), None);
    }
}
