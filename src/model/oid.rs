//! The name of a git object.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A git object id: 40 (SHA-1) or 64 (SHA-256) lower-case hexadecimal digits.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Oid(String);

impl Oid {
    /// Returns the first seven digits, as git shows them.
    pub fn short(&self) -> &str {
        &self.0[..7]
    }

    /// Returns all digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Oid {
    type Error = anyhow::Error;

    fn try_from(text: String) -> anyhow::Result<Oid> {
        let hex = text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        anyhow::ensure!(
            hex && matches!(text.len(), 40 | 64),
            "`{text}` is not a git object id (40 or 64 hexadecimal digits)"
        );
        Ok(Oid(text))
    }
}

impl From<Oid> for String {
    fn from(oid: Oid) -> String {
        oid.0
    }
}

impl fmt::Display for Oid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
