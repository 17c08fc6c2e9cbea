//! The marketplaces that are configured: by the team in the repository, by a person in a folder of their own.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};
use serde::Serialize;

use super::names::Named;
use super::past::past_requests;
use crate::checkpoint::{Opened, Repository};
use crate::model::{AgentDefaults, Hint, Oid, Source, Trouble};
use crate::rank::Past;
use crate::store::{self, Config, Folders, Lock, SourceConfig, paths};

/// The name of the marketplace in this binary.
pub const BUILTIN: &str = "builtin";

/// How marketplaces go by names.
pub const MARKETPLACES: Named = Named {
    noun: "marketplace",
    all: "orchestrate marketplace list",
    none: "orchestrate marketplace add SOURCE",
};

/// Who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// This binary.
    Embedded,
    /// The repository's `.orchestrate/config.yaml`.
    Team,
    /// A person's own configuration folder.
    Person,
}

/// A marketplace that is configured.
#[derive(Debug, Clone)]
pub struct Known {
    pub name: String,
    pub origin: Origin,
    /// Where it comes from; none for the embedded one.
    pub source: Option<Source>,
    pub lock: Lock,
}

/// All that is configured, and where to change it.
pub struct Settings {
    pub folders: Folders,
    /// The repository's checkout; none outside one.
    root: Option<PathBuf>,
    /// The embedded one first, then by name; the team's setting goes before the person's.
    pub marketplaces: Vec<Known>,
    /// What plans ask of agents: as the team says, else as the person does.
    pub agent: AgentDefaults,
}

impl Settings {
    /// Reads the settings that hold in `directory`, which need not be in a repository.
    pub fn find(directory: &Path) -> Result<Settings> {
        if !directory.is_dir() {
            return Err(anyhow!("there is no folder `{}`", directory.display()))
                .kind(Trouble::Request);
        }
        let repository = match Repository::discover(directory)? {
            Opened::Found(repository) => Some(repository),
            Opened::NoRepository => None,
        };
        let base = match &repository {
            Some(repository) => repository.head()?.commit().cloned(),
            None => None,
        };
        Settings::read(repository.as_ref(), base.as_ref(), Folders::find()?)
    }

    /// Reads the settings of a repository, as they stand in its checkout, else in the commit `base`.
    pub fn read(
        repository: Option<&Repository>,
        base: Option<&Oid>,
        folders: Folders,
    ) -> Result<Settings> {
        let mut marketplaces = vec![Known {
            name: BUILTIN.to_string(),
            origin: Origin::Embedded,
            source: None,
            lock: Lock::default(),
        }];
        let mut agent = None;
        if let Some(repository) = repository {
            let read = |path: &str| super::project::read(repository, base, path);
            marketplaces[0].lock = lock(&paths::lock(BUILTIN), &read)?;
            let team = config(&place(Origin::Team, "", paths::CONFIG), &read)?;
            agent = team.agent.clone();
            marketplaces.extend(configured(team, Origin::Team, "", &read)?);
        }
        let own = format!("{}/", folders.config.display());
        let read = |path: &str| read_file(Path::new(path));
        let person = config(&place(Origin::Person, &own, paths::CONFIG), &read)?;
        let agent = agent.or(person.agent.clone());
        for known in configured(person, Origin::Person, &own, &read)? {
            if !marketplaces.iter().any(|other| other.name == known.name) {
                marketplaces.push(known);
            }
        }
        marketplaces[1..].sort_by(|a, b| a.name.cmp(&b.name));
        Ok(Settings {
            root: repository.map(|repository| repository.work_directory().to_path_buf()),
            folders,
            marketplaces,
            agent: agent.unwrap_or_default(),
        })
    }

    /// Returns what the runs of the repository teach about finding plugins; nothing outside of one, or where nothing has run.
    pub fn past(&self) -> Result<Past> {
        let Some(root) = &self.root else {
            return Ok(Past::learn(&[]));
        };
        let requests = match Repository::discover(root)? {
            Opened::Found(repository) => match repository.head()?.commit() {
                Some(base) => past_requests(&repository, base, &self.folders.cache)?,
                None => Vec::new(),
            },
            Opened::NoRepository => Vec::new(),
        };
        Ok(Past::learn(&requests))
    }

