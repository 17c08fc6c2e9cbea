//! The index of plugins, and the words in it.

use std::cell::RefCell;
use std::io::{Seek, Write};

use orchestrate::index::{self, Document, Documents, Index, Source, Texts};
use tempfile::NamedTempFile;

thread_local! {
    static FILE: RefCell<NamedTempFile> = RefCell::new(file());
}

/// Opens an index of these bytes, and searches in it.
pub fn index(bytes: &[u8]) {
    FILE.with_borrow_mut(|file| {
        write(file, &checked(bytes)).expect("there is room for a small file");
        let opened = Index::open_any(file.path()).expect("whatever is in it, the file is there");
        let Some(index) = opened else { return };
        index.header();
        for plugin in (0..index.len()).take(8) {
            index.name(plugin).ok();
            index.record(plugin).ok();
            index.sketch(plugin).ok();
        }
        index.find("reviewer").ok();
        match index::search(&[Source::Index(&index)], "review code test", 5) {
            Ok(hits) => assert!(hits.len() <= 5),
            Err(error) => assert!(index::is_damage(&error), "{error:#}"),
        }
    });
}

/// Searches for the first line in the others, each of them a plugin.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let mut lines = text.lines();
    let query = lines.next().unwrap_or_default();
    let plugins = Lines(lines.take(64).collect());
    let hits = index::search(&[Source::Documents(&plugins)], query, 5);
    assert!(hits.expect("there is nothing that could be damaged").len() <= 5);
}

/// Plugins whose summaries are lines.
struct Lines<'a>(Vec<&'a str>);

impl Documents for Lines<'_> {
    fn count(&self) -> usize {
        self.0.len()
    }

    fn load(&self, number: usize) -> Option<Document> {
        Some(Document {
            name: format!("p{number}"),
            record: Vec::new(),
            texts: Texts {
                name: format!("p{number}"),
                summary: self.0[number].to_string(),
                ..Texts::default()
            },
            vector: None,
        })
    }
}

fn file() -> NamedTempFile {
    let memory = NamedTempFile::new_in("/dev/shm");
    memory
        .or_else(|_| NamedTempFile::new())
        .expect("there is a place for files")
}

fn write(file: &mut NamedTempFile, bytes: &[u8]) -> std::io::Result<()> {
    file.as_file().set_len(0)?;
    file.rewind()?;
    file.write_all(bytes)
}

/// Returns the bytes with the right end behind the last thing that looks like a table.
fn checked(bytes: &[u8]) -> Vec<u8> {
    let mut whole = bytes.to_vec();
    let start = bytes.windows(10).rposition(|part| part == b"{\"version\"");
    if let (Some(start), Some(end)) = (start, bytes.len().checked_sub(16)) {
        if start < end {
            let table = &bytes[start..end];
            whole.truncate(end);
            whole.extend((table.len() as u32).to_le_bytes());
            whole.extend(crc32fast::hash(table).to_le_bytes());
            whole.extend(b"ORCHIDX\n");
        }
    }
    whole
}
