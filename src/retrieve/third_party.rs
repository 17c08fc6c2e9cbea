//! Plugins that say nothing of how they work: the ones that rank best for a need, as an agent would use them.

use anyhow::Result;

use super::Library;
use super::component::{self, Wanted};
use super::needs::Reading;
use crate::model::{By, Candidate, Need, Place, Plugin, Task};
use crate::rank::{self, Ranked, Request, RuledOut, Signals, Unit, UnitKind};

/// How many plugins are looked at for a need.
const LOOKED_AT: usize = 12;
/// How many are candidates, of those that can be used and of those that cannot.
const USABLE_MAX: usize = 4;
const OTHERS_MAX: usize = 2;
/// How many of the usable ones are looked into, for the component that fits: the one that is used, and its fallback.
const USED_MAX: usize = 2;
/// How near in meaning a plugin has to be, as a cosine: to what the taxonomy describes, and to the task's own words.
const NEAR: f32 = 0.3;
const NEAR_OWN: f32 = 0.38;
/// How much the whole of the task counts beside the need.
const CONTEXT: f32 = 0.25;
/// What a preferred plugin gains, in standard deviations.
const PREFERRED: f32 = 3.0;
/// Scores that differ by less are equal, and the plugin that adds less to what a model reads goes first.
const EQUAL: f32 = 0.1;

/// All plugins in the order in which they fit the task as a whole.
pub struct Context<'a> {
    ranked: Ranked<'a>,
}

impl<'a> Context<'a> {
    /// Ranks all plugins for the whole of a task.
    pub fn of(reading: &Reading, library: &Library<'a>) -> Result<Context<'a>> {
        Ok(Context {
            ranked: rank(&reading.whole, library)?,
        })
    }

    /// Returns how many plugins there are.
    pub fn plugins(&self) -> usize {
        self.ranked.collection.len()
    }

    /// Says whether some plugin has the word.
    pub fn has(&self, word: &str) -> Result<bool> {
        let stems = crate::index::stems(word);
        let terms = self.ranked.collection.terms();
        let held = stems.iter().map(|stem| {
            let term = terms.iter().position(|term| term == stem);
            term.is_some_and(|term| self.ranked.collection.holding(term) > 0)
        });
        Ok(held.into_iter().any(|held| held))
    }
}

fn rank<'a>(text: &str, library: &Library<'a>) -> Result<Ranked<'a>> {
    let unit = Unit {
        kind: UnitKind::Whole,
        text: text.to_string(),
    };
    let request = Request {
        units: vec![unit],
        ruled_out: RuledOut::default(),
    };
    rank::rank(&request, library.capabilities, library.sources)
}

/// A plugin that was found for a need, before it is known how it would do it.
struct Found {
    plugin: Plugin,
    score: f32,
    /// Its place among all.
    place: usize,
    signals: String,
    preferred: Vec<String>,
    ruled_out: Option<String>,
    missing: Option<String>,
}

/// Returns the best plugins for a need, the usable ones first.
pub fn candidates(
    task: &Task,
    reading: &Reading,
    need: &Need,
    library: &Library<'_>,
    context: &Context<'_>,
) -> Result<Vec<Candidate>> {
    let ranked = rank(&need.query, library)?;
    let near = match need.is_own() {
        true => NEAR_OWN,
        false => NEAR,
    };
    let mut found: Vec<Found> = Vec::new();
    for (place, (hit, score)) in best(&ranked, context)?.into_iter().enumerate() {
        let plugin = (library.plugin)(ranked.collection.place(hit))?;
        // What is known whole is compared by what it provides; and near-copies are one choice.
        let is_copy = found
            .iter()
            .any(|other| other.plugin.id.name == plugin.id.name);
        if plugin.spec.is_some() || is_copy || ranked.cosines[hit] < near {
            continue;
        }
        let signals = ranked.signals[hit];
        let mut seen = look(task, reading, need, plugin, library, signals);
        seen.place = place;
        seen.score = score + PREFERRED * seen.preferred.len() as f32;
        found.push(seen);
    }
    let (mut usable, mut others): (Vec<Found>, Vec<Found>) = found
        .into_iter()
        .partition(|found| found.ruled_out.is_none() && found.missing.is_none());
    sort(&mut usable);
    usable.truncate(USABLE_MAX);
    others.truncate(OTHERS_MAX);
    let terms = ranked.collection.terms().iter().enumerate();
    let stems: Vec<(String, f32)> = terms
        .take(crate::index::stems(&need.query).len())
        .map(|(term, stem)| (stem.clone(), ranked.collection.rarity(term)))
        .collect();
    let wanted = Wanted {
        query: &need.query,
        stems: &stems,
    };
    let all = usable.into_iter().chain(others).enumerate();
    let candidates = all.map(|(place, found)| {
        let wanted = Some(&wanted).filter(|_| place < USED_MAX);
        candidate(need, found, wanted, library)
    });
    Ok(candidates.collect())
}

