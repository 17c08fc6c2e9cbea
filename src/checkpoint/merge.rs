//! Bringing a finished run into the user's branch.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, anyhow};

use super::discover::Settings;
use super::folder::{Folder, Kind};
use super::objects::git_id;
use super::repository::{Head, Repository};
use super::stamps::FileStamp;
use super::tree::ChangeKind;
use super::unsynced::flush_all;
use crate::model::{Hint, Oid, Trouble};

/// What became of a merge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Merge {
    Done,
    /// Nothing was changed, and why.
    Refused {
        why: String,
    },
}

/// The command that moves a branch with its files. Whatever the user's configuration adds, it neither stashes nor overwrites
/// anything of theirs.
const FAST_FORWARD: [&str; 7] = [
    "merge",
    "--ff-only",
    "--no-squash",
    "--no-autostash",
    "--no-overwrite-ignore",
    "--no-stat",
    "--quiet",
];

/// The variables that tell git about another repository than the one in its folder.
const REPOSITORY_VARIABLES: [&str; 8] = [
    "GIT_DIR",
    "GIT_WORK_TREE",
    "GIT_INDEX_FILE",
    "GIT_COMMON_DIR",
    "GIT_OBJECT_DIRECTORY",
    "GIT_ALTERNATE_OBJECT_DIRECTORIES",
    "GIT_NAMESPACE",
    "GIT_PREFIX",
];

impl Repository {
    /// Returns whether the user's files and index agree with `HEAD`; untracked files and submodules do not count.
    pub fn is_clean(&self) -> anyhow::Result<bool> {
        let git = self.git();
        let cannot = || self.cannot("read the status of");
        if git.index_or_empty().with_context(cannot)?.is_sparse() {
            return self.is_clean_by_git();
        }
        let mut changes = git
            .status(gix::progress::Discard)
            .with_context(cannot)?
            .untracked_files(gix::status::UntrackedFiles::None)
            .index_worktree_rewrites(None)
            .tree_index_track_renames(gix::status::tree_index::TrackRenames::Disabled)
            .index_worktree_submodules(gix::status::Submodule::Given {
                ignore: gix::submodule::config::Ignore::All,
                check_dirty: true,
            })
            .into_iter(None)
            .with_context(cannot)?;
        Ok(changes.next().transpose().with_context(cannot)?.is_none())
    }

    /// Asks the git program, as gix does not read the index of a sparse checkout in which folders stand for their files.
    fn is_clean_by_git(&self) -> anyhow::Result<bool> {
        let arguments = [
            "status",
            "--porcelain",
            "--untracked-files=no",
            "--ignore-submodules=all",
        ];
        let output = self.run_git(&arguments)?;
        anyhow::ensure!(
            output.status.success(),
            "{}: {}",
            self.cannot("read the status of"),
            last_words(&output.stderr)
        );
        Ok(output.stdout.is_empty())
    }

    /// Moves the user's branch, index and files from one commit to a later one.
    ///
    /// The branch has to be checked out here and to be at `from`. Untracked files below `.orchestrate/` that are the very ones
    /// the merge brings do not stand in its way.
    pub fn fast_forward(&self, branch: &str, from: &Oid, to: &Oid) -> anyhow::Result<Merge> {
        if let Some(why) = self.not_at(branch, from)? {
            return Ok(Merge::Refused { why });
        }
        self.sync_objects()?;
        let aside = self.set_aside(from, to)?;
        let written = self.to_be_written(from, to)?;
        let merged = self.run_git(&[&FAST_FORWARD[..], &[to.as_str()]].concat());
        let done = merged.as_ref().is_ok_and(|output| output.status.success())
            && self.not_at(branch, to)?.is_none();
        // What was set aside is not back yet, so whatever stands in its place is git's.
        if !done && self.not_at(branch, from)?.is_none() {
            self.take_half_back(from, to, &written)?;
        }
        for file in &aside {
            if done {
                file.drop_it()?
            } else {
                file.put_back()?
            }
        }
        if !done {
            let why = last_words(&merged?.stderr);
            return Ok(Merge::Refused { why });
        }
        let reference = self.common_directory().join(format!("refs/heads/{branch}"));
        self.unsynced().wrote_ref(reference);
        flush_all(self.work_directory())?;
        Ok(Merge::Done)
    }

