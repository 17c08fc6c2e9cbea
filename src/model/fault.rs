//! Something wrong in a file of ours, and where.

use serde::Serialize;

/// What is wrong, at which place.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Fault {
    /// Relative to the repository.
    pub file: String,
    /// Counted from 1.
    pub line: u32,
    /// Counted in characters from 1.
    pub column: u32,
    pub rule: Rule,
    /// As a phrase without a dot.
    pub what: String,
    /// What can be done; empty where the phrase says it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub hint: String,
}

/// What a file does not keep to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// It can be read, and says what its kind of file says.
    Readable,
    /// A plan can run.
    PlanRuns,
    /// What was approved is what is there.
    Approved,
    /// A lock and the plans that use it say the same.
    LockAgrees,
    /// A file is named after what is in it.
    Named,
    /// What is pointed at is there.
    Known,
    /// It belongs where it is.
    Ours,
}

impl Rule {
    /// All of them, for lists.
    pub const ALL: [Rule; 7] = [
        Rule::Readable,
        Rule::PlanRuns,
        Rule::Approved,
        Rule::LockAgrees,
        Rule::Named,
        Rule::Known,
        Rule::Ours,
    ];

    /// Returns its name, as in `plan-runs`.
    pub fn id(self) -> &'static str {
        match self {
            Rule::Readable => "readable",
            Rule::PlanRuns => "plan-runs",
            Rule::Approved => "approved",
            Rule::LockAgrees => "lock-agrees",
            Rule::Named => "named",
            Rule::Known => "known",
            Rule::Ours => "ours",
        }
    }

    /// Returns what it asks for, as a sentence.
    pub fn about(self) -> &'static str {
        match self {
            Rule::Readable => "A file can be read, and says what its kind of file says.",
            Rule::PlanRuns => "A plan can run.",
            Rule::Approved => "What was approved is what is there.",
            Rule::LockAgrees => "A lock and the plans that use it say the same.",
            Rule::Named => "A file is named after what is in it.",
            Rule::Known => "What is pointed at is there.",
            Rule::Ours => "Every file below `.orchestrate/` is one of ours.",
        }
    }
}
