//! Plans for the tests of this module.

use crate::model::Plan;

/// Returns a plan whose steps `s1`, `s2` and so on have these needs, by number, and write to this path.
pub fn plan(steps: &[(&[usize], &str)]) -> Plan {
    let step = |(number, (needs, writes)): (usize, &(&[usize], &str))| {
        let needs: Vec<String> = needs.iter().map(|need| format!("s{need}")).collect();
        serde_json::json!({
            "id": format!("s{}", number + 1), "title": "t", "doing": "d", "provides": [], "needs": needs, "why": "w",
            "action": {"plugin": "p@m", "digest": format!("sha256:{}", "0".repeat(64)), "runner": "template", "writes": [writes]},
            "checks": [{"id": "c", "file": "f"}], "attempts_max": 1, "backoff_ms": 0, "timeout_s": 1,
        })
    };
    let steps: Vec<_> = steps.iter().enumerate().map(step).collect();
    let plan = serde_json::json!({"schema": 1, "engine": 1, "task": "t", "understood": [], "steps": steps});
    serde_json::from_value(plan).unwrap()
}
