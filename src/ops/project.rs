//! The repository that a person works in, with what is known there.

use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow};

use super::catalog::{Catalog, CatalogOptions};
use super::recover::recover_all;
use super::settings::Settings;
use super::{Clock, Silent, Watch};
use crate::checkpoint::{Head, Opened, Repository};
use crate::model::{
    Digest, Hint, Oid, Pattern, Plugin, PluginFile, PluginId, ProvenPattern, Taxonomy, Trouble,
};
use crate::store::{self, Folders, paths};
use crate::tree;

/// What the names of the branches of runs begin with.
const RUN_BRANCHES: &str = "orchestrate/";

/// How to open a project.
#[derive(Debug, Clone, Copy, Default)]
pub struct OpenOptions {
    /// Create the folder and the repository where there are none.
    pub create: bool,
    /// Make a repository of a folder that has files already.
    pub init: bool,
    /// Fetch nothing.
    pub offline: bool,
}

/// A plugin with its files by their paths.
type CheckedPlugin = (Plugin, BTreeMap<String, PluginFile>);

/// A repository, its settings, and everything that research looks at.
pub struct Project {
    /// The folder, where opening made the repository in it.
    made: Option<PathBuf>,
    pub repository: Repository,
    pub head: Head,
    pub folders: Folders,
    pub clock: Clock,
    pub settings: Settings,
    offline: bool,
    catalog: OnceCell<Catalog>,
    /// What was put right that a killed process had left, in sentences.
    pub recovered: Vec<String>,
    /// The plugins of plans whose bytes were checked.
    pub(super) checked: RefCell<BTreeMap<(PluginId, Digest), CheckedPlugin>>,
    /// What could not be read, and was left out.
    pub complaints: Vec<String>,
    pub taxonomy: Taxonomy,
    /// The embedded patterns and the repository's own, with their evidence; sorted by name.
    pub patterns: Vec<ProvenPattern>,
}

impl Project {
    /// Opens the project that `directory` is in.
    pub fn open(directory: &Path, options: OpenOptions) -> Result<Project> {
        let (repository, made) = repository(directory, options)?;
        let folders = Folders::find()?;
        let recovered = recover_all(&repository, &folders);
        let head = repository.head()?;
        let base = head.commit().cloned();
        let settings = Settings::read(Some(&repository), base.as_ref(), folders.clone())?;
        let mut complaints = Vec::new();
        let patterns = patterns(&repository, base.as_ref(), &mut complaints)?;
        Ok(Project {
            made,
            recovered,
            folders,
            clock: Clock::from_environment()?,
            settings,
            offline: options.offline,
            catalog: OnceCell::new(),
            checked: RefCell::default(),
            complaints,
            taxonomy: taxonomy(&repository, base.as_ref())?,
            patterns,
            head,
            repository,
        })
    }

    /// Takes back the repository that opening made, as long as nothing is in it: the request it was made for came to nothing.
    pub fn unmake(&self) {
        let empty = matches!(
            self.repository.head(),
            Ok(Head::Branch { commit: None, .. })
        );
        if let Some(made) = self.made.as_ref().filter(|_| empty) {
            std::fs::remove_dir_all(made).ok();
        }
    }

    /// Returns the commit that the user's branch is at, if it has one.
    pub fn base(&self) -> Option<Oid> {
        self.head.commit().cloned()
    }

    /// Returns everything that the marketplaces offer, which is read when it is first asked for.
    pub fn catalog(&self, watch: &mut dyn Watch) -> Result<&Catalog> {
        if let Some(catalog) = self.catalog.get() {
            return Ok(catalog);
        }
        let options = CatalogOptions {
            offline: self.offline,
            refresh: false,
        };
        let catalog = Catalog::open(&self.settings, options, watch)?;
        Ok(self.catalog.get_or_init(|| catalog))
    }

    /// Returns what the plugin's files are now.
    pub fn digest(&self, plugin: &Plugin) -> Result<Digest> {
        self.catalog(&mut Silent)?.digest(plugin)
    }

    /// Returns the text of a file of ours: the one in the user's folder, else the one in the commit there.
    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        read(&self.repository, self.base().as_ref(), path)
    }
}

