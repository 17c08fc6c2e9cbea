//! The taxonomy: what developers want done, in the words that they use for it, and the technologies that they name.

mod fault;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::Capability;
pub use fault::Fault;

/// How many platforms a technology may belong to, one within the other: `docker compose`, `docker`.
const PLATFORMS_MAX: usize = 8;

/// One file of the taxonomy: a domain of work, and what is done in it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Domain {
    pub schema: u32,
    pub domain: String,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub capabilities: BTreeMap<Capability, Meaning>,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub technologies: Technologies,
}

/// By kind and name.
pub type Technologies = BTreeMap<String, BTreeMap<String, Technology>>;

/// What a capability means.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// The domain whose file describes it.
    #[serde(skip)]
    pub domain: String,
    /// It, in a few words: `rate limiting`.
    pub title: String,
    pub stage: Stage,
    /// Whether it leaves a report and changes nothing else; what is done to understand does so without saying it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub report: bool,
    /// Lower-case words and phrases of a task that ask for it, and for nothing else.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// How people say it who do not know its name: symptoms and goals.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub signs: Vec<String>,
    /// Tools, libraries, services, formats and languages that belong to it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub technologies: Vec<String>,
    /// What is done before it, where both are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<Capability>,
    /// What is done after it, where both are done.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub before: Vec<Capability>,
    /// What the task then needs as well, asked for or not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<Capability>,
}

/// When in a plan something is done, where its data does not say.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Understand,
    Design,
    Structure,
    Feature,
    Guard,
    Verify,
    Document,
    Release,
    Operate,
}

/// What else a technology is called, and where it belongs.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Technology {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub also: Vec<String>,
    /// The platform that it is a part of: who rules that out rules this out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<String>,
}

/// All domains together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Taxonomy {
    pub capabilities: BTreeMap<Capability, Meaning>,
    pub technologies: Technologies,
}

impl Taxonomy {
    /// Adds a domain. Where both have a capability, a phrase or a name of a technology, `domain` has the say.
    pub fn add(&mut self, domain: Domain) {
        let said: BTreeSet<&String> = domain
            .capabilities
            .values()
            .flat_map(|m| &m.words)
            .collect();
        for meaning in self.capabilities.values_mut() {
            meaning.words.retain(|phrase| !said.contains(phrase));
        }
        let names: BTreeSet<&String> = domain
            .technologies
            .values()
            .flatten()
            .flat_map(|(name, technology)| technology.also.iter().chain([name]))
            .collect();
        for technology in self
            .technologies
            .values_mut()
            .flat_map(BTreeMap::values_mut)
        {
            technology.also.retain(|name| !names.contains(name));
        }
        for (capability, mut meaning) in domain.capabilities {
            meaning.domain.clone_from(&domain.domain);
            self.capabilities.insert(capability, meaning);
        }
        for (kind, technologies) in domain.technologies {
            self.technologies
                .entry(kind)
                .or_default()
                .extend(technologies);
        }
    }

    /// Returns when `capability` is done; one that the taxonomy lacks counts as a feature.
    pub fn stage(&self, capability: &Capability) -> Stage {
        self.capabilities
            .get(capability)
            .map_or(Stage::Feature, |meaning| meaning.stage)
    }

    /// Says whether `capability` leaves a report and changes nothing else.
    pub fn is_report(&self, capability: &Capability) -> bool {
        self.capabilities
            .get(capability)
            .is_some_and(|meaning| meaning.report || meaning.stage == Stage::Understand)
    }

    /// Returns `capability` in words.
    pub fn title(&self, capability: &Capability) -> String {
        self.capabilities
            .get(capability)
            .map_or_else(|| capability.to_string(), |meaning| meaning.title.clone())
    }

    /// Says whether who provides `provided` fills `need`: with the same, or with another kind of the same purpose.
    pub fn fills(&self, provided: &Capability, need: &Capability) -> bool {
        // A family that can be asked for as such has one purpose (`auth`: with tokens, with OAuth2); others only sort (`api.rest`, `api.rate-limit`).
        let general = || {
            self.capabilities
                .keys()
                .any(|known| known.as_str() == need.family())
        };
        provided == need || (provided.family() == need.family() && general())
    }

    /// Returns the technology that `word` names, in any case: `K8s` is `kubernetes`.
    pub fn technology(&self, word: &str) -> Option<&str> {
        let all = || self.technologies.values().flatten();
        let called = |name: &String| name.eq_ignore_ascii_case(word);
        let named = all().find(|(name, _)| called(name));
        let found = named.or_else(|| all().find(|(_, one)| one.also.iter().any(called)));
        found.map(|(name, _)| name.as_str())
    }

    /// Returns the technologies that do what `name` does: those of its kinds, without itself.
    pub fn neighbours(&self, name: &str) -> BTreeSet<&str> {
        self.technologies
            .values()
            .filter(|kind| kind.contains_key(name))
            .flat_map(BTreeMap::keys)
            .map(String::as_str)
            .filter(|other| *other != name)
            .collect()
    }

    /// Returns the technologies of the kind called `name`, in words: `test runner` and `test runners` are those of `test-runner`.
    pub fn of_kind(&self, name: &str) -> Option<(&str, impl Iterator<Item = &str>)> {
        let called = |name: &str| {
            self.technologies
                .iter()
                .find(|(kind, _)| kind.replace('-', " ") == name)
        };
        let (kind, members) = called(name).or_else(|| called(name.strip_suffix('s')?))?;
        Some((kind, members.keys().map(String::as_str)))
    }

    /// Returns the kinds of the technology `name`.
    pub fn kinds(&self, name: &str) -> impl Iterator<Item = &str> {
        let having = self
            .technologies
            .iter()
            .filter(move |(_, kind)| kind.contains_key(name));
        having.map(|(kind, _)| kind.as_str())
    }

    /// Returns the technology `name` and all that is a part of it.
    pub fn with_parts(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self.technologies.values().flat_map(BTreeMap::keys);
        all.map(String::as_str)
            .filter(move |other| self.belongs_to(other, name))
    }

    /// Returns what the technology `name` is called, by all its names.
    pub fn names(&self, name: &str) -> impl Iterator<Item = &str> {
        let all = self
            .technologies
            .values()
            .filter_map(move |kind| kind.get_key_value(name));
        all.flat_map(|(name, technology)| technology.also.iter().chain([name]))
            .map(String::as_str)
    }

    /// Says whether the technology `name` is `platform`, or a part of it at any depth.
    pub fn belongs_to(&self, name: &str, platform: &str) -> bool {
        std::iter::successors(Some(name), |name| self.platform(name))
            .take(PLATFORMS_MAX)
            .any(|name| name == platform)
    }

    fn platform(&self, name: &str) -> Option<&str> {
        let mut all = self.technologies.values().filter_map(|kind| kind.get(name));
        all.find_map(|technology| technology.of.as_deref())
    }
}

#[cfg(test)]
mod tests;
