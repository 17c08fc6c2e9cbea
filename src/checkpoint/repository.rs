//! The user's repository: where it is, what is checked out, and who commits.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::Context;
use gix::bstr::{BStr, ByteSlice};

use super::discover::Settings;
use super::objects::oid;
use super::unsynced::Unsynced;
use crate::model::Oid;

/// A git repository with a working folder. Clones are cheap and share the list of what `sync` has to flush.
#[derive(Clone)]
pub struct Repository {
    shared: Arc<gix::ThreadSafeRepository>,
    work_directory: PathBuf,
    common_directory: PathBuf,
    settings: Settings,
    unsynced: Arc<Mutex<Unsynced>>,
}

/// What is checked out in the user's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Head {
    /// A branch by its short name; without a commit it is unborn.
    Branch { name: String, commit: Option<Oid> },
    /// A commit without a branch.
    Detached { commit: Oid },
}

impl Head {
    /// Returns the commit that is checked out, if there is one.
    pub fn commit(&self) -> Option<&Oid> {
        match self {
            Head::Branch { commit, .. } => commit.as_ref(),
            Head::Detached { commit } => Some(commit),
        }
    }
}

/// Who commits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub name: String,
    pub email: String,
    /// False when git knows no name and this is ours.
    pub configured: bool,
}

impl Repository {
    /// Takes over a repository opened by `discover`.
    pub(super) fn new(
        shared: gix::ThreadSafeRepository,
        work_directory: &Path,
        settings: Settings,
    ) -> anyhow::Result<Repository> {
        let canonical = |path: &Path| {
            std::fs::canonicalize(path)
                .with_context(|| format!("cannot find folder `{}`", path.display()))
        };
        let common_directory = canonical(shared.to_thread_local().common_dir())?;
        Ok(Repository {
            work_directory: canonical(work_directory)?,
            common_directory,
            settings,
            unsynced: Arc::default(),
            shared: Arc::new(shared),
        })
    }

    /// Returns the top of the user's working folder, absolute and without symbolic links.
    pub fn work_directory(&self) -> &Path {
        &self.work_directory
    }

    /// Returns the folder with objects and branches, absolute and without symbolic links.
    pub fn common_directory(&self) -> &Path {
        &self.common_directory
    }

    /// Returns what is checked out.
    pub fn head(&self) -> anyhow::Result<Head> {
        let git = self.git();
        let mut head = git.head().with_context(|| self.cannot("read HEAD of"))?;
        let commit = head
            .try_peel_to_id()
            .with_context(|| self.cannot("read HEAD of"))?
            .map(oid);
        let Some(full) = head.referent_name() else {
            let commit = commit.with_context(|| self.cannot("read HEAD of"))?;
            return Ok(Head::Detached { commit });
        };
        let name = full
            .as_bstr()
            .strip_prefix(b"refs/heads/")
            .with_context(|| format!("HEAD is at `{full:?}`, which is not a branch"))?;
        Ok(Head::Branch {
            name: BStr::new(name).to_string(),
            commit,
        })
    }

    /// Returns who commits: what git's configuration and environment say, else a name of our own.
    pub fn identity(&self) -> Identity {
        let git = self.git();
        if let Some(Ok(signature)) = git.committer() {
            let (name, email) = (clean(signature.name), clean(signature.email));
            if !name.is_empty() && !email.is_empty() {
                return Identity {
                    name,
                    email,
                    configured: true,
                };
            }
        }
        Identity {
            name: "orchestrate".into(),
            email: "orchestrate@localhost".into(),
            configured: false,
        }
    }

    /// Returns a handle for one operation; it sees what other processes have written since.
    pub(super) fn git(&self) -> gix::Repository {
        self.shared.to_thread_local()
    }

    pub(super) fn settings(&self) -> Settings {
        self.settings
    }

    pub(super) fn unsynced(&self) -> MutexGuard<'_, Unsynced> {
        // The list stays true whatever made its last holder panic.
        self.unsynced.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn cannot(&self, what: &str) -> String {
        format!(
            "cannot {what} repository `{}`",
            self.work_directory.display()
        )
    }
}

/// Drops what git drops from names and addresses, as it would end the field in a commit.
fn clean(text: &BStr) -> String {
    let kept = text.to_str_lossy();
    let kept = kept.replace(['<', '>', '\n', '\r', '\0'], "");
    kept.trim().to_owned()
}
