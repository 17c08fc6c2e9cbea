//! What research found: the needs of a task, and who could fill them.

use super::{Capability, Evidence, Odds, Pattern, Plugin, Uses};

/// What the three analysts found for one task.
#[derive(Debug, Clone, Default)]
pub struct Research {
    pub needs: Vec<Need>,
    /// Words of the task that nothing known goes by.
    pub unknown_words: Vec<String>,
    /// What may not be used: from `[avoid: ..]`, and from a "without" in the sentence.
    pub avoid: Vec<String>,
    /// Plugins that fill a need, best first for each need.
    pub plugins: Vec<Candidate>,
    /// Every pattern, best first.
    pub patterns: Vec<PatternCandidate>,
    /// What each analyst writes.
    pub analyses: Vec<Analysis>,
}

/// A capability that the task needs, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    pub capability: Capability,
    /// What is wanted, in a few words: the title of the capability, else the task's own words.
    pub title: String,
    /// The words of the task; none when another need implies it.
    pub words: Option<String>,
    pub because: String,
    /// What is looked for among all plugins, as a person would ask for it.
    pub query: String,
}

/// What the name of a need begins with that the taxonomy has no name for.
const OWN: &str = "task";

impl Need {
    /// Returns the name of a need that is told by the task's own words alone, such as `task.bake-cake`.
    pub fn own_name(words: &str) -> String {
        format!("{OWN}.{words}")
    }

    /// Says whether the need is one of the task's own words, which the taxonomy has no name for.
    pub fn is_own(&self) -> bool {
        self.capability.family() == OWN
    }
}

/// A plugin that could fill a need.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub plugin: Plugin,
    /// The need, and the capability of the plugin that fills it.
    pub need: Capability,
    pub capability: Capability,
    pub by: By,
    /// Only good for comparing candidates of one need that do it in the same way.
    pub score: f64,
    pub why: String,
    /// The preferred words that it goes by.
    pub preferred: Vec<String>,
    /// The constraint that rules it out.
    pub ruled_out: Option<String>,
    /// What has to be done before it can be used.
    pub missing: Option<String>,
}

impl Candidate {
    /// Says whether a plan may use it as things are.
    pub fn is_usable(&self) -> bool {
        self.ruled_out.is_none() && self.missing.is_none()
    }

    /// Returns why a plan may not use it, if it may not.
    pub fn why_not(&self) -> Option<String> {
        let ruled_out = self.ruled_out.as_ref();
        let ruled_out = ruled_out.map(|reason| format!("ruled out: {reason}"));
        ruled_out.or_else(|| self.missing.clone())
    }
}

/// How a candidate would do it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum By {
    /// As its `orchestrate.yaml` says.
    Itself,
    /// An agent does, with one of its components.
    Agent {
        uses: Option<Uses>,
        /// How many tokens the plugin is estimated to add to what the model reads.
        context_tokens: u64,
    },
}

/// A pattern with the records of its runs.
#[derive(Debug, Clone, PartialEq)]
pub struct ProvenPattern {
    pub pattern: Pattern,
    pub evidence: Vec<Evidence>,
}

/// A pattern, how well it fits the task, and how well it did.
#[derive(Debug, Clone)]
pub struct PatternCandidate {
    pub pattern: Pattern,
    pub odds: Odds,
    /// The median duration of its successful runs.
    pub duration_ms: Option<u64>,
    /// Asked needs that it does not fill.
    pub missing: Vec<Capability>,
    /// What it does that nobody asked for.
    pub extra: Vec<Capability>,
    /// How many asked needs it fills with just the capability that was asked.
    pub exact: usize,
    pub preferred: usize,
    pub ruled_out: Option<String>,
}

impl PatternCandidate {
    /// Says whether the pattern does what the task asks, within its constraints.
    pub fn fits(&self) -> bool {
        self.missing.is_empty() && self.ruled_out.is_none() && self.exact > 0
    }
}

/// The written finding of one analyst.
#[derive(Debug, Clone)]
pub struct Analysis {
    pub analyst: &'static str,
    pub summary: String,
    pub lines: Vec<String>,
}
