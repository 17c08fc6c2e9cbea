//! An index as a source of a search: of it, the lists of the query's terms are read.

use std::sync::{Mutex, PoisonError};

use anyhow::Result;

use super::cores::{cores, on_each};
use super::postings::List;
use super::score::{Chosen, Scorer, Statistics};
use super::search::Reader;
use super::sketch::Sketch;
use super::{Field, Index, PerField, Stored};

/// Fewer plugins than this are not worth a thread of their own.
const SHARE_MIN: usize = 20_000;

/// An index, and in it the list of each term.
pub struct Indexed<'a> {
    index: &'a Index,
    lists: Vec<Option<List<'a>>>,
}

impl<'a> Indexed<'a> {
    /// Finds the lists of the terms.
    pub fn open(index: &'a Index, terms: &[String]) -> Result<Indexed<'a>> {
        let lists = index.lists(terms)?;
        Ok(Indexed { index, lists })
    }
}

impl Reader for Indexed<'_> {
    fn statistics(&self) -> Statistics {
        self.index.statistics()
    }

    fn count(&self) -> usize {
        self.index.len()
    }

    fn holding(&self, term: usize) -> u64 {
        self.lists[term].map_or(0, |list| u64::from(list.documents()))
    }

    fn holding_of(&self, stem: &str) -> Result<u64> {
        let lists = self.index.lists(&[stem.to_string()])?;
        Ok(lists[0].map_or(0, |list| u64::from(list.documents())))
    }

    fn scores(&self, chosen: &[Chosen], scorer: &Scorer) -> Result<Vec<f32>> {
        scores(self.index, &self.lists, chosen, scorer)
    }

    fn ranks(&self) -> Result<Vec<u32>> {
        let ranks = self.index.ranks()?.iter();
        Ok(ranks.map(|rank| u32::from_le_bytes(*rank)).collect())
    }

    fn name(&self, plugin: usize) -> Result<&str> {
        self.index.name(plugin)
    }

    fn named(&self, name: &str, count: usize) -> Result<Vec<usize>> {
        self.index.find_all(name)?.take(count).collect()
    }

    fn sketch(&self, plugin: usize) -> Result<Sketch> {
        self.index.sketch(plugin)
    }

    fn counts(&self, plugin: usize, term: usize) -> Option<PerField<u8>> {
        self.lists[term]?.counts(u32::try_from(plugin).ok()?)
    }

    fn having(&self, term: usize, field: Field) -> Vec<usize> {
        let postings = self.lists[term]
            .iter()
            .flat_map(|list| list.postings_from(0));
        let having = postings.filter(|posting| posting.counts[field as usize] > 0);
        having.map(|posting| posting.document as usize).collect()
    }

    fn vectors(&self) -> Result<&[Stored]> {
        self.index.vectors()
    }
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
