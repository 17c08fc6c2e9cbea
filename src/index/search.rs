//! Search over indexes.

use std::cmp::Ordering;
use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::cores::{cores, on_each};
use super::postings::List;
use super::rank::{self, Hit, Place, Pool};
use super::score::{self, Chosen, Scorer, Statistics};
use super::sketch::Sketch;
use super::words::{self, Lexicon};
use super::{Field, Index, PerField};

/// Fewer plugins than this are not worth a thread of their own.
const SHARE_MIN: usize = 20_000;

/// Returns the plugins that have words of the query, the best first and at most `limit`, one for each set of twins. Rare words, and words
/// in a name rather than in a body, count more; what is rare is judged over all indexes together.
///
/// An error for which `is_damage` holds is mended by building that index again.
pub fn search(indexes: &[&Index], query: &str, limit: usize) -> Result<Vec<Hit>> {
    let terms = terms(query);
    let mut statistics = Statistics::default();
    let mut lists = Vec::new();
    for index in indexes {
        statistics.add(&index.statistics());
        lists.push(index.lists(&terms)?);
    }
    let holding = |term: usize| {
        let lists = lists.iter().flat_map(|lists: &Vec<_>| lists[term]);
        lists
            .map(|list: List<'_>| u64::from(list.documents()))
            .sum()
    };
    let holding: Vec<u64> = (0..terms.len()).map(holding).collect();
    let chosen = score::choose(&terms, &holding, statistics.plugins);
    let scorer = Scorer::new(&statistics);
    let scores = indexes
        .iter()
        .zip(&lists)
        .map(|(index, lists)| scores(index, lists, &chosen, &scorer))
        .collect::<Result<_>>()?;
    let pool = Scored {
        indexes,
        terms: &terms,
        lists,
        chosen,
        scores,
    };
    rank::rank(&pool, limit)
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

/// Returns the score of each plugin of the index; of many plugins each core computes a share.
fn scores(
    index: &Index,
    lists: &[Option<List<'_>>],
    chosen: &[Chosen],
    scorer: &Scorer,
) -> Result<Vec<f32>> {
    let read: Vec<(&Chosen, List<'_>)> = chosen
        .iter()
        .filter_map(|chosen| Some((chosen, lists[chosen.term]?)))
        .collect();
    if read.is_empty() {
        return Ok(Vec::new());
    }
    let lengths = index.lengths()?;
    let mut scores = vec![0.0; index.len()];
    let share = index.len().div_ceil(cores()).max(SHARE_MIN);
    let parts = Mutex::new((0..).step_by(share).zip(scores.chunks_mut(share)));
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        let mut added = 0;
        while let Some((first, scores)) = next() {
            for (chosen, list) in &read {
                let gain = |counts, lengths| scorer.gain(chosen, counts, lengths);
                added += add_gains(first, scores, &lengths[first..], *list, gain);
            }
        }
        added
    };
    let added: u64 = match index.len() > share {
        true => on_each(work).into_iter().sum(),
        false => work(),
    };
    let promised = read.iter().map(|(_, list)| u64::from(list.documents()));
    match added == promised.sum::<u64>() {
        true => Ok(scores),
        false => Err(index.damaged("a list of postings")),
    }
}

/// Adds what the plugins from `first` on gain by one term, and returns how many do.
fn add_gains(
    first: usize,
    scores: &mut [f32],
    lengths: &[PerField<u8>],
    list: List<'_>,
    gain: impl Fn(PerField<u8>, PerField<u8>) -> f32,
) -> u64 {
    let mut added = 0;
    let Ok(first) = u32::try_from(first) else {
        return added;
    };
    for posting in list.postings_from(first) {
        let number = (posting.document - first) as usize;
        let (Some(score), Some(lengths)) = (scores.get_mut(number), lengths.get(number)) else {
            break;
        };
        *score += gain(posting.counts, *lengths);
        added += 1;
    }
    added
}

/// Indexes whose plugins have scores.
struct Scored<'a> {
    indexes: &'a [&'a Index],
    terms: &'a [String],
    lists: Vec<Vec<Option<List<'a>>>>,
    chosen: Vec<Chosen>,
    scores: Vec<Vec<f32>>,
}

impl Pool for Scored<'_> {
    fn best(&self, count: usize) -> Result<Vec<(Place, f32)>> {
        let mut best = Vec::new();
        for (place, (index, scores)) in self.indexes.iter().zip(&self.scores).enumerate() {
            if scores.is_empty() {
                continue;
            }
            let ranks = index.ranks()?;
            let rank = |number: usize| u32::from_le_bytes(ranks[number]);
            let order = |a, b| -> Ordering { rank(a).cmp(&rank(b)) };
            let highest = rank::highest(scores, count, order);
            best.extend(
                highest
                    .into_iter()
                    .map(|(number, score)| ((place, number), score)),
            );
        }
        Ok(best)
    }

    fn name(&self, (index, number): Place) -> Result<&str> {
        self.indexes[index].name(number)
    }

    fn named(&self, name: &str, count: usize) -> Result<Vec<Place>> {
        let mut places = Vec::new();
        for (place, index) in self.indexes.iter().enumerate() {
            for number in index.find_all(name)?.take(count) {
                places.push((place, number?));
            }
        }
        Ok(places)
    }

    fn sketch(&self, (index, number): Place) -> Result<Sketch> {
        self.indexes[index].sketch(number)
    }

    fn matched(&self, (index, number): Place) -> Result<Vec<(String, Field)>> {
        let mut matched = Vec::new();
        for chosen in &self.chosen {
            let list = self.lists[index][chosen.term];
            let counts = list.and_then(|list| list.counts(u32::try_from(number).ok()?));
            matched.extend(fields(&self.terms[chosen.term], counts.unwrap_or_default()));
        }
        Ok(matched)
    }
}

/// Returns the term with each field that has it.
pub fn fields(term: &str, counts: PerField<u8>) -> impl Iterator<Item = (String, Field)> + '_ {
    let fields = Field::ALL.into_iter().zip(counts);
    fields
        .filter(|(_, count)| *count > 0)
        .map(|(field, _)| (term.to_string(), field))
}