    /// Returns the marketplace called `name`.
    pub fn get(&self, name: &str) -> Result<&Known> {
        let found = self.marketplaces.iter().find(|known| known.name == name);
        let names: Vec<String> = self
            .marketplaces
            .iter()
            .map(|known| known.name.clone())
            .collect();
        match found {
            Some(known) => Ok(known),
            None => MARKETPLACES.missing(name, &names),
        }
    }

    /// Returns the folder of a marketplace that is one.
    pub fn folder(&self, path: &str) -> PathBuf {
        match (&self.root, path) {
            (Some(root), ".") => root.clone(),
            (Some(root), path) => root.join(path.strip_prefix("./").unwrap_or(path)),
            (None, path) => PathBuf::from(path),
        }
    }

    /// Returns the path of `folder` as the settings of `origin` name it: relative to the repository where it is in there.
    pub fn path_of(&self, origin: Origin, folder: &Path) -> Result<String> {
        let full = folder
            .canonicalize()
            .with_context(|| format!("there is no folder `{}`", folder.display()))
            .kind(Trouble::Request)?;
        let root = self.root.as_ref().filter(|_| origin == Origin::Team);
        let root = root.and_then(|root| root.canonicalize().ok());
        let inner = root.and_then(|root| full.strip_prefix(root).ok().map(Path::to_path_buf));
        let path = match inner {
            Some(inner) if inner.as_os_str().is_empty() => PathBuf::from("."),
            Some(inner) => inner,
            None => full,
        };
        path.to_str()
            .map(str::to_string)
            .with_context(|| format!("the path `{}` is not UTF-8", path.display()))
            .kind(Trouble::Request)
    }

    /// Returns whose settings a change goes to: the team's in a repository, unless the person wants it for themselves.
    pub fn scope(&self, own: bool) -> Origin {
        match &self.root {
            Some(_) if !own => Origin::Team,
            _ => Origin::Person,
        }
    }

    /// Says where the settings of `origin` stand.
    pub fn origin_words(&self, origin: Origin) -> String {
        match origin {
            Origin::Embedded => "embedded".to_string(),
            Origin::Team => paths::CONFIG.to_string(),
            Origin::Person => self.config_file(origin).display().to_string(),
        }
    }

    /// Returns the settings file of `origin`.
    pub fn config_file(&self, origin: Origin) -> PathBuf {
        self.file(origin, paths::CONFIG)
    }

    /// Returns the file of `origin` for what stands at `path` in a repository.
    fn file(&self, origin: Origin, path: &str) -> PathBuf {
        match (&self.root, origin) {
            (Some(root), Origin::Team) => root.join(path),
            _ => self
                .folders
                .config
                .join(path.strip_prefix(paths::ROOT).unwrap_or(path)),
        }
    }

    /// Writes a marketplace and its lock into the settings of `origin`.
    pub fn put(&mut self, known: Known) -> Result<()> {
        let source = known
            .source
            .clone()
            .map(SourceConfig::from)
            .context("the embedded marketplace is not configured")?;
        let _held = self.hold(known.origin)?;
        if self.added_meanwhile(&known, &source)? {
            return Err(anyhow!(
                "another process has just added a marketplace `{}`",
                known.name
            ))
            .kind(Trouble::Busy)
            .hint("say what to call this one: `--name NAME`");
        }
        self.edit(known.origin, &known.name, Some(&source))?;
        self.put_lock(&known)?;
        self.marketplaces.retain(|other| other.name != known.name);
        self.marketplaces.push(known);
        self.marketplaces[1..].sort_by(|a, b| a.name.cmp(&b.name));
        Ok(())
    }

    /// Writes the lock of a marketplace.
    pub fn put_lock(&self, known: &Known) -> Result<()> {
        let file = self.file(known.origin, &paths::lock(&known.name));
        store::write_whole(&file, known.lock.print()?.as_bytes()).kind(Trouble::Request)
    }

