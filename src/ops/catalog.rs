//! Everything that the configured marketplaces offer: each is a tree of files and an index over it, which is made where it is missing.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use anyhow::{Context, Result, anyhow};
use serde::{Deserialize, Serialize};

use super::fetching::{Reach, cache, fetch};
use super::settings::{BUILTIN, Known, Settings};
use super::{Note, Watch};
use crate::catalog::{self, Dialect, Loaded};
use crate::index::{self, Document, Hit, Index, Texts};
use crate::model::{
    Digest, Hint, Oddity, Place, Plugin, PluginFile, PluginId, Revision, Severity, Source, Trouble,
};
use crate::tree::Tree;

/// All plugins of all marketplaces.
pub struct Catalog {
    pub marketplaces: Vec<Marketplace>,
    planable: OnceCell<Vec<Plugin>>,
    /// Marketplaces that could not be read, and why.
    pub failures: Vec<(String, anyhow::Error)>,
}

/// One marketplace that has been read.
pub struct Marketplace {
    pub known: Known,
    pub summary: Summary,
    pub index: Index,
    tree: Tree,
    /// Where the index is, and what it was made for.
    path: PathBuf,
    key: String,
    /// The index that was made in place of one that turned out to be damaged.
    mended: OnceLock<Index>,
}

/// What an index says of its marketplace as a whole.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Summary {
    pub dialect: String,
    /// What it calls itself.
    pub name: Option<String>,
    pub description: String,
    /// How many plugins its catalogue lists.
    pub entries: usize,
    /// How many entries of its catalogue are no plugin, or one that does not load.
    #[serde(default)]
    pub left_out: usize,
    /// How many of those that load have their files elsewhere.
    pub elsewhere: usize,
    /// Former names of plugins; none for one that is gone.
    pub renames: BTreeMap<String, Option<String>>,
    /// Its plugins with an `orchestrate.yaml`.
    pub planable: Vec<String>,
    /// What is wrong with the catalogue.
    pub oddities: Vec<Oddity>,
    /// What is wrong with the plugins that did not load, by their names.
    #[serde(default)]
    pub lost: BTreeMap<String, Vec<Oddity>>,
}

/// An oddity of a marketplace.
#[derive(Debug, Clone, Copy)]
pub struct CatalogueFinding<'a> {
    /// The plugin that it costs; none where the catalogue itself is odd.
    pub plugin: Option<&'a str>,
    pub oddity: &'a Oddity,
}

impl Summary {
    /// Returns what is wrong with the catalogue, then with each plugin that did not load.
    pub fn findings(&self) -> Vec<CatalogueFinding<'_>> {
        let found = |plugin, oddity| CatalogueFinding { plugin, oddity };
        let own = self.oddities.iter().map(|oddity| found(None, oddity));
        let lost = self.lost.iter().flat_map(|(plugin, oddities)| {
            let plugin = Some(plugin.as_str());
            oddities.iter().map(move |oddity| found(plugin, oddity))
        });
        own.chain(lost).collect()
    }
}

/// How to come by marketplaces.
#[derive(Debug, Clone, Copy, Default)]
pub struct CatalogOptions {
    /// Use what is cached, and nothing else.
    pub offline: bool,
    /// Read everything again, whatever has been read before.
    pub refresh: bool,
}

