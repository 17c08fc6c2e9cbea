//! Plans over a corpus.

use anyhow::Result;
use orchestrate::chain::{self, Chain, PastPlan, Plans, Tool, Toolbox};
use orchestrate::encoder::{self, Encoder};
use orchestrate::index::Source;
use orchestrate::rank::{self, Request, UnitKind};
use serde_json::Value;

use crate::sets::corpus::{Corpus, description, joined};
use crate::sets::text;

/// What plans are made with.
pub struct Planner<'a> {
    corpus: &'a Corpus,
    toolbox: Toolbox,
    past: Option<Plans>,
}

impl<'a> Planner<'a> {
    /// Reads what the tools of a corpus take and give.
    pub fn of(corpus: &'a Corpus, past: Option<Plans>) -> Planner<'a> {
        let params: Vec<String> = corpus
            .lines
            .iter()
            .map(|line| joined(line, &["params"]))
            .collect();
        let tools = corpus.lines.iter().zip(&params);
        let tools: Vec<Tool<'_>> = tools
            .map(|(line, params)| Tool {
                name: text(line, "name"),
                description: description(line),
                params,
            })
            .collect();
        Planner {
            toolbox: Toolbox::of(&tools),
            corpus,
            past,
        }
    }

    /// Returns the plan for a task: as past plans vote, where there are any, else as tools fit together.
    pub fn plan(&self, task: &str) -> Result<Chain> {
        if let Some(past) = &self.past
            && let Some((chain, _)) = past.vote(task, &encoder::vector(task))
        {
            return Ok(chain);
        }
        let mut chosen: Vec<usize> = Vec::new();
        for clause in self.clauses(task) {
            let scores = scores(self.corpus, &chain::without_names(&clause))?;
            for tool in self.toolbox.chain(&clause, &scores, &chosen) {
                if !chosen.contains(&tool) {
                    chosen.push(tool);
                }
            }
        }
        let ids = chosen
            .into_iter()
            .map(|tool| self.corpus.id(tool).to_string());
        Ok(Chain::of(ids.collect()))
    }

    /// Returns the things that a task asks for, one or more.
    fn clauses(&self, task: &str) -> Vec<String> {
        let request = Request::read(task, None, &self.corpus.taxonomy);
        let units = request.units.iter();
        let clauses = units.filter(|unit| unit.kind == UnitKind::Clause);
        let clauses: Vec<String> = clauses.map(|unit| unit.text.clone()).collect();
        match clauses.is_empty() {
            true => vec![request.whole().to_string()],
            false => clauses,
        }
    }
}

/// Returns how well each line fits a text, in standard deviations above the mean.
pub fn scores(corpus: &Corpus, asked: &str) -> Result<Vec<f32>> {
    let request = Request::read(asked, None, &corpus.taxonomy);
    let sources = [Source::Index(&corpus.index)];
    let scores = rank::rank(&request, &corpus.capabilities, &sources)?.scores;
    Ok(rank::standard(&scores))
}

/// Returns past plans: a line has the `text` of a request, and the `nodes` and `edges` of its plan.
pub fn past_plans(lines: &[Value]) -> Vec<PastPlan> {
    let texts: Vec<&str> = lines.iter().map(|line| text(line, "text")).collect();
    let meanings = Encoder::embedded().encode_many(&texts);
    let ids = |value: &Value| -> Vec<String> {
        let ids = value.as_array().into_iter().flatten();
        ids.filter_map(|id| Some(id.as_str()?.to_string()))
            .collect()
    };
    let plans = lines.iter().zip(meanings);
    plans
        .map(|(line, meaning)| {
            let edges = line["edges"].as_array().into_iter().flatten();
            let edges = edges.filter_map(|edge| {
                let ends = ids(edge);
                Some((ends.first()?.clone(), ends.get(1)?.clone()))
            });
            PastPlan {
                text: text(line, "text").to_string(),
                meaning,
                chain: Chain {
                    nodes: ids(&line["nodes"]),
                    edges: edges.collect(),
                },
            }
        })
        .collect()
}
