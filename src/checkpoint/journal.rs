//! The journal of a run: what a checkpoint needs, on the disk for good with one flush before git has it.
//!
//! A record is a line with its length and its hash, then the new objects and the move of the branch. A record that is torn or
//! whose hash is another was not finished, and nothing was said to be done because of it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, ensure};

use super::unsynced::Fresh;
use crate::model::Oid;

/// When git itself is flushed and the journal emptied, whatever the run is doing.
const BYTES_MAX: u64 = 8 << 20;
const RECORDS_MAX: usize = 256;

/// A branch that moves, with the line for its log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Move {
    /// The full name.
    pub reference: String,
    /// Where it has to be; None when it must not exist yet.
    pub from: Option<Oid>,
    pub to: Oid,
    /// Who, when and why, as git's logs of refs have it after the two ids.
    pub log: String,
}

/// One checkpoint.
pub(super) struct Record {
    pub objects: Vec<Fresh>,
    pub moved: Move,
}

/// The file that checkpoints are appended to.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    length: u64,
    records: usize,
    hash: gix::hash::Kind,
}

impl Journal {
    /// Opens the journal at `path`, which has to be empty or not there: `Repository::recover` makes it so.
    pub fn open(path: &Path, hash: gix::hash::Kind) -> anyhow::Result<Journal> {
        let opening = || format!("cannot open the journal `{}`", path.display());
        let mut options = OpenOptions::new();
        let file = options.create(true).append(true).open(path);
        let file = file.with_context(opening)?;
        let length = file.metadata().with_context(opening)?.len();
        ensure!(length == 0, "the journal `{}` is in use", path.display());
        // The file has to be there after a power cut, not only its bytes.
        let folder = path.parent().unwrap_or(Path::new("."));
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .with_context(opening)?;
        Ok(Journal {
            path: path.to_owned(),
            file,
            length,
            records: 0,
            hash,
        })
    }

    /// Appends a checkpoint; it survives a power cut once this returns. After a failure nothing of it is left.
    pub fn append(&mut self, record: &Record) -> anyhow::Result<()> {
        let bytes = encode(record, self.hash)?;
        let written = self.file.write_all(&bytes);
        if let Err(error) = written.and_then(|()| self.file.sync_data()) {
            // What cannot be taken back is a record that nobody has acknowledged; the next one must not follow a torn one.
            self.file.set_len(self.length).ok();
            return Err(error)
                .with_context(|| format!("cannot write to the journal `{}`", self.path.display()));
        }
        self.length += bytes.len() as u64;
        self.records += 1;
        Ok(())
    }

    /// Says whether it is time to flush git and to empty the journal.
    pub fn is_full(&self) -> bool {
        self.length >= BYTES_MAX || self.records >= RECORDS_MAX
    }

    /// Returns what it holds.
    pub fn records(&self) -> anyhow::Result<Vec<Record>> {
        let bytes = std::fs::read(&self.path);
        let bytes =
            bytes.with_context(|| format!("cannot read the journal `{}`", self.path.display()))?;
        Ok(decode(&bytes, self.hash))
    }

    /// Empties the journal: git holds all of it for good.
    pub fn cut(&mut self) -> anyhow::Result<()> {
        if self.length > 0 {
            let emptying = || format!("cannot empty the journal `{}`", self.path.display());
            self.file.set_len(0).with_context(emptying)?;
        }
        (self.length, self.records) = (0, 0);
        Ok(())
    }
}

/// Returns the whole records of a journal's bytes, in order; what is torn at the end is left out.
pub(super) fn decode(mut bytes: &[u8], hash: gix::hash::Kind) -> Vec<Record> {
    let mut records = Vec::new();
    while let Some((record, rest)) = first_record(bytes, hash) {
        records.push(record);
        bytes = rest;
    }
    records
}

fn encode(record: &Record, hash: gix::hash::Kind) -> anyhow::Result<Vec<u8>> {
    let mut body = Vec::new();
    for object in &record.objects {
        writeln!(body, "object {} {}", object.kind, object.bytes.len())?;
        body.extend_from_slice(&object.bytes);
        body.push(b'\n');
    }
    let Move {
        reference,
        from,
        to,
        log,
    } = &record.moved;
    let from = from.as_ref().map_or("-", Oid::as_str);
    writeln!(body, "move {reference} {from} {to} {log}")?;
    let mut bytes = format!("checkpoint {} {}\n", body.len(), checksum(&body, hash)?).into_bytes();
    bytes.extend_from_slice(&body);
    Ok(bytes)
}