    /// Takes a marketplace and its lock out of the settings that it stands in.
    pub fn remove(&mut self, name: &str) -> Result<Known> {
        let known = self.get(name)?.clone();
        if known.origin == Origin::Embedded {
            return Err(anyhow!(
                "`{BUILTIN}` is in the program and cannot be removed"
            ))
            .kind(Trouble::Request);
        }
        let _held = self.hold(known.origin)?;
        self.edit(known.origin, name, None)?;
        let lock = self.file(known.origin, &paths::lock(name));
        match std::fs::remove_file(&lock) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(error).with_context(|| format!("cannot remove `{}`", lock.display()));
            }
            _ => self.marketplaces.retain(|other| other.name != name),
        }
        Ok(known)
    }

    /// Waits until no other process changes the settings of `origin`, so that of two changes at once none is lost.
    fn hold(&self, origin: Origin) -> Result<File> {
        let file = self.config_file(origin);
        let folder = file.parent().expect("a settings file is in a folder");
        std::fs::create_dir_all(folder)
            .and_then(|()| File::open(folder))
            .and_then(|held| held.lock().map(|()| held))
            .with_context(|| format!("cannot lock `{}`", folder.display()))
            .kind(Trouble::Request)
    }

    /// Says whether there is a marketplace of this name by now, from somewhere else, that was not known when this began.
    fn added_meanwhile(&self, known: &Known, source: &SourceConfig) -> Result<bool> {
        let file = self.config_file(known.origin);
        let text = read_file(&file)?.unwrap_or_default();
        if text.is_empty() {
            return Ok(false);
        }
        let config = Config::read(&file.display().to_string(), &text).kind(Trouble::Request)?;
        let there = config.marketplaces.get(&known.name);
        Ok(there.is_some_and(|there| there != source))
    }

    fn edit(&self, origin: Origin, name: &str, source: Option<&SourceConfig>) -> Result<()> {
        let file = self.config_file(origin);
        let shown = file.display().to_string();
        let text = read_file(&file)?.unwrap_or_default();
        let text = String::from_utf8(text)
            .with_context(|| format!("`{shown}` is not UTF-8"))
            .kind(Trouble::Request)?;
        let edited = store::with_marketplace(&shown, &text, name, source)?;
        store::write_whole(&file, edited.as_bytes()).kind(Trouble::Request)
    }
}

/// Returns where the file of `origin` is that stands at `path` in a repository.
fn place(origin: Origin, folder: &str, path: &str) -> String {
    match origin {
        Origin::Person => format!("{folder}{}", path.strip_prefix(paths::ROOT).unwrap_or(path)),
        _ => path.to_string(),
    }
}

fn config(file: &str, read: &dyn Fn(&str) -> Result<Option<Vec<u8>>>) -> Result<Config> {
    match read(file)? {
        Some(text) => Config::read(file, &text).kind(Trouble::Request),
        None => Ok(Config::default()),
    }
}

/// Returns the marketplaces of one settings file with their locks.
fn configured(
    config: Config,
    origin: Origin,
    folder: &str,
    read: &dyn Fn(&str) -> Result<Option<Vec<u8>>>,
) -> Result<Vec<Known>> {
    let place = |path: &str| place(origin, folder, path);
    let file = place(paths::CONFIG);
    let mut all = Vec::new();
    for (name, source) in config.marketplaces {
        let at = format!("`{file}`: marketplaces.{name}");
        if name == BUILTIN {
            return Err(anyhow!("{at}: that name is the embedded marketplace's"))
                .kind(Trouble::Request);
        }
        checked_name(&name).context(at).kind(Trouble::Request)?;
        all.push(Known {
            source: Some(source.source()?),
            lock: lock(&place(&paths::lock(&name)), read)?,
            name,
            origin,
        });
    }
    Ok(all)
}

fn lock(file: &str, read: &dyn Fn(&str) -> Result<Option<Vec<u8>>>) -> Result<Lock> {
    match read(file)? {
        Some(text) => Lock::read(file, &text)
            .kind(Trouble::Integrity)
            .hint(format!(
                "have it as it was committed: git checkout -- {file}"
            )),
        None => Ok(Lock::default()),
    }
}

/// Refuses what cannot be the name of a marketplace: it names a file, and the end of a plugin's full name.
pub fn checked_name(name: &str) -> Result<()> {
    let known: Result<crate::model::PluginId> = format!("plugin@{name}").try_into();
    known.map(drop).map_err(|_| {
        anyhow!(
            "`{}` cannot be the name of a marketplace: it is written with letters, digits, `.`, `_` and `-`",
            name.escape_debug()
        )
    })
}

fn read_file(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", path.display())),
    }
}
