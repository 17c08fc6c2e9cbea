//! What an index says that does not hold what was written.

use std::fmt;
use std::path::{Path, PathBuf};

/// An index whose bytes are not those that were written; building it again mends it.
#[derive(Debug)]
pub struct Damaged {
    path: PathBuf,
    what: &'static str,
}

impl Damaged {
    /// Returns an error about this part of the index.
    pub fn new(path: &Path, what: &'static str) -> Damaged {
        let path = path.to_path_buf();
        Damaged { path, what }
    }
}

impl fmt::Display for Damaged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = self.path.display();
        write!(f, "the index `{path}` is damaged: {}", self.what)
    }
}

impl std::error::Error for Damaged {}

/// Says whether the error is that an index is damaged, so that building it again helps.
pub fn is_damage(error: &anyhow::Error) -> bool {
    error.is::<Damaged>()
}
