//! What the fuzz targets share: each function here gives bytes to one parser, which may refuse them and must not panic, hang or swell.
//!
//! Nothing here touches the network, and only `index` and `words` touch the disk. Where it is cheap, what was read is held against
//! what it has to be: printed files read as what they were, and no line of an oddity lies outside of its file.
//!
//! A new parser is a function here, three lines in `targets/`, a `[[bin]]` in `Cargo.toml`, and a small input in `seeds/`.

mod fetched;
mod ours;
mod searched;
mod theirs;

use std::str;

use orchestrate::catalog;
use orchestrate::model::{Source, Task};

pub use fetched::{npm_archive, npm_metadata, npmrc};
pub use ours::{config, evidence, lock, pattern, plan, segment, strict_yaml, taxonomy};
pub use searched::{index, words};
pub use theirs::{frontmatter, hidden, json, judged, lenient_yaml, marketplace, payload};

/// Reads a task.
pub fn task(bytes: &[u8]) {
    if let Ok(text) = str::from_utf8(bytes) {
        Task::parse(text).ok();
    }
}

/// Reads a source; what is followed for a stranger is followed for a person, and is spelled as it is read.
pub fn source(bytes: &[u8]) {
    let Ok(text) = str::from_utf8(bytes) else {
        return;
    };
    let Ok(source) = Source::parse(text, false) else {
        return;
    };
    assert_eq!(source.clone().checked().ok().as_ref(), Some(&source));
    if let Ok(strange) = source.checked_as_stranger() {
        assert_eq!(strange.clone().checked().ok(), Some(strange));
    }
}

/// Returns the dialect of this name.
fn dialect(name: &str) -> &'static catalog::Dialect {
    let mut dialects = catalog::DIALECTS.iter();
    let found = dialects.find(|dialect| dialect.name == name);
    found.expect("each target names a dialect that there is")
}
