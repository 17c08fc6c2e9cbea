//! Our own files: what is read can be printed, and is then read as the same.

use std::collections::BTreeMap;

use orchestrate::store::{self, Config, Lock, SourceConfig};
use orchestrate::{model, yaml};

/// Reads a document of no particular form.
pub fn strict_yaml(bytes: &[u8]) {
    let read = |text: &[u8]| yaml::parse::<BTreeMap<String, serde_json::Value>>("f.yaml", text);
    let Ok(value) = read(bytes) else { return };
    let printed = yaml::print(&value).expect("what was read can be printed");
    yaml::parse_log::<serde_json::Value>("f.yaml", bytes, 3).ok();
    // Numbers such as 1e400 are printed as what no file of ours has.
    if let Ok(again) = read(printed.as_bytes()) {
        assert_eq!(again.len(), value.len(), "{printed}");
    }
}

/// Reads settings, and puts a marketplace into them and takes it out.
pub fn config(bytes: &[u8]) {
    let Ok(config) = Config::read("config.yaml", bytes) else {
        return;
    };
    let text = std::str::from_utf8(bytes).expect("other files are refused");
    let source = SourceConfig {
        npm: Some("p".to_string()),
        ..SourceConfig::default()
    };
    for source in [Some(&source), None] {
        let Ok(edited) = store::with_marketplace("config.yaml", text, "b", source) else {
            continue;
        };
        let mut wanted = config.clone();
        match source {
            Some(source) => wanted.marketplaces.insert("b".to_string(), source.clone()),
            None => wanted.marketplaces.remove("b"),
        };
        let again = Config::read("config.yaml", edited.as_bytes());
        assert_eq!(again.expect("an edited file can be read"), wanted);
    }
}

/// Reads a lock.
pub fn lock(bytes: &[u8]) {
    if let Ok(lock) = Lock::read("lock.yaml", bytes) {
        let text = lock.print().expect("what was read can be printed");
        let again = Lock::read("lock.yaml", text.as_bytes());
        assert_eq!(again.expect("what was printed can be read"), lock);
    }
}

/// Reads a plan.
pub fn plan(bytes: &[u8]) {
    if let Ok(plan) = store::read_plan("plan.yaml", bytes) {
        let text = store::print_plan(&plan).expect("what was read can be printed");
        let again = store::read_plan("plan.yaml", text.as_bytes());
        assert_eq!(again.expect("what was printed can be read"), plan);
    }
}

/// Reads a pattern.
pub fn pattern(bytes: &[u8]) {
    if let Ok(pattern) = store::read_pattern("pattern.yaml", bytes) {
        let text = yaml::print(&pattern).expect("what was read can be printed");
        let again = store::read_pattern("pattern.yaml", text.as_bytes());
        assert_eq!(again.expect("what was printed can be read"), pattern);
    }
}

/// Reads evidence.
pub fn evidence(bytes: &[u8]) {
    if let Ok(evidence) = store::read_evidence("evidence.yaml", bytes) {
        let text = yaml::print(&evidence).expect("what was read can be printed");
        let again = store::read_evidence("evidence.yaml", text.as_bytes());
        assert_eq!(again.expect("what was printed can be read"), evidence);
    }
}

/// Reads a segment of a log, closed and still open.
pub fn segment(bytes: &[u8]) {
    store::segment_events("live.yaml", yaml::whole_part(bytes)).ok();
    if let Ok(events) = store::read_segment("segment.yaml", bytes) {
        let text = store::sealed(&events).expect("what was read can be printed");
        let again: Vec<model::Event> = store::read_segment("segment.yaml", text.as_bytes())
            .expect("what was printed can be read");
        assert_eq!(again, events);
    }
}

/// Reads a part of the taxonomy.
pub fn taxonomy(bytes: &[u8]) {
    store::read_taxonomy("taxonomy.yaml", bytes).ok();
}
