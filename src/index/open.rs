//! An index that is open: its plugins by number and by name, and its terms.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::str;
use std::sync::OnceLock;

use anyhow::{Context, Result};

use super::damage::Damaged;
use super::file::{PARTS, Part, Table, is_long_enough};
use super::map::Map;
use super::postings::List;
use super::score::Statistics;
use super::sketch::Sketch;
use super::write::checksum;
use super::{FIELDS, PerField, Stored as Vector};

/// An index, mapped into memory.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    map: Map,
    table: Table,
    /// Of each part whether its checksum is right; looked at when it is first needed.
    sound: [OnceLock<bool>; PARTS],
}

/// A plugin as it lies in the file.
struct Stored<'a> {
    name: &'a str,
    sketch: &'a [u8],
    record: &'a [u8],
}

impl Index {
    /// Opens the index at `path`; none where there is none, or one of another key or version, or one that was cut off or damaged.
    pub fn open(path: &Path, key: &str) -> Result<Option<Index>> {
        Index::open_if(path, Some(key))
    }

    /// Opens the index at `path`, whatever it was made for.
    pub fn open_any(path: &Path) -> Result<Option<Index>> {
        Index::open_if(path, None)
    }

    fn open_if(path: &Path, key: Option<&str>) -> Result<Option<Index>> {
        match File::open(path) {
            Ok(file) => Index::of(&file, path, key),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => {
                Err(error).with_context(|| format!("cannot open the index `{}`", path.display()))
            }
        }
    }

    pub(super) fn of(file: &File, path: &Path, key: Option<&str>) -> Result<Option<Index>> {
        let context = || format!("cannot read the index `{}`", path.display());
        let metadata = file.metadata().with_context(context)?;
        if !metadata.is_file() || !is_long_enough(metadata.len()) {
            return Ok(None);
        }
        let map = Map::of(file).with_context(context)?;
        let Some(table) = Table::read(&map).filter(|table| key.is_none_or(|key| table.key == key))
        else {
            return Ok(None);
        };
        let index = Index {
            path: path.to_path_buf(),
            map,
            table,
            sound: Default::default(),
        };
        Ok(index.part(Part::Header).is_ok().then_some(index))
    }

    /// Returns how many plugins there are; they are numbered from 0 in the order they were loaded.
    pub fn len(&self) -> usize {
        self.table.plugins as usize
    }

    /// Says whether there is no plugin.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns what was said about the whole when it was written.
    pub fn header(&self) -> &[u8] {
        self.part(Part::Header).unwrap_or_default()
    }

    /// Returns what a plugin is called.
    pub fn name(&self, plugin: usize) -> Result<&str> {
        Ok(self.stored(plugin)?.name)
    }

    /// Returns a plugin's record as it was written.
    pub fn record(&self, plugin: usize) -> Result<&[u8]> {
        Ok(self.stored(plugin)?.record)
    }

    /// Returns a plugin's sketch, to tell near-duplicates by.
    pub fn sketch(&self, plugin: usize) -> Result<Sketch> {
        Ok(Sketch::from_bytes(self.stored(plugin)?.sketch))
    }

    /// Returns the first plugin of this name.
    pub fn find(&self, name: &str) -> Result<Option<usize>> {
        self.find_all(name)?.next().transpose()
    }