fn checksum(body: &[u8], hash: gix::hash::Kind) -> anyhow::Result<gix::ObjectId> {
    Ok(gix::objs::compute_hash(hash, gix::objs::Kind::Blob, body)?)
}

fn first_record(bytes: &[u8], hash: gix::hash::Kind) -> Option<(Record, &[u8])> {
    let (line, rest) = first_line(bytes)?;
    let (length, sum) = line.strip_prefix("checkpoint ")?.split_once(' ')?;
    let (mut body, rest) = rest.split_at_checked(length.parse().ok()?)?;
    if gix::ObjectId::from_hex(sum.as_bytes()).ok()? != checksum(body, hash).ok()? {
        return None;
    }
    let mut objects = Vec::new();
    loop {
        let (line, after) = first_line(body)?;
        if let Some(moved) = line.strip_prefix("move ") {
            let moved = read_move(moved)?;
            return Some((Record { objects, moved }, rest));
        }
        let (kind, length) = line.strip_prefix("object ")?.split_once(' ')?;
        let (bytes, after) = after.split_at_checked(length.parse().ok()?)?;
        objects.push(Fresh {
            kind: gix::objs::Kind::from_bytes(kind.as_bytes()).ok()?,
            bytes: bytes.to_vec(),
        });
        body = after.strip_prefix(b"\n")?;
    }
}

fn read_move(text: &str) -> Option<Move> {
    let mut parts = text.splitn(4, ' ');
    let reference = parts.next()?.to_owned();
    let from = match parts.next()? {
        "-" => None,
        id => Some(Oid::try_from(id.to_owned()).ok()?),
    };
    Some(Move {
        reference,
        from,
        to: Oid::try_from(parts.next()?.to_owned()).ok()?,
        log: parts.next()?.to_owned(),
    })
}

fn first_line(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.iter().position(|&byte| byte == b'\n')?;
    Some((std::str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 1..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHA1: gix::hash::Kind = gix::hash::Kind::Sha1;

    fn record(number: u8) -> Record {
        let id = |digit: &str| Oid::try_from(digit.repeat(40)).unwrap();
        let blob = |bytes: &[u8]| Fresh {
            kind: gix::objs::Kind::Blob,
            bytes: bytes.to_vec(),
        };
        Record {
            objects: vec![blob(b"move x\ncheckpoint 1 2\n"), blob(&[number, 0, b'\n'])],
            moved: Move {
                reference: "refs/heads/orchestrate/run".into(),
                from: (number > 0).then(|| id("a")),
                to: id("b"),
                log: format!("Ada <ada@localhost> {number} +0000\tcommit: a b"),
            },
        }
    }

    #[test]
    fn a_journal_cut_anywhere_keeps_its_whole_records() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal");
        let mut journal = Journal::open(&path, SHA1).unwrap();
        let mut ends = Vec::new();
        for number in 0..3 {
            journal.append(&record(number)).unwrap();
            ends.push(journal.length as usize);
        }
        let bytes = std::fs::read(&path).unwrap();
        for end in 0..=bytes.len() {
            let whole = ends.iter().filter(|&&whole| whole <= end).count();
            let found = decode(&bytes[..end], SHA1);
            assert_eq!(found.len(), whole, "cut at {end}");
            for (number, found) in (0..).zip(&found) {
                assert_eq!(found.moved, record(number).moved);
                assert_eq!(found.objects[1].bytes, record(number).objects[1].bytes);
            }
        }
        journal.cut().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"");
    }

    #[test]
    fn a_record_with_another_byte_is_none() {
        let bytes = encode(&record(1), SHA1).unwrap();
        for at in 0..bytes.len() {
            let mut other = bytes.clone();
            other[at] ^= 1;
            assert!(decode(&other, SHA1).is_empty(), "byte {at}");
        }
    }
}
