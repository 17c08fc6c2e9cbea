//! Command lines and addresses, searched for what they fetch.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::payload(bytes))
);
