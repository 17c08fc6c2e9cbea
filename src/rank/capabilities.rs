//! What developers call things: a request that has the signs of a capability is led to the plugins that have its name.

use super::normal::share;
use super::words::stems;
use crate::encoder::{Vector, vector};
use crate::model::{Capability, Meaning, Taxonomy};

/// How many capabilities a unit of a request may stand for.
const ACTIVE_MAX: usize = 5;
/// How soon a capability that is less near than the nearest one stops counting.
const TEMPERATURE: f32 = 0.05;
/// How near the nearest sign has to be to count at all, and to count in full.
const NEAR: (f32, f32) = (0.3, 0.6);
/// By how much a plugin may be nearer to the request than the nearest sign is: where plugins say it themselves, signs are not needed.
const NEARER: (f32, f32) = (-0.2, 0.2);
/// How many of its words describe a capability, and how many stand for its name.
const PROFILE_WORDS: usize = 8;
const NAME_WORDS: usize = 6;

/// The capabilities of a taxonomy, as vectors.
pub struct Capabilities {
    pub all: Vec<Named>,
    /// Of titles, signs and names: which capability each is of.
    signs: Vec<(usize, Vector)>,
}

/// A capability as it is looked for.
pub struct Named {
    pub id: Capability,
    pub title: String,
    /// What describes it.
    pub profile: Vector,
    /// All its words.
    words: String,
}

impl Named {
    /// Returns the stems of all its words.
    pub fn stems(&self) -> Vec<String> {
        stems(&self.words)
    }
}

impl Capabilities {
    /// Returns the capabilities of a taxonomy.
    pub fn of(taxonomy: &Taxonomy) -> Capabilities {
        let mut all = Vec::new();
        let mut signs = Vec::new();
        for (id, meaning) in &taxonomy.capabilities {
            let own = signs_of(meaning).into_iter();
            signs.extend(own.map(|sign| (all.len(), vector(&sign))));
            all.push(Named {
                id: id.clone(),
                title: meaning.title.clone(),
                profile: vector(&profile_of(meaning)),
                words: format!("{} {}", meaning.words.join(" "), meaning.title),
            });
        }
        Capabilities { all, signs }
    }

    /// Returns the capability whose signs a text is nearest to, among those that are wanted, and how near it is.
    pub fn nearest(
        &self,
        text: &str,
        is_wanted: impl Fn(&Capability) -> bool,
    ) -> Option<(&Capability, f32)> {
        let nearness = self.nearness(&vector(text)).into_iter();
        let near = self.all.iter().map(|named| &named.id).zip(nearness);
        let near = near.filter(|(capability, _)| is_wanted(capability));
        near.reduce(|best, next| if next.1 > best.1 { next } else { best })
    }

    fn nearness(&self, text: &Vector) -> Vec<f32> {
        let mut nearest = vec![f32::MIN; self.all.len()];
        for (capability, sign) in &self.signs {
            nearest[*capability] = nearest[*capability].max(text.cosine(sign));
        }
        nearest
    }

    /// Returns the capabilities that a text may stand for, by their numbers, the nearest first, with how near each is.
    pub fn near(&self, text: &Vector) -> Vec<(usize, f32)> {
        let mut near: Vec<(usize, f32)> = self.nearness(text).into_iter().enumerate().collect();
        near.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(ACTIVE_MAX);
        near
    }
}

/// Returns how much each of these capabilities counts where the nearest plugin is as near to the text as `plugin`.
pub fn weights(near: &[(usize, f32)], plugin: f32) -> Vec<(usize, f32)> {
    let Some((_, nearest)) = near.first().copied() else {
        return Vec::new();
    };
    let trust = share(nearest, NEAR.0, NEAR.1) * share(nearest - plugin, NEARER.0, NEARER.1);
    let raw = near
        .iter()
        .map(|(_, near)| ((near - nearest) / TEMPERATURE).exp());
    let total: f32 = raw.clone().sum();
    let weights = near.iter().zip(raw);
    let weights = weights.map(|((capability, _), raw)| (*capability, trust * raw / total));
    weights.filter(|(_, weight)| *weight > 0.0).collect()
}

/// Returns every text of a taxonomy whose vector is looked up.
pub fn texts(taxonomy: &Taxonomy) -> Vec<String> {
    let meanings = taxonomy.capabilities.values();
    meanings
        .flat_map(|meaning| {
            let mut texts = signs_of(meaning);
            texts.push(profile_of(meaning));
            texts
        })
        .collect()
}

fn signs_of(meaning: &Meaning) -> Vec<String> {
    let mut signs = vec![meaning.title.clone()];
    signs.extend(meaning.signs.iter().cloned());
    signs.push(first(meaning, NAME_WORDS));
    signs
}

fn profile_of(meaning: &Meaning) -> String {
    format!("{}: {}", meaning.title, first(meaning, PROFILE_WORDS))
}

fn first(meaning: &Meaning, count: usize) -> String {
    let words: Vec<&str> = meaning
        .words
        .iter()
        .take(count)
        .map(String::as_str)
        .collect();
    words.join(", ")
}
