//! A sentence, read as capabilities.

use std::collections::BTreeSet;

use super::Library;
use super::phrases::{hits, is_undone, leftover, phrases, words};
use crate::model::{Capability, Need, Task, Taxonomy};
use crate::rank::{self, Request, RuledOut, UnitKind};

/// How near the signs of a capability a clause has to be that names none, to be taken for it.
const SOUNDS_LIKE: f32 = 0.5;
/// The same where only the capabilities of one domain are looked at, or of a few.
const SOUNDS_LIKE_THERE: f32 = 0.3;
/// How many words that say something make a clause that is only understood beside others.
const SHORT: usize = 3;
/// The most things that a task is taken apart into, beside those that they imply.
const ASKED_MAX: usize = 10;
/// How many names of a capability are looked for.
const NAMES: usize = 3;
/// How many words name such a need.
const OWN_WORDS: usize = 4;
/// What was read out of a task.
pub struct Reading {
    pub needs: Vec<Need>,
    /// Words that say something and belong to nothing that is known of developers' work.
    pub leftover: Vec<String>,
    /// Clauses of a few words in which nothing was heard that can be planned.
    pub unheard: Vec<String>,
    /// What is to be avoided, as it was said.
    pub avoid: Vec<String>,
    pub ruled_out: RuledOut,
    /// The technologies that it names, by the taxonomy's names for them.
    pub technologies: BTreeSet<String>,
    /// The whole of it, without what it rules out.
    pub whole: String,
}

/// Reads the capabilities that `task` asks for, those that these imply, and what it rules out.
pub fn read(task: &Task, library: &Library<'_>) -> Reading {
    let taxonomy = library.taxonomy;
    let request = Request::read(&task.text, None, taxonomy);
    let phrases = phrases(taxonomy);
    let said = hits(&task.text, &phrases);
    let negated = rank::negated(&task.text);
    let (not_wanted, wanted): (Vec<_>, Vec<_>) = said
        .iter()
        .filter(|hit| !is_undone(&task.text, hit))
        .partition(|hit| negated.iter().any(|range| range.contains(&hit.range.start)));
    let mut avoid = task.constraints.avoid.clone();
    for hit in not_wanted {
        avoid.extend(hit.phrase.iter().cloned());
        avoid.push(task.text[hit.range.clone()].to_string());
    }
    let mut ruled_out = RuledOut::of(&task.constraints.avoid, taxonomy);
    avoid.extend(request.ruled_out.names.iter().cloned());
    avoid.dedup();
    ruled_out.names.extend(request.ruled_out.names.clone());
    ruled_out.deeds.extend(request.ruled_out.deeds.clone());
    let mut needs: Vec<Need> = Vec::new();
    for hit in wanted {
        let words = task.text[hit.range.clone()].to_string();
        ask(&mut needs, hit.capability, words, taxonomy);
    }
    let technologies: BTreeSet<String> = rank::technologies(request.whole(), taxonomy)
        .into_iter()
        .map(str::to_string)
        .collect();
    let clauses = request.units.iter();
    let clauses = clauses.filter(|unit| request.units.len() == 1 || unit.kind == UnitKind::Clause);
    let silent = clauses.filter(|unit| {
        let own = hits(&unit.text, &phrases);
        own.iter().all(|hit| is_undone(&unit.text, hit))
    });
    let parts: Vec<String> = silent.flat_map(|unit| parts(&unit.text)).collect();
    let mut unheard = Vec::new();
    for part in parts {
        if !hear(&part, task, library, &mut needs) {
            unheard.push(part);
        }
    }
    needs.truncate(ASKED_MAX);
    specialise(&mut needs);
    imply(&mut needs, taxonomy);
    for need in &mut needs {
        need.query = query(need, &technologies, taxonomy);
    }
    Reading {
        leftover: leftover(&task.text, &said, taxonomy),
        unheard,
        needs,
        avoid,
        ruled_out,
        technologies,
        whole: request.whole().to_string(),
    }
}

fn ask(needs: &mut Vec<Need>, capability: &Capability, words: String, taxonomy: &Taxonomy) {
    match needs.iter_mut().find(|need| need.capability == *capability) {
        Some(need) => {
            let all = format!("{}, {words}", need.words.as_deref().unwrap_or_default());
            need.because = format!("asked for: \"{all}\"");
            need.words = Some(all);
        }
        None => needs.push(Need {
            capability: capability.clone(),
            title: taxonomy.title(capability),
            because: format!("asked for: \"{words}\""),
            words: Some(words),
            query: String::new(),
        }),
    }
}

