//! A linked worktree outside the user's checkout, on a detached `HEAD`.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Context, anyhow};

use super::folder::{Folder, Kind};
use super::repository::Repository;
use super::stamps::{FileStamp, Stamps};
use crate::model::{Hint, Oid, Trouble};

/// A folder for steps to work in, which `git worktree list` shows to the user.
pub struct Worktree {
    repository: Repository,
    path: PathBuf,
    /// The folder in `.git/worktrees` that belongs to it.
    administration: PathBuf,
    stamps: Mutex<Stamps>,
    /// A part of our own folder that steps do not see.
    hidden: Option<&'static str>,
}

impl Worktree {
    /// Opens the worktree at `path`, mending or making what is missing of it; a new one is empty until `restore`.
    ///
    /// `commit` becomes the `HEAD` of a new one; an existing one keeps its own, and its files. Fails when something that is
    /// not ours stands in the way.
    pub fn open_or_add(
        repository: &Repository,
        path: &Path,
        commit: &Oid,
    ) -> anyhow::Result<Worktree> {
        let path = make_folder(path)?;
        let administration = match find_administration(repository, &path)? {
            Some(found) => found,
            None => {
                refuse_foreign(repository, &path)?;
                make_administration(repository, &path, commit)?
            }
        };
        let worktree = Worktree {
            repository: repository.clone(),
            path,
            administration,
            stamps: Mutex::default(),
            hidden: None,
        };
        worktree.mend(commit)?;
        Ok(worktree)
    }

    /// Leaves a folder out, `.orchestrate/NAME`, whenever a step's folder is prepared: what grows with a run would make each of its
    /// steps dearer than the one before.
    pub fn hiding(mut self, path: &'static str) -> Worktree {
        self.hidden = Some(path);
        self
    }

    pub(super) fn hidden(&self) -> Option<&'static str> {
        self.hidden
    }

    /// Removes the worktree at `path` with what git keeps about it, whatever is missing of it.
    pub fn remove_at(repository: &Repository, path: &Path) -> anyhow::Result<()> {
        let Ok(path) = std::fs::canonicalize(path) else {
            return Ok(());
        };
        refuse_foreign(repository, &path)?;
        if let Some(administration) = find_administration(repository, &path)? {
            remove_administration(repository, &administration)?;
        }
        remove_folder(&path)
    }

    /// Returns the folder, absolute and without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Moves the detached `HEAD`; files and index follow at the next `restore`.
    pub fn set_head(&self, commit: &Oid) -> anyhow::Result<()> {
        self.write("HEAD", format!("{commit}\n").as_bytes())
    }

    pub(super) fn repository(&self) -> &Repository {
        &self.repository
    }

    pub(super) fn stamps(&self) -> MutexGuard<'_, Stamps> {
        // Whatever was learnt before a panic is still true of the files.
        self.stamps.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the worktree's folder.
    pub(super) fn folder(&self) -> anyhow::Result<Folder> {
        Folder::open(&self.path)
    }

    /// Returns what the `.git` file of the worktree has to say.
    fn pointer(&self) -> Vec<u8> {
        let path = self.administration.as_os_str().as_encoded_bytes();
        [b"gitdir: ", path, b"\n"].concat()
    }

    /// Returns whether the `.git` file is what it has to be.
    pub(super) fn pointer_is_ours(&self, folder: &Folder) -> anyhow::Result<bool> {
        match folder.look(b".git")? {
            Some(stamp) if stamp.kind == Kind::File => {
                let expected = self.pointer();
                let found = folder.read(b".git", expected.len() as u64);
                Ok(found.is_ok_and(|bytes| bytes.as_ref() == Some(&expected)))
            }
            _ => Ok(false),
        }
    }

    /// Writes the `.git` file anew when it is not what it has to be.
    pub(super) fn mend_pointer(&self, folder: &Folder) -> anyhow::Result<()> {
        if self.pointer_is_ours(folder)? {
            return Ok(());
        }
        folder.remove(b".git")?;
        folder.write(b".git", &self.pointer(), false)
    }

    /// Returns a stamp of the index, by which we see that somebody else has written it.
    pub(super) fn index_stamp(&self) -> FileStamp {
        let metadata = std::fs::symlink_metadata(self.administration.join("index")).ok()?;
        Some((metadata.modified().ok()?, metadata.ino()))
    }

    fn mend(&self, commit: &Oid) -> anyhow::Result<()> {
        let pointer_path = self.path.join(".git");
        let gitdir = [pointer_path.as_os_str().as_encoded_bytes(), b"\n"].concat();
        self.write_if_other("gitdir", &gitdir)?;
        self.write_if_other("commondir", b"../..\n")?;
        let head = std::fs::read_to_string(self.administration.join("HEAD")).unwrap_or_default();
        if Oid::try_from(head.trim_end().to_owned()).is_err() {
            self.write("HEAD", format!("{commit}\n").as_bytes())?;
        }
        self.mend_pointer(&self.folder()?)?;
        match std::fs::remove_file(self.administration.join("locked")) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error)
                .with_context(|| format!("cannot unlock worktree `{}`", self.path.display())),
            _ => Ok(()),
        }
    }

    fn write_if_other(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        match std::fs::read(self.administration.join(name)) {
            Ok(found) if found == bytes => Ok(()),
            _ => self.write(name, bytes),
        }
    }

    /// Replaces a file of ours in `.git/worktrees`, all of it or nothing.
    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> anyhow::Result<()> {
        let path = self.administration.join(name);
        let new = self.administration.join(format!("{name}.new"));
        std::fs::write(&new, bytes)
            .and_then(|()| std::fs::rename(&new, &path))
            .with_context(|| format!("cannot write `{}`", path.display()))
    }
}

