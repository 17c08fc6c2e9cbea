//! Where a marketplace or a plugin comes from.

use serde::{Deserialize, Serialize};

use super::Oid;

/// Where a marketplace or a plugin comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// A folder; relative to the repository in a team's settings.
    Folder(String),
    Git(GitSource),
    Npm(NpmSource),
    /// The address of a marketplace's catalogue file.
    Url(String),
}

/// A git repository, or a folder of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GitSource {
    /// `https://`, `ssh://`, `file://` or `user@host:path`.
    pub url: String,
    /// A folder of the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// A branch or a tag; the remote's default branch without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The commit that is meant, whatever the reference says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
}

/// A package of the npm registry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NpmSource {
    pub package: String,
    /// A version, a range or a tag; `latest` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Another registry than the configured one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
}
