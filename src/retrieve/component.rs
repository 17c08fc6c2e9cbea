//! Which component of a plugin does what is needed: a skill, a command or an agent, by its name and what it says of itself.

use crate::encoder::vector;
use crate::index::stems;
use crate::model::{Component, Plugin, Uses};

/// How much a word counts in a name, beside one in a description.
const IN_NAME: f32 = 2.0;
/// How many components are compared by meaning, where words do not tell.
const COMPARED_MAX: usize = 8;
/// How many characters of a description are looked at.
const DESCRIPTION_MAX: usize = 400;
/// About how many bytes a token of a model has.
const BYTES_PER_TOKEN: u64 = 4;

/// What a component is looked for by.
pub struct Wanted<'a> {
    pub query: &'a str,
    /// The stems of the query, each with what it weighs.
    pub stems: &'a [(String, f32)],
}

/// Returns the components that an agent can be told to use, each as a plan names it.
pub fn usable(plugin: &Plugin) -> Vec<(Uses, &Component)> {
    let components = &plugin.components;
    let skills = components
        .skills
        .iter()
        .map(|c| (Uses::Skill(c.name.clone()), c));
    let commands = components
        .commands
        .iter()
        .map(|c| (Uses::Command(c.name.clone()), c));
    let agents = components
        .agents
        .iter()
        .map(|c| (Uses::Agent(c.name.clone()), c));
    // What is written in the catalogue, or outside the plugin's folder, is not among the files that an agent is given.
    let is_inside = |c: &Component| c.file.ends_with(".md") && !c.file.starts_with('/');
    let is_name = |c: &Component| {
        let odd = |c: char| c.is_control() || c.is_whitespace();
        !c.name.is_empty() && !c.name.starts_with('-') && !c.name.contains(odd)
    };
    let all = skills.chain(commands).chain(agents);
    all.filter(|(_, c)| is_inside(c) && is_name(c)).collect()
}

/// Returns the component that fits best; of equal ones the first.
pub fn best<'a>(plugin: &'a Plugin, wanted: &Wanted<'_>) -> Option<(Uses, &'a Component)> {
    let usable = usable(plugin);
    let fit = |component: &Component| {
        let name = stems(&component.name.replace(['-', '_', ':', '/'], " "));
        let said = stems(&short(component));
        let worth = |(stem, weight): &(String, f32)| {
            let in_name = IN_NAME * f32::from(u8::from(name.contains(stem)));
            weight * (in_name + f32::from(u8::from(said.contains(stem))))
        };
        wanted.stems.iter().map(worth).sum::<f32>()
    };
    let fits: Vec<f32> = usable.iter().map(|(_, component)| fit(component)).collect();
    let most = fits.iter().copied().fold(0.0, f32::max);
    let close: Vec<usize> = (0..usable.len())
        .filter(|at| fits[*at] >= 0.8 * most)
        .collect();
    let best = match close.as_slice() {
        [] => None,
        [only] => Some(*only),
        several => {
            let meant = vector(wanted.query);
            let near = |at: usize| meant.cosine(&vector(&short(usable[at].1)));
            let several = several.iter().take(COMPARED_MAX).map(|at| (near(*at), *at));
            let nearest = several.reduce(|best, next| if next.0 > best.0 { next } else { best });
            nearest.map(|(_, at)| at)
        }
    };
    usable.into_iter().nth(best?)
}

/// Returns about how many tokens the plugin adds to what a model reads: the names and descriptions of all its components, and the whole of
/// the one that is used, which has so many bytes.
pub fn context_tokens(plugin: &Plugin, used: u64) -> u64 {
    let components = &plugin.components;
    let listed = [&components.skills, &components.commands, &components.agents];
    let listed = listed.into_iter().flatten();
    let bytes: usize = listed.map(|c| c.name.len() + c.description.len()).sum();
    (bytes as u64 + used).div_ceil(BYTES_PER_TOKEN)
}

fn short(component: &Component) -> String {
    let name = component.name.replace(['-', '_', ':', '/'], " ");
    let description: String = component
        .description
        .chars()
        .take(DESCRIPTION_MAX)
        .collect();
    format!("{name}. {description}")
}
