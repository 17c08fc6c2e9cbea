//! What a person types for a source.

use anyhow::{Result, anyhow};

use super::super::{Hint, Oid, Trouble};
use super::address::Address;
use super::{GitSource, NpmSource, Source};

const FORMS: &str = "write a folder (`./plugins`), `owner/repo`, a git URL, either with `#branch` behind it, `npm:NAME`, or the https address of a marketplace.json";

const GITHUB: &str = "https://github.com/";

impl Source {
    /// Reads what a person types; `is_folder` says that there is a folder of this name, which then is meant.
    pub fn parse(text: &str, is_folder: bool) -> Result<Source> {
        if is_folder || is_spelled_as_folder(text) {
            return Source::Folder(text.to_string()).checked();
        }
        if let Some(package) = text.strip_prefix("npm:") {
            return Ok(Source::Npm(npm(package)?));
        }
        let (location, fragment) = text.split_once('#').unwrap_or((text, ""));
        let is_catalogue = location.ends_with(".json") && location.starts_with("http");
        if is_catalogue && fragment.is_empty() {
            return Source::Url(text.to_string()).checked();
        }
        Ok(Source::Git(git(location, fragment)?))
    }
}

impl GitSource {
    /// Returns the repository at `owner/repo` or a git URL, checked.
    pub fn at(location: &str) -> Result<GitSource> {
        let url = match is_github_name(location) {
            true => format!("{GITHUB}{}.git", location.trim_end_matches(".git")),
            false if Address::looks_like_one(location) => location.to_string(),
            false => {
                return Err(anyhow!("`{}` is not a source", location.escape_debug()))
                    .kind(Trouble::Request)
                    .hint(FORMS);
            }
        };
        GitSource {
            url,
            path: None,
            reference: None,
            commit: None,
        }
        .checked()
    }
}

/// Reads a location, and `REFERENCE@COMMIT:PATH` with any of the three left out.
fn git(location: &str, fragment: &str) -> Result<GitSource> {
    let (location, revision) = match location.rsplit_once('@') {
        // `owner/repo@v1` and `URL@COMMIT` are common ways to write the same.
        Some((before, behind)) if fragment.is_empty() && is_revision(before, behind) => {
            (before, behind)
        }
        _ => (location, fragment),
    };
    let (revision, path) = match revision.split_once(':') {
        Some((revision, path)) => (revision, Some(path)),
        None => (revision, None),
    };
    let (reference, commit) = match (oid(revision), revision.rsplit_once('@')) {
        (Some(commit), _) => ("", Some(commit)),
        (None, Some((reference, behind))) if oid(behind).is_some() => (reference, oid(behind)),
        _ => (revision, None),
    };
    GitSource {
        path: path.map(str::to_string),
        reference: (!reference.is_empty()).then(|| reference.to_string()),
        commit,
        ..GitSource::at(location)?
    }
    .checked()
}

fn npm(text: &str) -> Result<NpmSource> {
    let (package, registry) = match text.split_once('#') {
        Some((package, registry)) => (package, Some(registry)),
        None => (text, None),
    };
    // The first character of a scoped name is an `@` too.
    let version = package.char_indices().skip(1).find(|(_, c)| *c == '@');
    let (package, version) = match version {
        Some((at, _)) => (&package[..at], Some(&package[at + 1..])),
        None => (package, None),
    };
    NpmSource {
        package: package.to_string(),
        version: version.map(str::to_string),
        registry: registry.map(str::to_string),
    }
    .checked()
}

/// Says whether the text is a folder's path whatever the disk holds.
pub(super) fn is_spelled_as_folder(text: &str) -> bool {
    matches!(text, "." | "..")
        || ["./", "../", "/"]
            .iter()
            .any(|start| text.starts_with(start))
}

/// Returns `owner/repo` for the URL of a repository on GitHub.
pub(super) fn github_name(url: &str) -> Option<&str> {
    let name = url.strip_prefix(GITHUB)?.strip_suffix(".git")?;
    is_github_name(name).then_some(name)
}

fn is_github_name(text: &str) -> bool {
    let Some((owner, repository)) = text.split_once('/') else {
        return false;
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
    !owner.is_empty()
        && !owner.starts_with('-')
        && owner.chars().all(plain)
        && !matches!(repository.trim_end_matches(".git"), "" | "." | "..")
        && !repository.starts_with('-')
        && repository
            .chars()
            .all(|c| plain(c) || matches!(c, '.' | '_'))
}

fn is_revision(before: &str, behind: &str) -> bool {
    is_github_name(before) || (Address::looks_like_one(before) && oid(behind).is_some())
}

fn oid(text: &str) -> Option<Oid> {
    Oid::try_from(text.to_string()).ok()
}
