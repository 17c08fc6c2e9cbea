//! Past plans as a library: those for requests like this one vote for tools and links.

use std::collections::BTreeMap;

use super::Chain;
use crate::encoder::Vector;
use crate::rank::{Features, Vocabulary};

/// How many past plans vote.
const VOTERS_MAX: usize = 10;
/// How much more a plan counts that is for a request more alike.
const SHARPNESS: i32 = 8;
/// The share of the votes that a tool, and a link, needs.
const NODE_SHARE: f32 = 0.40;
const EDGE_SHARE: f32 = 0.32;

/// A request, and the plan that was carried out for it.
pub struct PastPlan {
    pub text: String,
    pub meaning: Vector,
    pub chain: Chain,
}

/// Past plans, ready to be asked.
pub struct Plans {
    vocabulary: Vocabulary,
    plans: Vec<(Features, Chain)>,
}

impl Plans {
    /// Returns the library of these plans; their order does not matter.
    pub fn of(mut plans: Vec<PastPlan>) -> Plans {
        plans.sort_by(|a, b| (&a.text, &a.chain.nodes).cmp(&(&b.text, &b.chain.nodes)));
        let vocabulary = Vocabulary::of(plans.iter().map(|plan| plan.text.as_str()));
        let read = |plan: PastPlan| {
            let features = vocabulary.features(&plan.text, &plan.meaning);
            (features, plan.chain)
        };
        Plans {
            plans: plans.into_iter().map(read).collect(),
            vocabulary,
        }
    }

    /// Returns what the plans for the requests most like this one do, and how like it the nearest of them is, from 0 to 1; none where there is no plan.
    pub fn vote(&self, text: &str, meaning: &Vector) -> Option<(Chain, f32)> {
        let asked = self.vocabulary.features(text, meaning);
        let likeness = self.plans.iter().map(|(past, _)| past.likeness(&asked));
        let mut voters: Vec<(f32, usize)> = likeness.zip(0..).collect();
        voters.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
        voters.truncate(VOTERS_MAX);
        let nearest = voters.first()?.0.max(0.0);
        let weight = |likeness: f32| likeness.max(1e-3).powi(SHARPNESS);
        let total: f32 = voters.iter().map(|(likeness, _)| weight(*likeness)).sum();
        let mut votes = Votes::default();
        for (likeness, plan) in voters {
            votes.add(&self.plans[plan].1, weight(likeness) / total);
        }
        Some((votes.chain(), nearest))
    }
}

/// Votes for tools, with the sum of the places that they were given, and for links.
#[derive(Default)]
struct Votes<'a> {
    nodes: BTreeMap<&'a str, (f32, f32)>,
    edges: BTreeMap<(&'a str, &'a str), f32>,
}

impl<'a> Votes<'a> {
    fn add(&mut self, chain: &'a Chain, weight: f32) {
        for (place, node) in chain.nodes.iter().enumerate() {
            let (votes, places) = self.nodes.entry(node).or_default();
            *votes += weight;
            *places += weight * place as f32;
        }
        for (from, to) in &chain.edges {
            *self.edges.entry((from, to)).or_default() += weight;
        }
    }

    fn chain(&self) -> Chain {
        let most = self.nodes.values().map(|(votes, _)| *votes);
        let needed = NODE_SHARE.min(most.fold(0.0, f32::max));
        let chosen = self.nodes.iter().filter(|(_, (votes, _))| *votes >= needed);
        let mut nodes: Vec<(f32, &str)> = chosen
            .map(|(node, (votes, places))| (places / votes, *node))
            .collect();
        nodes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(b.1)));
        let place = |node: &str| nodes.iter().position(|(_, chosen)| *chosen == node);
        let links = self.edges.iter().filter(|(_, votes)| **votes >= EDGE_SHARE);
        let mut edges: Vec<(usize, usize)> = links
            .filter_map(|((from, to), _)| Some((place(from)?, place(to)?)))
            .collect();
        edges.sort_unstable();
        let nodes: Vec<String> = nodes.iter().map(|(_, node)| (*node).to_string()).collect();
        let edges = edges.into_iter();
        Chain {
            edges: edges
                .map(|(from, to)| (nodes[from].clone(), nodes[to].clone()))
                .collect(),
            nodes,
        }
    }
}
