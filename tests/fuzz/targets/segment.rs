//! Our own files: a segment of a run's log.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::segment(bytes))
);
