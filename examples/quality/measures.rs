//! How good a ranking is.

use std::collections::{BTreeMap, BTreeSet};

/// How much each thing that is right for a request is worth, by its id.
pub type Answers = BTreeMap<String, f64>;

/// Returns the gain of the first ten, of what could be gained: a later place counts less.
pub fn ndcg(ranking: &[&str], answers: &Answers) -> f64 {
    let worth = |gain: f64, place: usize| gain / (place as f64 + 2.0).log2();
    let found = ranking.iter().take(10).enumerate();
    let found = found.filter_map(|(place, id)| Some(worth(*answers.get(*id)?, place)));
    let mut best: Vec<f64> = answers.values().copied().collect();
    best.sort_by(|a, b| b.total_cmp(a));
    let possible = best.into_iter().take(10).enumerate();
    found.sum::<f64>()
        / possible
            .map(|(place, gain)| worth(gain, place))
            .sum::<f64>()
}

/// Returns the share of what is right that is among the first.
pub fn recall(ranking: &[&str], answers: &Answers, first: usize) -> f64 {
    let found = ranking.iter().take(first);
    found.filter(|id| answers.contains_key(**id)).count() as f64 / answers.len() as f64
}

/// Returns the mean share of right ones up to each right one among the first ten.
pub fn precision(ranking: &[&str], answers: &Answers) -> f64 {
    let (mut right, mut sum) = (0.0, 0.0);
    for (place, id) in ranking.iter().take(10).enumerate() {
        if answers.contains_key(*id) {
            right += 1.0;
            sum += right / (place as f64 + 1.0);
        }
    }
    sum / answers.len().min(10) as f64
}

/// Returns the share of the groups of which one is among the first.
pub fn hit(ranking: &[&str], groups: &[Vec<&str>], first: usize) -> f64 {
    let first: BTreeSet<&&str> = ranking.iter().take(first).collect();
    let hit = groups
        .iter()
        .filter(|group| group.iter().any(|id| first.contains(id)));
    hit.count() as f64 / groups.len() as f64
}

/// Returns the harmonic mean of how much of what is right was named, and how much of what was named is right.
pub fn agreement<T: Ord>(named: &BTreeSet<T>, right: &BTreeSet<T>) -> f64 {
    let both = named.intersection(right).count() as f64;
    match named.is_empty() && right.is_empty() {
        true => 1.0,
        false => 2.0 * both / (named.len() + right.len()) as f64,
    }
}
