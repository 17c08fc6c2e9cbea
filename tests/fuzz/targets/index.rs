//! The bytes of an index, with the checksum of its table made right.
#![no_main]

libfuzzer_sys::fuzz_target!(
    |bytes: &[u8]| orchestrate_fuzz::timed(|| orchestrate_fuzz::index(bytes))
);
