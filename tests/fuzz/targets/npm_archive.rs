//! The archive of a package, packed or (to get further) packed by the target.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::npm_archive(bytes)
}));
