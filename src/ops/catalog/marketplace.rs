//! One marketplace: its files as they are pinned, and the index over them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result, anyhow};

use super::CatalogOptions;
use super::pinned::tree;
use super::summary::{Summary, build};
use crate::catalog;
use crate::index::{self, Index};
use crate::model::{Hint, Plugin, Trouble};
use crate::ops::settings::{BUILTIN, Known, Settings};
use crate::ops::{Watch, oddity_line};
use crate::tree::Tree;

/// A marketplace that need not have been read: its files as they are pinned, and the index over them where there is one.
pub struct Pinned {
    pub known: Known,
    pub tree: Tree,
    pub index: Option<Index>,
    path: PathBuf,
    key: String,
}

impl Pinned {
    /// Opens the marketplace as its lock pins it.
    pub fn open(
        settings: &Settings,
        known: &Known,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Pinned> {
        let tree = tree(settings, known, options, watch)
            .with_context(|| format!("cannot open the marketplace `{}`", known.name))?;
        Pinned::of_tree(settings, known.clone(), tree)
    }

    fn of_tree(settings: &Settings, known: Known, tree: Tree) -> Result<Pinned> {
        let path = index_file(&settings.folders.cache, &known);
        let (key, index) = kept(&path, &known.name, &tree)?;
        Ok(Pinned {
            known,
            tree,
            index,
            path,
            key,
        })
    }

    /// Reads the marketplace, from its index where there is one that need not be refreshed.
    pub fn read(self, refresh: bool, watch: &mut dyn Watch) -> Result<Marketplace> {
        let index = match self.index.filter(|_| !refresh) {
            Some(index) => index,
            None => {
                watch.line(&format!("reading the marketplace `{}`", self.known.name));
                build(&self.path, &self.key, &self.known.name, &self.tree)
                    .with_context(|| format!("cannot read the marketplace `{}`", self.known.name))?
            }
        };
        let summary = serde_json::from_slice(index.header())
            .with_context(|| format!("the index `{}` is damaged", self.path.display()))?;
        Ok(Marketplace {
            known: self.known,
            summary,
            index,
            tree: self.tree,
            path: self.path,
            key: self.key,
            mended: OnceLock::new(),
        })
    }
}

/// One marketplace that has been read.
pub struct Marketplace {
    pub known: Known,
    pub summary: Summary,
    pub index: Index,
    pub(super) tree: Tree,
    /// Where the index is, and what it was made for.
    path: PathBuf,
    key: String,
    /// The index that was made in place of one that turned out to be damaged.
    mended: OnceLock<Index>,
}

impl Marketplace {
    /// Opens the marketplace as its lock pins it.
    pub fn open(
        settings: &Settings,
        known: &Known,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Marketplace> {
        Pinned::open(settings, known, options, watch)?.read(options.refresh, watch)
    }

    /// Opens the marketplace whose files are `tree`.
    pub fn of_tree(
        settings: &Settings,
        known: Known,
        tree: Tree,
        refresh: bool,
        watch: &mut dyn Watch,
    ) -> Result<Marketplace> {
        Pinned::of_tree(settings, known, tree)?.read(refresh, watch)
    }

    /// Returns the plugins as they were when the marketplace was added or last updated, where that is still known.
    pub fn baseline(
        settings: &Settings,
        known: &Known,
        watch: &mut dyn Watch,
    ) -> Result<Option<Vec<Plugin>>> {
        let path = baseline_file(&settings.folders.cache, known);
        if let Some(index) = Index::open_any(&path)? {
            let kept = (0..index.len()).map(|number| record(&index, number));
            // What was kept is only good for the comparison, and a damaged file is no reason to stop.
            if let Ok(plugins) = kept.collect() {
                return Ok(Some(plugins));
            }
        }
        let offline = CatalogOptions {
            offline: true,
            refresh: false,
        };
        let locked = Marketplace::open(settings, known, offline, watch);
        Ok(locked
            .and_then(|marketplace| marketplace.plugins().collect())
            .ok())
    }

    /// Keeps what the marketplace is now, to compare with later.
    pub fn keep_as_baseline(&self, settings: &Settings) -> Result<()> {
        let cache = &settings.folders.cache;
        let (from, to) = (
            index_file(cache, &self.known),
            baseline_file(cache, &self.known),
        );
        let half = to.with_extension(format!("{}.tmp", std::process::id()));
        std::fs::copy(&from, &half)
            .and_then(|_| std::fs::rename(&half, &to))
            .with_context(|| format!("cannot write `{}`", to.display()))
    }

    /// Returns the plugin called `name`, or formerly called so.
    pub fn find(&self, name: &str) -> Result<Option<Plugin>> {
        let mut name = name;
        // Renames may follow each other; a ring of them ends where all have been tried.
        for _ in 0..=self.summary.renames.len() {
            if let Some(plugin) = self.plugin(name)? {
                return Ok(Some(plugin));
            }
            match self.summary.renames.get(name) {
                Some(Some(next)) => name = next,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Returns every plugin, sorted by name.
    pub fn plugins(&self) -> impl Iterator<Item = Result<Plugin>> {
        (0..self.index.len()).map(|number| self.record(number))
    }

    /// Returns what its plugins are called.
    pub fn names(&self) -> Result<Vec<String>> {
        self.read(|index| {
            let names = (0..index.len()).map(|number| index.name(number).map(str::to_string));
            names.collect()
        })
    }

    /// Reads a plugin of the catalogue from the folder that it has elsewhere.
    pub(super) fn loaded_from(&self, plugin: &Plugin, folder: &Tree) -> Result<Plugin> {
        let dialect = catalog::dialect(&self.tree)?;
        let entries = (dialect.list)(&self.tree)?.entries;
        let entry = entries
            .iter()
            .find(|entry| entry.name == plugin.id.name)
            .with_context(|| format!("`{}` is no longer in its catalogue", plugin.id))?;
        let request = catalog::Request {
            marketplace: &self.known.name,
            entry,
            root: &self.tree,
            folder: Some(folder),
        };
        let loaded = (dialect.load)(&request).map_err(|oddities| {
            let lines: Vec<String> = oddities.iter().map(oddity_line).collect();
            anyhow!("`{}` cannot be loaded:\n{}", plugin.id, lines.join("\n"))
        });
        Ok(loaded.kind(Trouble::Request)?.plugin)
    }

    pub(super) fn plugin(&self, name: &str) -> Result<Option<Plugin>> {
        let number = self.read(|index| index.find(name))?;
        number.map(|number| self.record(number)).transpose()
    }

    /// Returns the plugin at a place of the index.
    pub fn record(&self, number: usize) -> Result<Plugin> {
        self.read(|index| record(index, number))
    }

    /// Reads from the index; where it turns out to be damaged, from one that is made in its place.
    fn read<T>(&self, read: impl Fn(&Index) -> Result<T>) -> Result<T> {
        match read(self.current()) {
            Err(error) if index::is_damage(&error) => read(self.mend()?),
            result => result,
        }
    }

    pub fn current(&self) -> &Index {
        self.mended.get().unwrap_or(&self.index)
    }

    /// Makes an index in place of one that turned out to be damaged, once.
    pub fn mend(&self) -> Result<&Index> {
        if let Some(index) = self.mended.get() {
            return Ok(index);
        }
        let index = build(&self.path, &self.key, &self.known.name, &self.tree)?;
        Ok(self.mended.get_or_init(|| index))
    }
}

fn record(index: &Index, number: usize) -> Result<Plugin> {
    Ok(serde_json::from_slice(index.record(number)?)?)
}

/// Returns the file of the marketplace's index: of the same marketplace from the same source it is one file.
fn index_file(cache: &Path, known: &Known) -> PathBuf {
    let source = match &known.source {
        Some(source) => source.to_string(),
        None => BUILTIN.to_string(),
    };
    let digest = crate::tree::of_bytes(source.as_bytes());
    cache
        .join("index")
        .join(format!("{}-{}.idx", known.name, digest.short(12)))
}

fn baseline_file(cache: &Path, known: &Known) -> PathBuf {
    index_file(cache, known).with_extension("base.idx")
}

/// Returns the index of the marketplace as it is, where there is one, and its key.
fn kept(path: &Path, name: &str, tree: &Tree) -> Result<(String, Option<Index>)> {
    // What is true of a large folder is told by its top, and a small one is quickly looked through.
    let of_top = key(name, tree, tree.id().or_else(|| tree.signature_at_top()));
    let index = Index::open(path, &of_top)?;
    if index.is_some() {
        return Ok((of_top, index));
    }
    let Some(signature) = tree.signature_of_whole() else {
        return Ok((of_top, None));
    };
    let of_whole = key(name, tree, Some(signature));
    let index = Index::open(path, &of_whole)?;
    Ok((of_whole, index))
}

/// Returns what an index has to be made for to be of use: these files, under this name, read by this program.
fn key(name: &str, tree: &Tree, state: Option<String>) -> String {
    let state = state.unwrap_or_default();
    let reader = env!("ORCHESTRATE_READER");
    let digest = crate::tree::of_bytes(format!("{reader}\n{name}\n{tree}\n{state}").as_bytes());
    digest.as_str().to_string()
}
