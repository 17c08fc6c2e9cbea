//! One process at a time carries a run out.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use crate::model::{Hint, RunId, Trouble};

/// Held while a run is carried out; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Says whether a process holds the lock at `path` now.
    pub fn is_held(path: &Path) -> bool {
        File::open(path)
            .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
    }

    /// Takes the lock of `run`, or says who holds it.
    pub fn take(path: &Path, run: &RunId) -> Result<RunLock> {
        let mut file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .open(path)
            .with_context(|| format!("cannot open `{}`", path.display()))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                file.read_to_string(&mut holder).ok();
                return Err(anyhow!(
                    "run `{run}` is being carried out by process {}",
                    holder.trim()
                ))
                .kind(Trouble::Busy)
                .hint("wait for it, or stop it with Ctrl-C in its terminal");
            }
            Err(TryLockError::Error(error)) => {
                return Err(error).with_context(|| format!("cannot lock `{}`", path.display()));
            }
        }
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        Ok(RunLock { _file: file })
    }
}
