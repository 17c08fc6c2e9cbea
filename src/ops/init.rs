//! Setting a repository up: its settings file, and the well-known marketplaces that a person wants.

use anyhow::{Result, anyhow};
use serde::Deserialize;

use super::names::Named;
use super::plan::form;
use super::settings::{Origin, Settings};
use crate::model::{Hint, Trouble};
use crate::store;
use crate::yaml;

const FILE: &str = "files/marketplaces.yaml";

/// A marketplace that many use.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WellKnown {
    pub name: String,
    /// As a person types it.
    pub source: String,
    pub about: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[expect(
        dead_code,
        reason = "every file of ours has it, and it is checked by reading it"
    )]
    schema: u32,
    marketplaces: Vec<WellKnown>,
}

/// Returns the marketplaces that are offered.
pub fn well_known() -> Result<Vec<WellKnown>> {
    let file: File = yaml::parse(FILE, form(FILE)?.as_bytes())?;
    Ok(file.marketplaces)
}

/// Returns the well-known marketplaces of these names; `all` is every one.
pub fn chosen(names: &[String]) -> Result<Vec<WellKnown>> {
    let known = well_known()?;
    if names == ["all"] {
        return Ok(known);
    }
    let all: Vec<String> = known.iter().map(|known| known.name.clone()).collect();
    let named = Named {
        noun: "well-known marketplace",
        all: "orchestrate init",
        none: "orchestrate marketplace add SOURCE",
    };
    let pick = |name: &String| {
        let name = named.find(name, &all)?;
        let found = known.iter().find(|known| known.name == *name);
        Ok(found.expect("the name is one of theirs").clone())
    };
    names.iter().map(pick).collect()
}

/// A service that runs things on pull requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CiService {
    Github,
    Gitlab,
}

impl CiService {
    /// Returns the file that the service reads, and our form of it.
    fn files(self) -> (&'static str, &'static str) {
        match self {
            CiService::Github => (".github/workflows/orchestrate.yml", "ci/github.yml"),
            CiService::Gitlab => (".gitlab/orchestrate.yml", "ci/gitlab.yml"),
        }
    }
}

/// Writes what shows plans on pull requests and carries merged ones out; returns the file, and whether it was written: one that is
/// there is left alone.
pub fn init_ci(settings: &Settings, service: CiService) -> Result<(&'static str, bool)> {
    let (file, template) = service.files();
    // The folder of a team's marketplace is relative to the top of the repository, and so is this.
    let path = settings.folder(file);
    if path.exists() {
        return Ok((file, false));
    }
    store::write_whole(&path, form(template)?.as_bytes()).kind(Trouble::Request)?;
    Ok((file, true))
}

/// Writes the settings file where there is none; says whether it did.
pub fn init(settings: &Settings) -> Result<bool> {
    if settings.scope(false) == Origin::Person {
        return Err(anyhow!("there is no git repository here"))
            .kind(Trouble::Request)
            .hint("git init");
    }
    let file = settings.config_file(Origin::Team);
    if file.exists() {
        return Ok(false);
    }
    store::write_whole(&file, b"schema: 1\n").kind(Trouble::Request)?;
    Ok(true)
}
