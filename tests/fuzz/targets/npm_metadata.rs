//! What a registry says of a package, after a line with the version that is wanted.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::npm_metadata(bytes)
}));
