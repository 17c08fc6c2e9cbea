//! What a registry says of a package, and which of its versions is meant.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use nodejs_semver::{Range, Version};
use reqwest::Url;
use reqwest::blocking::Client;
use reqwest::header::ACCEPT;
use serde::Deserialize;
use serde_json::Value;

use super::integrity::Integrity;
use super::{Package, Settings};
use crate::fetch::http;
use crate::model::{Hint, Trouble};

/// The most bytes that a registry may say of one package.
const BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The short form of the answer, and the long one for registries that have no other.
const SHORT_FORM: &str = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8";

/// One version of a package.
pub struct Release {
    pub version: String,
    pub tarball: Url,
    pub integrity: Integrity,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "dist-tags", default)]
    tags: BTreeMap<String, String>,
    #[serde(default)]
    versions: BTreeMap<String, Published>,
}

#[derive(Deserialize)]
struct Published {
    dist: Distribution,
    /// A sentence, or `false`.
    #[serde(default)]
    deprecated: Value,
}

#[derive(Deserialize)]
struct Distribution {
    tarball: String,
    #[serde(default)]
    integrity: Option<String>,
    #[serde(default)]
    shasum: Option<String>,
}

/// Asks the registry for the version that the package names.
pub fn release(package: &Package, settings: &Settings, client: &Client) -> Result<Release> {
    let name = package.name.replace('/', "%2f");
    let url = package.registry.join(&format!("./{name}"))?;
    let request = client.get(url.clone()).header(ACCEPT, SHORT_FORM);
    let response = http::send(settings.authorized(request, &url), &url)?;
    let bytes = http::body(response, BYTES_MAX)?;
    Release::of(&bytes, package.wanted())
        .with_context(|| format!("cannot choose a version at `{url}`"))
}

impl Release {
    /// Returns the version that is wanted of what a registry answered.
    pub fn of(answer: &[u8], wanted: &str) -> Result<Release> {
        let answer: Answer = serde_json::from_slice(answer)
            .context("it does not answer as a registry does")
            .kind(Trouble::Missing)?;
        let version = answer.meant(wanted)?;
        let published = answer.versions.get(&version);
        let published = published
            .with_context(|| format!("the registry has no version {version}"))
            .kind(Trouble::Request)?;
        let dist = &published.dist;
        Ok(Release {
            tarball: Url::parse(&dist.tarball).context("the registry names no archive")?,
            integrity: Integrity::of(dist.integrity.as_deref(), dist.shasum.as_deref())?,
            version,
        })
    }
}

impl Answer {
    /// Returns the version that npm would take: an exact one, else the best of a range, else what a tag names.
    fn meant(&self, wanted: &str) -> Result<String> {
        if let Ok(version) = Version::parse(wanted) {
            return Ok(version.to_string());
        }
        let found = match Range::parse(wanted) {
            Ok(range) => self.best(&range),
            Err(_) => self.tags.get(wanted).cloned(),
        };
        let known = || {
            let tags = self.tags.iter().take(8);
            let tags: Vec<String> = tags
                .map(|(tag, version)| format!("{tag} ({version})"))
                .collect();
            format!("its tags are: {}", tags.join(", "))
        };
        found
            .ok_or_else(|| anyhow!("the package has no version `{wanted}`"))
            .kind(Trouble::Request)
            .hint(known())
    }

    /// Returns `latest` where the range allows it, else the highest version, one that is not deprecated before one that is.
    fn best(&self, range: &Range) -> Option<String> {
        let allowed =
            |text: &str| Version::parse(text).is_ok_and(|version| range.satisfies(&version));
        if let Some(latest) = self.tags.get("latest").filter(|latest| allowed(latest)) {
            return Some(latest.clone());
        }
        let versions = self.versions.iter().filter(|(text, _)| allowed(text));
        let rank = |published: &Published| {
            matches!(published.deprecated, Value::Null | Value::Bool(false))
        };
        let best =
            versions.max_by_key(|(text, published)| (rank(published), Version::parse(text).ok()));
        best.map(|(text, _)| text.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(wanted: &str, expected: &str) {
        let published = |deprecated: bool| {
            serde_json::json!({
                "dist": {"tarball": "https://npm.example/a.tgz"},
                "deprecated": if deprecated { Value::from("use another") } else { Value::Null },
            })
        };
        let answer: Answer = serde_json::from_value(serde_json::json!({
            "dist-tags": {"latest": "1.2.0", "next": "2.0.0-rc.1"},
            "versions": {
                "1.0.0": published(false),
                "1.2.0": published(false),
                "1.3.0": published(false),
                "0.9.0": published(false),
                "0.9.5": published(true),
                "0.10.0": published(false),
                "2.0.0-rc.1": published(false),
            },
        }))
        .unwrap();
        let found = answer.meant(wanted);
        assert_eq!(found.unwrap_or_else(|error| error.to_string()), expected);
    }

    #[test]
    fn the_version_is_the_one_npm_would_take() {
        check("latest", "1.2.0");
        check("next", "2.0.0-rc.1");
        check("1.3.0", "1.3.0");
        check("v1.3.0", "1.3.0");
        check("^1.0.0", "1.2.0");
        check("1.x", "1.2.0");
        check("*", "1.2.0");
        check("~1.3", "1.3.0");
        check("0.9.x", "0.9.0");
        check(">=0.9.0 <1.0.0", "0.10.0");
        check("^2.0.0", "the package has no version `^2.0.0`");
        check("beta", "the package has no version `beta`");
    }
}
