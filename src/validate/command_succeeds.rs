//! A program exits 0; what it prints may be facts for the report.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use super::{TIMEOUT_S, found};
use crate::model::{CommandCheck, FailureKind, Finding, Outcome};
use crate::workspace::{Access, Line, Workspace, failure_of, printable};

/// Runs the program.
pub fn run(
    check: &CommandCheck,
    workspace: &Workspace,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Finding> {
    let timeout = Duration::from_secs(check.timeout_s.unwrap_or(TIMEOUT_S));
    let outcome = workspace.run(&check.argv, Access::Read, timeout, say)?;
    if let Some(failure) = failure_of(FailureKind::Check, &check.argv, &outcome, timeout) {
        let mut finding = found(Outcome::Failed, failure.message);
        finding.output = failure.output;
        return Ok(finding);
    }
    let mut finding = found(
        Outcome::Passed,
        format!("`{}` exited 0", check.argv.join(" ")),
    );
    if check.facts {
        match facts(&outcome.stdout) {
            Ok(facts) => finding.facts = facts,
            Err(why) => {
                finding = found(
                    Outcome::Failed,
                    format!("`{}` did not print its facts: {why}", check.argv.join(" ")),
                )
            }
        }
    }
    Ok(finding)
}

fn facts(stdout: &[u8]) -> Result<BTreeMap<String, Value>, String> {
    let facts: BTreeMap<String, Value> = serde_json::from_slice(stdout)
        .map_err(|error| format!("expected one JSON object, {error}"))?;
    let plain =
        |value: &Value| matches!(value, Value::Number(_) | Value::String(_) | Value::Bool(_));
    if let Some((label, _)) = facts.iter().find(|(_, value)| !plain(value)) {
        return Err(format!("`{label}` is neither a number nor a string"));
    }
    let clean = |value: Value| match value {
        Value::String(text) => Value::String(printable(&text)),
        other => other,
    };
    Ok(facts
        .into_iter()
        .map(|(label, value)| (printable(&label), clean(value)))
        .collect())
}

#[cfg(test)]
mod tests {
    #[test]
    fn facts_are_one_flat_object() {
        assert_eq!(super::facts(b"{\"API endpoints\": 11}").unwrap().len(), 1);
        for bad in ["", "11", "[1]", "{\"a\": [1]}", "{\"a\": 1} {\"b\": 2}"] {
            assert!(super::facts(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
