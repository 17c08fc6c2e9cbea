//! One bare repository of the cache: found by where its content comes from, held by one process at a time, and believed by records.

use std::fs::{self, File, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use gix::refs::transaction::PreviousValue;
use serde::{Deserialize, Serialize};

use super::{FetchOptions, Progress, Unit};
use crate::model::{Hint, Oid, Revision, SCHEMA, Trouble};
use crate::tree::of_bytes;

/// How long another process is waited for.
const WAIT_S_MAX: u64 = 600;

/// What to do about a cache that cannot be written.
const WRITABLE: &str = "give `XDG_CACHE_HOME` a folder that can be written";

/// Where what comes from one origin is kept.
pub struct Place {
    path: PathBuf,
}

/// The right to change a place, until it is dropped.
pub struct Held(#[expect(dead_code, reason = "the lock is given up when the file is closed")] File);

/// A file that says what was asked of an origin, and what it came to.
#[derive(Serialize, Deserialize)]
struct Record {
    schema: u32,
    asked: String,
    revision: Revision,
}

impl Place {
    /// Returns the place for an origin; nothing is made yet.
    pub fn new(cache: &Path, origin: &str) -> Place {
        Place {
            path: cache.join(format!("{}-{}.git", slug(origin), digest(origin, 12))),
        }
    }

    /// Returns the bare repository's folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns what the question last came to, or none where it was never answered.
    pub fn recorded(&self, asked: &str) -> Result<Option<Revision>> {
        let path = self.record_path(asked);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => {
                return Err(error).with_context(|| format!("cannot read `{}`", path.display()));
            }
        };
        // What cannot be read is fetched anew: the cache is not the only copy.
        let record: Option<Record> = serde_json::from_slice(&text).ok();
        let record = record.filter(|record| record.schema == SCHEMA && record.asked == asked);
        match record {
            Some(record) if self.holds(&record.revision.tree)? => Ok(Some(record.revision)),
            _ => Ok(None),
        }
    }

    /// Says whether the tree is here, and with it all that it holds.
    pub fn holds(&self, tree: &Oid) -> Result<bool> {
        if !self.path.join("HEAD").is_file() {
            return Ok(false);
        }
        let id = gix::ObjectId::from_hex(tree.as_str().as_bytes())?;
        // What cannot be read is fetched anew: the cache is not the only copy.
        Ok(open(&self.path).is_ok_and(|git| git.find_tree(id).is_ok()))
    }

    /// Keeps the revision from `git gc`, then says that it is what was asked for.
    pub fn record(&self, git: &gix::Repository, asked: &str, revision: &Revision) -> Result<()> {
        let cannot = || format!("cannot write into `{}`", self.path.display());
        let kept = revision.commit.as_ref().unwrap_or(&revision.tree);
        let id = gix::ObjectId::from_hex(kept.as_str().as_bytes())?;
        let name = format!("refs/orchestrate/kept/{kept}");
        git.reference(name, id, PreviousValue::Any, "fetch")
            .with_context(cannot)?;
        let record = Record {
            schema: SCHEMA,
            asked: asked.to_string(),
            revision: revision.clone(),
        };
        let path = self.record_path(asked);
        let new = path.with_extension("new");
        fs::create_dir_all(path.parent().expect("a record is in a folder")).with_context(cannot)?;
        fs::write(&new, serde_json::to_vec_pretty(&record)?).with_context(cannot)?;
        fs::rename(&new, &path).with_context(cannot)
    }

    /// Returns where an unfinished download is kept for the next one.
    pub fn partial(&self, name: &str) -> Result<PathBuf> {
        let folder = self.partials();
        fs::create_dir_all(&folder)
            .with_context(|| format!("cannot make the folder `{}`", folder.display()))?;
        Ok(folder.join(digest(name, 32)))
    }

    /// Removes unfinished downloads, those of versions that nobody asks for any more among them.
    pub fn remove_partials(&self) -> Result<()> {
        let folder = self.partials();
        fs::remove_dir_all(&folder).with_context(|| format!("cannot remove `{}`", folder.display()))
    }

    fn partials(&self) -> PathBuf {
        self.path.join("orchestrate").join("partial")
    }

    /// Waits until no other process changes this place.
    pub fn hold(&self, source: &str, options: &FetchOptions<'_>) -> Result<Held> {
        let path = self.path.with_extension("lock");
        let cannot = || format!("cannot lock `{}`", path.display());
        let cache = path.parent().expect("a place is in the cache");
        fs::create_dir_all(cache)
            .with_context(cannot)
            .kind(Trouble::Missing)
            .hint(WRITABLE)?;
        let mut open = File::options();
        let mut file = open
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .with_context(cannot)
            .kind(Trouble::Missing)
            .hint(WRITABLE)?;
        let started = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => break,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
            }
            let waited = started.elapsed().as_secs();
            if waited > WAIT_S_MAX || options.cancel.load(Ordering::Relaxed) {
                let holder = holder(&mut file);
                return Err(anyhow!(
                    "{holder} is fetching from where `{source}` comes from"
                ))
                .kind(Trouble::Busy)
                .hint("wait for it, or end it");
            }
            (options.progress)(Progress {
                done: waited,
                total: None,
                unit: Unit::Waiting,
            });
            std::thread::sleep(Duration::from_millis(50));
        }
        let pid = std::process::id().to_string();
        file.set_len(0)
            .and_then(|()| file.write_all(pid.as_bytes()))
            .with_context(cannot)?;
        Ok(Held(file))
    }

    /// Opens the repository, and makes it where there is none; the place has to be held.
    pub fn repository(&self) -> Result<gix::Repository> {
        let cannot = || format!("cannot make the repository `{}`", self.path.display());
        if self.path.exists() {
            self.remove_leftovers()?;
            if let Some(git) = self.sound() {
                return Ok(git);
            }
            fs::remove_dir_all(&self.path).with_context(cannot)?;
        }
        // Made beside its place and moved there whole: a repository that is half made is never opened.
        let new = self.path.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new).with_context(cannot)?;
        }
        gix::init_bare(&new).with_context(cannot)?;
        fs::rename(&new, &self.path).with_context(cannot)?;
        open(&self.path)
    }

    /// Returns the repository where all revisions that were recorded can be read; a fetch would build upon what is damaged.
    fn sound(&self) -> Option<gix::Repository> {
        let git = open(&self.path).ok()?;
        let kept = git.references().ok()?;
        let readable = |mut kept: gix::Reference<'_>| kept.peel_to_tree().is_ok();
        let all = kept
            .prefixed("refs/orchestrate/kept/")
            .ok()?
            .all(|kept| kept.is_ok_and(readable));
        all.then_some(git)
    }

    /// Removes the locks and unfinished packs of a process that was killed: whoever holds the place knows that it is gone.
    fn remove_leftovers(&self) -> Result<()> {
        let refs = self.path.join("refs").join("orchestrate");
        let folders = [
            self.path.clone(),
            refs.join("incoming"),
            refs.join("kept"),
            self.path.join("objects/pack"),
        ];
        for entry in folders
            .iter()
            .filter_map(|folder| fs::read_dir(folder).ok())
            .flatten()
        {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_lock = name.ends_with(".lock") && name != "packed-refs.lock";
            if is_lock || name.starts_with(".tmp") {
                fs::remove_file(&path)
                    .with_context(|| format!("cannot remove `{}`", path.display()))?;
            }
        }
        Ok(())
    }

    fn record_path(&self, asked: &str) -> PathBuf {
        let name = format!("{}.json", digest(asked, 32));
        self.path.join("orchestrate").join(name)
    }
}

/// Opens a repository with nobody's settings but its own.
fn open(path: &Path) -> Result<gix::Repository> {
    let options = gix::open::Options::isolated().open_path_as_is(true);
    let shared = gix::ThreadSafeRepository::open_opts(path, options);
    let shared = shared
        .with_context(|| format!("cannot open the repository `{}`", path.display()))
        .hint("it is a part of the cache, and can be removed")?;
    Ok(shared.to_thread_local())
}

/// Returns a few readable characters of an origin.
fn slug(origin: &str) -> String {
    let plain = |c: char| {
        if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            '-'
        }
    };
    let without_scheme = origin.split_once("://").map_or(origin, |(_, rest)| rest);
    let without_end = without_scheme.trim_end_matches(".git");
    let slug: String = without_end.chars().map(plain).collect();
    let start = slug.len().saturating_sub(40);
    slug[start..].trim_matches('-').to_string()
}

fn digest(text: &str, length: usize) -> String {
    of_bytes(text.as_bytes()).short(length).to_string()
}

/// Returns who holds the lock, as they wrote into it.
fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let _ = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match text.parse::<u32>() {
        Ok(pid) => format!("process {pid}"),
        Err(_) => "another process".to_string(),
    }
}
