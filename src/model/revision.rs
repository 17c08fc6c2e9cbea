//! What a source came to when it was fetched.

use serde::{Deserialize, Serialize};

use super::Oid;

/// What a source came to when it was fetched; the lock keeps it, so that the same is read again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Revision {
    /// The commit of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// The id, as git computes it, of the folder with all files.
    pub tree: Oid,
    /// The version of an npm package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// What the registry says that the package's archive hashes to, in npm's notation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub integrity: Option<String>,
}