    /// Returns every plugin of this name.
    pub fn find_all<'a>(
        &'a self,
        name: &'a str,
    ) -> Result<impl Iterator<Item = Result<usize>> + 'a> {
        let (order, _) = self.part(Part::Order)?.as_chunks();
        let number = |place: &[u8; 4]| u32::from_le_bytes(*place) as usize;
        let (mut start, mut end) = (0, order.len());
        while start < end {
            let middle = start.midpoint(end);
            match self.name(number(&order[middle]))? < name {
                true => start = middle + 1,
                false => end = middle,
            }
        }
        let same = move |plugin: usize| match self.name(plugin) {
            Ok(other) if other == name => Some(Ok(plugin)),
            Ok(_) => None,
            Err(error) => Some(Err(error)),
        };
        Ok(order[start..].iter().map(number).map_while(same))
    }

    /// Returns what scores are computed from besides postings.
    pub(super) fn statistics(&self) -> Statistics {
        Statistics {
            plugins: u64::from(self.table.plugins),
            words: self.table.words,
        }
    }

    /// Returns the length codes of each plugin.
    pub(super) fn lengths(&self) -> Result<&[PerField<u8>]> {
        Ok(self.part(Part::Lengths)?.as_chunks::<FIELDS>().0)
    }

    /// Returns the place of each plugin in the order of names, four bytes each.
    pub(super) fn ranks(&self) -> Result<&[[u8; 4]]> {
        Ok(self.part(Part::Ranks)?.as_chunks().0)
    }

    /// Returns the vector of each plugin; nothing where none has one.
    pub fn vectors(&self) -> Result<&[Vector]> {
        Ok(self.part(Part::Vectors)?.as_chunks().0)
    }

    /// Returns the list of each term; none for a term that no plugin has.
    pub(super) fn lists<'a>(&'a self, terms: &[String]) -> Result<Vec<Option<List<'a>>>> {
        let dictionary = fst::Map::new(self.part(Part::Terms)?)
            .map_err(|_| Damaged::new(&self.path, "its dictionary"))?;
        let list = |term: &String| {
            dictionary
                .get(term)
                .map(|place| self.list(place))
                .transpose()
        };
        terms.iter().map(list).collect()
    }

    /// Returns an error about what turned out to be damaged.
    pub(super) fn damaged(&self, what: &'static str) -> anyhow::Error {
        Damaged::new(&self.path, what).into()
    }

    fn list(&self, place: u64) -> Result<List<'_>> {
        let read = || {
            let bytes = self
                .extent(Part::Lists)?
                .get(usize::try_from(place).ok()?..)?;
            let (expected, bytes) = take_number(bytes)?;
            let (documents, bytes) = take_number(bytes)?;
            let (length, bytes) = take_number(bytes)?;
            let bytes = bytes.get(..length as usize)?;
            let sound = documents <= self.table.plugins && checksum(documents, bytes) == expected;
            sound.then(|| List::new(documents, bytes)).flatten()
        };
        read().ok_or_else(|| self.damaged("a list of postings"))
    }

    fn stored(&self, plugin: usize) -> Result<Stored<'_>> {
        let read = || {
            // The starts need no checksum of their own: a document answers to its number only.
            let starts = self.extent(Part::Starts)?.as_chunks().0;
            let start = u64::from_le_bytes(*starts.get(plugin)?);
            let bytes = self.map.get(usize::try_from(start).ok()?..)?;
            let (expected, bytes) = take_number(bytes)?;
            let (name, rest) = take_number(bytes)?;
            let (sketch, rest) = take_number(rest)?;
            let (record, _) = take_number(rest)?;
            let lengths = [name, sketch, record].map(|length| length as usize);
            let content = bytes.get(..12 + lengths.iter().sum::<usize>())?;
            let number = u32::try_from(plugin).ok()?;
            let (name, rest) = content.get(12..)?.split_at_checked(lengths[0])?;
            let (sketch, record) = rest.split_at_checked(lengths[1])?;
            let name = str::from_utf8(name).ok()?;
            let stored = Stored {
                name,
                sketch,
                record,
            };
            (checksum(number, content) == expected).then_some(stored)
        };
        read().ok_or_else(|| self.damaged("the record of a plugin"))
    }

    /// Returns a part whose checksum is right.
    fn part(&self, part: Part) -> Result<&[u8]> {
        let bytes = self.extent(part).unwrap_or_default();
        let expected = self.table.parts[part as usize].checksum;
        let sound = self.sound[part as usize].get_or_init(|| crc32fast::hash(bytes) == expected);
        match sound {
            true => Ok(bytes),
            false => Err(self.damaged("one of its tables")),
        }
    }

    fn extent(&self, part: Part) -> Option<&[u8]> {
        let extent = self.table.parts[part as usize];
        let start = usize::try_from(extent.start).ok()?;
        let bytes = usize::try_from(extent.bytes).ok()?;
        self.map.get(start..start.checked_add(bytes)?)
    }
}

fn take_number(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (number, rest) = bytes.split_first_chunk()?;
    Some((u32::from_le_bytes(*number), rest))
}
