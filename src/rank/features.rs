//! What of a request tells it from others: its words, its pairs of words, and its meaning.
//!
//! Nothing is left out and no word is cut to its stem: people who want the same say it in the same turns, and small words are most of these.

use std::collections::HashMap;

use crate::encoder::Vector;

/// The most words and pairs of words that are told apart; the commonest are.
const WORDS_MAX: usize = 32_768;
/// In how many requests a word has to be, to say something of others.
const REQUESTS_MIN: usize = 2;
/// How much the meaning counts beside the words.
const MEANING: f32 = 1.5;

/// The words of many requests.
pub struct Vocabulary {
    /// Of each word its number, and how rare it is.
    words: HashMap<String, (usize, f32)>,
}

/// A request as numbers.
pub struct Features {
    /// The numbers of its words in the order of these, and how much each counts; of length 1 together.
    pub words: Vec<(usize, f32)>,
    pub meaning: Vec<f32>,
}

impl Vocabulary {
    /// Returns the words of these texts.
    pub fn of<'a>(texts: impl Iterator<Item = &'a str>) -> Vocabulary {
        let mut holding: HashMap<String, usize> = HashMap::new();
        let mut count = 0;
        for text in texts {
            count += 1;
            for word in words(text) {
                *holding.entry(word).or_default() += 1;
            }
        }
        let mut known: Vec<(usize, String)> = holding
            .into_iter()
            .filter(|(_, holding)| *holding >= REQUESTS_MIN)
            .map(|(word, holding)| (holding, word))
            .collect();
        known.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        known.truncate(WORDS_MAX);
        let numbered = known.into_iter().enumerate();
        let words = numbered.map(|(number, (holding, word))| {
            let rarity = (1.0 + count as f32 / holding as f32).ln();
            (word, (number, rarity))
        });
        Vocabulary {
            words: words.collect(),
        }
    }

    /// Returns how many numbers stand for words.
    pub fn count(&self) -> usize {
        self.words.len()
    }

    /// Returns a request as numbers.
    pub fn features(&self, text: &str, meaning: &Vector) -> Features {
        let known = words(text);
        let known = known.iter().filter_map(|word| self.words.get(word));
        let mut words: Vec<(usize, f32)> = known.copied().collect();
        words.sort_by_key(|(number, _)| *number);
        let length = words.iter().map(|(_, weight)| weight * weight);
        let length = length.sum::<f32>().sqrt().max(1e-6);
        words.iter_mut().for_each(|(_, weight)| *weight /= length);
        let mut meaning = meaning.numbers();
        meaning.iter_mut().for_each(|number| *number *= MEANING);
        Features { words, meaning }
    }
}

impl Features {
    /// Returns how alike two requests are: 1 for the same.
    pub fn likeness(&self, other: &Features) -> f32 {
        let mut words = 0.0;
        let mut theirs = other.words.iter().peekable();
        for (number, weight) in &self.words {
            while theirs.next_if(|(other, _)| other < number).is_some() {}
            if let Some((_, other)) = theirs.next_if(|(other, _)| other == number) {
                words += weight * other;
            }
        }
        let meanings = self.meaning.iter().zip(&other.meaning);
        let meaning = meanings.map(|(a, b)| a * b).sum::<f32>();
        (words + meaning / (MEANING * MEANING)) / 2.0
    }
}

/// Returns the words and pairs of words of a text, in small letters, each once.
fn words(text: &str) -> Vec<String> {
    let text = text.to_lowercase();
    let single = text.split(|c: char| !c.is_alphanumeric());
    let mut words: Vec<String> = single
        .filter(|word| !word.is_empty())
        .map(str::to_string)
        .collect();
    let pairs: Vec<String> = words.windows(2).map(|pair| pair.join(" ")).collect();
    words.extend(pairs);
    words.sort_unstable();
    words.dedup();
    words
}
