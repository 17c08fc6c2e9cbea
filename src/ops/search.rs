//! Finding plugins: a few words are looked up, and a sentence is understood.

use anyhow::{Context, Result};

use super::Watch;
use super::catalog::{CatalogOptions, Marketplace, Pinned, Unread, mending};
use super::meaning::embedded_taxonomy;
use super::settings::{Known, Settings};
use crate::encoder;
use crate::index::{self, Hit, Source};
use crate::model::Plugin;
use crate::rank::{self, Capabilities, Past, Ranked, Request, Signals, UnitKind};

/// The most words that are looked up as they are.
const WORDS_MAX: usize = 3;
/// How many more plugins are ranked than are asked for, since some are ruled out.
const MORE: usize = 50;
/// How near in meaning a plugin has to be that shares no word with the request, as a cosine.
const NEAR: f32 = 0.3;

/// What a search came to.
pub struct Search {
    /// Whether it was a sentence, which is understood rather than looked up word by word.
    pub by_meaning: bool,
    /// What the request was taken for, in words: of each thing that is asked for the capability that is nearest.
    pub understood: Vec<(String, String)>,
    /// Plugins that would have been among the best, and why they are not wanted.
    pub ruled_out: Vec<(String, String)>,
    /// The best first.
    pub found: Vec<Found>,
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
    /// What speaks for it, where a sentence was understood.
    pub signals: Option<Signals>,
}

/// Why a plugin is found for a request, or is not.
pub struct Explanation {
    pub found: Found,
    /// Its place among all, from 1 on, before twins and what is ruled out are left out; and how many there are.
    pub rank: usize,
    pub of: usize,
    /// Why it is not wanted.
    pub ruled_out: Option<String>,
    pub understood: Vec<(String, String)>,
    /// The best ones beside it.
    pub others: Vec<Found>,
}

/// Returns the plugins that fit the words best. An index is used where there is one; for a few words a marketplace of some hundred plugins that
/// has none is read as it is, so that the answer need not wait for an index.
pub fn search(
    settings: &Settings,
    options: CatalogOptions,
    words: &str,
    limit: usize,
    watch: &mut dyn Watch,
) -> Result<Search> {
    let by_meaning = words.split_whitespace().count() > WORDS_MAX;
    let mut shelves = Vec::new();
    let mut failures = Vec::new();
    for known in &settings.marketplaces {
        match Shelf::open(settings, known, options, by_meaning, watch) {
            Ok(shelf) => shelves.push(shelf),
            Err(error) => failures.push((known.name.clone(), error)),
        }
    }
    let mut search = Search {
        by_meaning,
        understood: Vec::new(),
        ruled_out: Vec::new(),
        found: Vec::new(),
        failures,
    };
    if by_meaning {
        let past = settings.past()?;
        on_shelves(&shelves, |sources| {
            understand(&shelves, sources, &past, words, limit, &mut search)
        })?;
        return Ok(search);
    }
    for hit in on_shelves(&shelves, |sources| index::search(sources, words, limit))? {
        search.found.push(found(&shelves, hit, None)?);
    }
    Ok(search)
}

/// Says of one plugin why it is found for the words, or is not.
pub fn explain(
    settings: &Settings,
    options: CatalogOptions,
    plugin: &Plugin,
    words: &str,
    watch: &mut dyn Watch,
) -> Result<Explanation> {
    let mut shelves = Vec::new();
    for known in &settings.marketplaces {
        shelves.extend(Shelf::open(settings, known, options, true, watch));
    }
    let past = settings.past()?;
    on_shelves(&shelves, |sources| {
        explained(&shelves, sources, &past, plugin, words)
    })
}

