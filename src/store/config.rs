//! Settings: the team's in `.orchestrate/config.yaml`, and a person's in the platform's configuration folder.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow, ensure};
use serde::{Deserialize, Serialize};

use super::schema;
use crate::model::{
    AgentDefaults, ApprovalRule, GitSource, Hint, NpmSource, Oid, SCHEMA, Source, Trouble,
};
use crate::yaml;

/// The settings in one file.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    pub schema: u32,
    /// Marketplaces beside the embedded one, by the name that they go by here.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marketplaces: BTreeMap<String, SourceConfig>,
    /// What is needed before a plan runs; read from the base branch and from a person's own settings, never from a plan's branch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approval: Option<ApprovalRule>,
    /// What plans ask of agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<AgentDefaults>,
}

/// A source as it stands in a file: exactly one of `path`, `git`, `npm` and `url`, with what belongs to it.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceConfig {
    /// A folder, relative to the repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The address of a git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub git: Option<String>,
    /// A folder of the git repository.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// A branch or a tag of the git repository.
    #[serde(default, rename = "ref", skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<Oid>,
    /// A package of the npm registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub npm: Option<String>,
    /// A version, a range or a tag of the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub registry: Option<String>,
    /// The address of a catalogue file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl SourceConfig {
    /// Returns the source; fields that do not go together are an error.
    pub fn source(&self) -> Result<Source> {
        let stray = |fields: &[(&str, bool)]| {
            let stray = fields.iter().find(|(_, given)| *given);
            stray.map_or(Ok(()), |(name, _)| {
                Err(anyhow!("`{name}` does not belong to this kind of source"))
            })
        };
        let git = [
            ("folder", self.folder.is_some()),
            ("ref", self.reference.is_some()),
            ("commit", self.commit.is_some()),
        ];
        let npm = [
            ("version", self.version.is_some()),
            ("registry", self.registry.is_some()),
        ];
        match (&self.path, &self.git, &self.npm, &self.url) {
            (Some(path), None, None, None) => {
                stray(&git).and(stray(&npm))?;
                ensure!(!path.is_empty(), "`path` is empty");
                Ok(Source::Folder(path.clone()))
            }
            (None, Some(url), None, None) => {
                stray(&npm)?;
                Ok(Source::Git(GitSource {
                    url: url.clone(),
                    path: self.folder.clone(),
                    reference: self.reference.clone(),
                    commit: self.commit.clone(),
                }))
            }
            (None, None, Some(package), None) => {
                stray(&git)?;
                Ok(Source::Npm(NpmSource {
                    package: package.clone(),
                    version: self.version.clone(),
                    registry: self.registry.clone(),
                }))
            }
            (None, None, None, Some(url)) => {
                stray(&git).and(stray(&npm))?;
                Ok(Source::Url(url.clone()))
            }
            _ => Err(anyhow!(
                "a source has exactly one of `path`, `git`, `npm` and `url`"
            )),
        }
    }
}

impl From<Source> for SourceConfig {
    fn from(source: Source) -> SourceConfig {
        let empty = SourceConfig::default();
        match source {
            Source::Folder(path) => SourceConfig {
                path: Some(path),
                ..empty
            },
            Source::Git(git) => SourceConfig {
                git: Some(git.url),
                folder: git.path,
                reference: git.reference,
                commit: git.commit,
                ..empty
            },
            Source::Npm(npm) => SourceConfig {
                npm: Some(npm.package),
                version: npm.version,
                registry: npm.registry,
                ..empty
            },
            Source::Url(url) => SourceConfig {
                url: Some(url),
                ..empty
            },
        }
    }
}

impl Default for Config {
    fn default() -> Config {
        Config {
            schema: SCHEMA,
            marketplaces: BTreeMap::new(),
            approval: None,
            agent: None,
        }
    }
}

impl Config {
    /// Returns the settings in `text`, which stands at `file`.
    pub fn read(file: &str, text: &[u8]) -> Result<Config> {
        schema::check(file, text)?;
        let config: Config = yaml::parse(file, text)?;
        for (name, source) in &config.marketplaces {
            source
                .source()
                .with_context(|| format!("`{file}`: marketplaces.{name}"))?;
        }
        Ok(config)
    }
}