impl Catalog {
    /// Opens every marketplace of the settings; one that cannot be read is a failure, and costs only itself.
    pub fn open(
        settings: &Settings,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Catalog> {
        let mut catalog = Catalog {
            marketplaces: Vec::new(),
            planable: OnceCell::new(),
            failures: Vec::new(),
        };
        for known in &settings.marketplaces {
            match Marketplace::open(settings, known, options, watch) {
                Ok(marketplace) => catalog.marketplaces.push(marketplace),
                Err(error) => catalog.failures.push((known.name.clone(), error)),
            }
        }
        Ok(catalog)
    }

    /// Returns the plugins that a plan can use, sorted by full name.
    pub fn planable(&self) -> Result<&[Plugin]> {
        if let Some(plugins) = self.planable.get() {
            return Ok(plugins);
        }
        let mut plugins = Vec::new();
        for marketplace in &self.marketplaces {
            for name in &marketplace.summary.planable {
                plugins.extend(marketplace.plugin(name)?);
            }
        }
        plugins.sort_by(|a, b| a.id.cmp(&b.id));
        Ok(self.planable.get_or_init(|| plugins))
    }

    /// Fails where a marketplace could not be read: with less to choose from, choices would be others.
    pub fn complete(&self) -> Result<()> {
        let Some((name, error)) = self.failures.first() else {
            return Ok(());
        };
        let failed = Err(anyhow!("{error:#}")).kind(Trouble::Missing);
        match name.as_str() {
            BUILTIN => failed,
            name => failed.hint(format!(
                "mend it, or do without: orchestrate marketplace remove {name}"
            )),
        }
    }

    /// Fails where the marketplace called `name` is one that could not be read.
    pub fn of_failed(&self, name: &str) -> Result<()> {
        match self.failures.iter().any(|(failed, _)| failed == name) {
            true => {
                Err(anyhow!("the marketplace `{name}` cannot be opened")).kind(Trouble::Missing)
            }
            false => Ok(()),
        }
    }

    /// Returns how many plugins there are.
    pub fn len(&self) -> usize {
        let marketplaces = self.marketplaces.iter();
        marketplaces
            .map(|marketplace| marketplace.index.len())
            .sum()
    }

    /// Says whether there is no plugin at all.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the plugin called `name@marketplace`; one that was renamed is found by its former name too.
    pub fn find(&self, id: &PluginId) -> Result<Option<Plugin>> {
        let marketplace = self.marketplace(&id.marketplace);
        match marketplace {
            Some(marketplace) => marketplace.find(&id.name),
            None => Ok(None),
        }
    }

    /// Returns the files of a plugin by their path in it.
    pub fn files(&self, plugin: &Plugin) -> Result<BTreeMap<String, PluginFile>> {
        let marketplace = self
            .marketplace(&plugin.id.marketplace)
            .with_context(|| format!("`{}` is of no marketplace here", plugin.id))?;
        match &plugin.place {
            Place::Inside(path) => marketplace.tree.below(path)?.files(),
            Place::Elsewhere(source) => Err(anyhow!("its files are elsewhere, at `{source}`"))
                .kind(Trouble::Missing)
                .hint(format!("orchestrate plugin show --fetch {}", plugin.id)),
        }
        .with_context(|| format!("cannot read the files of `{}`", plugin.id))
    }

    /// Returns what the plugin's files are now.
    pub fn digest(&self, plugin: &Plugin) -> Result<Digest> {
        Ok(crate::tree::digest(&self.files(plugin)?))
    }

    /// Returns the plugins that fit the words best.
    pub fn search(&self, words: &str, limit: usize) -> Result<Vec<Hit>> {
        let search = || {
            let current = self.marketplaces.iter().map(Marketplace::current);
            index::search(&current.collect::<Vec<_>>(), words, limit)
        };
        match search() {
            Err(error) if index::is_damage(&error) => {
                for marketplace in &self.marketplaces {
                    marketplace.mend()?;
                }
                search()
            }
            found => found,
        }
    }

    /// Returns the plugins called `name`, or `name@marketplace`, whatever marketplace they are of.
    pub fn called(&self, name: &str) -> Result<Vec<Plugin>> {
        let (name, only) = match name.split_once('@') {
            Some((name, marketplace)) => (name, Some(marketplace)),
            None => (name, None),
        };
        let wanted =
            |marketplace: &&Marketplace| only.is_none_or(|only| marketplace.known.name == only);
        let mut found = Vec::new();
        for marketplace in self.marketplaces.iter().filter(wanted) {
            found.extend(marketplace.find(name)?);
        }
        Ok(found)
    }

    /// Fetches a plugin whose files are elsewhere, and returns it with all that they say.
    pub fn fetch(
        &self,
        settings: &Settings,
        plugin: &Plugin,
        watch: &mut dyn Watch,
    ) -> Result<Plugin> {
        let Place::Elsewhere(source) = &plugin.place else {
            return Ok(plugin.clone());
        };
        let marketplace = self
            .marketplace(&plugin.id.marketplace)
            .with_context(|| format!("`{}` is of no marketplace here", plugin.id))?;
        let fetched = fetch(settings, source, Reach::Cached, watch)?;
        marketplace.loaded_from(plugin, &fetched.tree)
    }

    fn marketplace(&self, name: &str) -> Option<&Marketplace> {
        self.marketplaces
            .iter()
            .find(|marketplace| marketplace.known.name == name)
    }
}

impl Marketplace {
    /// Opens the marketplace as its lock pins it.
    pub fn open(
        settings: &Settings,
        known: &Known,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Marketplace> {
        let tree = tree(settings, known, options, watch)
            .with_context(|| format!("cannot open the marketplace `{}`", known.name))?;
        Marketplace::of_tree(settings, known.clone(), tree, options.refresh, watch)
    }

    /// Opens the marketplace whose files are `tree`.
    pub fn of_tree(
        settings: &Settings,
        known: Known,
        tree: Tree,
        refresh: bool,
        watch: &mut dyn Watch,
    ) -> Result<Marketplace> {
        let path = index_file(&settings.folders.cache, &known);
        let (key, there) = kept(&path, &known.name, &tree)?;
        let index = match there.filter(|_| !refresh) {
            Some(index) => index,
            None => {
                watch.line(&format!("reading the marketplace `{}`", known.name));
                build(&path, &key, &known.name, &tree)
                    .with_context(|| format!("cannot read the marketplace `{}`", known.name))?
            }
        };
        let summary = serde_json::from_slice(index.header())
            .with_context(|| format!("the index `{}` is damaged", path.display()))?;
        Ok(Marketplace {
            known,
            summary,
            index,
            tree,
            path,
            key,
            mended: OnceLock::new(),
        })
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
    fn loaded_from(&self, plugin: &Plugin, folder: &Tree) -> Result<Plugin> {
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
            let lines: Vec<String> = oddities.iter().map(super::oddity_line).collect();
            anyhow!("`{}` cannot be loaded:\n{}", plugin.id, lines.join("\n"))
        });
        Ok(loaded.kind(Trouble::Request)?.plugin)
    }

