//! Blocks on disk while an index is built, so that memory holds a few of them and no more.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;
use std::path::Path;

use super::block::Block;
use super::postings::{Decoder, Posting};
use super::{PerField, Stored};

/// A file without a name that holds the blocks.
pub struct Spill {
    file: File,
    end: u64,
    pub segments: Vec<Segment>,
}

/// A block in the file, and what of it stays in memory.
pub struct Segment {
    /// The number that the caller knows its first document by.
    pub first: usize,
    pub names: Vec<String>,
    pub lengths: Vec<PerField<u8>>,
    pub vectors: Vec<Option<Stored>>,
    pub words: PerField<u64>,
    documents: Range<u64>,
    lists: Range<u64>,
}

impl Spill {
    /// Returns an empty spill; its file goes when it does, whatever happens.
    pub fn new(folder: &Path) -> io::Result<Spill> {
        Ok(Spill {
            file: tempfile::tempfile_in(folder)?,
            end: 0,
            segments: Vec::new(),
        })
    }

    /// Appends a block.
    pub fn add(&mut self, first: usize, mut block: Block) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(self.end))?;
        let mut writer = BufWriter::new(&self.file);
        writer.write_all(&block.documents)?;
        let documents = self.end..self.end + block.documents.len() as u64;
        let mut lists = documents.end..documents.end;
        for (term, list) in block.lists() {
            let parts = [term.as_bytes(), &list.bytes];
            for part in parts {
                let bytes = u32::try_from(part.len()).map_err(io::Error::other)?;
                writer.write_all(&bytes.to_le_bytes())?;
                writer.write_all(part)?;
                lists.end += 4 + part.len() as u64;
            }
        }
        writer.flush()?;
        drop(writer);
        self.end = lists.end;
        self.segments.push(Segment {
            first,
            names: block.names,
            lengths: block.lengths,
            vectors: block.vectors,
            words: block.words,
            documents,
            lists,
        });
        Ok(())
    }

    /// Returns the documents of a segment as bytes, in the form that `Block` writes them.
    pub fn documents(&self, segment: &Segment) -> impl Read + '_ {
        self.part(&segment.documents)
    }

    /// Returns the lists of a segment.
    pub fn lists(&self, segment: &Segment) -> Lists<'_> {
        Lists {
            left: segment.lists.end - segment.lists.start,
            from: self.part(&segment.lists),
        }
    }

    fn part(&self, range: &Range<u64>) -> BufReader<Slice<'_>> {
        BufReader::with_capacity(
            32 * 1024,
            Slice {
                file: &self.file,
                range: range.clone(),
            },
        )
    }
}

/// The lists of a segment, in the byte order of their terms.
pub struct Lists<'a> {
    from: BufReader<Slice<'a>>,
    left: u64,
}

/// The list of one term in one segment.
pub struct SpilledList {
    pub term: String,
    bytes: Vec<u8>,
}

impl SpilledList {
    /// Returns the postings, their documents counted from the first of the segment.
    pub fn postings(&self) -> impl Iterator<Item = Posting> + '_ {
        Decoder::new(&self.bytes)
    }
}

impl Iterator for Lists<'_> {
    type Item = io::Result<SpilledList>;

    fn next(&mut self) -> Option<io::Result<SpilledList>> {
        (self.left > 0).then(|| self.read())
    }
}

impl Lists<'_> {
    fn read(&mut self) -> io::Result<SpilledList> {
        let term = read_counted(&mut self.from)?;
        let bytes = read_counted(&mut self.from)?;
        self.left -= 8 + (term.len() + bytes.len()) as u64;
        let term = String::from_utf8(term).map_err(io::Error::other)?;
        Ok(SpilledList { term, bytes })
    }
}

fn read_counted(from: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut count = [0; 4];
    from.read_exact(&mut count)?;
    let mut bytes = vec![0; u32::from_le_bytes(count) as usize];
    from.read_exact(&mut bytes)?;
    Ok(bytes)
}

/// A range of the file; several of them are read in turns.
struct Slice<'a> {
    file: &'a File,
    range: Range<u64>,
}

impl Read for Slice<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = self.range.end - self.range.start;
        let wanted = buffer
            .len()
            .min(usize::try_from(left).unwrap_or(usize::MAX));
        self.file.seek(SeekFrom::Start(self.range.start))?;
        let read = self.file.read(&mut buffer[..wanted])?;
        self.range.start += read as u64;
        Ok(read)
    }
}
