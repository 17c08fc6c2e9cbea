//! Where something is declared, to be named when it is odd.

use super::{Fault, Manifest};
use crate::catalog::Entry;
use crate::catalog::json::{Document, shown};
use crate::model::{Oddity, Severity};

/// A file, or an entry of a catalogue, that declares something.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    pub file: &'a str,
    within: Within<'a>,
}

#[derive(Debug, Clone, Copy)]
enum Within<'a> {
    Document(&'a Document),
    Entry(&'a Entry),
}

impl<'a> Origin<'a> {
    /// Returns the origin of what `file` says.
    pub fn file(file: &'a str, document: &'a Document) -> Origin<'a> {
        Origin {
            file,
            within: Within::Document(document),
        }
    }

    /// Returns the origin of what a manifest says.
    pub fn manifest(manifest: &'a Manifest) -> Origin<'a> {
        Origin::file(&manifest.file, &manifest.document)
    }

    /// Returns the origin of what an entry of the catalogue in `file` says.
    pub fn entry(file: &'a str, entry: &'a Entry) -> Origin<'a> {
        Origin {
            file,
            within: Within::Entry(entry),
        }
    }

    /// Returns an oddity of the value at a JSON pointer of what is declared.
    pub fn odd(&self, severity: Severity, pointer: &str, what: impl Into<String>) -> Oddity {
        let field = shown(pointer);
        let (line, field) = match self.within {
            Within::Document(document) => (document.nearest_line(pointer), field),
            Within::Entry(entry) if field.is_empty() => (entry.line, entry.field.clone()),
            Within::Entry(entry) => (entry.line, format!("{}.{field}", entry.field)),
        };
        Oddity::of_file(severity, self.file, what).at(line, field)
    }

    /// Returns the oddity that an error is, with its advice.
    pub fn error(&self, pointer: &str, error: &anyhow::Error) -> Oddity {
        let oddity = Oddity::of_error(Severity::Error, self.file, error);
        let place = self.odd(Severity::Error, pointer, "");
        oddity.at(place.line, place.field)
    }

    /// Returns the oddity that a fault is.
    pub fn fault(&self, fault: &Fault) -> Oddity {
        self.odd(fault.severity, &fault.pointer, &fault.what)
            .hint(fault.hint)
    }
}