/// Removes a folder, following no link in it.
fn remove_folder(path: &Path) -> anyhow::Result<()> {
    let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else {
        return Ok(());
    };
    match Folder::open(parent) {
        Ok(folder) => folder.remove(name.as_encoded_bytes()),
        Err(_) if !parent.exists() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those above it; returns its path without symbolic links.
fn make_folder(path: &Path) -> anyhow::Result<PathBuf> {
    let cannot = || format!("cannot make folder `{}`", path.display());
    std::fs::create_dir_all(path).with_context(cannot)?;
    std::fs::canonicalize(path).with_context(cannot)
}

/// Finds what git keeps about the worktree at `path`.
fn find_administration(repository: &Repository, path: &Path) -> anyhow::Result<Option<PathBuf>> {
    let all = repository.common_directory().join("worktrees");
    let list = match std::fs::read_dir(&all) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        other => other.with_context(|| format!("cannot list `{}`", all.display()))?,
    };
    for entry in list {
        let folder = entry
            .with_context(|| format!("cannot list `{}`", all.display()))?
            .path();
        let Ok(text) = std::fs::read(folder.join("gitdir")) else {
            continue;
        };
        // Newer versions of git can be told to write this path relative to the folder it stands in.
        let pointer = folder.join(super::folder::name_to_path(text.trim_ascii_end()));
        if pointer.parent().is_some_and(|place| is_same(place, path)) {
            return Ok(Some(folder));
        }
    }
    Ok(None)
}

fn is_same(place: &Path, path: &Path) -> bool {
    place == path || std::fs::canonicalize(place).is_ok_and(|place| place == path)
}

/// Fails when a folder that git does not list holds somebody else's repository.
fn refuse_foreign(repository: &Repository, path: &Path) -> anyhow::Result<()> {
    let pointer = path.join(".git");
    let ours = repository.common_directory().join("worktrees");
    let found = match std::fs::symlink_metadata(&pointer) {
        Err(_) => return Ok(()),
        // As a power cut leaves it: it leads nowhere, so to nobody else.
        Ok(metadata) if metadata.is_file() && metadata.len() == 0 => return Ok(()),
        Ok(metadata) if metadata.is_file() => std::fs::read_to_string(&pointer).unwrap_or_default(),
        Ok(_) => String::new(),
    };
    let target = found.trim_end().strip_prefix("gitdir: ").map(Path::new);
    if target.is_some_and(|target| target.starts_with(&ours)) {
        return Ok(());
    }
    Err(anyhow!(
        "`{}` belongs to another repository",
        path.display()
    ))
    .kind(Trouble::Busy)
    .hint(format!(
        "when nothing in it is needed: `rm -r {}`",
        path.display()
    ))
}

/// Makes what git keeps about the worktree at `path`, whole: git takes a part of it for damage.
fn make_administration(
    repository: &Repository,
    path: &Path,
    commit: &Oid,
) -> anyhow::Result<PathBuf> {
    let all = repository.common_directory().join("worktrees");
    let making = || format!("cannot make a worktree in `{}`", all.display());
    std::fs::create_dir_all(&all).with_context(making)?;
    let new = aside(repository);
    let pointer = path.join(".git");
    let gitdir = [pointer.as_os_str().as_encoded_bytes(), b"\n"].concat();
    let write = || -> std::io::Result<()> {
        std::fs::create_dir(&new)?;
        std::fs::write(new.join("gitdir"), gitdir)?;
        std::fs::write(new.join("commondir"), "../..\n")?;
        std::fs::write(new.join("HEAD"), format!("{commit}\n"))?;
        // Without it a `git gc` would take the worktree for one that is gone, as its folder does not point here yet.
        std::fs::write(new.join("locked"), "initializing\n")
    };
    let named = write()
        .with_context(making)
        .and_then(|()| name(&new, &all, path));
    named.inspect_err(|_| drop(std::fs::remove_dir_all(&new)))
}

/// Gives a new folder the first name in `all` that is free.
fn name(new: &Path, all: &Path, path: &Path) -> anyhow::Result<PathBuf> {
    let name = path.file_name().and_then(|name| name.to_str());
    let plain = |char: char| {
        if char.is_ascii_alphanumeric() {
            char
        } else {
            '-'
        }
    };
    let name: String = name.unwrap_or("worktree").chars().map(plain).collect();
    for number in 0..=u32::MAX {
        let folder = match number {
            0 => all.join(&name),
            _ => all.join(format!("{name}-{number}")),
        };
        match std::fs::rename(new, &folder) {
            Ok(()) => return Ok(folder),
            Err(_) if folder.exists() => {}
            Err(error) => {
                return Err(error).with_context(|| format!("cannot make `{}`", folder.display()));
            }
        }
    }
    anyhow::bail!("every name for a worktree is taken in `{}`", all.display())
}

/// Returns a new name in git's folder for what is not complete; it bears our process's number.
fn aside(repository: &Repository) -> PathBuf {
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let prefix = aside_prefix(std::process::id());
    repository
        .common_directory()
        .join(format!("{prefix}{number}"))
}

/// Returns what the names begin with of the folders that a process has not completed, or not removed altogether.
pub(super) fn aside_prefix(process: u32) -> String {
    format!("orchestrate-{process}-")
}

/// Removes what git keeps about a worktree; git never sees a part of it.
fn remove_administration(repository: &Repository, administration: &Path) -> anyhow::Result<()> {
    let gone = aside(repository);
    match std::fs::rename(administration, &gone) {
        Ok(()) => remove_folder(&gone),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        Err(error) => {
            Err(error).with_context(|| format!("cannot remove `{}`", administration.display()))
        }
    }
}

#[cfg(test)]
mod tests;
