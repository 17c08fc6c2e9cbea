//! Finding plugins by words.

use anyhow::Result;

use super::Watch;
use super::catalog::{CatalogOptions, Marketplace, Pinned, Unread};
use super::settings::{Known, Settings};
use crate::index::{self, Hit, Source};
use crate::model::Plugin;

/// What a search came to.
pub struct Search {
    /// The best first.
    pub found: Vec<Found>,
    /// Marketplaces that were read as a whole, because they have no index.
    pub unread: Vec<String>,
    /// Marketplaces that could not be read, and why.
    pub failures: Vec<(String, anyhow::Error)>,
}

/// A plugin that fits some words.
pub struct Found {
    pub plugin: Plugin,
    /// Higher is better; only good for comparing hits of one search.
    pub score: f32,
    /// The words that were found, each once.
    pub matched: Vec<String>,
    /// Plugins elsewhere that are the same, so that choosing one is choosing all.
    pub twins: Vec<String>,
}

/// Returns the plugins that fit the words best. An index is used where there is one; where there is none, a marketplace of some hundred
/// plugins is read as it is, so that the answer need not wait for an index.
pub fn search(
    settings: &Settings,
    options: CatalogOptions,
    words: &str,
    limit: usize,
    watch: &mut dyn Watch,
) -> Result<Search> {
    let mut shelves = Vec::new();
    let mut failures = Vec::new();
    for known in &settings.marketplaces {
        match Shelf::open(settings, known, options, watch) {
            Ok(shelf) => shelves.push(shelf),
            Err(error) => failures.push((known.name.clone(), error)),
        }
    }
    let hits = hits(&shelves, words, limit)?;
    let unread = shelves.iter().filter_map(|shelf| match shelf {
        Shelf::Indexed(_) => None,
        Shelf::Unread(unread) => Some(unread.name.clone()),
    });
    Ok(Search {
        unread: unread.collect(),
        found: hits
            .into_iter()
            .map(|hit| found(&shelves, hit))
            .collect::<Result<_>>()?,
        failures,
    })
}

/// A marketplace as it is searched.
enum Shelf {
    Indexed(Box<Marketplace>),
    Unread(Unread),
}

impl Shelf {
    fn open(
        settings: &Settings,
        known: &Known,
        options: CatalogOptions,
        watch: &mut dyn Watch,
    ) -> Result<Shelf> {
        let pinned = Pinned::open(settings, known, options, watch)?;
        Ok(match Unread::of(&pinned)? {
            Some(unread) => Shelf::Unread(unread),
            None => Shelf::Indexed(Box::new(pinned.read(options.refresh, watch)?)),
        })
    }

    fn source(&self) -> Source<'_> {
        match self {
            Shelf::Indexed(marketplace) => Source::Index(marketplace.current()),
            Shelf::Unread(unread) => Source::Documents(unread),
        }
    }

    fn plugin(&self, number: usize) -> Result<Plugin> {
        match self {
            Shelf::Indexed(marketplace) => marketplace.record(number),
            Shelf::Unread(unread) => unread.plugin(number),
        }
    }
}

fn hits(shelves: &[Shelf], words: &str, limit: usize) -> Result<Vec<Hit>> {
    match search_once(shelves, words, limit) {
        Err(error) if index::is_damage(&error) => {
            for shelf in shelves {
                if let Shelf::Indexed(marketplace) = shelf {
                    marketplace.mend()?;
                }
            }
            search_once(shelves, words, limit)
        }
        hits => hits,
    }
}

fn search_once(shelves: &[Shelf], words: &str, limit: usize) -> Result<Vec<Hit>> {
    let sources: Vec<Source<'_>> = shelves.iter().map(Shelf::source).collect();
    index::search(&sources, words, limit)
}

fn found(shelves: &[Shelf], hit: Hit) -> Result<Found> {
    let id = |(source, number): (usize, usize)| -> Result<String> {
        Ok(shelves[source].plugin(number)?.id.to_string())
    };
    let mut matched: Vec<String> = hit.matched.into_iter().map(|(word, _)| word).collect();
    matched.dedup();
    Ok(Found {
        plugin: shelves[hit.source].plugin(hit.plugin)?,
        score: hit.score,
        matched,
        twins: hit.twins.into_iter().map(id).collect::<Result<_>>()?,
    })
}
