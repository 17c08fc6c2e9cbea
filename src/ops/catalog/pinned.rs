//! The files of a marketplace as its lock pins them.

use anyhow::{Result, anyhow};

use super::CatalogOptions;
use crate::model::{Hint, Revision, Source, Trouble};
use crate::ops::fetching::{Reach, cache, fetch};
use crate::ops::settings::{Known, Settings};
use crate::ops::{Note, Watch};
use crate::tree::Tree;

/// Returns the files of the marketplace as its lock pins them, fetching what is not cached.
pub fn tree(
    settings: &Settings,
    known: &Known,
    options: CatalogOptions,
    watch: &mut dyn Watch,
) -> Result<Tree> {
    let Some(source) = &known.source else {
        return Ok(Tree::embedded("plugins"));
    };
    if let Source::Folder(path) = source {
        let folder = settings.folder(path);
        return Tree::folder(&folder)
            .kind(Trouble::Missing)
            .hint(format!("orchestrate marketplace remove {}", known.name));
    }
    let update = format!("orchestrate marketplace update {}", known.name);
    let Some(revision) = revision(known).filter(|_| locks(known, source)) else {
        return Err(anyhow!(
            "it is configured, and its lock does not say which commit of `{source}` is meant"
        ))
        .kind(Trouble::Missing)
        .hint(update);
    };
    if let Some(tree) = cache(settings).at(source, &revision)? {
        return Ok(tree);
    }
    if options.offline {
        return Err(anyhow!(
            "`{source}` is not cached, and nothing is fetched offline"
        ))
        .kind(Trouble::Missing)
        .hint("without `--offline`: orchestrate marketplace list");
    }
    watch.note(Note::Doing {
        what: format!("Fetching the marketplace `{}` from {source}...", known.name),
    });
    let fetched = fetch(settings, &pinned(source, known), Reach::Cached, watch)?;
    if fetched.revision.tree == revision.tree {
        return Ok(fetched.tree);
    }
    Err(anyhow!(
        "locked is the tree {}, and `{source}` now has {} for it",
        revision.tree,
        fetched.revision.tree
    ))
    .kind(Trouble::Integrity)
    .hint(update)
}

/// Says whether the lock is of this very source.
fn locks(known: &Known, source: &Source) -> bool {
    known.lock.source.as_ref() == Some(&source.clone().into())
}

/// Returns what the lock of a marketplace pins.
fn revision(known: &Known) -> Option<Revision> {
    let lock = &known.lock;
    Some(Revision {
        tree: lock.tree.clone()?,
        commit: lock.commit.clone(),
        version: lock.version.clone(),
        integrity: lock.integrity.clone(),
    })
}

/// Returns the source with what the lock pins put into it.
fn pinned(source: &Source, known: &Known) -> Source {
    let mut source = source.clone();
    match &mut source {
        Source::Git(git) => git.commit = known.lock.commit.clone().or(git.commit.take()),
        Source::Npm(npm) => npm.version = known.lock.version.clone().or(npm.version.take()),
        Source::Folder(_) | Source::Url(_) => {}
    }
    source
}
