//! Our own files: a part of the taxonomy.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::taxonomy(bytes))
);
