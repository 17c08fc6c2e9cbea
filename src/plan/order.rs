//! What comes before what, as the taxonomy says it.

use super::{Pick, PlanContext};
use crate::model::{Capability, Stage, Step, StepId};

/// Says whether the taxonomy wants `first` done before `second`, whatever their stages are.
pub fn is_before(context: &PlanContext<'_>, first: &Capability, second: &Capability) -> bool {
    let known = &context.taxonomy.capabilities;
    let after = known
        .get(second)
        .is_some_and(|meaning| meaning.after.contains(first));
    let before = known
        .get(first)
        .is_some_and(|meaning| meaning.before.contains(second));
    after || before
}

/// Says whether something that `first` does comes before something that `second` does, and nothing the other way round.
pub fn comes_before(context: &PlanContext<'_>, first: &Pick, second: &Pick) -> bool {
    let wants = |a: &Pick, b: &Pick| {
        let mut pairs = a
            .capabilities()
            .flat_map(|x| b.capabilities().map(move |y| (x, y)));
        pairs.any(|(x, y)| is_before(context, x, y))
    };
    wants(first, second) && !wants(second, first)
}

/// Returns the steps that an agent's step builds on: those of earlier stages, and those that the taxonomy wants before it, without the
/// ones that these build on themselves.
pub fn needs(context: &PlanContext<'_>, provides: &[Capability], before: &[Step]) -> Vec<StepId> {
    let stage = |capabilities: &[Capability]| -> Stage {
        let stages = capabilities.iter().map(|one| context.taxonomy.stage(one));
        stages.min().unwrap_or(Stage::Feature)
    };
    let own = stage(provides);
    let builds_on = |step: &&Step| {
        let mut pairs = step
            .provides
            .iter()
            .flat_map(|x| provides.iter().map(move |y| (x, y)));
        stage(&step.provides) < own || pairs.any(|(x, y)| is_before(context, x, y))
    };
    let all: Vec<&Step> = before.iter().filter(builds_on).collect();
    let behind = |id: &StepId| all.iter().any(|step| is_behind(step, id, before));
    let nearest = all.iter().map(|step| &step.id).filter(|id| !behind(id));
    nearest.cloned().collect()
}

/// Says whether the step needs `id`, itself or through others.
fn is_behind(step: &Step, id: &StepId, all: &[Step]) -> bool {
    let needed = |need: &StepId| all.iter().find(|other| other.id == *need);
    step.needs
        .iter()
        .any(|need| need == id || needed(need).is_some_and(|needed| is_behind(needed, id, all)))
}
