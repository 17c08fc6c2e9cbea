//! What past requests teach: plugins that were used together for a request will be used together for one like it.
//!
//! Each set of plugins that was used together is a class, and a linear model of the requests' words and meaning tells how likely each is:
//! multinomial logistic regression, learned by stochastic gradient descent in an order of its own, so that neither the order of the
//! requests nor chance decides. How much that says of a request is told by how like the nearest past request is, and by how seldom a plugin
//! was used that was never used before.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::features::{Features, Vocabulary};
use super::normal::share;
use crate::encoder::Vector;

/// How often the requests are gone through, and how far the weights move at first.
const ROUNDS: usize = 8;
const STEP: f32 = 0.4;
/// A class that is off by less is left as it is.
const ERROR_MIN: f32 = 1e-3;
/// How like the nearest past request has to be for the past to count at all, and to count in full.
const LIKE: (f32, f32) = (0.3, 0.6);
/// How much all sets that have a plugin say, beside the likeliest of them.
const ALL: f32 = 0.3;

/// A request, and what was used for it.
pub struct PastRequest {
    pub text: String,
    pub meaning: Vector,
    /// The plugins by whatever names them.
    pub chosen: Vec<String>,
}

/// What past requests teach.
pub struct Past {
    vocabulary: Vocabulary,
    requests: Vec<Features>,
    /// The sets of plugins that were used together.
    sets: Vec<BTreeSet<String>>,
    /// For each word and each number of the meaning a weight for each set.
    weights: Vec<f32>,
    /// How likely it is that a plugin of the next request was used before.
    returning: f32,
}

impl Past {
    /// Learns from requests; without any, nothing is expected.
    pub fn learn(requests: &[PastRequest]) -> Past {
        let mut requests: Vec<(&PastRequest, BTreeSet<String>)> = requests
            .iter()
            .filter(|request| !request.chosen.is_empty())
            .map(|request| (request, request.chosen.iter().cloned().collect()))
            .collect();
        requests.sort_by(|(a, of_a), (b, of_b)| (&a.text, of_a).cmp(&(&b.text, of_b)));
        let vocabulary = Vocabulary::of(requests.iter().map(|(request, _)| request.text.as_str()));
        let sets: BTreeSet<&BTreeSet<String>> = requests.iter().map(|(_, set)| set).collect();
        let numbers: BTreeMap<_, usize> =
            sets.iter().zip(0..).map(|(set, at)| (*set, at)).collect();
        let classes: Vec<usize> = requests.iter().map(|(_, set)| numbers[set]).collect();
        let features: Vec<Features> = requests
            .iter()
            .map(|(request, _)| vocabulary.features(&request.text, &request.meaning))
            .collect();
        let mut past = Past {
            weights: Vec::new(),
            returning: returning(requests.iter().map(|(_, set)| set)),
            sets: sets.into_iter().cloned().collect(),
            requests: features,
            vocabulary,
        };
        past.fit(&classes);
        past
    }

    /// Says whether nothing was learned.
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// Returns how likely each plugin that was ever used is to be used for the request, from 0 to 1, as far as that can be told from the past.
    pub fn chances(&self, text: &str, meaning: &Vector) -> BTreeMap<&str, f32> {
        let features = self.vocabulary.features(text, meaning);
        let likest = self.requests.iter().map(|past| past.likeness(&features));
        let trust = self.returning * share(likest.fold(0.0, f32::max), LIKE.0, LIKE.1);
        let mut chances: BTreeMap<&str, (f32, f32)> = BTreeMap::new();
        if trust > 0.0 {
            for (set, chance) in self.sets.iter().zip(self.likely(&features)) {
                for plugin in set {
                    let (best, all) = chances.entry(plugin).or_default();
                    *best = best.max(chance);
                    *all += chance;
                }
            }
        }
        let chances = chances.into_iter();
        let mixed =
            chances.map(|(plugin, (best, all))| (plugin, trust * (best * (1.0 - ALL) + all * ALL)));
        mixed.collect()
    }

    fn fit(&mut self, classes: &[usize]) {
        let meaning = self.requests.first().map_or(0, |first| first.meaning.len());
        let rows = self.vocabulary.count() + meaning;
        self.weights = vec![0.0; rows * self.sets.len()];
        let mut order: Vec<usize> = (0..classes.len()).collect();
        let mut shuffle = Shuffle(1);
        let steps = (ROUNDS * classes.len()) as f32;
        let mut done = 0.0;
        for _ in 0..ROUNDS {
            shuffle.shuffle(&mut order);
            for request in &order {
                let features = &self.requests[*request];
                let mut errors = self.likely(features);
                errors[classes[*request]] -= 1.0;
                let step = STEP * (1.0 - done / steps);
                let errors: Vec<(usize, f32)> = errors
                    .into_iter()
                    .enumerate()
                    .filter(|(_, error)| error.abs() > ERROR_MIN)
                    .map(|(set, error)| (set, step * error))
                    .collect();
                let (words, sets) = (self.vocabulary.count(), self.sets.len());
                for (row, value) in rows_of(features, words) {
                    let weights = &mut self.weights[row * sets..][..sets];
                    for (set, error) in &errors {
                        weights[*set] -= error * value;
                    }
                }
                done += 1.0;
            }
        }
    }