/// Returns the text of a settings file with the marketplace put in, replaced or (with none) taken out; comments stay.
pub fn with_marketplace(
    file: &str,
    text: &str,
    name: &str,
    source: Option<&SourceConfig>,
) -> Result<String> {
    let mut wanted = match text.is_empty() {
        true => Config::default(),
        false => Config::read(file, text.as_bytes())?,
    };
    match source {
        Some(source) => wanted.marketplaces.insert(name.to_string(), source.clone()),
        None => wanted.marketplaces.remove(name),
    };
    let edited = match text.contains('#') {
        true => edited(text, name, source)?,
        false => yaml::print(&wanted)?,
    };
    // What the edit made has to mean what was asked for, whatever the file looked like.
    match Config::read(file, edited.as_bytes()) {
        Ok(config) if config == wanted => Ok(edited),
        _ => Err(anyhow!(
            "`{file}` is written in a way that cannot be edited without losing its comments"
        ))
        .kind(Trouble::Request)
        .hint(format!(
            "edit it by hand, under `marketplaces:`:\n{}",
            entry(name, source)?
        )),
    }
}

/// Edits line by line, under the line `marketplaces:`.
fn edited(text: &str, name: &str, source: Option<&SourceConfig>) -> Result<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut lines: Vec<String> = text.lines().map(str::to_string).collect();
    let section = lines
        .iter()
        .position(|line| line.trim_end() == "marketplaces:");
    let section = match section {
        Some(section) => section,
        None => {
            lines.push("marketplaces:".to_string());
            lines.len() - 1
        }
    };
    let is_entry =
        |line: &String| indent(line) > 0 && line.trim_start().starts_with(&format!("{name}:"));
    let mut at = section + 1;
    if let Some(found) = lines[section + 1..].iter().position(is_entry) {
        at = section + 1 + found;
        let depth = indent(&lines[at]);
        lines.remove(at);
        while at < lines.len() && indent(&lines[at]) > depth {
            lines.remove(at);
        }
    }
    let entry = entry(name, source)?;
    lines.splice(at..at, entry.lines().map(str::to_string));
    if lines.get(section + 1).is_none_or(|line| indent(line) == 0) {
        lines.remove(section);
    }
    Ok(lines.join("\n") + "\n")
}

/// Returns the lines of one marketplace, or none where it is taken out.
fn entry(name: &str, source: Option<&SourceConfig>) -> Result<String> {
    let Some(source) = source else {
        return Ok(String::new());
    };
    let text = yaml::print(&BTreeMap::from([(name, source)]))?;
    Ok(text.lines().map(|line| format!("  {line}\n")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn npm(package: &str) -> SourceConfig {
        SourceConfig {
            npm: Some(package.to_string()),
            ..SourceConfig::default()
        }
    }

    #[test]
    fn a_marketplace_comes_and_goes_and_comments_stay() {
        let commented = "schema: 1\n# ours\nmarketplaces:\n  # first\n  a:\n    path: x # here\n";
        for before in ["", "schema: 1\n", "schema: 1\n# no more\n", commented] {
            let with = with_marketplace("f", before, "b", Some(&npm("p"))).unwrap();
            let config = Config::read("f", with.as_bytes()).unwrap();
            assert_eq!(config.marketplaces["b"], npm("p"), "{with}");
            let again = with_marketplace("f", &with, "b", Some(&npm("q"))).unwrap();
            assert!(
                again.contains("npm: q") && !again.contains("npm: p"),
                "{again}"
            );
            let without = with_marketplace("f", &with, "b", None).unwrap();
            let expected = if before.is_empty() {
                "schema: 1\n"
            } else {
                before
            };
            assert_eq!(without, expected);
        }
    }

    #[test]
    fn fields_that_do_not_go_together_are_refused() {
        let said = |text: &str| {
            let text = format!("schema: 1\nmarketplaces:\n  a: {text}\n");
            Config::read("f", text.as_bytes())
                .map_err(|error| format!("{error:#}"))
                .map(|_| ())
        };
        assert_eq!(said("{path: x}"), Ok(()));
        assert_eq!(
            said("{git: 'https://example.org/a.git', ref: main, folder: b}"),
            Ok(())
        );
        for wrong in [
            "{}",
            "{path: x, npm: y}",
            "{path: x, ref: main}",
            "{npm: x, folder: y}",
        ] {
            assert!(
                said(wrong).unwrap_err().contains("marketplaces.a"),
                "{wrong}"
            );
        }
    }
}
