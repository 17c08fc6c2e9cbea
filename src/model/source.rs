//! Where a marketplace or a plugin comes from.

mod address;
mod checked;
mod name;
mod parse;

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Oid;

/// The registry that npm asks where none is configured.
pub const NPM_REGISTRY: &str = "https://registry.npmjs.org";

/// Where a marketplace or a plugin comes from.
///
/// A value that was read from a file is not known to be sound: `checked` and `checked_as_stranger` say so.
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

/// Writes the short form, which `Source::parse` reads back.
impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Source::Folder(path) if parse::is_spelled_as_folder(path) => f.write_str(path),
            Source::Folder(path) => write!(f, "./{path}"),
            Source::Git(git) => git.fmt(f),
            Source::Npm(npm) => npm.fmt(f),
            Source::Url(url) => f.write_str(url),
        }
    }
}

/// Writes `URL#REFERENCE@COMMIT:PATH` without what is not there; a repository on GitHub is `owner/repo`.
impl fmt::Display for GitSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(parse::github_name(&self.url).unwrap_or(&self.url))?;
        if self.reference.is_none() && self.commit.is_none() && self.path.is_none() {
            return Ok(());
        }
        f.write_str("#")?;
        f.write_str(self.reference.as_deref().unwrap_or_default())?;
        if let Some(commit) = &self.commit {
            write!(f, "@{commit}")?;
        }
        match &self.path {
            Some(path) => write!(f, ":{path}"),
            None => Ok(()),
        }
    }
}

/// Writes `npm:NAME@VERSION#REGISTRY` without what is not there.
impl fmt::Display for NpmSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "npm:{}", self.package)?;
        if let Some(version) = &self.version {
            write!(f, "@{version}")?;
        }
        match &self.registry {
            Some(registry) => write!(f, "#{registry}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