    fn plugin(&self, name: &str) -> Result<Option<Plugin>> {
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

    fn current(&self) -> &Index {
        self.mended.get().unwrap_or(&self.index)
    }

    /// Makes the index again, once.
    fn mend(&self) -> Result<&Index> {
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

/// Returns the files of the marketplace as its lock pins them, fetching what is not cached.
fn tree(
    settings: &Settings,
    known: &Known,
    options: CatalogOptions,
    watch: &mut dyn Watch,
) -> Result<Tree> {
    let Some(source) = &known.source else {
        return Ok(Tree::embedded("plugins"));
    };
    if let Source::Folder(path) = source {
        let folder = settings.folder(path);
        return Tree::folder(&folder)
            .kind(Trouble::Missing)
            .hint(format!("orchestrate marketplace remove {}", known.name));
    }
    let update = format!("orchestrate marketplace update {}", known.name);
    let Some(revision) = revision(known).filter(|_| locks(known, source)) else {
        return Err(anyhow!(
            "it is configured, and its lock does not say which commit of `{source}` is meant"
        ))
        .kind(Trouble::Missing)
        .hint(update);
    };
    if let Some(tree) = cache(settings).at(source, &revision)? {
        return Ok(tree);
    }
    if options.offline {
        return Err(anyhow!(
            "`{source}` is not cached, and nothing is fetched offline"
        ))
        .kind(Trouble::Missing)
        .hint("without `--offline`: orchestrate marketplace list");
    }
    watch.note(Note::Doing {
        what: format!("Fetching the marketplace `{}` from {source}...", known.name),
    });
    let fetched = fetch(settings, &pinned(source, known), Reach::Cached, watch)?;
    if fetched.revision.tree == revision.tree {
        return Ok(fetched.tree);
    }
    Err(anyhow!(
        "locked is the tree {}, and `{source}` now has {} for it",
        revision.tree,
        fetched.revision.tree
    ))
    .kind(Trouble::Integrity)
    .hint(update)
}

/// Says whether the lock is of this very source.
fn locks(known: &Known, source: &Source) -> bool {
    known.lock.source.as_ref() == Some(&source.clone().into())
}

/// Returns what the lock of a marketplace pins.
fn revision(known: &Known) -> Option<Revision> {
    let lock = &known.lock;
    Some(Revision {
        tree: lock.tree.clone()?,
        commit: lock.commit.clone(),
        version: lock.version.clone(),
        integrity: lock.integrity.clone(),
    })
}

/// Returns the source with what the lock pins put into it.
fn pinned(source: &Source, known: &Known) -> Source {
    let mut source = source.clone();
    match &mut source {
        Source::Git(git) => git.commit = known.lock.commit.clone().or(git.commit.take()),
        Source::Npm(npm) => npm.version = known.lock.version.clone().or(npm.version.take()),
        Source::Folder(_) | Source::Url(_) => {}
    }
    source
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

/// Reads a whole marketplace into an index.
fn build(path: &Path, key: &str, name: &str, tree: &Tree) -> Result<Index> {
    let dialect = catalog::dialect(tree)?;
    let mut listing = (dialect.list)(tree)?;
    listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
    let gathered = Mutex::new(Gathered::default());
    let load = |number: usize| {
        let entry = &listing.entries[number];
        let loaded = catalog::load(dialect, tree, name, entry);
        gathered
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .note(&entry.name, &loaded);
        // Many load at once: only the noting is one after the other.
        document(loaded.ok()?)
    };
    let summary = || {
        let gathered = gathered
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        serde_json::to_vec(&summary(dialect, &listing, &gathered)).unwrap_or_default()
    };
    let count = listing.entries.len();
    let folder = path.parent().unwrap_or(Path::new("."));
    if std::fs::create_dir_all(folder).is_ok()
        && let Ok(index) = index::write(path, key, count, load, summary)
    {
        return Ok(index);
    }
    // Without a cache that can be written everything works, and is read anew each time.
    *gathered
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner) = Gathered::default();
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    index::write(&folder.path().join("index"), key, count, load, summary)
}

/// What is known of a marketplace once its plugins have been read.
#[derive(Default)]
struct Gathered {
    elsewhere: usize,
    planable: Vec<String>,
    lost: BTreeMap<String, Vec<Oddity>>,
}

impl Gathered {
    fn note(&mut self, name: &str, loaded: &Result<Loaded, Vec<Oddity>>) {
        let plugin = match loaded {
            Ok(loaded) => &loaded.plugin,
            Err(oddities) => {
                self.lost.insert(name.to_string(), oddities.clone());
                return;
            }
        };
        self.elsewhere += usize::from(matches!(plugin.place, Place::Elsewhere(_)));
        if plugin.spec.is_some() {
            self.planable.push(plugin.id.name.clone());
        }
    }
}

/// Returns the plugin as it goes into an index.
fn document(loaded: Loaded) -> Option<Document> {
    let Loaded { plugin, words } = loaded;
    Some(Document {
        record: serde_json::to_vec(&plugin).ok()?,
        name: plugin.id.name,
        texts: Texts {
            name: words.name,
            summary: words.summary,
            components: words.components,
            body: words.body,
        },
    })
}

fn summary(dialect: &Dialect, listing: &catalog::Listing, gathered: &Gathered) -> Summary {
    let mut oddities = listing.oddities.clone();
    oddities.sort_by(|a, b| (&a.file, a.line, &a.field).cmp(&(&b.file, b.line, &b.field)));
    let mut planable = gathered.planable.clone();
    planable.sort();
    let refused = refused(listing);
    Summary {
        dialect: dialect.name.to_string(),
        name: listing.name.clone(),
        description: listing.description.clone(),
        entries: listing.entries.len() + refused,
        left_out: gathered.lost.len() + refused,
        elsewhere: gathered.elsewhere,
        renames: listing.renames.clone(),
        planable,
        oddities,
        lost: gathered.lost.clone(),
    }
}

/// Returns how many entries the catalogue has that are not even listed.
fn refused(listing: &catalog::Listing) -> usize {
    let entry = |field: &str| field.split_once(']').map(|(entry, _)| entry.to_string());
    let listed: BTreeSet<String> = listing
        .entries
        .iter()
        .filter_map(|listed| entry(&listed.field))
        .collect();
    let errors = listing
        .oddities
        .iter()
        .filter(|oddity| oddity.severity >= Severity::Error);
    let odd: BTreeSet<String> = errors.filter_map(|oddity| entry(&oddity.field)).collect();
    odd.difference(&listed).count()
}
