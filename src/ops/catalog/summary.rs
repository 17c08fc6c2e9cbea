//! What is known of a marketplace as a whole, and reading all of it into an index.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::catalog::{self, Dialect, Loaded};
use crate::index::{self, Document, Index, Texts};
use crate::model::{Oddity, Place, Severity};
use crate::ops::meaning;
use crate::rank::spelled;
use crate::tree::Tree;

/// A marketplace of more plugins is found by its words alone: what each is about takes some hundredths of a second to work out.
const MEANINGS_MAX: usize = 50_000;

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

/// Reads a whole marketplace into an index.
pub fn build(path: &Path, key: &str, name: &str, tree: &Tree) -> Result<Index> {
    let dialect = catalog::dialect(tree)?;
    let mut listing = (dialect.list)(tree)?;
    listing.entries.sort_by(|a, b| a.name.cmp(&b.name));
    let gathered = Mutex::new(Gathered::default());
    let with_meaning = listing.entries.len() <= MEANINGS_MAX;
    let load = |number: usize| {
        let entry = &listing.entries[number];
        let loaded = catalog::load(dialect, tree, name, entry);
        gathered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .note(&entry.name, &loaded);
        // Many load at once: only the noting is one after the other.
        document(loaded.ok()?, with_meaning)
    };
    let summary = || {
        let gathered = gathered.lock().unwrap_or_else(PoisonError::into_inner);
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
    *gathered.lock().unwrap_or_else(PoisonError::into_inner) = Gathered::default();
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
fn document(loaded: Loaded, with_meaning: bool) -> Option<Document> {
    let record = serde_json::to_vec(&loaded.plugin).ok()?;
    Some(Document {
        record,
        vector: with_meaning.then(|| meaning::vector(&loaded.plugin).to_bytes()),
        ..searched(loaded)
    })
}

/// Returns the plugin as it is searched, without its record.
pub fn searched(loaded: Loaded) -> Document {
    let Loaded { plugin, words } = loaded;
    Document {
        record: Vec::new(),
        name: plugin.id.name,
        texts: Texts {
            name: spelled(&words.name).into_owned(),
            summary: spelled(&words.summary).into_owned(),
            components: spelled(&words.components).into_owned(),
            body: words.body,
        },
        vector: None,
    }
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
