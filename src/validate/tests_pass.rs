//! Tests are run, and their JUnit report is counted: what passed, failed, was skipped, or passed against a stand-in.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::Result;

use super::{TIMEOUT_S, found};
use crate::model::{FailureKind, Finding, Outcome, TestCounts, TestsCheck};
use crate::workspace::{Access, Line, Workspace, failure_of, printable, read_plain};

/// The name of the JUnit property by which a test says what stood in for the real thing.
const SUBSTITUTE: &str = "substitute";

/// Runs the tests and counts them.
pub fn run(
    check: &TestsCheck,
    workspace: &Workspace,
    say: &mut dyn FnMut(Line<'_>),
) -> Result<Finding> {
    let timeout = Duration::from_secs(check.timeout_s.unwrap_or(TIMEOUT_S));
    let report = workspace.in_scratch(&check.junit)?;
    // A report that an earlier check left behind must not speak for this one.
    std::fs::remove_file(&report).ok();
    let outcome = workspace.run(&check.argv, Access::Read, timeout, say)?;
    let counted = read_report(&report);
    if let Some(failure) = failure_of(FailureKind::Check, &check.argv, &outcome, timeout) {
        let mut finding = found(Outcome::Failed, failure.message);
        finding.output = failure.output;
        finding.tests = counted.ok();
        return Ok(finding);
    }
    Ok(match counted {
        Err(why) => found(
            Outcome::Failed,
            format!("the tests left no report that can be read: {why}"),
        ),
        Ok(counts) => judge(check, counts),
    })
}

fn read_report(path: &Path) -> Result<TestCounts, String> {
    let bytes = read_plain(path).map_err(|error| format!("{error:#}"))?;
    let bytes = bytes.ok_or("there is none")?;
    count(&String::from_utf8_lossy(&bytes))
}

fn judge(check: &TestsCheck, counts: TestCounts) -> Finding {
    let good = counts.passed + counts.substituted_total();
    let (outcome, message) = if counts.failed > 0 {
        (
            Outcome::Failed,
            format!("{} of {} tests failed", counts.failed, counts.total()),
        )
    } else if good < check.at_least {
        (
            Outcome::Failed,
            format!(
                "{good} tests passed, and at least {} should",
                check.at_least
            ),
        )
    } else {
        (Outcome::Passed, words(&counts))
    };
    let mut finding = found(outcome, message);
    finding.tests = Some(counts);
    finding
}

/// Returns the counts as a sentence: `24 of 30 tests passed, 6 against fakeredis instead of the real thing`.
pub fn words(counts: &TestCounts) -> String {
    let mut text = format!("{} of {} tests passed", counts.passed, counts.total());
    for (stand_in, number) in &counts.substituted {
        text.push_str(&format!(
            ", {number} against {stand_in} instead of the real thing"
        ));
    }
    if counts.skipped > 0 {
        text.push_str(&format!(", {} skipped", counts.skipped));
    }
    text
}

fn count(report: &str) -> Result<TestCounts, String> {
    let document =
        roxmltree::Document::parse(report).map_err(|error| format!("it is not XML: {error}"))?;
    let mut counts = TestCounts::default();
    let mut substituted: BTreeMap<String, u32> = BTreeMap::new();
    for case in document
        .descendants()
        .filter(|node| node.has_tag_name("testcase"))
    {
        let has = |name: &str| case.children().any(|child| child.has_tag_name(name));
        let stand_in = case
            .descendants()
            .find(|node| {
                node.has_tag_name("property") && node.attribute("name") == Some(SUBSTITUTE)
            })
            .and_then(|property| property.attribute("value"));
        match stand_in {
            _ if has("failure") || has("error") => counts.failed += 1,
            _ if has("skipped") => counts.skipped += 1,
            Some(name) => *substituted.entry(printable(name)).or_default() += 1,
            None => counts.passed += 1,
        }
    }
    counts.substituted = substituted;
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0"?><testsuites><testsuite>
        <testcase name="a"/>
        <testcase name="b"><properties><property name="substitute" value="fakeredis"/></properties></testcase>
        <testcase name="c"><skipped message="no"/></testcase>
        </testsuite></testsuites>"#;

    fn check(report: &str, at_least: u32) -> (Outcome, String) {
        let check = TestsCheck {
            argv: vec![],
            junit: String::new(),
            at_least,
            timeout_s: None,
        };
        let finding = judge(&check, count(report).unwrap());
        (finding.outcome, finding.message)
    }

    #[test]
    fn a_stand_in_is_counted_apart() {
        let said = "1 of 3 tests passed, 1 against fakeredis instead of the real thing, 1 skipped"
            .to_string();
        assert_eq!(check(REPORT, 2), (Outcome::Passed, said));
        assert_eq!(
            check(REPORT, 3),
            (
                Outcome::Failed,
                "2 tests passed, and at least 3 should".to_string()
            )
        );
    }

    #[test]
    fn failures_and_errors_count_as_failed() {
        let report =
            "<testsuites><testcase><failure/></testcase><testcase><error/></testcase></testsuites>";
        assert_eq!(
            check(report, 0),
            (Outcome::Failed, "2 of 2 tests failed".to_string())
        );
        assert!(count("<testsuites").is_err());
        assert_eq!(check("<testsuites/>", 1).0, Outcome::Failed);
    }
}
