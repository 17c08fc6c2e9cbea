//! A hint: what a person can do about an error, said where it is known.

use std::fmt;

/// An error together with the advice that mends it; `cli/failure.rs` prints both.
#[derive(Debug)]
pub struct Hinted {
    pub hint: String,
    source: anyhow::Error,
}

impl fmt::Display for Hinted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Transparent: the chain reads as if the wrapper were not there.
        write!(f, "{}", self.source)
    }
}

impl std::error::Error for Hinted {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

impl Hinted {
    /// Returns the error that the hint was attached to.
    pub fn inner(&self) -> &anyhow::Error {
        &self.source
    }
}

/// Attaches advice, and the kind of trouble, to a result.
pub trait Hint<T> {
    /// Adds a sentence or a command to paste.
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T>;
    /// Says which row of the exit code table the error belongs to.
    fn kind(self, kind: Trouble) -> anyhow::Result<T>;
}

impl<T, E: Into<anyhow::Error>> Hint<T> for Result<T, E> {
    fn hint(self, hint: impl Into<String>) -> anyhow::Result<T> {
        self.map_err(|error| {
            anyhow::Error::new(Hinted {
                hint: hint.into(),
                source: error.into(),
            })
        })
    }

    fn kind(self, kind: Trouble) -> anyhow::Result<T> {
        self.map_err(|error| {
            anyhow::Error::new(Kinded {
                kind,
                source: error.into(),
            })
        })
    }
}

/// Returns the error with its kind of trouble and advice, where there is no result to attach them to.
pub fn hinted(error: anyhow::Error, kind: Trouble, hint: impl Into<String>) -> anyhow::Error {
    let source = anyhow::Error::new(Kinded {
        kind,
        source: error,
    });
    anyhow::Error::new(Hinted {
        hint: hint.into(),
        source,
    })
}

/// What sort of trouble an error is; the exit code follows from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// The request or an input file cannot be carried out.
    Request,
    /// Nobody who may has approved the plan.
    Unapproved,
    /// What would run is not what was approved, or state was tampered with.
    Integrity,
    /// Another process holds the run or the repository.
    Busy,
    /// Something needed is not installed or not reachable.
    Missing,
    /// A run stopped in the middle; it is as it was at its last checkpoint.
    Resumable,
    /// Somebody asked to stop.
    Interrupted,
}

/// An error together with its kind of trouble.
#[derive(Debug)]
pub struct Kinded {
    pub kind: Trouble,
    source: anyhow::Error,
}

impl fmt::Display for Kinded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)
    }
}

impl std::error::Error for Kinded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.source.source()
    }
}

impl Kinded {
    /// Returns the error that the kind was attached to.
    pub fn inner(&self) -> &anyhow::Error {
        &self.source
    }
}
