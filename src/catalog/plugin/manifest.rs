//! The manifest of a plugin: the file that says what it is called and what it brings.

use super::JSON_BYTES_MAX;
use crate::catalog::json::{self, Document};
use crate::model::{Oddity, Severity};
use crate::tree::Tree;

/// A manifest that was found.
#[derive(Debug)]
pub struct Manifest {
    /// Where, from the plugin's root.
    pub file: String,
    pub document: Document,
}

/// Returns the first manifest of `paths` that is there; one that is no JSON or cannot be read is an error.
pub fn find(tree: &Tree, paths: &[&str]) -> Result<Option<Manifest>, Box<Oddity>> {
    for path in paths {
        match tree.read(path) {
            Ok(Some(bytes)) => {
                let document = json::read_within(&bytes, JSON_BYTES_MAX)
                    .map_err(|fault| Box::new(fault.oddity(path)))?;
                return Ok(Some(Manifest {
                    file: (*path).to_string(),
                    document,
                }));
            }
            Ok(None) => {}
            Err(error) => {
                let what = format!("{error:#}");
                return Err(Box::new(Oddity::of_file(Severity::Error, path, what)));
            }
        }
    }
    Ok(None)
}
