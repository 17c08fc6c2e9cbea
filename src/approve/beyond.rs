//! What a run may do: what its plan says, and nothing else.

use crate::model::{EventKind, Plan, PluginId, StepId};

/// Returns what an event does that the plan does not hold: another plugin, a remedy or a fallback of nobody's choosing.
pub fn beyond(plan: &Plan, event: &EventKind) -> Option<String> {
    match event {
        EventKind::AttemptStarted { step, plugin, .. }
        | EventKind::StepFinished { step, plugin, .. } => used(plan, step, plugin),
        EventKind::FallbackChosen { step, plugin } => {
            let planned = plan.step(step)?.fallbacks.iter();
            let known = planned
                .map(|action| &action.plugin)
                .any(|known| known == plugin);
            (!known).then(|| format!("step `{step}` falls back to `{plugin}`"))
        }
        EventKind::RemedyChosen {
            step,
            plugin,
            remedy,
            ..
        } => {
            let mut actions = plan.step(step)?.actions();
            let known = actions.any(|action| {
                action.plugin == *plugin && action.remedies.iter().any(|known| known.id == *remedy)
            });
            (!known).then(|| format!("step `{step}` uses the remedy `{remedy}` of `{plugin}`"))
        }
        EventKind::StepStarted { step } => match plan.step(step) {
            Some(_) => None,
            None => Some(format!("there is a step `{step}`")),
        },
        _ => None,
    }
}

fn used(plan: &Plan, step: &StepId, plugin: &PluginId) -> Option<String> {
    let known = plan
        .step(step)
        .is_some_and(|known| known.actions().any(|action| action.plugin == *plugin));
    (!known).then(|| format!("step `{step}` uses `{plugin}`"))
}
