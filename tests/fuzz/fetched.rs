//! What comes from an npm registry.

use std::io::Write;
use std::str;
use std::sync::LazyLock;
use std::sync::atomic::AtomicBool;

use flate2::Compression;
use flate2::write::GzEncoder;
use orchestrate::fetch::FetchOptions;
use orchestrate::fetch::npm::{Release, Settings, unpack};

/// An empty repository; what an input writes into it stays in memory and goes with the input.
static REPOSITORY: LazyLock<gix::ThreadSafeRepository> = LazyLock::new(|| {
    let folder = tempfile::tempdir()
        .expect("there is a place for files")
        .keep();
    let git = gix::init_bare(&folder).expect("an empty folder becomes a repository");
    git.into_sync()
});

/// Reads the settings of npm.
pub fn npmrc(bytes: &[u8]) {
    let settings = Settings::read(&String::from_utf8_lossy(bytes));
    for package in ["left-pad", "@acme/tools"] {
        settings.registry_of(package).ok();
    }
}

/// Chooses a version by the first line among those of the rest.
pub fn npm_metadata(bytes: &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'\n');
    let (wanted, answer) = bytes.split_at(at.unwrap_or_default());
    if let Ok(wanted) = str::from_utf8(wanted) {
        Release::of(answer, wanted).ok();
    }
}

/// Unpacks an archive that is packed already where it begins as gzip does.
pub fn npm_archive(bytes: &[u8]) {
    let packed;
    let archive = match bytes.starts_with(&[0x1f, 0x8b]) {
        true => bytes,
        false => {
            let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
            encoder.write_all(bytes).expect("a vector takes all");
            packed = encoder.finish().expect("a vector takes all");
            &packed
        }
    };
    let options = FetchOptions {
        offline: true,
        update: false,
        may_ask: false,
        progress: &|_| (),
        cancel: &AtomicBool::new(false),
    };
    let git = REPOSITORY.to_thread_local().with_object_memory();
    unpack(archive, archive.len() as u64, &git, &options).ok();
}