    /// Returns the paths that a merge would write, each with what stands there now.
    fn to_be_written(&self, from: &Oid, to: &Oid) -> anyhow::Result<Vec<(String, FileStamp)>> {
        let changes = self.changed_paths(&self.tree_of(from)?, &self.tree_of(to)?)?;
        let named = |change: super::Change| {
            let before = stamp(&self.work_directory().join(&change.path));
            (change.path, before)
        };
        Ok(changes.into_iter().map(named).collect())
    }

    /// Takes back what a failed merge has written by then: git leaves new files where they are, and may have taken old ones away.
    /// What is not a beginning of what git would have written is somebody else's, and stays.
    fn take_half_back(
        &self,
        from: &Oid,
        to: &Oid,
        written: &[(String, FileStamp)],
    ) -> anyhow::Result<()> {
        let tree = self.tree_of(from)?;
        let mut again = Vec::new();
        for (path, before) in written {
            let full = self.work_directory().join(path);
            if stamp(&full) == *before {
                continue;
            }
            let bytes = match full.symlink_metadata() {
                Ok(found) if found.is_file() => std::fs::read(&full).ok(),
                _ => None,
            };
            let wanted = self.read_file(to, path)?;
            let half = bytes
                .zip(wanted)
                .is_some_and(|(bytes, wanted)| wanted.starts_with(&bytes));
            if half {
                std::fs::remove_file(&full)
                    .with_context(|| format!("cannot remove `{}`", full.display()))?;
            }
            if half && before.is_none() {
                // The first folder with something else in it ends it.
                let mut above = full
                    .ancestors()
                    .skip(1)
                    .take_while(|folder| *folder != self.work_directory());
                while above
                    .next()
                    .is_some_and(|folder| std::fs::remove_dir(folder).is_ok())
                {}
            }
            let gone = full.symlink_metadata().is_err();
            if before.is_some() && gone && self.read_file(&tree, path)?.is_some() {
                again.push(path.as_str());
            }
        }
        if again.is_empty() {
            return Ok(());
        }
        let arguments = [&["checkout-index", "--quiet", "--"][..], &again].concat();
        self.run_git(&arguments).map(drop)
    }

    fn not_at(&self, branch: &str, from: &Oid) -> anyhow::Result<Option<String>> {
        Ok(match self.head()? {
            Head::Branch { name, commit } if name == branch => {
                let moved = commit.as_ref() != Some(from);
                moved.then(|| format!("branch `{branch}` has moved since the run started"))
            }
            _ => Some(format!(
                "branch `{branch}` is not checked out in `{}`",
                self.work_directory().display()
            )),
        })
    }

    /// Renames the untracked files of ours that the merge would bring with the same bytes.
    fn set_aside(&self, from: &Oid, to: &Oid) -> anyhow::Result<Vec<Aside>> {
        let git = self.git();
        let index = git
            .index_or_empty()
            .with_context(|| self.cannot("read the index of"))?;
        let to_tree = self.tree_of(to)?;
        let mut aside = Vec::new();
        for change in self.changed_paths(&self.tree_of(from)?, &to_tree)? {
            let ours = change.kind == ChangeKind::Added && change.path.starts_with(".orchestrate/");
            if !ours || index.entry_by_path(change.path.as_str().into()).is_some() {
                continue;
            }
            if let Some(file) = self.same_on_disk(&git, &to_tree, &change.path)? {
                file.set_aside()?;
                aside.push(file);
            }
        }
        Ok(aside)
    }

    /// Returns the regular file at `path` in the user's folder when its bytes are those in `tree`.
    fn same_on_disk(
        &self,
        git: &gix::Repository,
        tree: &Oid,
        path: &str,
    ) -> anyhow::Result<Option<Aside>> {
        let (parents, name) = path.rsplit_once('/').unwrap_or(("", path));
        let mut folder = Folder::open(self.work_directory())?;
        for parent in parents.split('/') {
            match folder.look(parent.as_bytes())? {
                Some(stamp) if stamp.kind == Kind::Folder => {
                    folder = folder.enter(parent.as_bytes())?
                }
                _ => return Ok(None),
            }
        }
        let Some(stamp) = folder
            .look(name.as_bytes())?
            .filter(|stamp| stamp.kind == Kind::File)
        else {
            return Ok(None);
        };
        let tree = git.find_tree(git_id(tree)?)?;
        let wanted = tree
            .lookup_entry_by_path(path)?
            .filter(|entry| entry.mode().is_blob());
        let Some(wanted) = wanted else {
            return Ok(None);
        };
        let bytes = folder.read(name.as_bytes(), stamp.size)?;
        let same = bytes.is_some_and(|bytes| wanted.object().is_ok_and(|blob| blob.data == bytes));
        Ok(same.then(|| Aside {
            folder,
            name: name.to_owned(),
        }))
    }

