//! An npm archive into a tree: regular files alone, within bounds, and nothing in it runs.

use std::io::{self, BufReader, Read};
use std::sync::atomic::Ordering;

use anyhow::{Context, Result, anyhow, bail, ensure};
use flate2::read::MultiGzDecoder;
use tar::{Archive, Entry, EntryType};

use crate::fetch::write::NewTree;
use crate::fetch::{FetchOptions, Progress, Unit};
use crate::model::{Hint, Oid, Trouble};

/// The most that an archive may unpack to: in all, by its own size, in files, and in one file.
const UNPACKED_BYTES_MAX: u64 = 1024 * 1024 * 1024;
const RATIO_MAX: u64 = 100;
const FILES_MAX: u64 = 100_000;
const FILE_BYTES_MAX: u64 = 256 * 1024 * 1024;
/// What even the smallest archive may unpack to: headers alone shrink a thousandfold.
const UNPACKED_BYTES_MIN: u64 = 1024 * 1024;

/// Unpacks the archive of so many bytes, without the one folder that npm puts around everything.
pub fn unpack(
    archive: impl Read,
    packed: u64,
    git: &gix::Repository,
    options: &FetchOptions<'_>,
) -> Result<Oid> {
    let bytes_max = (packed * RATIO_MAX).clamp(UNPACKED_BYTES_MIN, UNPACKED_BYTES_MAX);
    let unpacked = Bounded {
        reader: MultiGzDecoder::new(BufReader::new(archive)),
        left: bytes_max,
    };
    let mut archive = Archive::new(unpacked);
    let mut tree = NewTree::new(git)?;
    let mut files = 0;
    for entry in archive
        .entries()
        .context("it is no archive")
        .kind(Trouble::Integrity)?
    {
        let entry = entry
            .context("the archive is damaged")
            .kind(Trouble::Integrity)?;
        if options.cancel.load(Ordering::Relaxed) {
            return Err(anyhow!("it was cancelled")).kind(Trouble::Interrupted);
        }
        files += 1;
        add(entry, files, &mut tree).kind(Trouble::Integrity)?;
        (options.progress)(Progress {
            done: files,
            total: None,
            unit: Unit::Files,
        });
    }
    tree.finish()
}

fn add(mut entry: Entry<'_, impl Read>, number: u64, tree: &mut NewTree<'_>) -> Result<()> {
    ensure!(
        number <= FILES_MAX,
        "the archive has more than {FILES_MAX} entries"
    );
    let name = String::from_utf8(entry.path_bytes().into_owned());
    let name = name.map_err(|_| anyhow!("the archive has a name that is not UTF-8"))?;
    let shown = name.escape_debug();
    match entry.header().entry_type() {
        EntryType::Regular | EntryType::Continuous => {}
        EntryType::Directory | EntryType::XGlobalHeader => return Ok(()),
        EntryType::Symlink | EntryType::Link => bail!("the archive has a link, `{shown}`"),
        other => bail!("the archive has `{shown}`, which is no file ({other:?})"),
    }
    let size = entry.size();
    ensure!(
        size <= FILE_BYTES_MAX,
        "`{shown}` has more than {FILE_BYTES_MAX} bytes"
    );
    let inner = name.strip_prefix("./").unwrap_or(&name);
    let Some((_, path)) = inner
        .split_once('/')
        .filter(|(folder, _)| !matches!(*folder, "" | ".." | "."))
    else {
        bail!("the archive has `{shown}` outside of its folder `package`");
    };
    let mut bytes = Vec::new();
    entry
        .read_to_end(&mut bytes)
        .with_context(|| format!("cannot unpack `{shown}`"))?;
    ensure!(
        bytes.len() as u64 == size,
        "the archive ends within `{shown}`"
    );
    let executable = entry.header().mode().is_ok_and(|mode| mode & 0o100 != 0);
    tree.add(path, &bytes, executable)
}

/// A reader that fails once it has given too much.
struct Bounded<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.reader.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            io::Error::other(format!(
                "the archive unpacks to more than {RATIO_MAX} times its size, or to more than {UNPACKED_BYTES_MAX} bytes"
            ))
        })?;
        Ok(length)
    }
}
