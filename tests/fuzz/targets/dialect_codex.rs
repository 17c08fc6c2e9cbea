//! A marketplace of the dialect of Codex: its catalogue, and each plugin in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::marketplace("codex", bytes)
}));
