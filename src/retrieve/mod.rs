//! Puts plugins and patterns in order for a task, and says why.
//!
//! Research never reads the disk or the clock and runs nothing, so the same task and catalog give the same order. Plugins that say in an
//! `orchestrate.yaml` what they do are known whole; of all others it is told where their words and meanings are indexed, and asks for
//! those that it needs.
//!
//! To add a signal for plugins, see `rank`; how candidates for a need are put in order stands in `capabilities`, for patterns in
//! `integrations::rank`.

mod capabilities;
mod component;
mod integrations;
mod needs;
mod phrases;
mod reliability;
mod third_party;

use anyhow::Result;

use self::capabilities::filled_by;
use self::needs::Reading;
use crate::index::Source;
use crate::model::{
    Capability, Component, Constraints, Plugin, ProvenPattern, Research, Task, Taxonomy,
};
use crate::rank::Capabilities;

/// Everything that research looks at.
pub struct Library<'a> {
    /// The plugins that say in an `orchestrate.yaml` what they do, and those that patterns name.
    pub plugins: &'a [Plugin],
    pub patterns: &'a [ProvenPattern],
    pub taxonomy: &'a Taxonomy,
    /// The capabilities of the taxonomy, as they are ranked by.
    pub capabilities: &'a Capabilities,
    /// Where all plugins are looked up.
    pub sources: &'a [Source<'a>],
    /// Returns the plugin at a place of the sources: the source, and the number in it.
    pub plugin: &'a dyn Fn((usize, usize)) -> Result<Plugin>,
    /// Returns how many bytes the text of a component has.
    pub bytes: &'a dyn Fn(&Plugin, &Component) -> u64,
    /// What is not to be had on this machine, a sentence each.
    pub missing: &'a [String],
}

/// The part of a library that needs no look at any index, and that may be shared between threads.
#[derive(Clone, Copy)]
struct Shelf<'a> {
    plugins: &'a [Plugin],
    patterns: &'a [ProvenPattern],
    taxonomy: &'a Taxonomy,
    missing: &'a [String],
}

impl<'a> Shelf<'a> {
    /// Returns the plugins that fill the need by themselves.
    fn filling(&self, need: &Capability) -> impl Iterator<Item = &'a Plugin> {
        let taxonomy = self.taxonomy;
        let fills = move |plugin: &&Plugin| {
            let spec = plugin.spec.as_ref();
            spec.is_some_and(|spec| filled_by(need, &spec.provides, taxonomy).is_some())
        };
        self.plugins.iter().filter(fills)
    }
}

/// The three analysts, in the order in which they are shown.
pub const ANALYSTS: [&str; 3] = ["capabilities", "integrations", "reliability"];

/// Returns what the three analysts find for `task`; they work at the same time.
///
/// An error for which `index::is_damage` holds is mended by building that index again.
pub fn research(task: &Task, library: &Library<'_>) -> Result<Research> {
    let reading = needs::read(task, library);
    let shelf = Shelf {
        plugins: library.plugins,
        patterns: library.patterns,
        taxonomy: library.taxonomy,
        missing: library.missing,
    };
    let (first, second, third) = std::thread::scope(|scope| {
        let patterns = scope.spawn(|| integrations::analyse(task, &reading, shelf));
        let records = scope.spawn(|| reliability::analyse(shelf));
        let plugins = capabilities::analyse(task, &reading, library, shelf);
        let computes = "an analyst only computes";
        (
            plugins,
            patterns.join().expect(computes),
            records.join().expect(computes),
        )
    });
    let (found, first) = first?;
    let (patterns, second) = second;
    Ok(Research {
        needs: reading.needs,
        unknown_words: found.unknown_words,
        avoid: reading.avoid,
        plugins: found.candidates,
        patterns,
        analyses: vec![first, second, third],
    })
}

/// Returns why a constraint or what the task names rules the plugin out, if something does.
fn ruled_out(
    plugin: &Plugin,
    reading: &Reading,
    constraints: &Constraints,
    taxonomy: &Taxonomy,
) -> Option<String> {
    if let Some(word) = reading.avoid.iter().find(|word| plugin.goes_by(word)) {
        return Some(format!("`{word}` is to be avoided"));
    }
    let spec = plugin.spec.as_ref()?;
    if let (Some(asked), Some(domain)) = (&constraints.domain, &spec.domain)
        && asked != domain
    {
        return Some(format!("it is for `{domain}`, not `{asked}`"));
    }
    PLATFORMS
        .iter()
        .find_map(|kind| another_platform(kind, &spec.technologies, reading, taxonomy))
}

/// Kinds of technologies of which a plugin works with its own alone.
const PLATFORMS: [&str; 2] = ["language", "backend-framework"];

/// Returns what the plugin is for, where the task names another of the same kind.
fn another_platform(
    kind: &str,
    own: &[String],
    reading: &Reading,
    taxonomy: &Taxonomy,
) -> Option<String> {
    let members = taxonomy.technologies.get(kind)?;
    let is_own = |name: &String| own.iter().any(|own| taxonomy.technology(own) == Some(name));
    let mut named = reading.technologies.iter();
    let named = named.find(|name| members.contains_key(*name))?;
    let mut its = members.keys().filter(|name| is_own(name)).peekable();
    let first = *its.peek()?;
    let fits = its.any(|name| reading.technologies.contains(name));
    (!fits).then(|| format!("it is for `{first}`, and the task names `{named}`"))
}
