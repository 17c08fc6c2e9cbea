//! Postings: which documents hold a term, and how often in which field.

use super::PerField;

/// After so many postings there is an entry in the list's table of places to start from.
const STRIDE: usize = 128;
/// What such an entry takes: the document before, and where the next posting starts.
const ENTRY_BYTES: usize = 8;

/// One document that holds a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posting {
    pub document: u32,
    /// How often the term stands in each field; 255 stands for more.
    pub counts: PerField<u8>,
}

/// Postings in ascending order of their documents, as bytes.
#[derive(Debug, Clone, Default)]
pub struct Encoder {
    pub bytes: Vec<u8>,
    pub documents: u32,
    /// The first document that may come next.
    next: u32,
}

impl Encoder {
    /// Appends a posting; its document comes after all before.
    pub fn push(&mut self, posting: Posting) {
        put_number(posting.document - self.next, &mut self.bytes);
        put_counts(&posting.counts, &mut self.bytes);
        self.next = posting.document + 1;
        self.documents += 1;
    }
}

/// Reads what an `Encoder` wrote; ends early where bytes are missing.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    next: u32,
}

impl<'a> Decoder<'a> {
    /// Returns the postings in these bytes.
    pub fn new(bytes: &'a [u8]) -> Decoder<'a> {
        Decoder { bytes, next: 0 }
    }
}

impl Iterator for Decoder<'_> {
    type Item = Posting;

    #[inline]
    fn next(&mut self) -> Option<Posting> {
        let document = self.next.checked_add(take_number(&mut self.bytes)?)?;
        let counts = take_counts(&mut self.bytes)?;
        self.next = document.checked_add(1)?;
        Some(Posting { document, counts })
    }
}

/// A list as it stands in an index: a table of places to start from, then the postings.
#[derive(Default)]
pub struct ListWriter {
    encoder: Encoder,
    table: Vec<u8>,
}

impl ListWriter {
    /// Appends a posting; its document comes after all before.
    pub fn push(&mut self, posting: Posting) {
        let documents = self.encoder.documents as usize;
        if documents > 0 && documents.is_multiple_of(STRIDE) {
            let place = u32::try_from(self.encoder.bytes.len())
                .expect("a list of u32::MAX documents of 10 bytes each is no index of ours");
            self.table.extend(self.encoder.next.to_le_bytes());
            self.table.extend(place.to_le_bytes());
        }
        self.encoder.push(posting);
    }

    /// Returns how many documents the list has, and its bytes.
    pub fn finish(mut self) -> (u32, Vec<u8>) {
        self.table.append(&mut self.encoder.bytes);
        (self.encoder.documents, self.table)
    }
}

/// A list to read.
#[derive(Debug, Clone, Copy)]
pub struct List<'a> {
    documents: u32,
    table: &'a [[u8; ENTRY_BYTES]],
    bytes: &'a [u8],
}

impl<'a> List<'a> {
    /// Returns the list of so many documents in these bytes; none where they cannot be one.
    pub fn new(documents: u32, bytes: &'a [u8]) -> Option<List<'a>> {
        let entries = (documents as usize).checked_sub(1)? / STRIDE;
        let (table, bytes) = bytes.split_at_checked(entries * ENTRY_BYTES)?;
        Some(List {
            documents,
            table: table.as_chunks().0,
            bytes,
        })
    }

    /// Returns how many documents hold the term.
    pub fn documents(&self) -> u32 {
        self.documents
    }

    /// Returns the postings from this document on.
    pub fn postings_from(&self, document: u32) -> impl Iterator<Item = Posting> + 'a {
        let entry = self
            .table
            .partition_point(|entry| split(entry).0 <= document);
        let (next, place) = match entry {
            0 => (0, 0),
            entry => split(&self.table[entry - 1]),
        };
        let bytes = self.bytes.get(place as usize..).unwrap_or_default();
        Decoder { bytes, next }.skip_while(move |posting| posting.document < document)
    }

