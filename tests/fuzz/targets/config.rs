//! Our own files: settings, read and edited.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::config(bytes))
);