    /// Returns how likely each set is; together they are 1.
    fn likely(&self, features: &Features) -> Vec<f32> {
        let sets = self.sets.len();
        let mut sums = vec![0.0_f32; sets];
        for (row, value) in rows_of(features, self.vocabulary.count()) {
            let weights = &self.weights[row * sets..][..sets];
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
        let most = sums.iter().copied().fold(f32::MIN, f32::max);
        sums.iter_mut().for_each(|sum| *sum = (*sum - most).exp());
        let total: f32 = sums.iter().sum();
        sums.iter_mut().for_each(|sum| *sum /= total);
        sums
    }
}

/// Returns the rows of weights that a request speaks to, and how loud.
fn rows_of(features: &Features, words: usize) -> impl Iterator<Item = (usize, f32)> {
    let meaning = features.meaning.iter().zip(words..);
    let meaning = meaning.map(|(value, row)| (row, *value));
    features.words.iter().copied().chain(meaning)
}

/// Returns how likely it is that a plugin that is used was used before: one less the share of those used once, after Good and Turing.
fn returning<'a>(sets: impl Iterator<Item = &'a BTreeSet<String>>) -> f32 {
    let mut used: HashMap<&str, usize> = HashMap::new();
    for plugin in sets.flatten() {
        *used.entry(plugin).or_default() += 1;
    }
    let all: usize = used.values().sum();
    let once = used.values().filter(|times| **times == 1).count();
    1.0 - once as f32 / all.max(1) as f32
}

/// The same order every time, that looks like chance.
struct Shuffle(u64);

impl Shuffle {
    fn shuffle(&mut self, order: &mut [usize]) {
        for last in (1..order.len()).rev() {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            order.swap(last, (self.0 >> 33) as usize % (last + 1));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::encoder::Encoder;

    fn request(text: &str, chosen: &[&str]) -> PastRequest {
        PastRequest {
            text: text.to_string(),
            meaning: Encoder::embedded().encode(text),
            chosen: chosen.iter().map(ToString::to_string).collect(),
        }
    }

    fn requests() -> Vec<PastRequest> {
        vec![
            request(
                "keep the answers of the orders API in memory",
                &["cache", "api"],
            ),
            request(
                "keep the answers of the users API in memory",
                &["cache", "api"],
            ),
            request(
                "keep the answers of the prices API in memory",
                &["cache", "api"],
            ),
            request("write the manual of the billing service", &["docs"]),
            request("write the manual of the login service", &["docs"]),
        ]
    }

    fn chances(past: &Past, text: &str) -> BTreeMap<String, f32> {
        let chances = past.chances(text, &Encoder::embedded().encode(text));
        let chances = chances.into_iter();
        chances
            .map(|(plugin, chance)| (plugin.to_string(), chance))
            .collect()
    }

    #[test]
    fn what_was_used_together_is_expected_together_for_a_request_alike() {
        let past = Past::learn(&requests());
        let found = chances(&past, "keep the answers of the stock API in memory");
        assert!(
            found["cache"] > 0.5 && found["cache"] == found["api"],
            "{found:?}"
        );
        assert!(found["docs"] < 0.2, "{found:?}");
        let found = chances(&past, "write the manual of the stock service");
        assert!(found["docs"] > found["cache"], "{found:?}");
    }

    #[test]
    fn the_past_is_silent_where_it_knows_nothing() {
        let past = Past::learn(&requests());
        assert_eq!(chances(&past, "Übersetze den Roman"), BTreeMap::new());
        assert_eq!(
            chances(&Past::learn(&[]), "write the manual"),
            BTreeMap::new()
        );
        // What was used once each says that what comes next is new as well.
        let once = [
            request("a cache", &["cache"]),
            request("a manual", &["docs"]),
        ];
        assert_eq!(chances(&Past::learn(&once), "a cache"), BTreeMap::new());
    }

    #[test]
    fn the_order_of_past_requests_changes_nothing() {
        let mut reversed = requests();
        reversed.reverse();
        let asked = "keep the answers of the stock API in memory";
        assert_eq!(
            chances(&Past::learn(&requests()), asked),
            chances(&Past::learn(&reversed), asked)
        );
    }
}
