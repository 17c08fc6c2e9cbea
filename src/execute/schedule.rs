//! Which step may start now: one whose needs are met, and that writes nowhere where a step in flight may write.

use crate::model::{Plan, RunState, Step, StepId, StepStatus, may_meet};

/// Returns the next step to start, in the order of the plan, beside those `in_flight`.
///
/// Of two steps that may write to the same path the later one waits for the earlier one, so both leave what they would have left
/// one after the other.
pub fn next<'a>(plan: &'a Plan, state: &RunState, in_flight: &[&StepId]) -> Option<&'a Step> {
    let done = |id: &StepId| {
        state
            .step(id)
            .is_some_and(|step| step.status == StepStatus::Done)
    };
    let mut before: Vec<&Step> = Vec::new();
    for step in plan.steps.iter().filter(|step| !done(&step.id)) {
        let ready = !in_flight.contains(&&step.id) && step.needs.iter().all(done);
        if ready && !before.iter().any(|earlier| may_meet(step, earlier)) {
            return Some(step);
        }
        before.push(step);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(one: &str, other: &str, expected: bool) {
        let plan = crate::execute::fixture::plan(&[(&[], one), (&[], other)]);
        assert_eq!(
            may_meet(&plan.steps[0], &plan.steps[1]),
            expected,
            "{one} {other}"
        );
        assert_eq!(
            may_meet(&plan.steps[1], &plan.steps[0]),
            expected,
            "{one} {other}"
        );
    }

    fn check_next(done: &[&str], in_flight: &[&str], expected: Option<&str>) {
        let plan = crate::execute::fixture::plan(&[
            (&[], "a/"),
            (&[], "b/"),
            (&[1], "c/"),
            (&[], "c/d"),
            (&[], "e"),
        ]);
        let mut state = RunState::new(&plan);
        for step in state
            .steps
            .iter_mut()
            .filter(|step| done.contains(&step.id.as_str()))
        {
            step.status = StepStatus::Done;
        }
        let flying: Vec<StepId> = in_flight.iter().map(|id| id.parse().unwrap()).collect();
        let flying: Vec<&StepId> = flying.iter().collect();
        let found = next(&plan, &state, &flying).map(|step| step.id.as_str());
        assert_eq!(found, expected, "done {done:?}, in flight {in_flight:?}");
    }

    #[test]
    fn a_step_starts_when_its_needs_are_met_and_nobody_before_it_writes_there() {
        check_next(&[], &[], Some("s1"));
        check_next(&[], &["s1"], Some("s2"));
        check_next(&[], &["s1", "s2"], Some("s5"));
        check_next(&["s1"], &["s2"], Some("s3"));
        check_next(&["s1"], &["s2", "s3"], Some("s5"));
        check_next(&["s1", "s3"], &["s2"], Some("s4"));
        check_next(&["s1", "s2", "s3", "s4", "s5"], &[], None);
    }

    #[test]
    fn writes_overlap_where_one_is_above_the_other() {
        check("app/", "app/", true);
        check("app/", "app/a.txt", true);
        check("app/a.txt", "app/a.txt", true);
        check("app/a.txt", "app/b.txt", false);
        check("app/", "apples/", false);
        check("app", "app/", true);
    }
}
