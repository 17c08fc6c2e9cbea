//! Keeps work in git: trees, commits and branches, the worktree a step works in, and the merge at the end.
//!
//! In worktrees of ours it runs no filter, hook or fsmonitor and descends into no submodule: bytes are taken as they are. It
//! never writes to the user's folder, index or `HEAD`; `Repository::fast_forward` is the one exception, and the one place
//! that changes something through the `git` program. It knows nothing of plans and runs: branch names, messages and trees
//! are the caller's.
//!
//! To add an operation on objects or refs, write it in an `impl Repository` block in a file named after its noun. Whatever
//! touches files in a worktree goes through `Folder`, which follows no symbolic link, and whatever writes an object goes
//! through `Repository::store`, so that the journal and `Repository::sync` know of it; what must survive a power cut is in the journal
//! before git has it, and `Repository::recover` brings it there.

mod branch;
mod commit;
mod discover;
mod folder;
mod graft;
mod ignores;
mod journal;
mod merge;
mod objects;
mod ours;
mod protected;
mod recover;
mod repository;
mod restore;
mod signature;
mod snapshot;
mod stamps;
mod swap;
mod tree;
mod unsynced;
mod walk;
mod worktree;

#[cfg(test)]
mod fixture;

pub use branch::Tip;
pub use commit::{Commit, NewCommit};
pub use discover::{Opened, Settings};
pub use graft::Graft;
pub use merge::Merge;
pub use recover::LeftBy;
pub use repository::{Head, Identity, Repository};
pub use signature::{Signing, Verdict};
pub use snapshot::{Held, Snapshot};
pub use tree::{Change, ChangeKind};
pub use worktree::Worktree;
