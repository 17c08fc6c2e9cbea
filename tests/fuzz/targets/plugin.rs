//! A folder that is judged as Claude Code judges plugins and marketplaces: manifest, hooks, servers, skills, `orchestrate.yaml`.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::judged(bytes))
);