    /// Returns the commit that last wrote a line of a file in `commit`, counted from 1, and the line's text.
    pub fn blame(&self, commit: &Oid, path: &str, line: usize) -> anyhow::Result<(Oid, String)> {
        let range = format!("-L{line},{line}");
        let output =
            self.run_git(&["blame", "--porcelain", &range, commit.as_str(), "--", path])?;
        if !output.status.success() {
            return Err(anyhow!("{}", last_words(&output.stderr)))
                .with_context(|| format!("cannot say who wrote line {line} of `{path}`"))
                .kind(Trouble::Request);
        }
        let text = String::from_utf8_lossy(&output.stdout);
        let id = text.split_whitespace().next().unwrap_or_default();
        let written = text.lines().find_map(|line| line.strip_prefix('\t'));
        Ok((
            Oid::try_from(id.to_owned())?,
            written.unwrap_or_default().to_owned(),
        ))
    }

    /// Runs git in the user's folder without hooks, questions, background work or the user's stash.
    fn run_git(&self, arguments: &[&str]) -> anyhow::Result<std::process::Output> {
        let mut command = self.git_program();
        command.args(arguments).stdin(Stdio::null());
        self.output_of(command.output())
    }

    /// Returns the program git, to be run in the user's folder without hooks, questions or background work.
    pub(super) fn git_program(&self) -> Command {
        let mut command = Command::new("git");
        for setting in [
            "core.fsmonitor=false",
            "core.hooksPath=/dev/null",
            "protocol.allow=never",
            "submodule.recurse=false",
            "gc.auto=0",
            "maintenance.auto=false",
        ] {
            command.args(["-c", setting]);
        }
        for variable in REPOSITORY_VARIABLES {
            command.env_remove(variable);
        }
        if self.settings() == Settings::Repository {
            command
                .env("GIT_CONFIG_GLOBAL", "/dev/null")
                .env("GIT_CONFIG_NOSYSTEM", "1");
        }
        command
            .current_dir(self.work_directory())
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_EDITOR", "true")
            .env("LC_ALL", "C");
        command
    }

    /// Says it in our words where there is no git.
    pub(super) fn output_of(
        &self,
        output: std::io::Result<std::process::Output>,
    ) -> anyhow::Result<std::process::Output> {
        match output {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(anyhow!("the program `git` is not installed"))
                    .kind(Trouble::Missing)
                    .hint("install git, then try again")
            }
            other => other.with_context(|| self.cannot("run git in")),
        }
    }
}

/// Returns by what a file is known that nobody has written since; None where nothing is.
fn stamp(path: &Path) -> FileStamp {
    use std::os::unix::fs::MetadataExt;
    let found = path.symlink_metadata().ok()?;
    Some((found.modified().ok()?, found.ino()))
}

/// A file of the user's that gives way to a merge.
struct Aside {
    folder: Folder,
    name: String,
}

impl Aside {
    fn hidden(&self) -> Vec<u8> {
        format!(".{}.{}.aside", self.name, std::process::id()).into_bytes()
    }

    fn set_aside(&self) -> anyhow::Result<()> {
        self.folder.rename(self.name.as_bytes(), &self.hidden())
    }

    fn put_back(&self) -> anyhow::Result<()> {
        self.folder.rename(&self.hidden(), self.name.as_bytes())
    }

    fn drop_it(&self) -> anyhow::Result<()> {
        self.folder.remove(&self.hidden())
    }
}

pub(super) fn last_words(stderr: &[u8]) -> String {
    let text = String::from_utf8_lossy(stderr);
    text.trim()
        .trim_start_matches("fatal: ")
        .trim_start_matches("error: ")
        .to_owned()
}

#[cfg(test)]
mod tests;