/// Returns the plugins that fit the need best, by their numbers, with a look at the whole of the task; and how well they do.
fn best(ranked: &Ranked<'_>, context: &Context<'_>) -> Result<Vec<(usize, f32)>> {
    let with_context = ranked.scores.iter().zip(&context.ranked.scores);
    let scores = with_context.map(|(need, whole)| need + CONTEXT * whole);
    let hits = ranked.best_by(scores.collect(), LOOKED_AT)?.into_iter();
    let number = |source, plugin| ranked.collection.number((source, plugin));
    Ok(hits
        .map(|hit| (number(hit.source, hit.plugin), hit.score))
        .collect())
}

fn look(
    task: &Task,
    reading: &Reading,
    need: &Need,
    plugin: Plugin,
    library: &Library<'_>,
    signals: Signals,
) -> Found {
    let about = plugin.about();
    let goes_by = |word: &&String| plugin.goes_by(word) || says(&about, word);
    let preferred: Vec<String> = task
        .constraints
        .prefer
        .iter()
        .filter(goes_by)
        .cloned()
        .collect();
    let meaning = library.taxonomy.capabilities.get(&need.capability);
    let asked = task.constraints.domain.as_ref();
    let elsewhere = asked
        .zip(meaning)
        .filter(|(asked, meaning)| **asked != meaning.domain);
    let by_domain =
        elsewhere.map(|(asked, meaning)| format!("it is for `{}`, not `{asked}`", meaning.domain));
    let by_words = reading.ruled_out.reason(&plugin.id.name, &about);
    Found {
        score: 0.0,
        place: 0,
        signals: format!(
            "meaning {:.1}, words {:.1}, name {:.1}",
            signals.meaning, signals.words, signals.name
        ),
        preferred,
        ruled_out: by_words.or(by_domain),
        missing: missing(&plugin, library),
        plugin,
    }
}

/// Says whether a text has the word, in any case.
fn says(text: &str, word: &str) -> bool {
    let text = text.to_lowercase();
    let word = word.to_lowercase();
    let ends = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
    let mut places = text.match_indices(&word);
    places.any(|(at, _)| {
        ends(text[..at].chars().next_back()) && ends(text[at + word.len()..].chars().next())
    })
}

/// Returns why an agent cannot use the plugin as things are.
fn missing(plugin: &Plugin, library: &Library<'_>) -> Option<String> {
    if let Place::Elsewhere(_) = plugin.place {
        let id = &plugin.id;
        return Some(format!(
            "its files are elsewhere: `orchestrate plugin show --fetch {id}`"
        ));
    }
    match component::usable(plugin).first() {
        None => Some("it has no skill, command or agent".to_string()),
        Some((_, first)) if (library.bytes)(plugin, first) == 0 => {
            Some("what it brings is no folder that an agent can load".to_string())
        }
        Some(_) => None,
    }
}

fn candidate(
    need: &Need,
    found: Found,
    wanted: Option<&Wanted<'_>>,
    library: &Library<'_>,
) -> Candidate {
    let wanted = wanted.filter(|_| found.missing.is_none());
    let uses = wanted.and_then(|wanted| component::best(&found.plugin, wanted));
    let used = uses
        .as_ref()
        .map_or(0, |(_, used)| (library.bytes)(&found.plugin, used));
    let context_tokens = component::context_tokens(&found.plugin, used);
    let with = uses.as_ref().map_or(String::new(), |(uses, _)| {
        format!(", with its {} `{}`", uses.kind(), uses.name())
    });
    let mut why = format!(
        "number {} of all for \"{}\"{with} ({}; adds about {context_tokens} tokens)",
        found.place + 1,
        need.words.as_deref().unwrap_or(&need.title),
        found.signals
    );
    for word in &found.preferred {
        why.push_str(&format!("; `{word}` is preferred"));
    }
    Candidate {
        need: need.capability.clone(),
        capability: need.capability.clone(),
        by: By::Agent {
            uses: uses.map(|(uses, _)| uses),
            context_tokens,
        },
        score: f64::from(found.score),
        why,
        preferred: found.preferred,
        ruled_out: found.ruled_out,
        missing: found.missing,
        plugin: found.plugin,
    }
}

/// The best first; where two hardly differ, the one that adds less to what a model reads.
fn sort(found: &mut [Found]) {
    let step = |found: &Found| (found.score / EQUAL).round() as i64;
    let tokens = |found: &Found| component::context_tokens(&found.plugin, 0);
    found.sort_by(|a, b| {
        let better = step(b).cmp(&step(a)).then(tokens(a).cmp(&tokens(b)));
        better
            .then(b.score.total_cmp(&a.score))
            .then(a.plugin.id.cmp(&b.plugin.id))
    });
}
