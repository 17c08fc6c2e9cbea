//! A marketplace of the dialect of claude-code-templates: its catalogue, and each plugin in it.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::marketplace("claude-code-templates", bytes)
}));
