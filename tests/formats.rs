//! Files as earlier versions wrote them: they load, and those of the current version are printed to the same bytes.
//!
//! The files of a version are written once and never changed: a change to the format is a folder beside them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use orchestrate::model::{Digest, RunState};
use orchestrate::store::{self, Config, Lock};
use orchestrate::{validate, yaml};

/// Returns a file of the format's version 1.
fn v1(name: &str) -> Vec<u8> {
    std::fs::read(support::tests("formats/v1").join(name)).unwrap()
}

#[track_caller]
fn check(printed: String, name: &str) {
    assert_eq!(printed, String::from_utf8(v1(name)).unwrap());
}

#[test]
fn a_plan_is_read_and_printed_as_it_was() {
    let text = v1("plan.yaml");
    let plan = store::read_plan("plan.yaml", &text).unwrap();
    assert_eq!(validate::check_plan(&plan), Vec::<String>::new());
    assert_eq!(plan.steps.len(), 2);
    check(store::print_plan(&plan).unwrap(), "plan.yaml");
}

#[test]
fn a_pattern_is_read_and_printed_as_it_was() {
    let pattern = store::read_pattern("pattern.yaml", &v1("pattern.yaml")).unwrap();
    assert_eq!(pattern.known_issues.len(), 1);
    check(yaml::print(&pattern).unwrap(), "pattern.yaml");
}

#[test]
fn evidence_is_read_and_printed_as_it_was() {
    let evidence = store::read_evidence("evidence.yaml", &v1("evidence.yaml")).unwrap();
    assert_eq!(evidence.issues.len(), 1);
    check(yaml::print(&evidence).unwrap(), "evidence.yaml");
}

#[test]
fn settings_are_read_and_printed_as_they_were() {
    let config = Config::read("config.yaml", &v1("config.yaml")).unwrap();
    assert_eq!(
        config.marketplaces["fixtures"].path.as_deref(),
        Some("../marketplace")
    );
    check(yaml::print(&config).unwrap(), "config.yaml");
}

#[test]
fn locks_are_read_and_printed_as_they_were() {
    let lock = Lock::read("lock.yaml", &v1("lock.yaml")).unwrap();
    assert!(!lock.plugins["reviewer"].payloads[0].pinned);
    check(lock.print().unwrap(), "lock.yaml");
}

/// If the digest that an approval names changes, every approval is lost.
#[test]
fn an_approval_is_read_and_printed_as_it_was() {
    let approval = store::read_approval("approval.yaml", &v1("approval.yaml")).unwrap();
    assert_eq!(
        orchestrate::approve::digest(&approval.bound),
        approval.digest
    );
    check(yaml::print(&approval).unwrap(), "approval.yaml");
}

#[test]
fn a_log_with_every_event_is_read_and_printed_as_it_was() {
    let events = store::read_segment("events.yaml", &v1("events.yaml")).unwrap();
    assert_eq!(events.len(), 14);
    check(store::sealed(&events).unwrap(), "events.yaml");
    let plan = store::read_plan("plan.yaml", &v1("plan.yaml")).unwrap();
    RunState::replay(&plan, &events);
}

/// A plan's digest is over its bytes: if this changes, every approval is lost.
#[test]
fn the_digest_of_a_plan_stays() {
    let digest: Digest = orchestrate::tree::of_bytes(&v1("plan.yaml"));
    let written = "sha256:943860bcbb5dc0c7ed4e0a0d2306d2450d0c9c5f8ae0894d68f22b84c01f06d8";
    assert_eq!(digest.to_string(), written);
}

#[test]
fn a_log_cut_off_anywhere_keeps_its_whole_events() {
    let text = v1("events.yaml");
    let whole = store::read_segment("events.yaml", &text).unwrap();
    for end in (0..text.len())
        .filter(|end| text[..*end].ends_with(b"...\n"))
        .skip(1)
    {
        let cut = store::segment_events("events.yaml", &text[..end]).unwrap();
        assert_eq!(cut, whole[..cut.len()]);
        // In a commit a segment is whole: one that does not end with the event that closed it was tampered with.
        let closed = cut.last().is_some_and(|event| event.event.closes_segment());
        let read = store::read_segment("events.yaml", &text[..end]);
        assert_eq!(read.is_ok(), closed, "{read:?}");
    }
}
