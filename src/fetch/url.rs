//! A catalogue at an address of its own.

use anyhow::{Context, Result};
use reqwest::Url;

use super::write::NewTree;
use super::{FetchOptions, Progress, Unit, http};
use crate::model::{Hint, Revision, Trouble};

/// The most bytes that a catalogue may have.
const BYTES_MAX: u64 = 5 * 1024 * 1024;

/// Fetches the catalogue into a tree that looks like a marketplace's.
pub fn fetch(url: &str, git: &gix::Repository, options: &FetchOptions<'_>) -> Result<Revision> {
    let url = Url::parse(url).context("it is not an address")?;
    let response = http::send(http::client()?.get(url.clone()), &url)?;
    let bytes = http::body(response, BYTES_MAX)?;
    serde_json::from_slice::<serde::de::IgnoredAny>(
        bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes),
    )
    .context("what is there is no JSON")
    .kind(Trouble::Request)?;
    (options.progress)(Progress {
        done: bytes.len() as u64,
        total: Some(bytes.len() as u64),
        unit: Unit::Bytes,
    });
    let mut tree = NewTree::new(git)?;
    tree.add(".claude-plugin/marketplace.json", &bytes, false)?;
    Ok(Revision {
        commit: None,
        tree: tree.finish()?,
        version: None,
        integrity: None,
    })
}
