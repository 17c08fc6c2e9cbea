//! npm packages, by the registry's protocol: what npm would take, verified before it is unpacked, and never installed.

mod archive;
mod download;
mod integrity;
mod registry;
mod settings;

use std::fmt;

use anyhow::{Result, ensure};
use reqwest::Url;

pub use archive::unpack;
pub use registry::Release;
pub use settings::Settings;

use super::place::Place;
use super::{FetchOptions, http};
use crate::model::{NpmSource, Revision};

/// A package, and the registry it is asked of.
pub struct Package {
    name: String,
    version: Option<String>,
    registry: Url,
}

impl Package {
    /// Returns the version, range or tag that is wanted.
    pub fn wanted(&self) -> &str {
        self.version.as_deref().unwrap_or("latest")
    }
}

/// Writes the name and the registry: packages of one name in two registries are two.
impl fmt::Display for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "npm/{} {}", self.registry, self.name)
    }
}

impl Settings {
    /// Returns the package with the registry it has here.
    pub fn package(&self, source: &NpmSource) -> Result<Package> {
        Ok(Package {
            name: source.package.clone(),
            version: source.version.clone(),
            registry: match &source.registry {
                Some(registry) => settings::registry(registry)?,
                None => self.registry_of(&source.package)?,
            },
        })
    }
}

/// Fetches the package into a tree; the second value is what a person should know.
pub fn fetch(
    package: &Package,
    settings: &Settings,
    place: &Place,
    git: &gix::Repository,
    options: &FetchOptions<'_>,
) -> Result<(Revision, Vec<String>)> {
    let client = http::client()?;
    let release = registry::release(package, settings, &client)?;
    ensure!(
        http::may_follow(&package.registry, &release.tarball),
        "the registry names an archive at `{}`, which is not followed from there",
        release.tarball
    );
    let partial = place.partial(&release.integrity.to_string())?;
    let request = |from: &Url| settings.authorized(client.get(from.clone()), from);
    download::download(&release.tarball, request, &partial, options)?;
    let verified = release.integrity.verify(&partial);
    if verified.is_err() {
        std::fs::remove_file(&partial)?;
    }
    let archive = verified?;
    let packed = archive.metadata()?.len();
    let tree = unpack(archive, packed, git, options)?;
    place.remove_partials()?;
    let warnings = release.integrity.warning(&package.name);
    let revision = Revision {
        commit: None,
        tree,
        version: Some(release.version),
        integrity: Some(release.integrity.to_string()),
    };
    Ok((revision, warnings.into_iter().collect()))
}