fn explained(
    shelves: &[Shelf],
    sources: &[Source<'_>],
    past: &Past,
    plugin: &Plugin,
    words: &str,
) -> Result<Explanation> {
    let meant = Meant::of(shelves, sources, past, words)?;
    let ranked = &meant.ranked;
    let mut place = None;
    for number in 0..ranked.collection.len() {
        let at = ranked.collection.place(number);
        if ranked.collection.name_of(number)? == plugin.id.name
            && shelves[at.0].plugin(at.1)?.id == plugin.id
        {
            place = Some((number, at));
        }
    }
    let (number, (source, own)) = place.with_context(|| format!("`{}` is gone", plugin.id))?;
    let score = ranked.scores[number];
    let hit = Hit {
        source,
        plugin: own,
        score,
        matched: Vec::new(),
        twins: Vec::new(),
    };
    let mut others = Vec::new();
    for hit in ranked.best(OTHERS + MORE)? {
        let other = found(shelves, hit, Some(ranked))?;
        if others.len() < OTHERS
            && other.plugin.id != plugin.id
            && meant.reason(&other.plugin).is_none()
        {
            others.push(other);
        }
    }
    Ok(Explanation {
        found: found(shelves, hit, Some(ranked))?,
        rank: ranked.scores.iter().filter(|other| **other > score).count() + 1,
        of: ranked.collection.len(),
        ruled_out: meant.reason(plugin),
        understood: meant.understood(),
        others,
    })
}

/// How many others are shown beside a plugin that is explained.
const OTHERS: usize = 3;

/// Fills a search with the best plugins for a sentence.
fn understand(
    shelves: &[Shelf],
    sources: &[Source<'_>],
    past: &Past,
    words: &str,
    limit: usize,
    search: &mut Search,
) -> Result<()> {
    let meant = Meant::of(shelves, sources, past, words)?;
    search.found.clear();
    search.ruled_out.clear();
    for hit in meant.ranked.best(limit.saturating_add(MORE))? {
        let number = meant.ranked.collection.number((hit.source, hit.plugin));
        let is_near = !hit.matched.is_empty() || meant.ranked.cosines[number] >= NEAR;
        if search.found.len() == limit || !is_near {
            continue;
        }
        let found = found(shelves, hit, Some(&meant.ranked))?;
        match meant.reason(&found.plugin) {
            Some(reason) => search.ruled_out.push((found.plugin.id.to_string(), reason)),
            None => search.found.push(found),
        }
    }
    search.understood = meant.understood();
    Ok(())
}

/// A sentence, and what it found.
struct Meant<'a> {
    request: Request,
    capabilities: Capabilities,
    ranked: Ranked<'a>,
}

impl<'a> Meant<'a> {
    fn of(
        shelves: &[Shelf],
        sources: &[Source<'a>],
        past: &Past,
        words: &str,
    ) -> Result<Meant<'a>> {
        let taxonomy = embedded_taxonomy()?;
        let request = Request::read(words, None, &taxonomy);
        let capabilities = Capabilities::of(&taxonomy);
        let mut ranked = rank::rank(&request, &capabilities, sources)?;
        recall(&mut ranked, shelves, past, words)?;
        Ok(Meant {
            request,
            capabilities,
            ranked,
        })
    }

    fn reason(&self, plugin: &Plugin) -> Option<String> {
        let ruled_out = &self.request.ruled_out;
        ruled_out.reason(&plugin.id.name, &plugin.about())
    }

    /// Returns each clause, or the whole where there is one, with the capability that it was taken for.
    fn understood(&self) -> Vec<(String, String)> {
        let units = self.request.units.iter().zip(&self.ranked.capabilities);
        let is_one = self.request.units.len() == 1;
        units
            .filter(|(unit, _)| is_one || unit.kind == UnitKind::Clause)
            .filter_map(|(unit, taken)| {
                let (capability, _) = taken.first()?;
                Some((
                    unit.text.clone(),
                    self.capabilities.all[*capability].title.clone(),
                ))
            })
            .collect()
    }
}

/// Raises what was used for requests like this one.
fn recall(ranked: &mut Ranked<'_>, shelves: &[Shelf], past: &Past, words: &str) -> Result<()> {
    if past.is_empty() {
        return Ok(());
    }
    let mut chances = Vec::new();
    for (id, chance) in past.chances(words, &encoder::vector(words)) {
        for number in ranked
            .collection
            .named(id.split('@').next().unwrap_or(id))?
        {
            let (source, own) = ranked.collection.place(number);
            if shelves[source].plugin(own)?.id.to_string() == id {
                chances.push((number, chance));
            }
        }
    }
    ranked.recall(chances.into_iter());
    Ok(())
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
        by_meaning: bool,
        watch: &mut dyn Watch,
    ) -> Result<Shelf> {
        let pinned = Pinned::open(settings, known, options, watch)?;
        // What a plugin is about stands in the index alone.
        let unread = match by_meaning {
            true => None,
            false => Unread::of(&pinned)?,
        };
        Ok(match unread {
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

/// Does the work on the shelves, and once more where an index turned out to be damaged.
fn on_shelves<T>(shelves: &[Shelf], work: impl FnMut(&[Source<'_>]) -> Result<T>) -> Result<T> {
    let mend = |shelf: &Shelf| match shelf {
        Shelf::Indexed(marketplace) => marketplace.mend().map(drop),
        Shelf::Unread(_) => Ok(()),
    };
    mending(
        || shelves.iter().map(Shelf::source).collect(),
        || shelves.iter().try_for_each(mend),
        work,
    )
}

fn found(shelves: &[Shelf], hit: Hit, ranked: Option<&Ranked<'_>>) -> Result<Found> {
    let id = |(source, number): (usize, usize)| -> Result<String> {
        Ok(shelves[source].plugin(number)?.id.to_string())
    };
    let mut matched: Vec<String> = hit.matched.into_iter().map(|(word, _)| word).collect();
    matched.dedup();
    let number = |ranked: &Ranked<'_>| ranked.collection.number((hit.source, hit.plugin));
    Ok(Found {
        signals: ranked.map(|ranked| ranked.signals[number(ranked)]),
        plugin: shelves[hit.source].plugin(hit.plugin)?,
        score: hit.score,
        matched,
        twins: hit.twins.into_iter().map(id).collect::<Result<_>>()?,
    })
}
