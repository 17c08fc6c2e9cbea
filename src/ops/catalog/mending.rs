//! Work on indexes, of which one may turn out to be damaged.

use anyhow::Result;

use crate::index::{self, Source};

/// Does the work on the sources, and once more where one was damaged and is mended.
pub fn mending<'a, T>(
    sources: impl Fn() -> Vec<Source<'a>>,
    mend: impl Fn() -> Result<()>,
    mut work: impl FnMut(&[Source<'_>]) -> Result<T>,
) -> Result<T> {
    match work(&sources()) {
        Err(error) if index::is_damage(&error) => {
            mend()?;
            work(&sources())
        }
        done => done,
    }
}
