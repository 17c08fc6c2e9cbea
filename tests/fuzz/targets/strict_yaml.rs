//! The subset of YAML that our own files are written in; what is read can be printed and read again.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::strict_yaml(bytes)
}));
