//! Search without an index: reads every document, and comes to the same scores.

use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Result, anyhow};

use super::cores::on_each;
use super::rank::{self, Hit, Place, Pool};
use super::score::{self, Chosen, Scorer, Statistics};
use super::search::{fields, terms};
use super::sketch::{Sketch, Sketcher};
use super::words::{self, Lexicon};
use super::{Document, Field, PerField};

/// How many documents a core takes at a time.
const DOCUMENTS_AT_ONCE: usize = 16;
/// A lexicon with more words and terms than this is begun anew.
const LEXICON_MAX: usize = 500_000;

/// Returns what `search` over one index of the documents `load(0)` to `load(count - 1)` returns, at the cost of reading them all. The
/// numbers of its hits are those that `load` knows them by.
pub fn search_documents(
    count: usize,
    load: impl Fn(usize) -> Option<Document> + Sync,
    query: &str,
    limit: usize,
) -> Result<Vec<Hit>> {
    let terms = terms(query);
    let seen = read(count, &load, &terms);
    let mut statistics = Statistics::default();
    let mut holding = vec![0; terms.len()];
    for seen in &seen {
        statistics.add(&Statistics {
            plugins: 1,
            words: seen.lengths.map(u64::from),
        });
        for (term, _) in &seen.counts {
            holding[*term] += 1;
        }
    }
    let chosen = score::choose(&terms, &holding, statistics.plugins);
    let scorer = Scorer::new(&statistics);
    let scores = seen
        .iter()
        .map(|seen| seen.score(&chosen, &scorer))
        .collect();
    let pool = Read {
        terms: &terms,
        chosen,
        scores,
        seen,
        load,
    };
    let mut hits = rank::rank(&pool, limit)?;
    for hit in &mut hits {
        hit.plugin = pool.seen[hit.plugin].number;
        for (_, twin) in &mut hit.twins {
            *twin = pool.seen[*twin].number;
        }
    }
    Ok(hits)
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
        let gain = |chosen| Some(scorer.gain(chosen, self.counts_of(chosen)?, lengths));
        chosen
            .iter()
            .filter_map(gain)
            .fold(0.0, |sum, gain| sum + gain)
    }

    fn counts_of(&self, chosen: &Chosen) -> Option<PerField<u8>> {
        let (_, counts) = self.counts.iter().find(|(term, _)| *term == chosen.term)?;
        Some(*counts)
    }
}

/// Reads all documents with all cores; they are returned in their order.
fn read(
    count: usize,
    load: &(impl Fn(usize) -> Option<Document> + Sync),
    terms: &[String],
) -> Vec<Seen> {
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
                seen.extend(
                    load(number).map(|document| look(number, document, &mut lexicon, &initials)),
                );
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

/// Documents that were read and have scores; their sketches are made where they are asked for.
struct Read<'a, L> {
    terms: &'a [String],
    chosen: Vec<Chosen>,
    scores: Vec<f32>,
    seen: Vec<Seen>,
    load: L,
}

impl<L: Fn(usize) -> Option<Document>> Pool for Read<'_, L> {
    fn best(&self, count: usize) -> Result<Vec<(Place, f32)>> {
        let key = |number: usize| (&self.seen[number].name, number);
        let highest = rank::highest(&self.scores, count, |a, b| key(a).cmp(&key(b)));
        Ok(highest
            .into_iter()
            .map(|(number, score)| ((0, number), score))
            .collect())
    }

    fn name(&self, (_, number): Place) -> Result<&str> {
        Ok(&self.seen[number].name)
    }

    fn named(&self, name: &str, count: usize) -> Result<Vec<Place>> {
        let same = |number: &usize| self.seen[*number].name == name;
        let numbers = (0..self.seen.len()).filter(same).take(count);
        Ok(numbers.map(|number| (0, number)).collect())
    }

    fn sketch(&self, (_, number): Place) -> Result<Sketch> {
        let document = (self.load)(self.seen[number].number)
            .ok_or_else(|| anyhow!("`{}` is gone", self.seen[number].name.escape_debug()))?;
        let mut sketcher = Sketcher::new();
        let mut lexicon = Lexicon::new();
        words::count(&document.texts, |_, word| {
            let term = lexicon.term(word);
            sketcher.add(lexicon.hash(term));
        });
        Ok(sketcher.finish())
    }

    fn matched(&self, (_, number): Place) -> Result<Vec<(String, Field)>> {
        let seen = &self.seen[number];
        let matched = self.chosen.iter().flat_map(|chosen| {
            let counts = seen.counts_of(chosen).unwrap_or_default();
            fields(&self.terms[chosen.term], counts)
        });
        Ok(matched.collect())
    }
}
