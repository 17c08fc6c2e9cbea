//! Other people's JSON, with the lines of what is in it.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::json(bytes))
);
