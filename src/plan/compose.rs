//! A workflow made anew: the best plugin for each need, what these take from others, and an order.

use anyhow::{Result, anyhow};

use super::choose::{filling, find};
use super::order::comes_before;
use super::{Pick, PlanContext};
use crate::model::{By, Candidate, Capability, Hint, Plugin, Trouble};

/// How many plugins may take the place of one that an agent works with.
const FALLBACKS_MAX: usize = 1;

/// Returns the best plugin for each need that is not left out, and what these bring with them, in the order of the work.
pub fn compose(context: &PlanContext<'_>, left_out: &[Capability]) -> Result<Vec<Pick>> {
    let mut picks: Vec<Pick> = Vec::new();
    for need in context
        .research
        .needs
        .iter()
        .filter(|need| !left_out.contains(&need.capability))
    {
        let usable: Vec<&Candidate> = filling(context, need)
            .filter(|found| found.is_usable())
            .collect();
        let Some((best, others)) = usable.split_first() else {
            continue;
        };
        match picks.iter_mut().find(|pick| is_same(context, pick, best)) {
            Some(pick) if pick.is_by_agent() => pick.more.push(best.capability.clone()),
            Some(_) => {}
            None => picks.push(pick(best, others)),
        }
    }
    bring_producers(context, &mut picks)?;
    in_order(context, picks)
}

/// Says whether the pick would do what the candidate does: the same component, with the same kind of result.
fn is_same(context: &PlanContext<'_>, pick: &Pick, candidate: &Candidate) -> bool {
    let is_report = |capability| context.taxonomy.is_report(capability);
    let same_by = match (&pick.by, &candidate.by) {
        (By::Agent { uses, .. }, By::Agent { uses: other, .. }) => {
            uses == other && is_report(&pick.capability) == is_report(&candidate.capability)
        }
        (By::Itself, By::Itself) => true,
        _ => false,
    };
    same_by && pick.plugin == candidate.plugin.id
}

fn pick(best: &Candidate, others: &[&Candidate]) -> Pick {
    let by_agent = |by: &By| matches!(by, By::Agent { .. });
    let most = match by_agent(&best.by) {
        true => FALLBACKS_MAX,
        false => usize::MAX,
    };
    let alike = others
        .iter()
        .filter(|other| by_agent(&other.by) == by_agent(&best.by));
    let fallbacks = alike.map(|other| (other.plugin.id.clone(), other.by.clone()));
    Pick {
        capability: best.capability.clone(),
        more: Vec::new(),
        plugin: best.plugin.id.clone(),
        by: best.by.clone(),
        fallbacks: fallbacks.take(most).collect(),
        why: best.why.clone(),
    }
}

/// A plugin that takes another's output brings that other plugin with it.
fn bring_producers(context: &PlanContext<'_>, picks: &mut Vec<Pick>) -> Result<()> {
    let mut index = 0;
    while index < picks.len() {
        let taker = find(context, &picks[index].plugin)?;
        for kind in required_kinds(taker) {
            if picks
                .iter()
                .any(|pick| find(context, &pick.plugin).is_ok_and(|plugin| produces(plugin, kind)))
            {
                continue;
            }
            let usable = |plugin: &&Plugin| {
                produces(plugin, kind)
                    && !context
                        .research
                        .avoid
                        .iter()
                        .any(|word| plugin.goes_by(word))
            };
            let Some(producer) = context.plugins.iter().find(usable) else {
                return Err(anyhow!(
                    "`{}` takes a `{kind}`, and no usable plugin makes one",
                    taker.id
                ))
                .kind(Trouble::Request);
            };
            let capability = producer
                .spec
                .as_ref()
                .and_then(|spec| spec.provides.first().cloned());
            picks.push(Pick {
                capability: capability
                    .ok_or_else(|| anyhow!("`{}` provides nothing", producer.id))?,
                more: Vec::new(),
                plugin: producer.id.clone(),
                by: By::Itself,
                fallbacks: Vec::new(),
                why: format!("makes the `{kind}` that `{}` takes", taker.id),
            });
        }
        index += 1;
    }
    Ok(())
}

/// Producers before takers, then as the taxonomy wants it, then by the stage of what they do, then in the order of the task.
fn in_order(context: &PlanContext<'_>, mut waiting: Vec<Pick>) -> Result<Vec<Pick>> {
    waiting.sort_by_key(|pick| {
        let stages = pick.capabilities().map(|one| context.taxonomy.stage(one));
        stages.min()
    });
    let mut ordered: Vec<Pick> = Vec::new();
    while !waiting.is_empty() {
        let has_all = |pick: &&Pick| has_what_it_takes(context, pick, &waiting);
        let is_turn = |pick: &&Pick| {
            !waiting
                .iter()
                .any(|other| comes_before(context, other, pick))
        };
        // Where the taxonomy goes round in a circle, what is there decides.
        let ready = waiting
            .iter()
            .position(|pick| has_all(&pick) && is_turn(&pick))
            .or_else(|| waiting.iter().position(|pick| has_all(&pick)));
        let Some(ready) = ready else {
            let names: Vec<String> = waiting.iter().map(|pick| pick.plugin.to_string()).collect();
            return Err(anyhow!(
                "these plugins wait for each other's output: {}",
                names.join(", ")
            ))
            .kind(Trouble::Request);
        };
        ordered.push(waiting.remove(ready));
    }
    Ok(ordered)
}

fn has_what_it_takes(context: &PlanContext<'_>, pick: &Pick, waiting: &[Pick]) -> bool {
    let Ok(plugin) = find(context, &pick.plugin) else {
        return true;
    };
    let inputs = plugin.spec.iter().flat_map(|spec| spec.inputs.values());
    let mut kinds = inputs.filter(|input| !input.is_plain());
    kinds.all(|input| {
        let mut later = waiting.iter().filter(|other| other.plugin != pick.plugin);
        !later.any(|other| {
            find(context, &other.plugin).is_ok_and(|plugin| produces(plugin, &input.kind))
        })
    })
}

fn required_kinds(plugin: &Plugin) -> impl Iterator<Item = &str> {
    let inputs = plugin.spec.iter().flat_map(|spec| spec.inputs.values());
    inputs
        .filter(|input| input.required && !input.is_plain())
        .map(|input| input.kind.as_str())
}

fn produces(plugin: &Plugin, kind: &str) -> bool {
    plugin
        .spec
        .iter()
        .flat_map(|spec| spec.outputs.values())
        .any(|output| output.kind == kind)
}
