//! How an index file is laid out: a mark, the parts one after another, and a table of them at the end, so that it is written in one go.
//!
//! ```text
//! mark | documents | lists | terms | starts | lengths | order | ranks | vectors | header | table | bytes and checksum of the table | mark
//! ```
//!
//! All numbers are little-endian. `documents` and `lists` are large and read in places: each of their items has a checksum of its own.
//! The other parts have one in the table.

use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::PerField;
use crate::encoder::VECTOR_BYTES;

/// The version of the layout, and of what counts as a word.
pub const VERSION: u32 = 2;
/// What an index begins and ends with.
const MARK: &[u8; 8] = b"ORCHIDX\n";
/// The table's length and checksum, and the mark.
const TAIL_BYTES: usize = 16;

/// A part of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Each plugin's name, sketch and record.
    Documents,
    /// The postings of each term.
    Lists,
    /// From a term to the place of its list, as a finite state transducer.
    Terms,
    /// For each plugin where in the file its document starts; 8 bytes.
    Starts,
    /// For each plugin how long its fields are; a byte each.
    Lengths,
    /// The plugins in the order of their names; 4 bytes.
    Order,
    /// For each plugin its place in that order; 4 bytes.
    Ranks,
    /// For each plugin its vector, all zeros where it has none; nothing where none has one.
    Vectors,
    /// What the caller says about the whole.
    Header,
}

/// How many parts there are.
pub const PARTS: usize = 9;

/// Where a part lies.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Extent {
    pub start: u64,
    pub bytes: u64,
    pub checksum: u32,
}

/// What stands at the end of the file.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Table {
    pub version: u32,
    pub key: String,
    pub plugins: u32,
    /// How many words all plugins have in each field.
    pub words: PerField<u64>,
    pub parts: [Extent; PARTS],
}

impl Table {
    /// Reads the table of a whole file; none where it has none, or where its parts cannot be right.
    pub fn read(file: &[u8]) -> Option<Table> {
        let rest = file.strip_prefix(MARK)?.strip_suffix(MARK)?;
        let (rest, [a, b, c, d, e, f, g, h]) = rest.split_last_chunk()?;
        let bytes = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
        let checksum = u32::from_le_bytes([*e, *f, *g, *h]);
        let (_, table) = rest.split_at_checked(rest.len().checked_sub(bytes)?)?;
        if crc32fast::hash(table) != checksum {
            return None;
        }
        let table: Table = serde_json::from_slice(table).ok()?;
        (table.version == VERSION && table.fits(file.len() as u64)).then_some(table)
    }

    fn fits(&self, file: u64) -> bool {
        let plugins = u64::from(self.plugins);
        let has = |part: Part, bytes: u64| self.parts[part as usize].bytes == bytes * plugins;
        let inside = |part: &Extent| {
            part.start
                .checked_add(part.bytes)
                .is_some_and(|end| end <= file)
        };
        self.parts.iter().all(inside)
            && has(Part::Starts, 8)
            && has(Part::Lengths, 4)
            && has(Part::Order, 4)
            && has(Part::Ranks, 4)
            && (has(Part::Vectors, 0) || has(Part::Vectors, VECTOR_BYTES as u64))
    }
}

/// Writes a file part by part.
pub struct Writer<W> {
    to: W,
    written: u64,
    checksum: crc32fast::Hasher,
    table: Table,
}

impl<W: Write> Writer<W> {
    /// Begins a file.
    pub fn new(mut to: W, key: &str) -> io::Result<Writer<W>> {
        to.write_all(MARK)?;
        Ok(Writer {
            to,
            written: MARK.len() as u64,
            checksum: crc32fast::Hasher::new(),
            table: Table {
                version: VERSION,
                key: key.to_string(),
                ..Table::default()
            },
        })
    }

    /// Returns how much was written, which is where the next byte goes.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends bytes to the part in progress.
    pub fn put(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.to.write_all(bytes)?;
        self.checksum.update(bytes);
        self.written += bytes.len() as u64;
        Ok(())
    }

    /// Says that what was written since the last part is this one.
    pub fn end(&mut self, part: Part) {
        let start = match self
            .table
            .parts
            .iter()
            .map(|part| part.start + part.bytes)
            .max()
        {
            None | Some(0) => MARK.len() as u64,
            Some(end) => end,
        };
        self.table.parts[part as usize] = Extent {
            start,
            bytes: self.written - start,
            checksum: std::mem::take(&mut self.checksum).finalize(),
        };
    }

    /// Ends the file with its table.
    pub fn finish(mut self, plugins: u32, words: PerField<u64>) -> io::Result<W> {
        self.table.plugins = plugins;
        self.table.words = words;
        let table = serde_json::to_vec(&self.table)?;
        let bytes = u32::try_from(table.len()).map_err(io::Error::other)?;
        self.to.write_all(&table)?;
        self.to.write_all(&bytes.to_le_bytes())?;
        self.to.write_all(&crc32fast::hash(&table).to_le_bytes())?;
        self.to.write_all(MARK)?;
        Ok(self.to)
    }
}

/// Says whether a file of so many bytes can be an index at all.
pub fn is_long_enough(bytes: u64) -> bool {
    bytes >= (MARK.len() + TAIL_BYTES) as u64
}
