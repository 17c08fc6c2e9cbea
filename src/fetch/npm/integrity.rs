//! The hash that a registry gives for an archive.

use std::fmt;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use sha2::{Digest, Sha512};

use crate::model::{Hint, Trouble};

/// The hash that an archive has to have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    Sha512([u8; 64]),
    /// Packages from before 2017 have no other.
    Sha1([u8; 20]),
}

impl Integrity {
    /// Returns the strongest hash of `dist.integrity`, else the old one of `dist.shasum`.
    pub fn of(integrity: Option<&str>, shasum: Option<&str>) -> Result<Integrity> {
        let hashes = integrity.unwrap_or_default().split_whitespace();
        let hash = |name: &str| {
            let mut named = hashes.clone().filter_map(|hash| hash.strip_prefix(name));
            // Options behind a `?` are allowed, and mean nothing yet.
            let encoded = named.next()?.split('?').next()?;
            BASE64_STANDARD.decode(encoded).ok()
        };
        if let Some(sha512) = hash("sha512-") {
            let bytes = sha512.try_into();
            return Ok(Integrity::Sha512(
                bytes.map_err(|_| anyhow!("the registry's sha512 is none"))?,
            ));
        }
        let shasum = shasum.and_then(|hex| gix::ObjectId::from_hex(hex.as_bytes()).ok());
        let sha1 = hash("sha1-").or_else(|| shasum.map(|id| id.as_slice().to_vec()));
        sha1.and_then(|bytes| bytes.try_into().ok())
            .map(Integrity::Sha1)
            .ok_or_else(|| anyhow!("the registry gives no hash of the archive"))
            .kind(Trouble::Integrity)
    }

    /// Returns the file at its start once its bytes hash to this.
    pub fn verify(&self, path: &Path) -> Result<File> {
        let cannot = || format!("cannot read `{}`", path.display());
        let mut file = File::open(path).with_context(cannot)?;
        let found = match self {
            Integrity::Sha512(_) => Integrity::Sha512(sha512(&file).with_context(cannot)?),
            Integrity::Sha1(_) => Integrity::Sha1(sha1(&file).with_context(cannot)?),
        };
        let differs = || anyhow!("the archive hashes to {found}, and the registry says {self}");
        ensure_same(found == *self, differs)?;
        file.rewind().with_context(cannot)?;
        Ok(file)
    }

    /// Returns what a person should know of this kind of hash.
    pub fn warning(&self, package: &str) -> Option<String> {
        match self {
            Integrity::Sha512(_) => None,
            Integrity::Sha1(_) => Some(format!(
                "the registry knows `{package}` by its SHA-1 alone, which can be forged"
            )),
        }
    }
}

fn ensure_same(same: bool, differs: impl Fn() -> anyhow::Error) -> Result<()> {
    match same {
        true => Ok(()),
        false => Err(differs()).kind(Trouble::Integrity).hint(
            "nothing of it was kept; try again, and ask the package's author when it happens twice",
        ),
    }
}

/// Writes npm's notation, such as `sha512-..`.
impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Integrity::Sha512(bytes) => write!(f, "sha512-{}", BASE64_STANDARD.encode(bytes)),
            Integrity::Sha1(bytes) => write!(f, "sha1-{}", BASE64_STANDARD.encode(bytes)),
        }
    }
}

fn sha512(file: &File) -> Result<[u8; 64]> {
    let mut hash = Sha512::new();
    each_block(file, |block| hash.update(block))?;
    Ok(hash.finalize().into())
}

fn sha1(file: &File) -> Result<[u8; 20]> {
    let mut hash = gix::hash::hasher(gix::hash::Kind::Sha1);
    each_block(file, |block| hash.update(block))?;
    let id = hash.try_finalize().context("somebody made it collide")?;
    let bytes: Result<[u8; 20], _> = id.as_slice().try_into();
    Ok(bytes.expect("a SHA-1 has 20 bytes"))
}

fn each_block(file: &File, mut with: impl FnMut(&[u8])) -> Result<()> {
    let mut reader = BufReader::new(file);
    let mut block = vec![0; 64 * 1024];
    loop {
        match reader.read(&mut block)? {
            0 => return Ok(()),
            length => with(&block[..length]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_hash_counts() {
        let strong = format!("sha512-{}", BASE64_STANDARD.encode([7; 64]));
        let both = format!("sha1-{} {strong}?x", BASE64_STANDARD.encode([1; 20]));
        let found = Integrity::of(Some(&both), Some("00")).unwrap();
        assert_eq!(found, Integrity::Sha512([7; 64]));
        assert_eq!(found.to_string(), strong);
        assert_eq!(found.warning("a"), None);
    }

    #[test]
    fn an_old_hash_is_told_of_and_none_is_refused() {
        let found = Integrity::of(None, Some(&"01".repeat(20))).unwrap();
        assert_eq!(found, Integrity::Sha1([1; 20]));
        assert!(found.warning("a").unwrap().contains("SHA-1"));
        assert!(Integrity::of(None, None).is_err());
        assert!(Integrity::of(Some("md5-AAAA"), None).is_err());
        assert!(Integrity::of(Some("sha512-AAAA"), Some(&"01".repeat(20))).is_err());
    }
}
