//! The team's settings, `.orchestrate/config.yaml`.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{paths, schema};
use crate::model::SCHEMA;
use crate::yaml;

/// The settings of a repository.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub schema: u32,
    /// Marketplaces beside the embedded one, by the name that they go by here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marketplaces: BTreeMap<String, MarketplaceConfig>,
}

/// Where a marketplace is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MarketplaceConfig {
    /// A folder, relative to the repository.
    pub path: String,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schema: SCHEMA,
            marketplaces: BTreeMap::new(),
        }
    }
}

impl Config {
    /// Returns the settings in `text`.
    pub fn read(text: &[u8]) -> Result<Config> {
        schema::check(paths::CONFIG, text)?;
        yaml::parse(paths::CONFIG, text)
    }
}
