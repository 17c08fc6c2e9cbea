//! Some documents, inverted in memory.

use anyhow::{Result, ensure};

use super::postings::{Encoder, Posting};
use super::score;
use super::sketch::Sketcher;
use super::words::{self, Lexicon, TermId};
use super::{Document, PerField, Stored};

/// A block that takes more memory than this, as far as we count it, is full.
const BYTES_MAX: usize = 32 * 1024 * 1024;
/// What a word or a term takes besides its text, roughly.
const ENTRY_BYTES: usize = 160;
/// The most bytes that a plugin's record may have.
const RECORD_BYTES_MAX: usize = 64 * 1024 * 1024;

/// Documents that follow each other, and where their words are.
pub struct Block {
    lexicon: Lexicon,
    lists: Vec<Inverted>,
    postings_bytes: usize,
    /// The documents as `document_bytes` writes them, one after another.
    pub documents: Vec<u8>,
    pub names: Vec<String>,
    pub lengths: Vec<PerField<u8>>,
    pub vectors: Vec<Option<Stored>>,
    /// How many words all of them have in each field.
    pub words: PerField<u64>,
}

/// The list of one term, and the posting that may still grow.
#[derive(Default)]
struct Inverted {
    list: Encoder,
    open: Option<Posting>,
}

impl Block {
    /// Returns a block without documents.
    pub fn new() -> Block {
        Block {
            lexicon: Lexicon::new(),
            lists: Vec::new(),
            postings_bytes: 0,
            documents: Vec::new(),
            names: Vec::new(),
            lengths: Vec::new(),
            vectors: Vec::new(),
            words: PerField::default(),
        }
    }

    /// Says whether the block takes as much memory as it may.
    pub fn is_full(&self) -> bool {
        self.documents.len() + self.postings_bytes + self.lexicon.len() * ENTRY_BYTES > BYTES_MAX
    }

    /// Adds a document after all before.
    pub fn add(&mut self, document: Document) -> Result<()> {
        ensure!(
            document.record.len() <= RECORD_BYTES_MAX,
            "the record of `{}` has more than {RECORD_BYTES_MAX} bytes",
            document.name.escape_debug()
        );
        let number = u32::try_from(self.names.len())?;
        let mut sketcher = Sketcher::new();
        let lengths = words::count(&document.texts, |field, word| {
            let term = self.lexicon.term(word);
            sketcher.add(self.lexicon.hash(term));
            self.postings_bytes += note(&mut self.lists, term, number, field);
        });
        let sketch = sketcher.finish().to_bytes();
        for part in [document.name.as_bytes(), &sketch, &document.record] {
            let bytes = u32::try_from(part.len())?;
            self.documents.extend(bytes.to_le_bytes());
        }
        self.documents.extend(document.name.as_bytes());
        self.documents.extend(sketch);
        self.documents.extend(document.record);
        self.lengths.push(lengths.map(score::length_code));
        for (total, length) in self.words.iter_mut().zip(lengths) {
            *total += u64::from(length);
        }
        self.vectors.push(document.vector);
        self.names.push(document.name);
        Ok(())
    }

    /// Returns the terms in byte order, each with its postings; documents are counted from the first of the block.
    pub fn lists(&mut self) -> Vec<(&str, &Encoder)> {
        self.lists.iter_mut().for_each(Inverted::close);
        let mut lists: Vec<_> = (0..)
            .zip(&self.lists)
            .map(|(term, inverted)| (self.lexicon.text(term), &inverted.list))
            .collect();
        lists.sort_unstable_by_key(|(term, _)| *term);
        lists
    }
}

impl Inverted {
    fn close(&mut self) {
        if let Some(posting) = self.open.take() {
            self.list.push(posting);
        }
    }
}

/// Notes a word of the document, and returns how many bytes the lists grew.
fn note(lists: &mut Vec<Inverted>, term: TermId, document: u32, field: usize) -> usize {
    let term = term as usize;
    if lists.len() <= term {
        lists.resize_with(term + 1, Inverted::default);
    }
    let inverted = &mut lists[term];
    let before = inverted.list.bytes.len();
    if inverted.open.is_none_or(|open| open.document != document) {
        inverted.close();
        inverted.open = Some(Posting {
            document,
            counts: PerField::default(),
        });
    }
    let counts = inverted.open.as_mut().map(|open| &mut open.counts[field]);
    let count = counts.expect("it was opened above");
    *count = count.saturating_add(1);
    inverted.list.bytes.len() - before
}
