//! How good plans are, and what a tool brings with it that it needs.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;
use orchestrate::chain::{Chain, Needs, Plans};
use serde_json::Value;

use crate::planner::{Planner, past_plans, scores};
use crate::set::Set;
use crate::sets::{Corpus, text};
use crate::{LIMIT, Sums, measures};

/// Measures rankings in which a tool brings with it what it needs, where that is known.
pub fn with_needs(set: &Set, corpus: &Corpus, sums: &mut Sums) -> Result<()> {
    if set.needs.is_empty() {
        return Ok(());
    }
    let numbers: BTreeMap<&str, usize> = (0..set.corpus.len())
        .map(|number| (corpus.id(number), number))
        .collect();
    let pairs = set.needs.iter().filter_map(|(needed, by)| {
        Some((*numbers.get(needed.as_str())?, *numbers.get(by.as_str())?))
    });
    let needs = Needs::of(pairs);
    for query in &set.queries {
        let spread = needs.spread(&scores(corpus, text(query, "text"))?);
        let mut order: Vec<usize> = (0..spread.len()).collect();
        order.sort_by(|a, b| spread[*b].total_cmp(&spread[*a]).then(a.cmp(b)));
        let ids: Vec<&str> = order.iter().take(LIMIT).map(|n| corpus.id(*n)).collect();
        let answers = &set.answers[text(query, "id")];
        sums.add("needs-precision-10", measures::precision(&ids, answers));
        sums.add("needs-ndcg", measures::ndcg(&ids, answers));
    }
    Ok(())
}

/// Measures plans, without past ones and, where the set has some, with them.
pub fn plans(set: &Set, corpus: &Corpus, sums: &mut Sums) -> Result<()> {
    let planner = Planner::of(corpus, None);
    for task in &set.tasks {
        let chain = planner.plan(text(task, "text"))?;
        score(task, &chain, ["plan-nodes", "plan-edges"], sums);
    }
    if !set.past_tasks.is_empty() {
        let planner = Planner::of(corpus, Some(Plans::of(past_plans(&set.past_tasks))));
        for task in &set.tasks {
            let chain = planner.plan(text(task, "text"))?;
            score(task, &chain, ["past-plan-nodes", "past-plan-edges"], sums);
        }
    }
    Ok(())
}

fn score(task: &Value, chain: &Chain, [nodes, edges]: [&'static str; 2], sums: &mut Sums) {
    let ids = |value: &Value| -> Vec<String> {
        let ids = value.as_array().into_iter().flatten();
        ids.filter_map(|id| Some(id.as_str()?.to_string()))
            .collect()
    };
    let right: BTreeSet<String> = ids(&task["nodes"]).into_iter().collect();
    let links = task["edges"].as_array().into_iter().flatten();
    let right_links: BTreeSet<Vec<String>> = links.map(ids).collect();
    let named = chain.nodes.iter().cloned().collect();
    let links = chain.edges.iter();
    let named_links = links
        .map(|(from, to)| vec![from.clone(), to.clone()])
        .collect();
    sums.add(nodes, measures::agreement(&named, &right));
    sums.add(edges, measures::agreement(&named_links, &right_links));
}
