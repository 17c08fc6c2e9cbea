//! The cache: a folder with one bare repository for each place that sources come from.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::npm::Settings;
use super::place::Place;
use super::{FetchOptions, git, npm, url};
use crate::model::{GitSource, Hint, Revision, Source, Trouble};
use crate::tree::Tree;

/// A folder in which fetched sources are kept.
pub struct Cache {
    folder: PathBuf,
    /// The text that stands for the user's `.npmrc`.
    npmrc: Option<String>,
}

/// A source that was fetched.
#[derive(Debug)]
pub struct Fetched {
    pub tree: Tree,
    pub revision: Revision,
    /// What a person should know, such as a hash that is out of date.
    pub warnings: Vec<String>,
}

/// One source as the cache keeps it.
enum Wanted<'a> {
    Git(&'a GitSource),
    Npm(npm::Package),
    Url(&'a str),
}

impl Cache {
    /// Uses the folder, which need not exist, and the user's settings for git and npm.
    pub fn open(folder: &Path) -> Cache {
        Cache {
            folder: folder.to_path_buf(),
            npmrc: None,
        }
    }

    /// Uses this text for npm's settings, and neither the user's nor the environment's.
    pub fn with_npmrc(self, text: &str) -> Cache {
        Cache {
            npmrc: Some(text.to_string()),
            ..self
        }
    }

    /// Returns what the source holds: from the cache where it is known there, unless `update` asks for what is new.
    pub fn fetch(&self, source: &Source, options: &FetchOptions<'_>) -> Result<Fetched> {
        let source = source.clone().checked()?;
        let wanted = self.wanted(&source)?;
        let place = Place::new(&self.folder, &wanted.origin());
        let key = wanted.key();
        let known = place.recorded(&key)?;
        if let Some(known) =
            known.filter(|_| options.offline || !options.update || wanted.is_fixed())
        {
            return wanted.fetched(&place, known, Vec::new());
        }
        if options.offline {
            return Err(anyhow!("`{source}` is not in the cache"))
                .kind(Trouble::Missing)
                .hint("run it once without `--offline`");
        }
        let _held = place.hold(&source.to_string(), options)?;
        // Whoever was waited for may have fetched it.
        if let Some(known) = place.recorded(&key)?.filter(|_| !options.update) {
            return wanted.fetched(&place, known, Vec::new());
        }
        let repository = place.repository()?;
        let cannot = || format!("cannot fetch `{source}`");
        let (revision, warnings) = match &wanted {
            Wanted::Git(git) => {
                git::fetch(git, &repository, options).map(|found| (found, Vec::new()))
            }
            Wanted::Npm(package) => npm::fetch(package, &self.npm()?, &place, &repository, options),
            Wanted::Url(url) => {
                url::fetch(url, &repository, options).map(|found| (found, Vec::new()))
            }
        }
        .with_context(cannot)?;
        place.record(&repository, &key, &revision)?;
        wanted.fetched(&place, revision, warnings)
    }

    /// Returns the tree of a revision that the cache holds, or none; never goes online.
    pub fn at(&self, source: &Source, revision: &Revision) -> Result<Option<Tree>> {
        let source = source.clone().checked()?;
        let place = Place::new(&self.folder, &self.wanted(&source)?.origin());
        match place.holds(&revision.tree)? {
            true => Tree::git(place.path(), &revision.tree).map(Some),
            false => Ok(None),
        }
    }

    fn npm(&self) -> Result<Settings> {
        match &self.npmrc {
            Some(text) => Ok(Settings::read(text)),
            None => Settings::of_user(),
        }
    }

    fn wanted<'a>(&self, source: &'a Source) -> Result<Wanted<'a>> {
        match source {
            Source::Git(git) => Ok(Wanted::Git(git)),
            Source::Npm(npm) => Ok(Wanted::Npm(self.npm()?.package(npm)?)),
            Source::Url(url) => Ok(Wanted::Url(url)),
            Source::Folder(path) => Err(anyhow!("`{path}` is a folder, which is read where it is"))
                .kind(Trouble::Request),
        }
    }
}

impl Wanted<'_> {
    /// Returns where it comes from; sources with one origin share a repository.
    fn origin(&self) -> String {
        match self {
            Wanted::Git(git) => git.url.clone(),
            Wanted::Npm(package) => package.to_string(),
            Wanted::Url(url) => url.to_string(),
        }
    }

    /// Returns what is asked of the origin.
    fn key(&self) -> String {
        match self {
            Wanted::Git(git) => match (&git.commit, &git.reference) {
                (Some(commit), _) => format!("commit {commit}"),
                (None, Some(reference)) => format!("reference {reference}"),
                (None, None) => "default".to_string(),
            },
            Wanted::Npm(package) => format!("version {}", package.wanted()),
            Wanted::Url(_) => "catalogue".to_string(),
        }
    }

    /// Says whether it can never become something else.
    fn is_fixed(&self) -> bool {
        matches!(self, Wanted::Git(git) if git.commit.is_some())
    }

    fn fetched(
        &self,
        place: &Place,
        mut revision: Revision,
        warnings: Vec<String>,
    ) -> Result<Fetched> {
        if let Wanted::Git(GitSource {
            url,
            path: Some(path),
            ..
        }) = self
        {
            let whole = Tree::git(place.path(), &revision.tree)?;
            let missing = || anyhow!("there is no folder `{path}` in `{url}`");
            let id = whole
                .below(path)?
                .id()
                .ok_or_else(missing)
                .kind(Trouble::Request)?;
            revision.tree = id.try_into()?;
        }
        let tree = Tree::git(place.path(), &revision.tree)?;
        Ok(Fetched {
            tree,
            revision,
            warnings,
        })
    }
}
