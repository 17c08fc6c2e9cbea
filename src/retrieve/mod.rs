//! Puts plugins and patterns in order for a task, and says why.
//!
//! Research never reads the disk or the clock and runs nothing, so the same task and catalog give the same order.
//!
//! To add a signal for plugins, extend `capabilities::score`; for patterns, `integrations::rank`.

mod capabilities;
mod integrations;
mod needs;
mod reliability;

use self::capabilities::filled_by;
use crate::model::{Capability, Constraints, Plugin, ProvenPattern, Research, Task, Taxonomy};

/// Everything that research looks at.
pub struct Library<'a> {
    pub plugins: &'a [Plugin],
    pub patterns: &'a [ProvenPattern],
    pub taxonomy: &'a Taxonomy,
}

impl<'a> Library<'a> {
    /// Returns the plugins that can fill the need.
    fn filling(&self, need: &Capability) -> impl Iterator<Item = &'a Plugin> {
        let fills = |plugin: &&Plugin| {
            let spec = plugin.spec.as_ref();
            spec.is_some_and(|spec| filled_by(need, &spec.provides, self.taxonomy).is_some())
        };
        self.plugins.iter().filter(fills)
    }
}

/// The three analysts, in the order in which they are shown.
pub const ANALYSTS: [&str; 3] = ["capabilities", "integrations", "reliability"];

/// Returns what the three analysts find for `task`; they work at the same time.
pub fn research(task: &Task, library: &Library<'_>) -> Research {
    let reading = needs::read(task, library);
    let ((plugins, first), (patterns, second), third) = std::thread::scope(|scope| {
        let plugins = scope.spawn(|| capabilities::analyse(task, &reading, library));
        let patterns = scope.spawn(|| integrations::analyse(task, &reading, library));
        let records = scope.spawn(|| reliability::analyse(library));
        let computes = "an analyst only computes";
        (
            plugins.join().expect(computes),
            patterns.join().expect(computes),
            records.join().expect(computes),
        )
    });
    Research {
        needs: reading.needs,
        unknown_words: reading.unknown_words,
        understood_share: reading.understood_share,
        avoid: reading.avoid,
        plugins,
        patterns,
        analyses: vec![first, second, third],
    }
}

/// Returns why a constraint rules the plugin out, if one does.
fn ruled_out(plugin: &Plugin, avoid: &[String], constraints: &Constraints) -> Option<String> {
    if let Some(word) = avoid.iter().find(|word| plugin.goes_by(word)) {
        return Some(format!("`{word}` is to be avoided"));
    }
    let domain = plugin.spec.as_ref().and_then(|spec| spec.domain.as_deref());
    match (&constraints.domain, domain) {
        (Some(asked), Some(domain)) if asked != domain => {
            Some(format!("it is for `{domain}`, not `{asked}`"))
        }
        _ => None,
    }
}