/// Finds the repository, or makes one; then the folder that is new comes with it.
fn repository(directory: &Path, options: OpenOptions) -> Result<(Repository, Option<PathBuf>)> {
    if let Opened::Found(repository) = Repository::discover(directory)? {
        return Ok((repository, None));
    }
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries.count(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => 0,
        Err(error) => {
            return Err(error).with_context(|| format!("cannot list `{}`", directory.display()));
        }
    };
    let shown = directory.display();
    if options.init || (options.create && entries == 0) {
        let existed = directory.exists();
        let repository = Repository::init(directory)
            .with_context(|| format!("cannot make a repository in `{shown}`"))?;
        let made = match existed {
            true => repository.common_directory().to_path_buf(),
            false => repository.work_directory().to_path_buf(),
        };
        return Ok((repository, Some(made)));
    }
    if entries == 0 {
        return Err(anyhow!("there is no git repository in `{shown}`"))
            .kind(Trouble::Request)
            .hint(format!("git init {shown}"));
    }
    Err(anyhow!("`{shown}` holds files and is in no git repository"))
        .kind(Trouble::Request)
        .hint("add `--init` to make a repository of it; your files stay as they are")
}

pub(super) fn read(
    repository: &Repository,
    base: Option<&Oid>,
    path: &str,
) -> Result<Option<Vec<u8>>> {
    let full = repository.work_directory().join(path);
    match std::fs::read(&full) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            match base {
                Some(commit) => repository.read_file(commit, path),
                None => Ok(None),
            }
        }
        Err(error) => Err(error).with_context(|| format!("cannot read `{}`", full.display())),
    }
}

/// Returns the embedded taxonomy, extended by the repository's own.
fn taxonomy(repository: &Repository, base: Option<&Oid>) -> Result<Taxonomy> {
    let mut taxonomy = super::embedded_taxonomy()?;
    let Some(base) = base else {
        return Ok(taxonomy);
    };
    let mut files = Vec::new();
    for file in repository.list_files(base, paths::TAXONOMY)? {
        let text = repository.read_file(base, &file)?.unwrap_or_default();
        files.push((file, text));
    }
    store::extend_taxonomy(&mut taxonomy, &files).kind(Trouble::Request)?;
    Ok(taxonomy)
}

/// Returns the embedded patterns and the repository's own, with the evidence that is merged, and that of runs which are not.
fn patterns(
    repository: &Repository,
    base: Option<&Oid>,
    complaints: &mut Vec<String>,
) -> Result<Vec<ProvenPattern>> {
    let mut patterns: Vec<ProvenPattern> = Vec::new();
    for (name, text) in tree::embedded("patterns/") {
        patterns.push(unproven(store::read_pattern(name, text)?));
    }
    if let Some(base) = base {
        let files = repository.list_files(base, paths::PATTERNS)?;
        for file in files.iter().filter(|file| file.ends_with("/pattern.yaml")) {
            let text = repository.read_file(base, file)?.unwrap_or_default();
            let pattern = store::read_pattern(file, &text).kind(Trouble::Request)?;
            patterns.retain(|known| known.pattern.id != pattern.id);
            patterns.push(unproven(pattern));
        }
        complaints.extend(add_evidence(&mut patterns, repository, base, |_| true)?);
    }
    // A run that failed is never merged; rates that left it out would flatter the pattern.
    for (branch, tip) in repository.branches(RUN_BRANCHES)? {
        let run = &branch[RUN_BRANCHES.len()..];
        let own = format!("/evidence/{run}.yaml");
        let found = add_evidence(&mut patterns, repository, &tip, |file| file.ends_with(&own))?;
        complaints.extend(
            found
                .into_iter()
                .map(|fault| format!("branch `{branch}`: {fault}")),
        );
    }
    patterns.sort_by(|a, b| a.pattern.id.cmp(&b.pattern.id));
    Ok(patterns)
}

fn unproven(pattern: Pattern) -> ProvenPattern {
    ProvenPattern {
        pattern,
        evidence: Vec::new(),
    }
}

/// Adds the records of a commit to their patterns, and returns what was wrong with those that cannot be read.
fn add_evidence(
    patterns: &mut [ProvenPattern],
    repository: &Repository,
    commit: &Oid,
    wanted: impl Fn(&str) -> bool,
) -> Result<Vec<String>> {
    let mut complaints = Vec::new();
    let files = repository.list_files(commit, paths::PATTERNS)?;
    let records = files
        .iter()
        .filter(|file| file.contains("/evidence/") && file.ends_with(".yaml"));
    for file in records.filter(|file| wanted(file)) {
        let text = repository.read_file(commit, file)?.unwrap_or_default();
        let record = match store::read_evidence(file, &text) {
            Ok(record) => record,
            Err(error) => {
                complaints.push(format!("{error:#}"));
                continue;
            }
        };
        let owner = file[paths::PATTERNS.len()..].split('/').next();
        let owner = patterns
            .iter_mut()
            .find(|known| owner == Some(known.pattern.id.as_str()));
        let Some(owner) = owner else { continue };
        if !owner.evidence.iter().any(|known| known.run == record.run) {
            owner.evidence.push(record);
        }
    }
    Ok(complaints)
}
