//! Whether an agent has done its work, and what kind of failure it is where it has not.

use std::time::Duration;

use super::Heard;
use crate::model::FailureKind;
use crate::sandbox::Ending;

/// What is known once the agent's process has ended.
pub struct Hindsight<'a> {
    pub ending: &'a Ending,
    /// The name of the component that was to be used, as the agent calls it; none for an agent that does not tell what it has loaded.
    pub wanted: Option<&'a str>,
    /// The last status that the model's host answered, and how long it asked to wait.
    pub status: Option<u16>,
    pub retry_after: Option<Duration>,
    /// Why the host was not reached, or its answer was cut off.
    pub unreachable: Option<&'a str>,
    /// The end of what was printed.
    pub log: &'a str,
}

/// Why the agent has not done its work.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    pub kind: FailureKind,
    pub message: String,
    /// How long to wait before the next attempt, as the model's host asked.
    pub wait: Option<Duration>,
}

/// Returns why the agent has not done its work; nothing where it has.
pub fn judge(heard: &Heard, hindsight: &Hindsight<'_>) -> Option<Judgement> {
    hopeless(heard, hindsight.wanted)
        .or_else(|| ended_badly(heard, hindsight))
        .or_else(|| denied(heard))
        .or_else(|| match hindsight.ending {
            Ending::Exited(0) => None,
            ending => Some(failed(FailureKind::Agent, format!("the agent {ending}"))),
        })
}

/// Returns why an agent that has begun cannot do what it is asked, whatever it does next.
pub(super) fn hopeless(heard: &Heard, wanted: Option<&str>) -> Option<Judgement> {
    if !heard.broken.is_empty() {
        let message = format!("the plugin is broken: {}", heard.broken.join("; "));
        return Some(failed(FailureKind::Refused, message));
    }
    let (loaded, wanted) = (heard.loaded.as_ref()?, wanted?);
    (!loaded.contains(wanted)).then(|| {
        let message = format!("the agent has loaded no `{wanted}` from the plugin");
        failed(FailureKind::Refused, message)
    })
}

impl Heard {
    /// Says whether there is no use in going on.
    pub fn is_hopeless(&self, wanted: Option<&str>) -> bool {
        hopeless(self, wanted).is_some()
    }
}

fn ended_badly(heard: &Heard, hindsight: &Hindsight<'_>) -> Option<Judgement> {
    if let Ending::NotStarted(why) = hindsight.ending {
        return Some(failed(FailureKind::Refused, why.clone()));
    }
    let fault = match &heard.ended {
        Some(ended) => ended.fault.clone()?,
        // It was cut off before it could say what was wrong; what went wrong on the way is the best that is known.
        None => heard.trouble.clone().unwrap_or_else(|| {
            let said = last_line(hindsight.log);
            super::Fault::new(format!(
                "the agent {} and reported no end{said}",
                hindsight.ending
            ))
        }),
    };
    if fault.out_of_budget {
        return Some(failed(FailureKind::Budget, fault.words));
    }
    let status = fault
        .status
        .or(hindsight.status.filter(|status| *status >= 400));
    let by_status = |kind| match status {
        Some(status) if !fault.words.contains(&status.to_string()) => failed(
            kind,
            format!("the model answered {status}: {}", fault.words),
        ),
        _ => failed(kind, fault.words.clone()),
    };
    Some(match (status, hindsight.unreachable) {
        (Some(408 | 425 | 429 | 500..), _) => Judgement {
            wait: hindsight.retry_after,
            ..by_status(FailureKind::Model)
        },
        (Some(_), _) => by_status(FailureKind::Refused),
        (None, Some(why)) => failed(
            FailureKind::Model,
            format!("the model cannot be reached: {why}; {}", fault.words),
        ),
        (None, None) => failed(FailureKind::Agent, fault.words),
    })
}

fn denied(heard: &Heard) -> Option<Judgement> {
    if heard.denied.is_empty() {
        return None;
    }
    let denied: Vec<String> = heard
        .denied
        .iter()
        .map(|tool| format!("`{tool}`"))
        .collect();
    let message = format!(
        "the agent was not allowed {}: `tools` of the plan lists what is",
        denied.join(", ")
    );
    Some(failed(FailureKind::Refused, message))
}

fn failed(kind: FailureKind, message: impl Into<String>) -> Judgement {
    Judgement {
        kind,
        message: message.into(),
        wait: None,
    }
}

fn last_line(log: &str) -> String {
    let lines = log.lines().rev().map(str::trim);
    // What it printed in its own format has been heard already.
    let last = lines
        .filter(|line| !line.is_empty() && !line.starts_with('{'))
        .take(20)
        .next();
    last.map_or(String::new(), |line| format!(": {}", super::brief(line)))
}
