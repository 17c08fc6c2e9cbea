//! The signals of each plugin, and what they come to together.

use std::collections::HashMap;

use anyhow::Result;

use super::capabilities::{Capabilities, weights};
use super::normal::{share, spread, standard};
use super::request::{Request, UnitKind};
use super::words::{identifier, stems};
use crate::encoder::{VECTOR_BYTES, Vector, vector};
use crate::index::{Collection, Field, Hit, Source};

/// How much words count beside meaning: more in a long request than in a short one, whose few words are less likely the plugin's own.
const WORDS: (f32, f32) = (0.45, 0.75);
/// How many different words make a request short, and long.
const WORDS_OF: (f32, f32) = (10.0, 25.0);
/// How much a name counts all of whose words are in the request.
const NAME: f32 = 2.5;
/// How much the capabilities of a unit count: by meaning in standard deviations, and by words.
const BY_MEANING: f32 = 0.12;
const BY_WORDS: f32 = 0.3;
/// What the best plugins of each clause gain, so that none is forgotten; how much the next one gains of that; and how many do.
const COVERAGE: f32 = 1.5;
const COVERAGE_NEXT: f32 = 0.6;
const COVERED: usize = 3;
/// How much the whole score decides who serves a clause.
const COVERAGE_WHOLE: f32 = 0.5;
/// How much it counts that a plugin was always used for such requests.
const PAST: f32 = 40.0;
/// How many plugins are looked at to learn how far those of a capability are spread.
const SAMPLE_MAX: usize = 4_000;

/// What speaks for a plugin. All are in standard deviations above the mean of all plugins, but for `name`, `coverage` and `past`.
#[derive(Debug, Clone, Copy, Default, PartialEq, serde::Serialize)]
pub struct Signals {
    /// The words that it shares with the request.
    pub words: f32,
    /// How near it is in meaning to the request as a whole.
    pub meaning: f32,
    /// How near it is in meaning to the clause that it serves best.
    pub clause: f32,
    /// How much of its name stands in the request, from 0 to 1.
    pub name: f32,
    /// What it gains by serving a clause that few serve.
    pub coverage: f32,
    /// How likely it is used for the request after what was used for past ones, from 0 to 1.
    #[serde(skip_serializing_if = "is_zero")]
    pub past: f32,
}

fn is_zero(number: &f32) -> bool {
    *number == 0.0
}

/// Plugins with their scores, by their numbers in the collection.
pub struct Ranked<'a> {
    pub collection: Collection<'a>,
    pub scores: Vec<f32>,
    pub signals: Vec<Signals>,
    /// Of each unit of the request the capabilities that it was taken for, by their numbers, and how surely.
    pub capabilities: Vec<Vec<(usize, f32)>>,
    /// How near each plugin is to the request as a whole, as a cosine.
    pub cosines: Vec<f32>,
    /// How many of the collection's terms are the request's own; they come first.
    asked: usize,
}

impl<'a> Ranked<'a> {
    /// Raises plugins by how likely they are used for the request, from 0 to 1, after what was used for past ones.
    pub fn recall(&mut self, chances: impl Iterator<Item = (usize, f32)>) {
        for (plugin, chance) in chances {
            self.signals[plugin].past = chance;
            self.scores[plugin] += PAST * chance;
        }
    }

    /// Returns the best plugins, at most `limit`, one for each set of twins; `matched` are words of the request.
    pub fn best(&self, limit: usize) -> Result<Vec<Hit>> {
        self.best_by(self.scores.clone(), limit)
    }

    /// Returns the same by other scores, given by the numbers of the plugins.
    pub fn best_by(&self, scores: Vec<f32>, limit: usize) -> Result<Vec<Hit>> {
        let least = scores.iter().copied().fold(f32::MAX, f32::min);
        // The collection takes a score of 0 for none at all.
        let above: Vec<f32> = scores.iter().map(|score| score - least + 1.0).collect();
        let mut hits = self.collection.best(&above, limit)?;
        let asked = &self.collection.terms()[..self.asked];
        for hit in &mut hits {
            hit.score = scores[self.collection.number((hit.source, hit.plugin))];
            hit.matched.retain(|(term, _)| asked.contains(term));
        }
        Ok(hits)
    }
}

