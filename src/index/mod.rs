//! Finds plugins by their words: one file per marketplace, mapped into memory, of which a search reads a few pages.
//!
//! An index does not know where a plugin's text comes from, when it is stale, or what a task is: whoever builds it names it by a key,
//! and an index of another key, of another version or with damaged bytes is none. It holds nothing that cannot be built again.
//!
//! A further part of the file is a variant of `file::Part`, written by `write` and read by `Index`; a change of what bytes mean, or of
//! how text is cut into words, raises `file::VERSION`. What a word in a field is worth stands in `score`.

mod block;
mod collection;
mod cores;
mod damage;
mod file;
mod indexed;
mod map;
mod merge;
mod open;
mod postings;
mod rank;
mod scan;
mod score;
mod search;
mod sketch;
mod spill;
mod words;
mod write;

pub use collection::Collection;
pub use damage::{Damaged, is_damage};
pub use open::Index;
pub use rank::Hit;
pub use search::{Documents, Source, search, stems};
pub use sketch::Sketch;
pub use write::write;

use crate::encoder::VECTOR_BYTES;

/// A plugin as it goes into an index.
#[derive(Debug, Clone, Default)]
pub struct Document {
    /// What the plugin is called in its marketplace.
    pub name: String,
    /// What is handed back for it, as it is: the plugin as JSON.
    pub record: Vec<u8>,
    pub texts: Texts,
    /// What it is about as a whole; none where nobody worked it out.
    pub vector: Option<Stored>,
}

/// A vector as it is stored: nothing here looks into it.
pub type Stored = [u8; VECTOR_BYTES];

/// The text of a plugin by how much a word in it says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Texts {
    /// Its names.
    pub name: String,
    /// Its description, keywords and category.
    pub summary: String,
    /// The names and descriptions of its components.
    pub components: String,
    /// The texts of its components.
    pub body: String,
}

/// Where in a plugin's text a word stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    Name,
    Summary,
    Components,
    Body,
}

impl Field {
    /// Every field, in the order of the numbers that stand for them.
    pub const ALL: [Field; FIELDS] = [Field::Name, Field::Summary, Field::Components, Field::Body];
}

impl Texts {
    /// Returns the texts in the order of `Field::ALL`.
    fn all(&self) -> [&str; FIELDS] {
        [&self.name, &self.summary, &self.components, &self.body]
    }
}

/// How many fields there are.
const FIELDS: usize = 4;

/// How often a word stands in each field, or how many words each field has.
type PerField<T> = [T; FIELDS];
