//! Documents without an index as a source of a search: every one is read, and the scores are those that an index would give.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};

use super::cores::on_each;
use super::score::{self, Chosen, Scorer, Statistics};
use super::search::{Documents, Reader};
use super::sketch::{Sketch, Sketcher};
use super::words::{self, Lexicon};
use super::{Document, Field, PerField, Stored};

/// How many documents a core takes at a time.
const DOCUMENTS_AT_ONCE: usize = 16;
/// A lexicon with more words and terms than this is begun anew.
const LEXICON_MAX: usize = 500_000;

/// Documents that were read; their sketches are made where they are asked for.
pub struct Scan<'a> {
    documents: &'a dyn Documents,
    /// In the order of their numbers.
    seen: Vec<Seen>,
}

impl<'a> Scan<'a> {
    /// Reads the documents for these terms.
    pub fn read(documents: &'a dyn Documents, terms: &[String]) -> Scan<'a> {
        Scan {
            documents,
            seen: read(documents, terms),
        }
    }

    fn seen(&self, plugin: usize) -> Option<&Seen> {
        let place = self.seen.binary_search_by_key(&plugin, |seen| seen.number);
        place.ok().map(|place| &self.seen[place])
    }

    fn gone(plugin: usize) -> anyhow::Error {
        anyhow!("the document {plugin} is gone")
    }
}

impl Reader for Scan<'_> {
    fn statistics(&self) -> Statistics {
        let mut statistics = Statistics::default();
        for seen in &self.seen {
            statistics.add(&Statistics {
                plugins: 1,
                words: seen.lengths.map(u64::from),
            });
        }
        statistics
    }

    fn count(&self) -> usize {
        self.documents.count()
    }

    fn holding(&self, term: usize) -> u64 {
        let has = |seen: &&Seen| seen.counts.iter().any(|(other, _)| *other == term);
        self.seen.iter().filter(has).count() as u64
    }

    fn holding_of(&self, _stem: &str) -> Result<u64> {
        Ok(0)
    }

    fn scores(&self, chosen: &[Chosen], scorer: &Scorer) -> Result<Vec<f32>> {
        let mut scores = vec![0.0; self.documents.count()];
        for seen in &self.seen {
            scores[seen.number] = seen.score(chosen, scorer);
        }
        Ok(scores)
    }

    fn ranks(&self) -> Result<Vec<u32>> {
        let mut order: Vec<&Seen> = self.seen.iter().collect();
        order.sort_by_key(|seen| &seen.name);
        let mut ranks = vec![u32::MAX; self.documents.count()];
        for (rank, seen) in (0..).zip(order) {
            ranks[seen.number] = rank;
        }
        Ok(ranks)
    }

    fn name(&self, plugin: usize) -> Result<&str> {
        let seen = self.seen(plugin).ok_or_else(|| Scan::gone(plugin))?;
        Ok(&seen.name)
    }

    fn named(&self, name: &str, count: usize) -> Result<Vec<usize>> {
        let same = self.seen.iter().filter(|seen| seen.name == name);
        Ok(same.map(|seen| seen.number).take(count).collect())
    }

    fn sketch(&self, plugin: usize) -> Result<Sketch> {
        let document = self
            .documents
            .load(plugin)
            .ok_or_else(|| Scan::gone(plugin))?;
        let mut sketcher = Sketcher::new();
        let mut lexicon = Lexicon::new();
        words::count(&document.texts, |_, word| {
            let term = lexicon.term(word);
            sketcher.add(lexicon.hash(term));
        });
        Ok(sketcher.finish())
    }

    fn counts(&self, plugin: usize, term: usize) -> Option<PerField<u8>> {
        self.seen(plugin)?.counts_of(term)
    }

    fn having(&self, term: usize, field: Field) -> Vec<usize> {
        let has = |seen: &&Seen| {
            seen.counts_of(term)
                .is_some_and(|counts| counts[field as usize] > 0)
        };
        let having = self.seen.iter().filter(has);
        having.map(|seen| seen.number).collect()
    }

    fn vectors(&self) -> Result<&[Stored]> {
        Ok(&[])
    }
}

/// What is kept of a document that was read.
struct Seen {
    /// The number that the caller knows it by.
    number: usize,
    name: String,
    lengths: PerField<u32>,
    /// How often it has each term of the query that it has.
    counts: Vec<(usize, PerField<u8>)>,
}

impl Seen {
    fn score(&self, chosen: &[Chosen], scorer: &Scorer) -> f32 {
        let lengths = self.lengths.map(score::length_code);
        let gain = |chosen| Some(scorer.gain(chosen, self.counts_of(chosen.term)?, lengths));
        chosen
            .iter()
            .filter_map(gain)
            .fold(0.0, |sum, gain| sum + gain)
    }

    fn counts_of(&self, term: usize) -> Option<PerField<u8>> {
        let (_, counts) = self.counts.iter().find(|(other, _)| *other == term)?;
        Some(*counts)
    }
}

/// Reads all documents with all cores; they are returned in their order.
fn read(documents: &dyn Documents, terms: &[String]) -> Vec<Seen> {
    let count = documents.count();
    let next = AtomicUsize::new(0);
    let initials: Vec<u8> = terms.iter().map(|term| term.as_bytes()[0]).collect();
    let work = || {
        let mut seen = Vec::new();
        let mut lexicon = Lexicon::of(terms);
        loop {
            let first = next.fetch_add(DOCUMENTS_AT_ONCE, Ordering::Relaxed);
            if first >= count {
                return seen;
            }
            if lexicon.len() > LEXICON_MAX {
                lexicon = Lexicon::of(terms);
            }
            for number in first..(first + DOCUMENTS_AT_ONCE).min(count) {
                let document = documents.load(number);
                seen.extend(document.map(|read| look(number, read, &mut lexicon, &initials)));
            }
        }
    };
    let mut seen: Vec<Seen> = on_each(work).into_iter().flatten().collect();
    seen.sort_unstable_by_key(|seen| seen.number);
    seen
}

/// Counts the query's terms in a document; they are the first terms of the lexicon, and `initials` are their first bytes.
fn look(number: usize, document: Document, lexicon: &mut Lexicon, initials: &[u8]) -> Seen {
    let mut all = vec![PerField::<u8>::default(); initials.len()];
    let lengths = words::count(&document.texts, |field, word| {
        // A stem begins as its words do, so that most words need no stemming.
        if !initials.contains(&word.as_bytes()[0]) {
            return;
        }
        let term = lexicon.term(word) as usize;
        if let Some(counts) = all.get_mut(term) {
            counts[field] = counts[field].saturating_add(1);
        }
    });
    let has = |(_, counts): &(usize, PerField<u8>)| counts.iter().any(|count| *count > 0);
    Seen {
        number,
        name: document.name,
        lengths,
        counts: all.into_iter().enumerate().filter(has).collect(),
    }
}
