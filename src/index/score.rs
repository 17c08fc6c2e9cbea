//! What a word in a plugin's text is worth: BM25F, which weighs the fields before it lets a word's repetitions wear off.

use std::f32::consts::LN_2;

use super::{FIELDS, PerField};

/// How much a word counts in the name, the summary, the components and the body.
const WEIGHTS: PerField<f32> = [2.0, 1.0, 1.0, 0.1];
/// How much a long field lessens a word in it, from not at all to in proportion.
const LENGTH_SHARES: PerField<f32> = [0.75; FIELDS];
/// How soon repetitions wear off.
const SATURATION: f32 = 1.2;

/// The most postings that one query reads: of its terms, the rarest are read, and the commonest left out that would go beyond.
const POSTINGS_MAX: u64 = 1_000_000;
/// The most different terms of a query that count.
pub const TERMS_MAX: usize = 32;

/// What scores are computed from besides postings.
#[derive(Debug, Clone, Copy, Default)]
pub struct Statistics {
    pub plugins: u64,
    /// How many words all plugins have in each field.
    pub words: PerField<u64>,
}

impl Statistics {
    /// Adds what is known of further plugins.
    pub fn add(&mut self, other: &Statistics) {
        self.plugins += other.plugins;
        for (words, more) in self.words.iter_mut().zip(other.words) {
            *words += more;
        }
    }
}

/// A term that a query is answered by.
#[derive(Debug, Clone, PartialEq)]
pub struct Chosen {
    /// Its place among the query's terms.
    pub term: usize,
    /// What a plugin gains at most by having it: the more, the fewer have it.
    rarity: f32,
}

/// Chooses the terms to read, the rarest first; `holding` says for each how many plugins have it.
pub fn choose(terms: &[String], holding: &[u64], plugins: u64) -> Vec<Chosen> {
    let mut order: Vec<usize> = (0..terms.len()).filter(|term| holding[*term] > 0).collect();
    order.sort_unstable_by_key(|term| (holding[*term], &terms[*term]));
    let mut read = 0;
    let affordable = order.into_iter().enumerate().take_while(|(place, term)| {
        read += holding[*term];
        *place == 0 || read <= POSTINGS_MAX
    });
    affordable
        .map(|(_, term)| Chosen {
            term,
            rarity: rarity(holding[term], plugins),
        })
        .collect()
}

/// Returns what a plugin gains at most by having a term that so many have.
pub fn rarity(holding: u64, plugins: u64) -> f32 {
    let (holding, plugins) = (holding as f32, plugins as f32);
    // A word that every plugin has still counts a little, so that what matches is above what does not.
    (((plugins - holding + 0.5).max(0.0) / (holding + 0.5)) + 1.0).log2() * LN_2
}

/// Computes scores among some plugins.
pub struct Scorer {
    /// For each field and length code what one word there is worth.
    worth: PerField<[f32; 256]>,
}

impl Scorer {
    /// Returns a scorer for these plugins.
    pub fn new(statistics: &Statistics) -> Scorer {
        let mut worth = [[0.0; 256]; FIELDS];
        for (field, worth) in worth.iter_mut().enumerate() {
            let average = statistics.words[field] as f32 / statistics.plugins.max(1) as f32;
            for (code, worth) in (0..=u8::MAX).zip(worth) {
                let relative = length(code) as f32 / average.max(1.0);
                let share = LENGTH_SHARES[field];
                *worth = WEIGHTS[field] / (1.0 - share + share * relative);
            }
        }
        Scorer { worth }
    }

    /// Returns what a plugin with fields of these lengths gains by having the term so often.
    #[inline]
    pub fn gain(&self, chosen: &Chosen, counts: PerField<u8>, lengths: PerField<u8>) -> f32 {
        let mut weight = 0.0;
        for field in 0..FIELDS {
            weight += f32::from(counts[field]) * self.worth[field][lengths[field] as usize];
        }
        chosen.rarity * weight / (SATURATION + weight)
    }
}

/// Returns a byte that stands for the length: exact below 32, then within one part in 16.
pub fn length_code(length: u32) -> u8 {
    match length {
        0..16 => length as u8,
        _ => {
            let shift = length.ilog2() - 4;
            u8::try_from(16 * shift + (length >> shift)).unwrap_or(u8::MAX)
        }
    }
}

fn length(code: u8) -> u32 {
    match code {
        0..16 => u32::from(code),
        _ => u32::from(code % 16 + 16) << (code / 16 - 1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_code_is_near_the_length() {
        for exact in [0, 1, 15, 16, 31, 32, 100, 999, 65_536, 507_904] {
            let read = length(length_code(exact));
            assert!(
                read <= exact && exact - read <= exact / 16,
                "{exact}: {read}"
            );
        }
        assert_eq!(length_code(u32::MAX), u8::MAX);
        assert!((0..u8::MAX).all(|code| length(code) < length(code + 1)));
    }

    #[test]
    fn the_commonest_terms_are_left_out_where_reading_them_takes_too_long() {
        let terms = ["b", "a", "gone", "c"].map(String::from);
        let chosen = |holding: &[u64]| {
            let chosen = choose(&terms, holding, 5_000_000);
            chosen.iter().map(|chosen| chosen.term).collect::<Vec<_>>()
        };
        assert_eq!(chosen(&[7, 7, 0, 9]), [1, 0, 3]);
        assert_eq!(chosen(&[7, POSTINGS_MAX, 0, 9]), [0, 3]);
        assert_eq!(chosen(&[0, POSTINGS_MAX + 1, 0, 0]), [1]);
    }
}
