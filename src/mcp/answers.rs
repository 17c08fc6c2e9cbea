//! What the tools answer: their results as clients read them, each with its schema.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Research, RunReport};
use crate::ops::{Explanation, Planned, RunSummary, Search};

/// Plugins that fit a request.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Hits {
    /// What each thing that is asked for was taken for.
    pub understood: Vec<Taken>,
    /// The best first.
    pub hits: Vec<Hit>,
    /// Plugins that would have been among the best, and why they are not wanted.
    pub ruled_out: Vec<RuledOut>,
    /// Marketplaces that could not be read.
    pub failures: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Taken {
    pub asked: String,
    pub taken_for: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Hit {
    pub plugin: String,
    pub description: String,
    /// Higher is better; only good for comparing hits of one search.
    pub score: f32,
    pub matched: Vec<String>,
    /// Plugins elsewhere that are the same.
    pub same_as: Vec<String>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct RuledOut {
    pub plugin: String,
    pub why: String,
}

fn taken(understood: Vec<(String, String)>) -> Vec<Taken> {
    let pairs = understood.into_iter();
    pairs
        .map(|(asked, taken_for)| Taken { asked, taken_for })
        .collect()
}

impl From<Search> for Hits {
    fn from(search: Search) -> Hits {
        let hits = search.found.into_iter().map(|found| Hit {
            plugin: found.plugin.id.to_string(),
            description: found.plugin.description,
            score: found.score,
            matched: found.matched,
            same_as: found.twins,
        });
        let ruled_out = search.ruled_out.into_iter();
        Hits {
            understood: taken(search.understood),
            hits: hits.collect(),
            ruled_out: ruled_out
                .map(|(plugin, why)| RuledOut { plugin, why })
                .collect(),
            failures: search
                .failures
                .iter()
                .map(|(name, error)| format!("{name}: {error:#}"))
                .collect(),
        }
    }
}

/// Why a plugin is found for a request, or is not.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Explained {
    pub plugin: String,
    /// Its place among all, from 1 on.
    pub rank: usize,
    pub of: usize,
    pub matched: Vec<String>,
    /// Why it is not wanted, where that is so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ruled_out: Option<String>,
    pub understood: Vec<Taken>,
    /// The best ones beside it.
    pub others: Vec<String>,
}

impl From<Explanation> for Explained {
    fn from(explanation: Explanation) -> Explained {
        let others = explanation.others.iter();
        Explained {
            plugin: explanation.found.plugin.id.to_string(),
            rank: explanation.rank,
            of: explanation.of,
            matched: explanation.found.matched,
            ruled_out: explanation.ruled_out,
            understood: taken(explanation.understood),
            others: others.map(|found| found.plugin.id.to_string()).collect(),
        }
    }
}

/// What the three analysts found.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Researched {
    pub needs: Vec<Needed>,
    /// Words of the question that nothing known goes by.
    pub not_understood: Vec<String>,
    pub findings: Vec<Found>,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Needed {
    pub capability: String,
    pub because: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct Found {
    pub analyst: String,
    pub summary: String,
    pub lines: Vec<String>,
}

impl From<&Research> for Researched {
    fn from(research: &Research) -> Researched {
        let needs = research.needs.iter().map(|need| Needed {
            capability: need.capability.to_string(),
            because: need.because.clone(),
        });
        let findings = research.analyses.iter().map(|analysis| Found {
            analyst: analysis.analyst.to_string(),
            summary: analysis.summary.clone(),
            lines: analysis.lines.clone(),
        });
        Researched {
            needs: needs.collect(),
            not_understood: research.unknown_words.clone(),
            findings: findings.collect(),
        }
    }
}

/// A plan, which nobody has run yet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Shown {
    pub plan: String,
    /// Names exactly this plan; executing asks for it.
    pub digest: String,
    pub task: String,
    pub steps: Vec<ShownStep>,
    /// What a reviewer should know.
    pub remarks: Vec<String>,
    /// The files of the plan, in the project.
    pub files: Vec<String>,
    /// What the project asks for before the plan may run: `none`, `merged` or `signed`.
    pub approval: String,
}

#[derive(Debug, Serialize, JsonSchema)]
pub struct ShownStep {
    pub id: String,
    pub title: String,
    pub plugin: String,
    /// `template`, `command`, `mcp` or `agent`.
    pub runner: String,
    pub needs: Vec<String>,
    pub writes: Vec<String>,
    pub checks: Vec<String>,
}

impl Shown {
    /// Returns the plan as clients see it, in a project that asks for such an approval.
    pub fn of(planned: &Planned, approval: String) -> Shown {
        let steps = planned.plan.steps.iter().map(|step| ShownStep {
            id: step.id.to_string(),
            title: step.title.clone(),
            plugin: step.action.plugin.to_string(),
            runner: step.action.runner.to_string(),
            needs: step.needs.iter().map(ToString::to_string).collect(),
            writes: step.action.writes.clone(),
            checks: step
                .checks
                .iter()
                .map(|check| check.id.to_string())
                .collect(),
        });
        let files = planned.files.iter().chain(&planned.research);
        Shown {
            plan: planned.id.to_string(),
            digest: planned.digest.to_string(),
            task: planned.plan.task.clone(),
            steps: steps.collect(),
            remarks: planned.plan.remarks.clone(),
            files: files.map(|(path, _)| path.clone()).collect(),
            approval,
        }
    }
}

/// A run, as it ended or as it stands.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Account {
    /// `done`, `failed`, `paused`, `refused`, `interrupted` or `running`.
    pub status: String,
    pub run: String,
    pub plan: String,
    pub branch: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<bool>,
    pub task: String,
    pub sandbox: String,
    pub duration_ms: u64,
    pub steps: Vec<AccountStep>,
    pub checks: Counts,
    /// Why it is not done, what a person has to do, and the command that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct AccountStep {
    pub id: String,
    pub plugin: String,
    pub status: String,
    pub attempts: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commit: Option<String>,
}

/// How many checks ended how.
#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct Counts {
    pub passed: u32,
    pub failed: u32,
    pub skipped: u32,
}

impl Account {
    /// Returns the account as clients see it.
    pub fn of(report: &RunReport) -> anyhow::Result<Account> {
        Ok(serde_json::from_value(serde_json::to_value(report)?)?)
    }
}

/// The runs of the project.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Runs {
    pub runs: Vec<RunLine>,
    /// Runs that cannot be read.
    pub complaints: Vec<String>,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
pub struct RunLine {
    pub run: String,
    pub status: String,
    pub task: String,
    /// Whether a process on this machine carries it out now.
    pub live: bool,
    pub steps_done: usize,
    pub steps: usize,
    pub branch: String,
}

impl RunLine {
    /// Returns the line as clients see it.
    pub fn of(summary: &RunSummary) -> anyhow::Result<RunLine> {
        Ok(serde_json::from_value(serde_json::to_value(summary)?)?)
    }
}
