//! Search over indexes, and over documents that have none.

use anyhow::Result;

use super::indexed::Indexed;
use super::rank::{self, Hit, Pool};
use super::scan::Scan;
use super::score::{self, Chosen, Scorer, Statistics};
use super::sketch::Sketch;
use super::words::{self, Lexicon};
use super::{Document, Index, PerField};

/// What is searched.
pub enum Source<'a> {
    Index(&'a Index),
    /// Documents without an index, which are all read.
    Documents(&'a dyn Documents),
}

/// Documents that go by numbers from 0 on.
pub trait Documents: Sync {
    fn count(&self) -> usize;
    /// Returns a document; one that cannot be read is left out.
    fn load(&self, number: usize) -> Option<Document>;
}

/// A source that was opened for some terms. Its plugins go by their numbers in it.
pub trait Reader {
    fn statistics(&self) -> Statistics;
    /// Returns how many plugins have the term.
    fn holding(&self, term: usize) -> u64;
    /// Returns the score of each plugin; nothing where none has any of the terms.
    fn scores(&self, chosen: &[Chosen], scorer: &Scorer) -> Result<Vec<f32>>;
    /// Returns the place of each plugin in the order of names.
    fn ranks(&self) -> Result<Vec<u32>>;
    fn name(&self, plugin: usize) -> Result<&str>;
    /// Returns plugins of this name, at most `count`.
    fn named(&self, name: &str, count: usize) -> Result<Vec<usize>>;
    fn sketch(&self, plugin: usize) -> Result<Sketch>;
    /// Returns how often the plugin has the term; none where it has not.
    fn counts(&self, plugin: usize, chosen: &Chosen) -> Option<PerField<u8>>;
}

/// Returns the plugins that have words of the query, the best first and at most `limit`, one for each set of twins. Rare words, and words
/// in a name rather than in a body, count more; what is rare is judged over all sources together.
///
/// An error for which `is_damage` holds is mended by building that index again.
pub fn search(sources: &[Source<'_>], query: &str, limit: usize) -> Result<Vec<Hit>> {
    let terms = terms(query);
    let readers = sources
        .iter()
        .map(|source| open(source, &terms))
        .collect::<Result<Vec<_>>>()?;
    let mut statistics = Statistics::default();
    for reader in &readers {
        statistics.add(&reader.statistics());
    }
    let holding = |term| readers.iter().map(|reader| reader.holding(term)).sum();
    let holding: Vec<u64> = (0..terms.len()).map(holding).collect();
    let chosen = score::choose(&terms, &holding, statistics.plugins);
    let scorer = Scorer::new(&statistics);
    let scores = readers.iter().map(|reader| reader.scores(&chosen, &scorer));
    let pool = Pool {
        scores: scores.collect::<Result<_>>()?,
        readers,
        terms: &terms,
        chosen,
    };
    rank::rank(&pool, limit)
}

fn open<'a>(source: &Source<'a>, terms: &[String]) -> Result<Box<dyn Reader + 'a>> {
    Ok(match source {
        Source::Index(index) => Box::new(Indexed::open(index, terms)?),
        Source::Documents(documents) => Box::new(Scan::read(*documents, terms)),
    })
}

/// Returns the stems of a query, each once.
pub fn terms(query: &str) -> Vec<String> {
    let mut lexicon = Lexicon::new();
    let mut terms = Vec::new();
    words::for_each_word(words::beginning(query), |word| {
        if terms.len() < score::TERMS_MAX {
            let term = lexicon.term(word) as usize;
            if term == terms.len() {
                terms.push(lexicon.text(term as u32).to_string());
            }
        }
    });
    terms
}
