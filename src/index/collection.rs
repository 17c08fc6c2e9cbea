//! Sources opened together for some terms: what is rare is judged over all of them.

use anyhow::Result;

use super::rank::{self, Hit, NAMESAKES_MAX, Place, Pool};
use super::score::{self, Scorer, Statistics};
use super::search::{Reader, open};
use super::sketch::Sketch;
use super::{Field, Source, Stored};

/// The plugins of some sources. They go by numbers from 0 on through all sources.
pub struct Collection<'a> {
    readers: Vec<Box<dyn Reader + 'a>>,
    /// The number of the first plugin of each source, and how many there are in all.
    firsts: Vec<usize>,
    terms: Vec<String>,
    /// How many plugins have each term.
    holding: Vec<u64>,
    statistics: Statistics,
    scorer: Scorer,
}

impl<'a> Collection<'a> {
    /// Opens the sources for these terms, which are stems.
    pub fn open(sources: &[Source<'a>], terms: Vec<String>) -> Result<Collection<'a>> {
        let readers = sources
            .iter()
            .map(|source| open(source, &terms))
            .collect::<Result<Vec<_>>>()?;
        let mut statistics = Statistics::default();
        let mut firsts = vec![0];
        for reader in &readers {
            statistics.add(&reader.statistics());
            firsts.push(firsts[firsts.len() - 1] + reader.count());
        }
        let holding = |term| readers.iter().map(|reader| reader.holding(term)).sum();
        Ok(Collection {
            holding: (0..terms.len()).map(holding).collect(),
            scorer: Scorer::new(&statistics),
            readers,
            firsts,
            terms,
            statistics,
        })
    }

    /// Returns how many plugins there are.
    pub fn len(&self) -> usize {
        self.firsts[self.readers.len()]
    }

    /// Says whether there is no plugin.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the terms that it was opened for.
    pub fn terms(&self) -> &[String] {
        &self.terms
    }

    /// Returns how many plugins have the term.
    pub fn holding(&self, term: usize) -> u64 {
        self.holding[term]
    }

    /// Returns what a plugin gains at most by having the term: the more, the fewer have it.
    pub fn rarity(&self, term: usize) -> f32 {
        score::rarity(self.holding[term], self.statistics.plugins)
    }

    /// Returns the same of a stem that it was not opened for.
    pub fn rarity_of(&self, stem: &str) -> Result<f32> {
        let mut holding = 0;
        for reader in &self.readers {
            holding += reader.holding_of(stem)?;
        }
        Ok(score::rarity(holding.max(1), self.statistics.plugins))
    }

    /// Returns what each plugin gains by the terms, each given by its place among those that the collection was opened for.
    pub fn scores(&self, terms: &[usize]) -> Result<Vec<f32>> {
        let texts: Vec<String> = terms.iter().map(|term| self.terms[*term].clone()).collect();
        let holding: Vec<u64> = terms.iter().map(|term| self.holding[*term]).collect();
        let mut chosen = score::choose(&texts, &holding, self.statistics.plugins);
        for chosen in &mut chosen {
            chosen.term = terms[chosen.term];
        }
        let mut scores = vec![0.0; self.len()];
        for (first, reader) in self.firsts.iter().zip(&self.readers) {
            let own = reader.scores(&chosen, &self.scorer)?;
            scores[*first..*first + own.len()].copy_from_slice(&own);
        }
        Ok(scores)
    }

    /// Returns the plugins that have the term in the field.
    pub fn having(&self, term: usize, field: Field) -> Vec<usize> {
        let mut having = Vec::new();
        for (first, reader) in self.firsts.iter().zip(&self.readers) {
            let numbers = reader.having(term, field).into_iter();
            having.extend(numbers.map(|number| first + number));
        }
        having
    }

    /// Returns the vectors of each source with the number of its first plugin; a source without vectors has none.
    pub fn vectors(&self) -> Result<Vec<(usize, &[Stored])>> {
        let sources = self.firsts.iter().zip(&self.readers);
        sources
            .map(|(first, reader)| Ok((*first, reader.vectors()?)))
            .collect()
    }

    /// Returns what a plugin is called.
    pub fn name_of(&self, plugin: usize) -> Result<&str> {
        let (source, number) = self.place(plugin);
        self.readers[source].name(number)
    }

    /// Returns the plugins that are called so, not all where there are very many.
    pub fn named(&self, name: &str) -> Result<Vec<usize>> {
        let mut named = Vec::new();
        for (first, reader) in self.firsts.iter().zip(&self.readers) {
            let numbers = reader.named(name, NAMESAKES_MAX)?.into_iter();
            named.extend(numbers.map(|number| first + number));
        }
        Ok(named)
    }

    /// Returns the source of a plugin, and its number there.
    pub fn place(&self, plugin: usize) -> Place {
        let source = self.firsts.partition_point(|first| *first <= plugin) - 1;
        (source, plugin - self.firsts[source])
    }

    /// Returns the number of the plugin at a place.
    pub fn number(&self, (source, number): Place) -> usize {
        self.firsts[source] + number
    }

    /// Returns the plugins with the highest scores above zero, at most `limit`, one for each set of twins.
    pub fn best(&self, scores: &[f32], limit: usize) -> Result<Vec<Hit>> {
        rank::rank(&Scored(self, scores), limit)
    }
}

/// A collection whose plugins have scores.
struct Scored<'a>(&'a Collection<'a>, &'a [f32]);

impl Pool for Scored<'_> {
    fn best(&self, count: usize) -> Result<Vec<(Place, f32)>> {
        let Scored(collection, scores) = self;
        let mut best = Vec::new();
        for (source, reader) in collection.readers.iter().enumerate() {
            let scores = &scores[collection.firsts[source]..collection.firsts[source + 1]];
            let ranks = reader.ranks()?;
            let highest = rank::highest(scores, count, |a, b| ranks[a].cmp(&ranks[b]));
            let placed = highest.into_iter();
            best.extend(placed.map(|(number, score)| ((source, number), score)));
        }
        Ok(best)
    }

    fn name(&self, (source, number): Place) -> Result<&str> {
        self.0.readers[source].name(number)
    }

    fn named(&self, name: &str) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for (source, reader) in self.0.readers.iter().enumerate() {
            let numbers = reader.named(name, NAMESAKES_MAX)?.into_iter();
            places.extend(numbers.map(|number| (source, number)));
        }
        Ok(places)
    }

    fn sketch(&self, (source, number): Place) -> Result<Sketch> {
        self.0.readers[source].sketch(number)
    }

    fn matched(&self, (source, number): Place) -> Vec<(String, Field)> {
        let mut matched = Vec::new();
        for (term, text) in self.0.terms.iter().enumerate() {
            let counts = self.0.readers[source].counts(number, term);
            let fields = Field::ALL.into_iter().zip(counts.unwrap_or_default());
            let having = fields.filter(|(_, count)| *count > 0);
            matched.extend(having.map(|(field, _)| (text.clone(), field)));
        }
        matched
    }
}
