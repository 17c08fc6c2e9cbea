//! The YAML block at the start of a text.
#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| orchestrate_fuzz::timed(|| {
    orchestrate_fuzz::frontmatter(bytes)
}));
