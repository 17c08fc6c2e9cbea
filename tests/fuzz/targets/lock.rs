//! Our own files: a lock.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::lock(bytes))
);