/// Scores every plugin of the sources. What is ruled out is for the caller to leave out: that takes a look at a plugin's text.
///
/// An error for which `index::is_damage` holds is mended by building that index again.
pub fn rank<'a>(
    request: &Request,
    capabilities: &Capabilities,
    sources: &[Source<'a>],
) -> Result<Ranked<'a>> {
    let units: Vec<Vector> = request
        .units
        .iter()
        .map(|unit| vector(&unit.text))
        .collect();
    let near: Vec<_> = units.iter().map(|unit| capabilities.near(unit)).collect();
    let mut terms = stems(request.whole());
    let asked: Vec<usize> = (0..terms.len()).collect();
    let called = places(&near, capabilities, &mut terms);
    let collection = Collection::open(sources, terms)?;
    let field = Meanings::of(&collection)?;
    let mut guide = Guide {
        capabilities,
        collection: &collection,
        field: &field,
        called,
        known: HashMap::new(),
    };
    let (mut nearness, mut taken, mut cosines) = (Vec::new(), Vec::new(), Vec::new());
    // The whole comes last, so that its cosines are what is left.
    for (unit, near) in units.iter().zip(&near).rev() {
        cosines = field.cosines(unit);
        let nearest = cosines.iter().copied().fold(0.0, f32::max);
        let weights = weights(near, nearest);
        nearness.push(field.standard(&guide.lead(&cosines, &weights)?));
        taken.push(weights);
    }
    nearness.reverse();
    taken.reverse();
    let words = standard(&collection.scores(&asked)?);
    let names = names(&collection, &asked)?;
    let signals = combine(request, &nearness, &words, &names);
    let mut ranked = Ranked {
        scores: scores(&signals, asked.len()),
        collection,
        signals,
        capabilities: taken,
        cosines,
        asked: asked.len(),
    };
    cover(request, &nearness, &mut ranked);
    Ok(ranked)
}

/// Adds the stems of the capabilities to the terms, and returns the places of each one's.
fn places(
    near: &[Vec<(usize, f32)>],
    capabilities: &Capabilities,
    terms: &mut Vec<String>,
) -> HashMap<usize, Vec<usize>> {
    let mut places = HashMap::new();
    for (capability, _) in near.iter().flatten() {
        places.entry(*capability).or_insert_with(|| {
            let stems = capabilities.all[*capability].stems().into_iter();
            let place = |stem: String| {
                let known = terms.iter().position(|term| *term == stem);
                known.unwrap_or_else(|| {
                    terms.push(stem);
                    terms.len() - 1
                })
            };
            stems.map(place).collect()
        });
    }
    places
}

/// The vectors of all plugins that have one.
struct Meanings<'a> {
    count: usize,
    sources: Vec<(usize, &'a [[u8; VECTOR_BYTES]])>,
    /// The plugins with a vector, and those without.
    groups: [Vec<usize>; 2],
}

impl<'a> Meanings<'a> {
    fn of(collection: &'a Collection<'_>) -> Result<Meanings<'a>> {
        let (count, sources) = (collection.len(), collection.vectors()?);
        let mut has = vec![false; count];
        for (first, stored) in &sources {
            has[*first..first + stored.len()].fill(true);
        }
        let groups =
            [true, false].map(|with| (0..count).filter(|plugin| has[*plugin] == with).collect());
        Ok(Meanings {
            count,
            sources,
            groups,
        })
    }

    /// Returns the cosine of the text to each plugin; 0 for one without a vector.
    fn cosines(&self, text: &Vector) -> Vec<f32> {
        let mut cosines = vec![0.0; self.count];
        for (first, stored) in &self.sources {
            let own = text.cosines(stored);
            cosines[*first..first + own.len()].copy_from_slice(&own);
        }
        cosines
    }

    /// Makes numbers comparable among the plugins that have a vector, and apart from them among those that have none.
    fn standard(&self, numbers: &[f32]) -> Vec<f32> {
        let mut standardised = vec![0.0; numbers.len()];
        for plugins in &self.groups {
            let own: Vec<f32> = plugins.iter().map(|plugin| numbers[*plugin]).collect();
            for (plugin, number) in plugins.iter().zip(standard(&own)) {
                standardised[*plugin] = number;
            }
        }
        standardised
    }

    /// Returns how far the cosines of a text are spread.
    fn deviation(&self, text: &Vector) -> f32 {
        let step = self.count.div_ceil(SAMPLE_MAX).max(1);
        let mut sample = Vec::new();
        for (_, stored) in &self.sources {
            let some = stored.iter().step_by(step);
            sample.extend(some.map(|bytes| text.cosine(&Vector::from_bytes(bytes))));
        }
        spread(&sample).1
    }
}

/// Leads requests to the plugins of capabilities.
struct Guide<'a, 'c> {
    capabilities: &'a Capabilities,
    collection: &'a Collection<'c>,
    field: &'a Meanings<'a>,
    /// Of each capability that may count the places of its terms.
    called: HashMap<usize, Vec<usize>>,
    known: HashMap<usize, Affinity>,
}

/// How plugins stand to a capability, whatever is asked.
struct Affinity {
    /// How much each has of its words, from 0 to 1.
    words: Vec<f32>,
    /// How far their cosines to what describes it are spread.
    deviation: f32,
}

