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
use std::time::Duration;

use orchestrate::catalog;
use orchestrate::model::{Source, Task};
use rustix::time::{ClockId, clock_gettime};

pub use fetched::{npm_archive, npm_metadata, npmrc};
pub use ours::{config, evidence, lock, pattern, plan, segment, strict_yaml, taxonomy};
pub use searched::{index, words};
pub use theirs::{frontmatter, hidden, json, judged, lenient_yaml, marketplace, payload};

/// The most that one input may take, in time of a processor: a machine that is busy with something else is no hang.
const TIME_MAX: Duration = Duration::from_secs(1);

/// Does the work on one input, which must not take too long.
pub fn timed(work: impl FnOnce()) {
    let before = processor_time();
    work();
    let taken = processor_time().saturating_sub(before);
    assert!(taken <= TIME_MAX, "it took {taken:?}");
}

fn processor_time() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec as u32)
}

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
