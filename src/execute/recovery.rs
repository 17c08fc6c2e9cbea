//! What to do about a failed attempt: the four levels, in order.

use std::time::Duration;

use regex::Regex;

use crate::model::{Action, Effects, Failure, Remedy, Repair, Step, StepState};

/// The longest wait between two attempts.
const BACKOFF_MAX: Duration = Duration::from_secs(60);
/// The longest wait that somebody else may ask for.
const ASKED_WAIT_MAX: Duration = Duration::from_secs(15 * 60);

/// What comes next.
#[derive(Debug, PartialEq)]
pub enum Next<'a> {
    /// Level 1, where the failure is known: apply the remedy and try again.
    Remedy(&'a Remedy),
    /// Level 1: try again after a wait.
    Retry { wait: Duration },
    /// Level 2: another plugin, under the same checks.
    Fallback(&'a Action),
    /// Level 3: a person has to do these things first.
    Person(Vec<String>),
    /// Level 4: stop, and keep what is done.
    Abort,
}

/// Returns what to do about `failure`, the latest one of a step that stands as `state` says.
pub fn next<'a>(step: &'a Step, state: &StepState, failure: &Failure) -> Next<'a> {
    if !failure.actions.is_empty() {
        return Next::Person(failure.actions.clone());
    }
    if step.effects == Effects::External {
        return Next::Person(vec![format!(
            "see whether step `{0}` had its effect, then `--repeat {0}`: it is not done again by itself",
            step.id
        )]);
    }
    let action = state.action_of(step);
    let known = action
        .remedies
        .iter()
        .find(|remedy| !state.remedies.contains(&remedy.id) && matches(remedy, failure));
    let asks = match known.map(|remedy| (remedy, remedy.repair())) {
        Some((_, Ok(Repair::Ask(actions)))) => Some(actions.to_vec()),
        Some((remedy, Ok(_))) => return Next::Remedy(remedy),
        _ => None,
    };
    let attempts = state.attempts[state.action];
    if failure.kind.may_pass() && attempts < step.attempts_max {
        let asked = failure
            .wait_ms
            .map_or(Duration::ZERO, Duration::from_millis);
        return Next::Retry {
            wait: backoff(step.backoff_ms, attempts).max(asked.min(ASKED_WAIT_MAX)),
        };
    }
    if let Some(fallback) = step.fallbacks.get(state.action) {
        return Next::Fallback(fallback);
    }
    asks.map_or(Next::Abort, Next::Person)
}

fn matches(remedy: &Remedy, failure: &Failure) -> bool {
    // The plan was checked: what is no regular expression does not get here.
    Regex::new(&remedy.when)
        .is_ok_and(|when| when.is_match(&failure.output) || when.is_match(&failure.message))
}

/// Doubles with each attempt.
fn backoff(first_ms: u64, attempts: u32) -> Duration {
    let factor = 1_u64 << attempts.saturating_sub(1).min(10);
    Duration::from_millis(first_ms.saturating_mul(factor)).min(BACKOFF_MAX)
}