/// Takes a part of the task that names no capability for the one that it sounds like, else for something of its own; says whether
/// anything was heard in it.
fn hear(part: &str, task: &Task, library: &Library<'_>, needs: &mut Vec<Need>) -> bool {
    let taxonomy = library.taxonomy;
    let named = rank::technologies(part, taxonomy);
    let says = words(part).into_iter().map(|word| word.text.to_lowercase());
    let says: Vec<String> = says.filter(|word| rank::is_content(word)).collect();
    let is_named = |word: &String| {
        taxonomy
            .technology(word)
            .is_some_and(|name| named.contains(name))
    };
    if says.iter().all(is_named) {
        return true;
    }
    let is_short = says.len() <= SHORT;
    let there = sounds_like(part, is_short, task, library, needs);
    match there.or_else(|| sounds_like(part, false, task, library, needs)) {
        Some(capability) => {
            if needs.iter().any(|need| need.capability == capability) {
                return true;
            }
            let title = taxonomy.title(&capability);
            needs.push(Need {
                because: format!("\"{part}\" sounds like {title}"),
                capability,
                title,
                words: Some(part.to_string()),
                query: String::new(),
            });
        }
        // Beside something that is understood, a word or two may say how it is to be done: that is told, and not planned.
        None if is_short && !needs.is_empty() => return false,
        None => needs.extend(own_name(part).map(|capability| Need {
            capability,
            title: part.to_string(),
            because: format!("asked for: \"{part}\""),
            words: Some(part.to_string()),
            query: String::new(),
        })),
    }
    true
}

/// Returns the capability whose signs the text is nearest to, where it is near enough. A few words are understood within the domain that is
/// asked for, else within the domains of what is asked beside them.
fn sounds_like(
    text: &str,
    is_short: bool,
    task: &Task,
    library: &Library<'_>,
    needs: &[Need],
) -> Option<Capability> {
    let domain = |id: &Capability| {
        let meaning = library.taxonomy.capabilities.get(id);
        meaning.map(|meaning| meaning.domain.as_str())
    };
    let beside = needs.iter().filter(|_| is_short);
    let beside = beside.filter_map(|need| domain(&need.capability));
    let domains: Vec<&str> = match task.constraints.domain.as_deref() {
        Some(asked) => vec![asked],
        None => beside.collect(),
    };
    let is_wanted = |id: &Capability| {
        domains.is_empty() || domain(id).is_some_and(|domain| domains.contains(&domain))
    };
    let least = match domains.is_empty() {
        true => SOUNDS_LIKE,
        false => SOUNDS_LIKE_THERE,
    };
    let (capability, nearness) = library.capabilities.nearest(text, is_wanted)?;
    (nearness >= least).then(|| capability.clone())
}

/// Returns the parts of a clause that names no capability: arrows and commas cut it.
fn parts(clause: &str) -> Vec<String> {
    let cut = clause.replace("->", "→").replace("=>", "→");
    let parts = cut.split(['→', ',']).map(str::trim);
    let parts = parts.filter(|part| !part.is_empty());
    parts.map(str::to_string).collect()
}

fn own_name(text: &str) -> Option<Capability> {
    let words = words(text).into_iter().map(|word| word.text.to_lowercase());
    let words = words.filter(|word| rank::is_content(word));
    let name: Vec<String> = words
        .map(|word| word.chars().filter(char::is_ascii_alphanumeric).collect())
        .filter(|word: &String| !word.is_empty())
        .take(OWN_WORDS)
        .collect();
    let mut name = Need::own_name(&name.join("-"));
    name.truncate(60);
    name.trim_end_matches('-').parse().ok()
}

/// "authentication" beside "JWT" asks for one thing, not two: the general need goes into the special one.
fn specialise(needs: &mut Vec<Need>) {
    let special: Vec<Capability> = needs.iter().map(|need| need.capability.clone()).collect();
    needs.retain(|need| {
        let general = need.capability.as_str() == need.capability.family();
        !general
            || !special.iter().any(|other| {
                *other != need.capability && other.family() == need.capability.as_str()
            })
    });
}

fn imply(needs: &mut Vec<Need>, taxonomy: &Taxonomy) {
    let mut index = 0;
    while index < needs.len() {
        let meaning = taxonomy.capabilities.get(&needs[index].capability);
        for implied in meaning.iter().flat_map(|meaning| &meaning.implies) {
            if !needs.iter().any(|need| need.capability == *implied) {
                let by = taxonomy.title(&needs[index].capability);
                needs.push(Need {
                    capability: implied.clone(),
                    title: taxonomy.title(implied),
                    words: None,
                    because: format!("implied by {by}"),
                    query: String::new(),
                });
            }
        }
        index += 1;
    }
}

/// Returns what a person would ask for who needs just this: the task's words for it, its names, and the technologies that belong to it.
fn query(need: &Need, technologies: &BTreeSet<String>, taxonomy: &Taxonomy) -> String {
    let meaning = taxonomy.capabilities.get(&need.capability);
    let words = need.words.clone().unwrap_or_default();
    let mut query = match meaning {
        None => words,
        Some(meaning) => {
            let names = meaning.words.iter().take(NAMES).map(String::as_str);
            let names: Vec<&str> = names.collect();
            format!("{words}: {}", names.join(", "))
        }
    };
    let own = meaning.iter().flat_map(|meaning| &meaning.technologies);
    for technology in own.filter_map(|name| taxonomy.technology(name)) {
        if technologies.contains(technology) && !query.to_lowercase().contains(technology) {
            query.push(' ');
            query.push_str(technology);
        }
    }
    query.trim_start_matches(':').trim().to_string()
}
