//! One process at a time carries a run out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Write};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, anyhow};

use crate::model::{Hint, RunId, Trouble};

/// How long is waited for the lock: a program that is just being started holds for a moment what its parent has let go of.
const PATIENCE: Duration = Duration::from_millis(50);

/// Held while a run is carried out; the system lets go of it when the process ends, however it ends.
///
/// The file says who holds it. Whoever ends in order empties it, so what else stands there is from processes that did not.
#[derive(Debug)]
pub struct RunLock {
    file: File,
    left: Vec<Holder>,
    in_order: bool,
}

/// Who held a lock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    pub process: u32,
    pub since: SystemTime,
    /// Whether the machine has been started anew since.
    pub rebooted: bool,
}

impl RunLock {
    /// Says whether a process holds the lock at `path` now.
    pub fn is_held(path: &Path) -> bool {
        File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock of `run`, or says who holds it. Its folder has to be there.
    pub fn take(path: &Path, run: &RunId) -> Result<RunLock> {
        let until = Instant::now() + PATIENCE;
        loop {
            let mut file = OpenOptions::new()
                .create(true)
                .truncate(false)
                .read(true)
                .write(true)
                .open(path)
                .with_context(|| format!("cannot open `{}`", path.display()))?;
            match file.try_lock() {
                Ok(()) if is_at(&file, path) => return RunLock::begin(file, path),
                // The run ended, and its folder with it, after we had opened the file.
                Ok(()) => {}
                Err(TryLockError::WouldBlock) if Instant::now() < until => {
                    std::thread::sleep(PATIENCE / 10);
                }
                Err(TryLockError::WouldBlock) => return busy(&mut file, run),
                Err(TryLockError::Error(error)) => {
                    return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
                }
            }
        }
    }

    /// Returns who held the lock and did not end in order, since somebody last did.
    pub fn left(&self) -> &[Holder] {
        &self.left
    }

    /// Lets go of the lock without saying that things are in order: the next one looks after them again.
    pub fn leave(mut self) {
        self.in_order = false;
    }

    fn begin(mut file: File, path: &Path) -> Result<RunLock> {
        let writing = || format!("cannot write `{}`", path.display());
        let since = file.metadata().and_then(|found| found.modified());
        let mut text = String::new();
        file.read_to_string(&mut text).with_context(writing)?;
        let since = since.with_context(writing)?;
        let left = text.lines().filter_map(|line| holder(line, since));
        let left: Vec<Holder> = left.collect();
        // One write at the end: a torn line would name another process.
        let line = format!("{}{} {}\n", end_of(&text), std::process::id(), boot());
        let written = file.write_all(line.as_bytes());
        // After a power cut it says whose half-written files are left.
        written
            .and_then(|()| file.sync_data())
            .with_context(writing)?;
        Ok(RunLock {
            file,
            left,
            in_order: true,
        })
    }
}

/// Returns what ends a last line that was cut off.
fn end_of(text: &str) -> &'static str {
    if text.is_empty() || text.ends_with('\n') {
        ""
    } else {
        "\n"
    }
}

impl Drop for RunLock {
    fn drop(&mut self) {
        if self.in_order {
            // Whatever fails here, the next one looks after what we left.
            self.file.set_len(0).ok();
        }
    }
}

fn busy<T>(file: &mut File, run: &RunId) -> Result<T> {
    let mut holder = String::new();
    file.read_to_string(&mut holder).ok();
    let last = holder.lines().last().unwrap_or_default();
    let process = last.split_whitespace().next().unwrap_or("another");
    Err(anyhow!(
        "run `{run}` is being carried out by process {process}"
    ))
    .kind(Trouble::Busy)
    .hint("wait for it, or stop it with Ctrl-C in its terminal")
}

fn holder(text: &str, since: SystemTime) -> Option<Holder> {
    let (process, boot_then) = text
        .trim_end()
        .split_once(' ')
        .unwrap_or((text.trim_end(), ""));
    Some(Holder {
        process: process.parse().ok()?,
        since,
        rebooted: boot_then != boot(),
    })
}

/// Returns what the kernel calls this start of the machine; without such a name no two are told apart.
fn boot() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map_or("-".to_owned(), |id| id.trim().to_owned())
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let id = |found: std::fs::Metadata| (found.dev(), found.ino());
    let there = path.metadata().map(id).ok();
    there.is_some() && file.metadata().map(id).ok() == there
}

#[cfg(not(unix))]
fn is_at(_file: &File, path: &Path) -> bool {
    path.exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_knows_who_left_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let run: RunId = "2026-11-22-api-7f3a.test".parse().unwrap();
        let lock = RunLock::take(&path, &run).unwrap();
        assert_eq!(lock.left(), []);
        assert!(RunLock::is_held(&path));
        let second = RunLock::take(&path, &run).unwrap_err().to_string();
        assert!(
            second.ends_with(&format!("process {}", std::process::id())),
            "{second}"
        );
        drop(lock);
        assert_eq!(RunLock::take(&path, &run).unwrap().left(), []);
        let check = |text: &str, expected: &[(u32, bool)]| {
            std::fs::write(&path, text).unwrap();
            RunLock::take(&path, &run).unwrap().leave();
            let lock = RunLock::take(&path, &run).unwrap();
            let left = lock.left().iter().map(|left| (left.process, left.rebooted));
            let ours = (std::process::id(), false);
            assert_eq!(
                left.collect::<Vec<_>>(),
                [expected, &[ours]].concat(),
                "{text:?}"
            );
        };
        check(&format!("4242 {}\n", boot()), &[(4242, false)]);
        check("4242 another-boot\n4343", &[(4242, true), (4343, true)]);
        check("", &[]);
    }
}
