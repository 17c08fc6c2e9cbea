//! Files that are in memory, by their paths.

use std::collections::BTreeMap;

use super::{Entry, Kind};

#[derive(Debug)]
pub struct Memory(BTreeMap<String, Vec<u8>>);

impl Memory {
    pub fn new(files: BTreeMap<String, Vec<u8>>) -> Memory {
        Memory(files)
    }

    pub fn read(&self, path: &str) -> Option<Vec<u8>> {
        self.0.get(path).cloned()
    }

    pub fn kind(&self, path: &str) -> Option<Kind> {
        let is_folder = || path.is_empty() || self.below(path).next().is_some();
        match self.0.contains_key(path) {
            true => Some(Kind::File),
            false => is_folder().then_some(Kind::Folder),
        }
    }

    pub fn list(&self, path: &str) -> Vec<Entry> {
        let named = self
            .below(path)
            .map(|(below, _)| match below.split_once('/') {
                Some((folder, _)) => (folder, Kind::Folder),
                None => (below, Kind::File),
            });
        let entries: BTreeMap<&str, Kind> = named.collect();
        let entry = |(name, kind): (&str, Kind)| Entry {
            name: name.to_string(),
            kind,
        };
        entries.into_iter().map(entry).collect()
    }

    /// Returns the files in a folder and below it, with their paths from there.
    fn below(&self, folder: &str) -> impl Iterator<Item = (&str, &[u8])> {
        let prefix = match folder {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        self.0
            .range(prefix.clone()..)
            .map_while(move |(path, bytes)| Some((path.strip_prefix(&prefix)?, bytes.as_slice())))
    }
}