    /// Returns how often the document holds the term, or none where it does not.
    pub fn counts(&self, document: u32) -> Option<PerField<u8>> {
        let posting = self.postings_from(document).next()?;
        (posting.document == document).then_some(posting.counts)
    }
}

/// Returns the first document that may come, and where.
fn split([a, b, c, d, e, f, g, h]: &[u8; ENTRY_BYTES]) -> (u32, u32) {
    (
        u32::from_le_bytes([*a, *b, *c, *d]),
        u32::from_le_bytes([*e, *f, *g, *h]),
    )
}

/// Writes seven bits a byte, the lowest first; a set top bit says that more follow.
fn put_number(mut number: u32, bytes: &mut Vec<u8>) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

#[inline]
fn take_number(bytes: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21, 28] {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        number |= u32::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

/// Writes a byte with a bit for each field that has the term; where there is one, with up to 15 of them, the count is in the upper half
/// of the same byte.
fn put_counts(counts: &PerField<u8>, bytes: &mut Vec<u8>) {
    let with_term = || counts.iter().filter(|count| **count > 0);
    let fields = (0..)
        .zip(counts)
        .map(|(field, count)| u8::from(*count > 0) << field);
    let fields: u8 = fields.sum();
    match (with_term().count(), with_term().max()) {
        (1, Some(count)) if *count < 16 => bytes.push(fields | count << 4),
        _ => {
            bytes.push(fields);
            bytes.extend(with_term());
        }
    }
}

#[inline]
fn take_counts(bytes: &mut &[u8]) -> Option<PerField<u8>> {
    let (first, rest) = bytes.split_first()?;
    *bytes = rest;
    let fields = first & 0x0f;
    let mut counts = PerField::default();
    if first >> 4 > 0 {
        *counts.get_mut(fields.trailing_zeros() as usize)? = first >> 4;
        return Some(counts);
    }
    // Which fields follow cannot be guessed, so there is no branch on it: a field without the term takes nothing of a byte and leaves it.
    let used = fields.count_ones() as usize;
    let (taken, rest) = bytes.split_at_checked(used)?;
    let mut window = PerField::<u8>::default();
    match bytes.first_chunk() {
        Some(chunk) => window = *chunk,
        None => window[..used].copy_from_slice(taken),
    }
    *bytes = rest;
    let mut place = 0;
    for (field, count) in counts.iter_mut().enumerate() {
        let has = fields >> field & 1;
        *count = window[place & 3] * has;
        place += has as usize;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example() -> Vec<Posting> {
        let counts = [[1, 0, 0, 0], [0, 0, 0, 16], [2, 0, 255, 1], [0, 15, 0, 0]];
        let document = |number: u32| number * number * 7 + number;
        (0..1000)
            .map(|number| Posting {
                document: document(number),
                counts: counts[number as usize % counts.len()],
            })
            .collect()
    }

    #[test]
    fn a_list_reads_as_it_was_written() {
        let mut writer = ListWriter::default();
        example()
            .into_iter()
            .for_each(|posting| writer.push(posting));
        let (documents, bytes) = writer.finish();
        let list = List::new(documents, &bytes).unwrap();
        assert_eq!(list.postings_from(0).collect::<Vec<_>>(), example());
        for posting in example() {
            assert_eq!(list.counts(posting.document), Some(posting.counts));
            assert_eq!(list.counts(posting.document + 3), None);
        }
    }

    #[test]
    fn bytes_that_are_cut_off_or_wild_end_the_list() {
        assert_eq!(Decoder::new(&[0x80, 0x80]).count(), 0);
        assert_eq!(Decoder::new(&[0xff; 64]).count(), 0);
        assert_eq!(Decoder::new(&[0, 0x10]).count(), 0);
        assert!(List::new(0, &[]).is_none());
        assert!(List::new(u32::MAX, &[0; 64]).is_none());
    }
}
