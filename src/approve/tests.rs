use std::collections::BTreeMap;

use super::*;
use crate::model::{PluginId, SCHEMA};

fn bound() -> Bound {
    let plugin: PluginId = "a@m".to_string().try_into().unwrap();
    Bound {
        engine: ENGINE,
        policy: "merged main".to_string(),
        plan: tree::of_bytes(b"plan"),
        locks: BTreeMap::from([("m".to_string(), tree::of_bytes(b"lock"))]),
        plugins: BTreeMap::from([(plugin, tree::of_bytes(b"plugin"))]),
    }
}

fn approval(bound: Bound) -> Approval {
    Approval {
        schema: SCHEMA,
        digest: digest(&bound),
        bound,
        by: "Ada".to_string(),
        at: "2026-11-22T10:00:00Z".parse().unwrap(),
        base: None,
        reads: tree::of_bytes(b""),
        tool: "x".to_string(),
        signature: None,
    }
}

#[test]
fn everything_that_is_bound_is_in_the_digest() {
    let other = tree::of_bytes(b"other");
    let changes: [fn(&mut Bound, Digest); 7] = [
        |bound, _| bound.engine += 1,
        |bound, _| bound.policy = "none".to_string(),
        |bound, other| bound.plan = other,
        |bound, other| drop(bound.locks.insert("m".to_string(), other)),
        |bound, _| bound.locks.clear(),
        |bound, other| bound.plugins.values_mut().for_each(|d| *d = other.clone()),
        |bound, _| bound.plugins.clear(),
    ];
    for change in changes {
        let mut changed = bound();
        change(&mut changed, other.clone());
        assert_ne!(digest(&changed), digest(&bound()));
        assert_eq!(differences(&bound(), &changed).len(), 1);
    }
    assert_eq!(differences(&bound(), &bound()), []);
}

#[test]
fn an_approval_that_was_written_over_is_refused() {
    let plan: PlanId = "p".parse().unwrap();
    let mut written = approval(bound());
    assert!(begins(&plan, &written, b"plan").is_ok());
    written.bound.plan = tree::of_bytes(b"mine");
    let said = begins(&plan, &written, b"mine").unwrap_err().to_string();
    assert!(said.contains("was changed"), "{said}");
    let said = begins(&plan, &approval(bound()), b"mine").unwrap_err();
    assert!(
        format!("{said:#}").contains("`plan.yaml`: approved sha256:"),
        "{said:#}"
    );
}

#[test]
fn the_stricter_rule_holds() {
    use crate::model::ApprovalPolicy::{Merged, None, Signed};
    let rule = |policy| ApprovalRule {
        policy,
        ..ApprovalRule::default()
    };
    for (one, other, expected) in [
        (None, Signed, Signed),
        (Merged, None, Merged),
        (Signed, Merged, Signed),
    ] {
        assert_eq!(stricter(rule(one), rule(other)).policy, expected);
    }
}