impl Guide<'_, '_> {
    /// Returns the cosines of a unit, raised for plugins of the capabilities that it stands for.
    fn lead(&mut self, cosines: &[f32], weights: &[(usize, f32)]) -> Result<Vec<f32>> {
        let mut led = cosines.to_vec();
        let mut directions = Vec::new();
        for (capability, weight) in weights {
            self.learn(*capability)?;
            let affinity = &self.known[capability];
            let profile = &self.capabilities.all[*capability].profile;
            directions.push((weight * BY_MEANING / affinity.deviation, profile));
            for (led, words) in led.iter_mut().zip(&affinity.words) {
                *led += weight * BY_WORDS * words;
            }
        }
        if !directions.is_empty() {
            let (direction, length) = Vector::sum(&directions);
            for (led, cosine) in led.iter_mut().zip(self.field.cosines(&direction)) {
                *led += length * cosine;
            }
        }
        Ok(led)
    }

    fn learn(&mut self, capability: usize) -> Result<()> {
        if !self.known.contains_key(&capability) {
            let mut words = self.collection.scores(&self.called[&capability])?;
            let most = words.iter().copied().fold(1e-6, f32::max);
            words.iter_mut().for_each(|words| *words /= most);
            let profile = &self.capabilities.all[capability].profile;
            let deviation = self.field.deviation(profile) + 1e-6;
            self.known.insert(capability, Affinity { words, deviation });
        }
        Ok(())
    }
}

/// Returns of each plugin the share of its name that stands in the request, weighed by how rare the words are.
fn names(collection: &Collection<'_>, asked: &[usize]) -> Result<Vec<f32>> {
    let mut shares = vec![0.0; collection.len()];
    // What each word of a name weighs, and whether it was asked for.
    let said = asked.iter().map(|term| {
        (
            collection.terms()[*term].clone(),
            (collection.rarity(*term), true),
        )
    });
    let mut weights: HashMap<String, (f32, bool)> = said.collect();
    let mut plugins: Vec<usize> = asked
        .iter()
        .flat_map(|term| collection.having(*term, Field::Name))
        .collect();
    plugins.sort_unstable();
    plugins.dedup();
    for plugin in plugins {
        let (mut said, mut all) = (0.0, 1e-6);
        for stem in stems(&identifier(collection.name_of(plugin)?)) {
            if !weights.contains_key(&stem) {
                weights.insert(stem.clone(), (collection.rarity_of(&stem)?, false));
            }
            let (weight, is_said) = weights[&stem];
            all += weight;
            if is_said {
                said += weight;
            }
        }
        shares[plugin] = said / all;
    }
    Ok(shares)
}

fn combine(request: &Request, nearness: &[Vec<f32>], words: &[f32], names: &[f32]) -> Vec<Signals> {
    let instruction = request
        .units
        .iter()
        .position(|unit| unit.kind == UnitKind::Instruction);
    let best = |plugin: usize| match instruction {
        Some(instruction) => nearness[instruction][plugin],
        None => nearness
            .iter()
            .map(|unit| unit[plugin])
            .fold(f32::MIN, f32::max),
    };
    (0..words.len())
        .map(|plugin| Signals {
            words: words[plugin],
            meaning: nearness[0][plugin],
            clause: best(plugin),
            name: names[plugin],
            coverage: 0.0,
            past: 0.0,
        })
        .collect()
}

/// Adds up the signals for a request of so many different words.
fn scores(signals: &[Signals], words: usize) -> Vec<f32> {
    let long = share(words as f32, WORDS_OF.0, WORDS_OF.1);
    let by_words = WORDS.0 + (WORDS.1 - WORDS.0) * long;
    let score = |signals: &Signals| {
        signals.meaning
            + signals.clause
            + by_words * signals.words
            + NAME * signals.name * signals.name
    };
    signals.iter().map(score).collect()
}

/// Raises the best plugins of each clause.
fn cover(request: &Request, nearness: &[Vec<f32>], ranked: &mut Ranked<'_>) {
    let clauses = request.units.iter().zip(nearness);
    for (_, nearness) in clauses.filter(|(unit, _)| unit.kind == UnitKind::Clause) {
        let fit = |plugin: usize| nearness[plugin] + COVERAGE_WHOLE * ranked.scores[plugin];
        let mut best: Vec<(f32, usize)> = Vec::new();
        for plugin in 0..nearness.len() {
            let fit = fit(plugin);
            let place = best.partition_point(|(other, _)| *other >= fit);
            if place < COVERED {
                best.insert(place, (fit, plugin));
                best.truncate(COVERED);
            }
        }
        let mut gain = COVERAGE;
        for (_, plugin) in best {
            ranked.signals[plugin].coverage += gain;
            gain *= COVERAGE_NEXT;
        }
    }
    for (score, signals) in ranked.scores.iter_mut().zip(&ranked.signals) {
        *score += signals.coverage;
    }
}
