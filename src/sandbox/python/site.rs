//! Where one environment stands in the cache, and who may build it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use sha2::{Digest, Sha256};

use super::interpreter::Interpreter;
use super::{PythonEnvironment, interrupted_if};
use crate::sandbox::Cancel;

/// Raised when environments are built in another way, so that older ones are not taken for these.
const FORMAT: u32 = 1;
/// How often we look whether another process has finished the same build.
const LOCK_TICK: Duration = Duration::from_millis(100);
/// The file that says an environment is whole.
const READY: &str = "ready";

/// Where one environment stands in the cache.
pub(super) struct Site {
    pub(super) cache: PathBuf,
    pub(super) root: PathBuf,
    /// The home folder of a build, removed after it.
    pub(super) scratch: PathBuf,
    lock: PathBuf,
}

impl Site {
    pub(super) fn new(
        cache: &Path,
        interpreter: &Interpreter,
        requirements: &[String],
    ) -> anyhow::Result<Site> {
        let environments = cache.join("environments");
        create(&environments)?;
        // The sandbox lets nobody write through a link, and a cache folder may well be one.
        let environments = canonical(&environments)?;
        let key = key(interpreter, requirements);
        Ok(Site {
            cache: canonical(cache)?,
            root: environments.join(&key),
            scratch: environments.join(format!("{key}.scratch")),
            lock: environments.join(format!("{key}.lock")),
        })
    }

    pub(super) fn environment(&self, interpreter: &Interpreter) -> PythonEnvironment {
        let mut read = vec![self.root.clone()];
        read.extend(
            interpreter
                .prefixes
                .iter()
                .filter(|prefix| prefix.parent().is_some())
                .cloned(),
        );
        read.dedup();
        PythonEnvironment {
            bin: self.root.join("bin"),
            root: self.root.clone(),
            read,
        }
    }

    pub(super) fn is_ready(&self) -> bool {
        self.root.join(READY).is_file()
    }

    pub(super) fn lock(
        &self,
        cancel: &Cancel,
        on_line: &mut dyn FnMut(&str),
    ) -> anyhow::Result<File> {
        let naming = || format!("cannot lock `{}`", self.lock.display());
        let file = File::create(&self.lock).with_context(naming)?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(fs::TryLockError::WouldBlock) => {}
                Err(fs::TryLockError::Error(error)) => return Err(error).with_context(naming),
            }
            if !told {
                on_line("waiting for another process that builds the same Python environment");
                told = true;
            }
            interrupted_if(cancel.sleep(LOCK_TICK))?;
        }
    }

    /// Makes empty folders where a build that was cut off may have left half of one.
    pub(super) fn clear(&self) -> anyhow::Result<()> {
        for folder in [&self.root, &self.scratch] {
            remove(folder)?;
            create(folder)?;
        }
        Ok(())
    }

    /// Declares the environment whole, or removes what a failed build left.
    pub(super) fn finish(&self, whole: bool) -> anyhow::Result<()> {
        remove(&self.scratch)?;
        if !whole {
            return remove(&self.root);
        }
        let ready = self.root.join(READY);
        fs::write(&ready, "").with_context(|| format!("cannot write `{}`", ready.display()))
    }
}

fn key(interpreter: &Interpreter, requirements: &[String]) -> String {
    let mut sorted = requirements.to_vec();
    sorted.sort();
    sorted.dedup();
    let mut hash = Sha256::new();
    let executable = interpreter.executable.display().to_string();
    for part in [&FORMAT.to_string(), &interpreter.version, &executable]
        .into_iter()
        .chain(&sorted)
    {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    // Half of the digest: the first line of a script, which holds this path, has a limit.
    hash.finalize()[..16]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

pub(super) fn create(folder: &Path) -> anyhow::Result<()> {
    fs::create_dir_all(folder).with_context(|| format!("cannot create `{}`", folder.display()))
}

fn canonical(folder: &Path) -> anyhow::Result<PathBuf> {
    folder
        .canonicalize()
        .with_context(|| format!("cannot find `{}`", folder.display()))
}

fn remove(folder: &Path) -> anyhow::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove `{}`", folder.display()))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(version: &str, requirements: &[&str], same: bool) {
        let of = |version: &str, requirements: &[&str]| {
            let interpreter = Interpreter {
                executable: "/usr/bin/python3".into(),
                version: version.to_owned(),
                prefixes: vec![],
            };
            let requirements: Vec<String> =
                requirements.iter().map(|&text| text.to_owned()).collect();
            key(&interpreter, &requirements)
        };
        assert_eq!(of("3.12", &["a", "b"]) == of(version, requirements), same);
    }

    #[test]
    fn an_environment_is_shared_by_those_who_want_the_same() {
        check("3.12", &["a", "b"], true);
        check("3.12", &["b", "a", "b"], true);
        check("3.13", &["a", "b"], false);
        check("3.12", &["a"], false);
        check("3.12", &["ab"], false);
    }
}
