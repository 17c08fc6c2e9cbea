//! The folders of `templates/` in this binary.

use super::{Entry, Kind, join};

mod table {
    include!(concat!(env!("OUT_DIR"), "/embedded.rs"));
}

/// Returns the embedded files whose path in `templates/` starts with `prefix`, sorted.
pub fn embedded(prefix: &str) -> impl Iterator<Item = (&'static str, &'static [u8])> {
    table::FILES
        .iter()
        .copied()
        .filter(move |(name, _)| name.starts_with(prefix))
}

/// Returns what tells the folder from the same one in another build.
pub(super) fn id(folder: &str) -> String {
    format!("{folder} of {}", env!("ORCHESTRATE_EMBEDDED"))
}

pub(super) fn read(folder: &str, path: &str) -> Option<Vec<u8>> {
    let name = join(folder, path);
    let index = table::FILES
        .binary_search_by(|(file, _)| (*file).cmp(&name))
        .ok()?;
    Some(table::FILES[index].1.to_vec())
}

pub(super) fn kind(folder: &str, path: &str) -> Option<Kind> {
    let name = join(folder, path);
    match read(&name, "") {
        Some(_) => Some(Kind::File),
        None => embedded(&format!("{name}/")).next().map(|_| Kind::Folder),
    }
}

pub(super) fn list(folder: &str, path: &str) -> Vec<Entry> {
    let prefix = format!("{}/", join(folder, path));
    let mut entries: Vec<Entry> = Vec::new();
    for (name, _) in embedded(&prefix) {
        let (name, kind) = match name[prefix.len()..].split_once('/') {
            Some((folder, _)) => (folder, Kind::Folder),
            None => (&name[prefix.len()..], Kind::File),
        };
        if entries.last().is_none_or(|last| last.name != name) {
            entries.push(Entry {
                name: name.to_string(),
                kind,
            });
        }
    }
    entries
}
