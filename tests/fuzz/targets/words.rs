//! A query over texts, cut into words; the same with and without an index.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::words(bytes))
);
