//! What research found: the needs of a task, and who could fill them.

use super::{Capability, Evidence, Odds, Pattern, Plugin};

/// What the three analysts found for one task.
#[derive(Debug, Clone, Default)]
pub struct Research {
    pub needs: Vec<Need>,
    /// Words of the task that nothing known goes by.
    pub unknown_words: Vec<String>,
    /// The share of the task's words that were understood, 0 to 1.
    pub understood_share: f64,
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
    /// The words of the task; none when another need implies it.
    pub words: Option<String>,
    pub because: String,
}

/// A plugin that could fill a need.
#[derive(Debug, Clone)]
pub struct Candidate {
    pub plugin: Plugin,
    /// The need, and the capability of the plugin that fills it.
    pub need: Capability,
    pub capability: Capability,
    pub score: f64,
    pub why: String,
    /// The preferred words that it goes by.
    pub preferred: Vec<String>,
    /// The constraint that rules it out.
    pub ruled_out: Option<String>,
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
