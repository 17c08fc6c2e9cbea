//! A marketplace's lock, `.orchestrate/lock/<marketplace>.yaml`: which commit of it is used, and what the plugins in use are.

use std::collections::BTreeMap;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{SourceConfig, schema};
use crate::model::{Digest, Oid, Payload, SCHEMA};
use crate::yaml;

/// What is used of a marketplace.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lock {
    pub schema: u32,
    /// Where it comes from; none for the embedded one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceConfig>,
    /// The commit in use, of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// The git tree in use; none for a folder, which is read as it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tree: Option<Oid>,
    /// The version in use, of an npm package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the registry says of the package's bytes, in the form of Subresource Integrity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
    /// The plugins that plans use.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub plugins: BTreeMap<String, PluginLock>,
}

/// What a plugin in use is.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PluginLock {
    /// Over names, modes and bytes of its files, as CONTRIBUTING.md describes.
    pub digest: Digest,
    /// What is fetched when it is used, and is not covered by the digest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub payloads: Vec<Payload>,
}

impl Default for Lock {
    fn default() -> Lock {
        Lock {
            schema: SCHEMA,
            source: None,
            commit: None,
            tree: None,
            version: None,
            integrity: None,
            plugins: BTreeMap::new(),
        }
    }
}

impl Lock {
    /// Returns the lock in `text`, which stands at `file`.
    pub fn read(file: &str, text: &[u8]) -> Result<Lock> {
        schema::check(file, text)?;
        let lock: Lock = yaml::parse(file, text)?;
        if let Some(source) = &lock.source {
            source.source()?;
        }
        Ok(lock)
    }

    /// Returns the text of the file.
    pub fn print(&self) -> Result<String> {
        yaml::print(self)
    }
}
