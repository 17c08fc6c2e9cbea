//! Plugins in the order of their scores, one for each set of twins.

use std::cmp::Ordering;
use std::collections::HashSet;

use anyhow::Result;

use super::Field;
use super::sketch::Sketch;

/// The most plugins of one name in one source that are compared with each other.
pub const NAMESAKES_MAX: usize = 64;

/// A plugin that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Which of the sources it is in, and its number there.
    pub source: usize,
    pub plugin: usize,
    pub score: f32,
    /// The stems of the query that it has, and where.
    pub matched: Vec<(String, Field)>,
    /// The same plugin elsewhere: nearly the same text under the same name, as source and number.
    pub twins: Vec<(usize, usize)>,
}

/// Where a plugin is: the source, and the number in it.
pub type Place = (usize, usize);

/// What ranking asks of plugins, which go by their places.
pub trait Pool {
    /// Returns the plugins with the best scores, the best first; of equal scores the name decides.
    fn best(&self, count: usize) -> Result<Vec<(Place, f32)>>;
    fn name(&self, place: Place) -> Result<&str>;
    /// Returns plugins of this name.
    fn named(&self, name: &str) -> Result<Vec<Place>>;
    fn sketch(&self, place: Place) -> Result<Sketch>;
    /// Returns the terms that the plugin has, and where.
    fn matched(&self, place: Place) -> Vec<(String, Field)>;
}

/// Returns the best plugins, at most `limit`. Of equal score the name decides, then the order of the sources.
pub fn rank(pool: &impl Pool, limit: usize) -> Result<Vec<Hit>> {
    // Twins take places among the best, so we ask for a few more, and for more again where these were not enough.
    let mut asked = limit.saturating_add(8);
    loop {
        let candidates = sorted(pool, asked)?;
        let hits = distinct(pool, &candidates, limit)?;
        if hits.len() == limit || candidates.len() < asked {
            return Ok(hits);
        }
        asked = asked.saturating_mul(4);
    }
}

fn sorted(pool: &impl Pool, count: usize) -> Result<Vec<(Place, f32)>> {
    let best = pool.best(count)?.into_iter();
    let mut named = best
        .map(|(place, score)| Ok((place, score, pool.name(place)?)))
        .collect::<Result<Vec<_>>>()?;
    named.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then((a.2, a.0).cmp(&(b.2, b.0))));
    named.truncate(count);
    Ok(named
        .into_iter()
        .map(|(place, score, _)| (place, score))
        .collect())
}

fn distinct(pool: &impl Pool, candidates: &[(Place, f32)], limit: usize) -> Result<Vec<Hit>> {
    let mut seen = HashSet::new();
    let mut hits = Vec::new();
    for (place, score) in candidates {
        if hits.len() == limit {
            break;
        }
        if !seen.insert(*place) {
            continue;
        }
        let mut twins = twins(pool, *place)?;
        twins.retain(|twin| seen.insert(*twin));
        hits.push(Hit {
            source: place.0,
            plugin: place.1,
            score: *score,
            matched: pool.matched(*place),
            twins,
        });
    }
    Ok(hits)
}

fn twins(pool: &impl Pool, place: Place) -> Result<Vec<Place>> {
    let mut twins = pool.named(pool.name(place)?)?;
    twins.retain(|other| *other != place);
    if twins.is_empty() {
        return Ok(twins);
    }
    let sketch = pool.sketch(place)?;
    let mut kept = Vec::new();
    for twin in twins {
        if sketch.is_twin(&pool.sketch(twin)?) {
            kept.push(twin);
        }
    }
    Ok(kept)
}

/// Returns the numbers of the highest scores above zero, at most so many; of equal scores those that come first in `order`.
pub fn highest(
    scores: &[f32],
    count: usize,
    order: impl Fn(usize, usize) -> Ordering,
) -> Vec<(usize, f32)> {
    let compare = |a: &(usize, f32), b: &(usize, f32)| b.1.total_cmp(&a.1).then(order(a.0, b.0));
    let room = count.saturating_mul(2).max(64);
    let mut best = Vec::new();
    let mut least = f32::MIN_POSITIVE;
    for (number, score) in scores.iter().copied().enumerate() {
        if score < least {
            continue;
        }
        best.push((number, score));
        if best.len() == room {
            best.select_nth_unstable_by(count, compare);
            best.truncate(count);
            least = best
                .iter()
                .map(|(_, score)| *score)
                .fold(f32::MAX, f32::min);
        }
    }
    best.sort_unstable_by(compare);
    best.truncate(count);
    best
}
