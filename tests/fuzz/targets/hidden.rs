//! Texts, searched for what a reviewer does not see.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::hidden(bytes))
);
