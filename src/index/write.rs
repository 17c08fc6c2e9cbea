//! Builds an index from documents, with all cores and bounded memory.

use std::io::{BufWriter, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use fst::MapBuilder;
use tempfile::NamedTempFile;

use super::block::Block;
use super::cores::{cores, on_each};
use super::file::{Part, Writer};
use super::merge::merge;
use super::open::Index;
use super::spill::{Segment, Spill};
use super::{Document, PerField, Stored};
use crate::encoder::VECTOR_BYTES;

/// How many documents a core takes at a time: each block finds the stems of its words anew.
const BLOCK_DOCUMENTS_MIN: usize = 256;
const BLOCK_DOCUMENTS_MAX: usize = 4096;

/// Builds the index of the documents `load(0)` to `load(count - 1)` at `path` and opens it; a document that `load` has nothing for is
/// left out. `header` says something of the whole, once everything is loaded. The file appears when it is whole: of two builders the last
/// one wins, and who reads the older file keeps it.
pub fn write(
    path: &Path,
    key: &str,
    count: usize,
    load: impl Fn(usize) -> Option<Document> + Sync,
    header: impl FnOnce() -> Vec<u8>,
) -> Result<Index> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let context = || format!("cannot write the index `{}`", path.display());
    let mut spill = invert(folder, count, &load).with_context(context)?;
    spill.segments.sort_unstable_by_key(|segment| segment.first);
    let file = NamedTempFile::new_in(folder).with_context(context)?;
    assemble(&spill, key, &header(), BufWriter::new(file.as_file())).with_context(context)?;
    let file = file.persist(path).with_context(context)?;
    Index::of(&file, path, Some(key))?
        .with_context(|| format!("`{}` changed at once", path.display()))
}

/// Loads and inverts all documents, a block at a time on each core.
fn invert(
    folder: &Path,
    count: usize,
    load: &(impl Fn(usize) -> Option<Document> + Sync),
) -> Result<Spill> {
    let documents = count
        .div_ceil(4 * cores())
        .clamp(BLOCK_DOCUMENTS_MIN, BLOCK_DOCUMENTS_MAX);
    let spill = Mutex::new(Spill::new(folder)?);
    let next = AtomicUsize::new(0);
    let work = || -> Result<()> {
        loop {
            let first = next.fetch_add(documents, Ordering::Relaxed);
            if first >= count {
                return Ok(());
            }
            invert_some(first, (first + documents).min(count), load, &spill)?;
        }
    };
    on_each(work).into_iter().collect::<Result<()>>()?;
    Ok(spill.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn invert_some(
    first: usize,
    end: usize,
    load: &impl Fn(usize) -> Option<Document>,
    spill: &Mutex<Spill>,
) -> Result<()> {
    let mut block = Block::new();
    let mut block_first = first;
    let add = |first, block| {
        let mut spill = spill.lock().unwrap_or_else(PoisonError::into_inner);
        spill.add(first, block)
    };
    for number in first..end {
        if block.is_full() {
            add(block_first, std::mem::replace(&mut block, Block::new()))?;
            block_first = number;
        }
        if let Some(document) = load(number) {
            block.add(document)?;
        }
    }
    add(block_first, block)?;
    Ok(())
}

/// Writes the file from the segments.
fn assemble(spill: &Spill, key: &str, header: &[u8], to: impl Write) -> Result<()> {
    let mut writer = Writer::new(to, key)?;
    let mut starts = Vec::new();
    for segment in &spill.segments {
        copy_documents(spill, segment, &mut starts, &mut writer)?;
    }
    writer.end(Part::Documents);
    let terms = write_lists(spill, &mut writer)?;
    writer.end(Part::Lists);
    writer.put(&terms)?;
    writer.end(Part::Terms);
    writer.put(&starts)?;
    writer.end(Part::Starts);
    let segments = || spill.segments.iter();
    let lengths = segments().flat_map(|segment| &segment.lengths).flatten();
    writer.put(&lengths.copied().collect::<Vec<u8>>())?;
    writer.end(Part::Lengths);
    let names: Vec<&str> = segments()
        .flat_map(|segment| &segment.names)
        .map(String::as_str)
        .collect();
    let (order, ranks) = order(&names)?;
    writer.put(&order)?;
    writer.end(Part::Order);
    writer.put(&ranks)?;
    writer.end(Part::Ranks);
    let vectors: Vec<&Option<Stored>> = segments().flat_map(|segment| &segment.vectors).collect();
    if vectors.iter().any(|vector| vector.is_some()) {
        for vector in vectors {
            writer.put(&vector.unwrap_or([0; VECTOR_BYTES]))?;
        }
    }
    writer.end(Part::Vectors);
    writer.put(header)?;
    writer.end(Part::Header);
    let mut words = PerField::default();
    for (field, total) in words.iter_mut().enumerate() {
        *total = segments().map(|segment| segment.words[field]).sum();
    }
    writer.finish(u32::try_from(names.len())?, words)?.flush()?;
    Ok(())
}

/// Copies the documents of a segment, each behind a checksum over its number and its bytes.
fn copy_documents(
    spill: &Spill,
    segment: &Segment,
    starts: &mut Vec<u8>,
    writer: &mut Writer<impl Write>,
) -> Result<()> {
    let mut documents = spill.documents(segment);
    for _ in &segment.names {
        let number = u32::try_from(starts.len() / 8)?;
        let mut lengths = [0; 12];
        documents.read_exact(&mut lengths)?;
        let (counts, _) = lengths.as_chunks();
        let total: usize = counts
            .iter()
            .map(|count| u32::from_le_bytes(*count) as usize)
            .sum();
        let mut bytes = lengths.to_vec();
        bytes.resize(lengths.len() + total, 0);
        documents.read_exact(&mut bytes[lengths.len()..])?;
        starts.extend(writer.written().to_le_bytes());
        writer.put(&checksum(number, &bytes).to_le_bytes())?;
        writer.put(&bytes)?;
    }
    Ok(())
}

/// Returns the checksum of an item under the number that it is found by.
pub(super) fn checksum(number: u32, bytes: &[u8]) -> u32 {
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(&number.to_le_bytes());
    checksum.update(bytes);
    checksum.finalize()
}

/// Writes every list behind its checksum, documents and length, and returns the dictionary that leads to them.
fn write_lists(spill: &Spill, writer: &mut Writer<impl Write>) -> Result<Vec<u8>> {
    let mut terms = MapBuilder::memory();
    let first = writer.written();
    merge(spill, |term, list| {
        terms.insert(term, writer.written() - first)?;
        let (documents, bytes) = list.finish();
        let length = u32::try_from(bytes.len())?;
        writer.put(&checksum(documents, &bytes).to_le_bytes())?;
        writer.put(&documents.to_le_bytes())?;
        writer.put(&length.to_le_bytes())?;
        writer.put(&bytes)?;
        Ok(())
    })?;
    Ok(terms.into_inner()?)
}

/// Returns the plugins in the order of their names, and the place of each in it.
fn order(names: &[&str]) -> Result<(Vec<u8>, Vec<u8>)> {
    let mut order: Vec<u32> = (0..u32::try_from(names.len())?).collect();
    order.sort_unstable_by_key(|number| (names[*number as usize], *number));
    let mut ranks = vec![0; names.len()];
    for (rank, number) in (0_u32..).zip(&order) {
        ranks[*number as usize] = rank;
    }
    let bytes = |numbers: Vec<u32>| numbers.iter().flat_map(|n| n.to_le_bytes()).collect();
    Ok((bytes(order), bytes(ranks)))
}
