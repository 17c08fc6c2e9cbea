//! A sketch: a few numbers by which two texts are found to be nearly the same.

/// How many numbers a sketch has at most.
const NUMBERS_MAX: usize = 64;
/// Texts with fewer than so many different groups of words say too little to be told apart.
const NUMBERS_MIN: usize = 8;
/// How alike two plugins of one name are that count as one: the share of groups of words that they have in common.
const TWIN_SHARE: f32 = 0.85;

/// The smallest hashes of a text's groups of three words, in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sketch(Vec<u32>);

impl Sketch {
    /// Says whether the two are one text with small changes.
    pub fn is_twin(&self, other: &Sketch) -> bool {
        let enough = self.0.len() >= NUMBERS_MIN && other.0.len() >= NUMBERS_MIN;
        enough && self.share(other) >= TWIN_SHARE
    }

    /// Estimates the share of groups that both have among those that either has.
    pub fn share(&self, other: &Sketch) -> f32 {
        let mut union: Vec<u32> = self.0.iter().chain(&other.0).copied().collect();
        union.sort_unstable();
        union.dedup();
        union.truncate(NUMBERS_MAX);
        let has = |sketch: &Sketch, number| sketch.0.binary_search(number).is_ok();
        let common = union
            .iter()
            .filter(|number| has(self, number) && has(other, number));
        common.count() as f32 / union.len().max(1) as f32
    }

    /// Returns the numbers as bytes, four each.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.0
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    /// Reads what `to_bytes` returned.
    pub fn from_bytes(bytes: &[u8]) -> Sketch {
        let (numbers, _) = bytes.as_chunks();
        Sketch(
            numbers
                .iter()
                .map(|number| u32::from_le_bytes(*number))
                .collect(),
        )
    }
}

/// Makes a sketch of words that come one by one.
pub struct Sketcher {
    recent: [u64; 2],
    words: usize,
    smallest: Vec<u32>,
    /// No larger number can be among the smallest.
    bound: u32,
}

impl Sketcher {
    /// Returns a sketcher that saw no word.
    pub fn new() -> Sketcher {
        Sketcher {
            recent: [0; 2],
            words: 0,
            smallest: Vec::new(),
            bound: u32::MAX,
        }
    }

    /// Takes the hash of the next word.
    pub fn add(&mut self, word: u64) {
        let [first, second] = self.recent;
        self.recent = [second, word];
        self.words += 1;
        if self.words < 3 {
            return;
        }
        let number = mix(first, second, word);
        if number <= self.bound {
            self.smallest.push(number);
            if self.smallest.len() == 4 * NUMBERS_MAX {
                self.shrink();
            }
        }
    }

    fn shrink(&mut self) {
        self.smallest.sort_unstable();
        self.smallest.dedup();
        self.smallest.truncate(NUMBERS_MAX);
        if self.smallest.len() == NUMBERS_MAX {
            self.bound = self.smallest[NUMBERS_MAX - 1];
        }
    }

    /// Returns the sketch of all words.
    pub fn finish(mut self) -> Sketch {
        self.shrink();
        Sketch(self.smallest)
    }
}

/// Hashes three words in their order, with the last steps of SplitMix64.
fn mix(first: u64, second: u64, third: u64) -> u32 {
    let mut hash = first.rotate_left(42) ^ second.rotate_left(21) ^ third;
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(words: impl IntoIterator<Item = u64>) -> Sketch {
        let mut sketcher = Sketcher::new();
        words
            .into_iter()
            .for_each(|word| sketcher.add(word.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        sketcher.finish()
    }

    #[test]
    fn a_text_with_one_word_more_is_a_twin_and_half_a_text_is_none() {
        let text = sketch(0..500);
        assert!(text.is_twin(&sketch(0..501)));
        assert!(!text.is_twin(&sketch(0..250)));
        assert!(!text.is_twin(&sketch(1000..1500)));
    }

    #[test]
    fn the_share_is_estimated_within_a_tenth() {
        let share = sketch(0..1000).share(&sketch(500..1500));
        assert!((share - 1.0 / 3.0).abs() < 0.1, "{share}");
    }

    #[test]
    fn texts_of_a_few_words_are_no_twins() {
        assert!(!sketch(0..5).is_twin(&sketch(0..5)));
    }
}
