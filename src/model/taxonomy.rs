//! The taxonomy: what plugins can do and tasks need, in the words that people use for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Capability;

/// One file of the taxonomy, or several merged.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Taxonomy {
    pub schema: u32,
    pub domain: String,
    pub capabilities: BTreeMap<Capability, Meaning>,
}

/// What a capability means.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Meaning {
    /// It, in a few words: `rate limiting`.
    pub title: String,
    pub stage: Stage,
    /// Lower-case words and phrases of a task that ask for it.
    pub words: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub implies: Vec<Capability>,
}

/// When in a plan something is done, where its data does not say.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    Structure,
    Feature,
    Guard,
    Verify,
}

impl Taxonomy {
    /// Adds the capabilities of `other`; a name in both takes the meaning in `other`.
    pub fn merge(&mut self, other: Taxonomy) {
        self.capabilities.extend(other.capabilities);
    }

    /// Returns when `capability` is done; one that the taxonomy lacks counts as a feature.
    pub fn stage(&self, capability: &Capability) -> Stage {
        self.capabilities
            .get(capability)
            .map_or(Stage::Feature, |meaning| meaning.stage)
    }

    /// Returns `capability` in words.
    pub fn title(&self, capability: &Capability) -> String {
        self.capabilities
            .get(capability)
            .map_or_else(|| capability.to_string(), |meaning| meaning.title.clone())
    }
}
