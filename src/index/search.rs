//! Search over indexes, and over documents that have none.

use anyhow::Result;

use super::collection::Collection;
use super::indexed::Indexed;
use super::rank::Hit;
use super::scan::Scan;
use super::score::{self, Chosen, Scorer, Statistics};
use super::sketch::Sketch;
use super::words::{self, Lexicon};
use super::{Document, Field, Index, PerField, Stored};

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
    /// Returns how many numbers there are; plugins that could not be read have one too.
    fn count(&self) -> usize;
    /// Returns how many plugins have the term.
    fn holding(&self, term: usize) -> u64;
    /// Returns how many plugins have a stem that it was not opened for; 0 where that is not known.
    fn holding_of(&self, stem: &str) -> Result<u64>;
    /// Returns the score of each plugin; nothing where none has any of the terms.
    fn scores(&self, chosen: &[Chosen], scorer: &Scorer) -> Result<Vec<f32>>;
    /// Returns the place of each plugin in the order of names.
    fn ranks(&self) -> Result<Vec<u32>>;
    fn name(&self, plugin: usize) -> Result<&str>;
    /// Returns plugins of this name, at most `count`.
    fn named(&self, name: &str, count: usize) -> Result<Vec<usize>>;
    fn sketch(&self, plugin: usize) -> Result<Sketch>;
    /// Returns how often the plugin has the term; none where it has not.
    fn counts(&self, plugin: usize, term: usize) -> Option<PerField<u8>>;
    /// Returns the plugins that have the term in the field.
    fn having(&self, term: usize, field: Field) -> Vec<usize>;
    /// Returns the vector of each plugin; nothing where none has one.
    fn vectors(&self) -> Result<&[Stored]>;
}

/// Returns the plugins that have words of the query, the best first and at most `limit`, one for each set of twins. Rare words, and words
/// in a name rather than in a body, count more; what is rare is judged over all sources together.
///
/// An error for which `is_damage` holds is mended by building that index again.
pub fn search(sources: &[Source<'_>], query: &str, limit: usize) -> Result<Vec<Hit>> {
    let collection = Collection::open(sources, terms(query))?;
    let all: Vec<usize> = (0..collection.terms().len()).collect();
    let scores = collection.scores(&all)?;
    collection.best(&scores, limit)
}

/// Opens a source for the terms.
pub fn open<'a>(source: &Source<'a>, terms: &[String]) -> Result<Box<dyn Reader + 'a>> {
    Ok(match source {
        Source::Index(index) => Box::new(Indexed::open(index, terms)?),
        Source::Documents(documents) => Box::new(Scan::read(*documents, terms)),
    })
}

/// Returns the stems of a query, each once, as many as a search takes.
pub fn terms(query: &str) -> Vec<String> {
    let mut terms = stems(query);
    terms.truncate(score::TERMS_MAX);
    terms
}

/// Returns the stems of a text, each once, in the order in which they stand in it.
pub fn stems(text: &str) -> Vec<String> {
    let mut lexicon = Lexicon::new();
    let mut stems = Vec::new();
    words::for_each_word(words::read(text), |word| {
        let term = lexicon.term(word) as usize;
        if term == stems.len() {
            stems.push(lexicon.text(term as u32).to_string());
        }
    });
    stems
}
