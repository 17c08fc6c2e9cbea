//! What is known about the files of a worktree, so that unchanged ones are not read again.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use super::folder::Stamp;

/// How far the clock of a file system may lag behind ours; kernels stamp files with the time of the last timer tick.
const TICK_NS: i128 = 50_000_000;

/// The same for file systems that count in whole seconds, or in steps of two.
const COARSE_TICK_NS: i128 = 2_000_000_000;

/// The object a file had as its content when its stamp was taken.
#[derive(Clone)]
pub(super) struct Known {
    pub stamp: Stamp,
    pub id: gix::ObjectId,
    taken: (i64, u32),
}

/// When a file was written, and which one it is; None when there is none.
pub(super) type FileStamp = Option<(SystemTime, u64)>;

/// Known contents by path, and the index that was written from them.
#[derive(Default)]
pub(super) struct Stamps {
    known: HashMap<Vec<u8>, Known>,
    indexed: Option<(gix::ObjectId, FileStamp)>,
}

impl Stamps {
    /// Returns the object at `path` when its stamp proves that the content is still the same.
    pub fn unchanged(&self, path: &[u8], stamp: &Stamp) -> Option<&Known> {
        let known = self.known.get(path)?;
        // A change in the clock tick in which the stamp was taken would leave the stamp as it is.
        (known.stamp == *stamp && is_older(stamp.changed, known.taken)).then_some(known)
    }

    /// Returns what was last learnt about `path`.
    pub fn get(&self, path: &[u8]) -> Option<&Known> {
        self.known.get(path)
    }

    /// Returns the beginning of what the next walk learns.
    pub fn successor(&self) -> Stamps {
        Stamps {
            known: HashMap::with_capacity(self.known.len()),
            indexed: self.indexed,
        }
    }

    /// Returns the tree and the stamp of the index last written, as long as its files are as they were then.
    pub fn indexed(&self) -> Option<&(gix::ObjectId, FileStamp)> {
        self.indexed.as_ref()
    }

    /// Remembers that the index was written.
    pub fn set_indexed(&mut self, tree: gix::ObjectId, stamp: FileStamp) {
        self.indexed = Some((tree, stamp));
    }

    /// Remembers the content of `path`; `taken` is a time not after the moment its stamp was taken.
    pub fn learn(&mut self, path: &[u8], stamp: Stamp, id: gix::ObjectId, taken: (i64, u32)) {
        self.indexed = None;
        self.known.insert(path.to_vec(), Known { stamp, id, taken });
    }

    /// Carries an entry over as it is.
    pub fn keep(&mut self, path: &[u8], known: Known) {
        self.known.insert(path.to_vec(), known);
    }
}

/// Returns the time in seconds and nanoseconds since the epoch.
pub(super) fn now() -> (i64, u32) {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    (since.as_secs() as i64, since.subsec_nanos())
}

fn is_older(changed: (i64, u32), taken: (i64, u32)) -> bool {
    let nanoseconds =
        |(seconds, rest): (i64, u32)| i128::from(seconds) * 1_000_000_000 + i128::from(rest);
    let tick = if changed.1 == 0 {
        COARSE_TICK_NS
    } else {
        TICK_NS
    };
    nanoseconds(changed) + tick < nanoseconds(taken)
}

#[cfg(test)]
mod tests {
    use super::is_older;

    fn check(changed: (i64, u32), taken: (i64, u32), older: bool) {
        assert_eq!(is_older(changed, taken), older, "{changed:?} {taken:?}");
    }

    #[test]
    fn a_file_changed_in_the_same_tick_is_read_again() {
        check((100, 1_000), (100, 1_000), false);
        check((100, 1_000), (100, 50_000_000), false);
        check((100, 1_000), (100, 60_000_000), true);
        check((100, 1_000), (101, 0), true);
    }

    #[test]
    fn whole_seconds_mean_a_coarse_clock() {
        check((100, 0), (101, 999_999_999), false);
        check((100, 0), (103, 0), true);
    }

    #[test]
    fn a_time_in_the_future_proves_nothing() {
        check((200, 5), (100, 0), false);
    }
}
