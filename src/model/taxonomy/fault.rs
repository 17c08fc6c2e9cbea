//! What is wrong with a taxonomy as a whole, which no single file shows.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use super::{Meaning, Taxonomy};
use crate::model::Capability;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A capability names one that is not there.
    NoCapability {
        capability: Capability,
        field: &'static str,
        named: Capability,
    },
    /// Capabilities of which each comes before the next, and the last is the first again.
    Circle(Vec<Capability>),
    /// A technology belongs to one that is not there.
    NoPlatform { technology: String, of: String },
}

impl Fault {
    /// Returns the name that the fault is to be mended at.
    pub fn name(&self) -> &str {
        match self {
            Fault::NoCapability { capability, .. } => capability.as_str(),
            Fault::Circle(circle) => circle[0].as_str(),
            Fault::NoPlatform { technology, .. } => technology,
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::NoCapability {
                capability,
                field,
                named,
            } => write!(
                f,
                "`{capability}`: {field}: there is no capability `{named}`"
            ),
            Fault::Circle(circle) => {
                let names: Vec<String> = circle.iter().map(|name| format!("`{name}`")).collect();
                write!(
                    f,
                    "each comes before the next, in a circle: {}",
                    names.join(", ")
                )
            }
            Fault::NoPlatform { technology, of } => {
                write!(f, "`{technology}`: of: there is no technology `{of}`")
            }
        }
    }
}

impl Taxonomy {
    /// Returns what is wrong, in the order of the names; nothing in a sound taxonomy.
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults: Vec<Fault> = self
            .capabilities
            .iter()
            .flat_map(|(capability, meaning)| self.names_missing(capability, meaning))
            .collect();
        faults.extend(self.platforms_missing());
        faults.extend(self.circle().map(Fault::Circle));
        faults
    }

    fn names_missing(&self, capability: &Capability, meaning: &Meaning) -> Vec<Fault> {
        let fields = [
            ("after", &meaning.after),
            ("before", &meaning.before),
            ("implies", &meaning.implies),
        ];
        let named = fields
            .into_iter()
            .flat_map(|(field, names)| names.iter().map(move |named| (field, named)));
        named
            .filter(|(_, named)| !self.capabilities.contains_key(named))
            .map(|(field, named)| Fault::NoCapability {
                capability: capability.clone(),
                field,
                named: named.clone(),
            })
            .collect()
    }

    fn platforms_missing(&self) -> impl Iterator<Item = Fault> {
        let all = self.technologies.values().flatten();
        all.filter_map(|(name, technology)| {
            let of = technology.of.as_ref()?;
            let known = self.technologies.values().any(|kind| kind.contains_key(of));
            (!known).then(|| Fault::NoPlatform {
                technology: name.clone(),
                of: of.clone(),
            })
        })
    }

    /// Returns capabilities that would each have to be done before the next, and the last before the first.
    fn circle(&self) -> Option<Vec<Capability>> {
        let mut earlier: BTreeMap<&Capability, BTreeSet<&Capability>> = BTreeMap::new();
        for (capability, meaning) in &self.capabilities {
            earlier
                .entry(capability)
                .or_default()
                .extend(&meaning.after);
            for later in &meaning.before {
                earlier.entry(later).or_default().insert(capability);
            }
        }
        // What waits for nothing is done, until only circles and what waits for them are left.
        loop {
            let done: Vec<&Capability> = earlier
                .iter()
                .filter(|(_, waits)| waits.iter().all(|one| !earlier.contains_key(one)))
                .map(|(capability, _)| *capability)
                .collect();
            if done.is_empty() {
                break;
            }
            earlier.retain(|capability, _| !done.contains(capability));
        }
        let mut walked = vec![*earlier.keys().next()?];
        loop {
            let waits = &earlier[walked.last()?];
            let next = *waits.iter().find(|one| earlier.contains_key(*one))?;
            if let Some(start) = walked.iter().position(|one| *one == next) {
                // The walk goes back in time.
                return Some(
                    walked[start..]
                        .iter()
                        .rev()
                        .map(|one| (*one).clone())
                        .collect(),
                );
            }
            walked.push(next);
        }
    }
}
