//! What needs what: a tool that is chosen brings with it what it needs.

use std::collections::{BTreeMap, BTreeSet};

use super::Ports;

/// How soon a tool that is less likely meant than the likeliest stops counting, in standard deviations.
const TEMPERATURE: f32 = 0.35;
/// How much less something counts for each other that is needed before it.
const LATER: f32 = 0.01;
/// How much a tool's own score decides among those that are needed alike.
const OWN: f32 = 1e-4;

/// Of each tool, by its number, those that it needs directly.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs(BTreeMap<usize, BTreeSet<usize>>);

impl Needs {
    /// Returns the needs that are known: of each pair the first is needed by the second.
    pub fn of(pairs: impl Iterator<Item = (usize, usize)>) -> Needs {
        let mut needs = Needs::default();
        for (needed, by) in pairs.filter(|(needed, by)| needed != by) {
            needs.0.entry(by).or_default().insert(needed);
        }
        needs
    }

    /// Returns what follows from what tools take and give: a tool needs another that alone gives what it takes.
    pub fn of_ports(ports: &[Ports]) -> Needs {
        let mut pairs = Vec::new();
        for (by, taker) in ports.iter().enumerate() {
            for taken in &taker.takes {
                let mut givers = (0..ports.len()).filter(|giver| {
                    *giver != by
                        && ports[*giver].gives.contains(taken)
                        && ports[*giver].takes.is_empty()
                });
                if let (Some(giver), None) = (givers.next(), givers.next()) {
                    pairs.push((giver, by));
                }
            }
        }
        Needs::of(pairs.into_iter())
    }

    /// Returns a tool and all that it needs, the nearest first.
    pub fn closure(&self, tool: usize) -> Vec<usize> {
        let mut closure = vec![tool];
        let mut next = 0;
        while let Some(tool) = closure.get(next).copied() {
            for needed in self.0.get(&tool).into_iter().flatten() {
                if !closure.contains(needed) {
                    closure.push(*needed);
                }
            }
            next += 1;
        }
        closure
    }

    /// Returns the scores of all tools where one of them is meant and is wanted with all that it needs; `scores` say which one, in standard
    /// deviations.
    pub fn spread(&self, scores: &[f32]) -> Vec<f32> {
        let most = scores.iter().copied().fold(f32::MIN, f32::max);
        let likely: Vec<f32> = scores
            .iter()
            .map(|score| ((score - most) / TEMPERATURE).exp())
            .collect();
        let total: f32 = likely.iter().sum();
        let mut spread: Vec<f32> = scores.iter().map(|score| OWN * score).collect();
        for (tool, likely) in likely.iter().enumerate() {
            // Those that are hardly meant change no place.
            if likely / total > 1e-6 {
                for (place, needed) in self.closure(tool).into_iter().enumerate() {
                    spread[needed] += likely / total * (1.0 - LATER * place as f32);
                }
            }
        }
        spread
    }
}
