//! Commits: writing them, and reading a branch back.

use anyhow::Context;
use gix::bstr::ByteSlice;

use super::objects::{git_id, oid};
use super::repository::{Head, Identity, Repository};
use crate::model::{Hint, Oid, Trouble};

/// A commit to be written at the tip of a branch.
#[derive(Debug, Clone)]
pub struct NewCommit<'a> {
    /// The short name of the branch.
    pub branch: &'a str,
    /// Where the branch has to be; None when it must not exist yet.
    pub expected: Option<&'a Oid>,
    pub tree: &'a Oid,
    pub parents: &'a [Oid],
    pub message: &'a str,
    pub identity: &'a Identity,
    /// Seconds since the epoch.
    pub time_s: i64,
}

/// A commit as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Commit {
    pub id: Oid,
    pub parents: Vec<Oid>,
    pub tree: Oid,
    pub message: String,
    /// When it was committed, in seconds since the epoch.
    pub time_s: i64,
}

impl Commit {
    /// Returns the value of the last trailer with this key, for example `Orchestrate-Run`.
    pub fn trailer(&self, key: &str) -> Option<&str> {
        let (_, last) = self.message.trim_end().rsplit_once("\n\n")?;
        last.lines().rev().find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(key).then(|| value.trim())
        })
    }
}

impl Repository {
    /// Writes a commit, then moves its branch to it if the branch is where it has to be.
    ///
    /// Fails with `Trouble::Busy` when the branch has moved or is locked; nothing is changed then.
    pub fn commit(&self, new: &NewCommit) -> anyhow::Result<Oid> {
        let id = self.write_commit(new.tree, new.parents, new.message, new.identity, new.time_s)?;
        self.move_branch(new, &id)?;
        Ok(id)
    }

    /// Writes a commit without moving a branch.
    pub fn write_commit(
        &self,
        tree: &Oid,
        parents: &[Oid],
        message: &str,
        identity: &Identity,
        time_s: i64,
    ) -> anyhow::Result<Oid> {
        use gix::objs::WriteTo;
        let signature = signature(identity, time_s);
        let commit = gix::objs::Commit {
            tree: git_id(tree)?,
            parents: parents.iter().map(git_id).collect::<anyhow::Result<_>>()?,
            author: signature.clone(),
            committer: signature,
            encoding: None,
            message: format!("{}\n", message.trim_end().replace('\0', "")).into(),
            extra_headers: Vec::new(),
        };
        let mut bytes = Vec::new();
        commit
            .write_to(&mut bytes)
            .context("cannot put a commit into bytes")?;
        let id = self.store(&self.git(), gix::objs::Kind::Commit, &bytes)?;
        Ok(oid(id))
    }

    /// Gives an unborn branch a first commit without files. Fails when the branch has one by now.
    pub fn empty_root_commit(&self, identity: &Identity, time_s: i64) -> anyhow::Result<Oid> {
        let Head::Branch { name, commit: None } = self.head()? else {
            return Err(anyhow::anyhow!(
                "the branch that is checked out has a commit already"
            ))
            .kind(Trouble::Busy);
        };
        let git = self.git();
        let tree = self.store(&git, gix::objs::Kind::Tree, b"")?;
        self.commit(&NewCommit {
            branch: &name,
            expected: None,
            tree: &oid(tree),
            parents: &[],
            message: "Start the history",
            identity,
            time_s,
        })
    }

    /// Returns the commits of a branch along first parents, newest first, without `stop` and what is behind it.
    pub fn history(&self, tip: &Oid, stop: Option<&Oid>) -> anyhow::Result<Vec<Commit>> {
        let git = self.git();
        // Beyond its border a shallow clone names parents that it does not have.
        let shallow = git
            .is_shallow()
            .with_context(|| self.cannot("read the history of"))?;
        let mut commits: Vec<Commit> = Vec::new();
        let mut next = Some(tip.clone());
        while let Some(id) = next.filter(|id| Some(id) != stop) {
            let missing = || shallow && git_id(&id).is_ok_and(|id| !git.has_object(id));
            if !commits.is_empty() && missing() {
                break;
            }
            let commit = read_commit(&git, &id)?;
            next = commit.parents.first().cloned();
            commits.push(commit);
        }
        Ok(commits)
    }

    /// Returns a commit.
    pub fn read_commit(&self, id: &Oid) -> anyhow::Result<Commit> {
        read_commit(&self.git(), id)
    }

    /// Returns the tree of a commit.
    pub fn tree_of(&self, commit: &Oid) -> anyhow::Result<Oid> {
        Ok(read_commit(&self.git(), commit)?.tree)
    }
}

/// Returns what git writes down of a person and a time.
pub(super) fn signature(identity: &Identity, time_s: i64) -> gix::actor::Signature {
    gix::actor::Signature {
        name: identity.name.as_str().into(),
        email: identity.email.as_str().into(),
        time: gix::date::Time::new(time_s, 0),
    }
}

fn read_commit(git: &gix::Repository, id: &Oid) -> anyhow::Result<Commit> {
    let read = || -> anyhow::Result<Commit> {
        let found = git.find_commit(git_id(id)?)?;
        let commit = found.decode()?;
        Ok(Commit {
            id: id.clone(),
            parents: commit.parents().map(oid).collect(),
            tree: oid(commit.tree()),
            message: commit.message.to_str_lossy().into_owned(),
            time_s: commit.committer()?.time()?.seconds,
        })
    };
    read().with_context(|| format!("cannot read commit `{id}`"))
}

#[cfg(test)]
mod tests;
