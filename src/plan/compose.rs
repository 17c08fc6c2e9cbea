//! A workflow made anew: the best plugin for each need, what these take from others, and an order.

use anyhow::{Result, anyhow};

use super::choose::{filling, find};
use super::{Pick, PlanContext};
use crate::model::{Capability, Hint, Plugin, Trouble};

/// Returns the best plugin for each need that is not left out, and what these bring with them, in the order of the work.
pub fn compose(context: &PlanContext<'_>, left_out: &[Capability]) -> Result<Vec<Pick>> {
    let mut picks: Vec<Pick> = Vec::new();
    for need in context
        .research
        .needs
        .iter()
        .filter(|need| !left_out.contains(&need.capability))
    {
        let mut usable = filling(context, need).filter(|candidate| candidate.ruled_out.is_none());
        let Some(best) = usable.next() else { continue };
        if picks.iter().any(|pick| pick.plugin == best.plugin.id) {
            continue;
        }
        picks.push(Pick {
            capability: best.capability.clone(),
            plugin: best.plugin.id.clone(),
            fallbacks: usable
                .map(|candidate| candidate.plugin.id.clone())
                .collect(),
            why: best.why.clone(),
        });
    }
    bring_producers(context, &mut picks)?;
    in_order(context, picks)
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
                plugin: producer.id.clone(),
                fallbacks: Vec::new(),
                why: format!("makes the `{kind}` that `{}` takes", taker.id),
            });
        }
        index += 1;
    }
    Ok(())
}

/// Producers before takers, then by the stage of what they do, then in the order of the task.
fn in_order(context: &PlanContext<'_>, mut waiting: Vec<Pick>) -> Result<Vec<Pick>> {
    waiting.sort_by_key(|pick| context.taxonomy.stage(&pick.capability));
    let mut ordered: Vec<Pick> = Vec::new();
    while !waiting.is_empty() {
        let ready = waiting.iter().position(|pick| {
            let Ok(plugin) = find(context, &pick.plugin) else {
                return true;
            };
            let kinds = plugin
                .spec
                .iter()
                .flat_map(|spec| spec.inputs.values())
                .filter(|input| !input.is_plain());
            kinds.into_iter().all(|input| {
                let mut later = waiting.iter().filter(|other| other.plugin != pick.plugin);
                !later.any(|other| {
                    find(context, &other.plugin).is_ok_and(|plugin| produces(plugin, &input.kind))
                })
            })
        });
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
