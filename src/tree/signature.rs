//! What tells a folder of the disk from what it was before, without reading it.

use std::path::Path;
use std::time::UNIX_EPOCH;

use walkdir::{DirEntry, WalkDir};

/// The most entries of a folder that is looked through as a whole.
const WHOLE_MAX: usize = 256;

/// Returns the names, sizes and times of what stands at the top of a folder, and in the hidden folders there.
///
/// Plugins that come or go are seen by it, and changes inside a plugin are not.
pub fn at_top(folder: &Path) -> String {
    let mut entries = Vec::new();
    for entry in walk(folder, 1) {
        // What is told about the whole stands in hidden folders, such as `.claude-plugin/marketplace.json`.
        if entry.depth() == 1 && is_hidden(&entry) && entry.file_type().is_dir() {
            entries.extend(walk(entry.path(), 2));
        }
        entries.push(entry);
    }
    stamps(folder, &entries)
}

/// Returns the same of everything in a small folder, or none for a large one, whose looking through would cost as much as reading it.
pub fn of_whole(folder: &Path) -> Option<String> {
    // Not sorted while walking: a sorted walk reads the whole of a large folder first.
    let whole: Vec<DirEntry> = walk(folder, usize::MAX).take(WHOLE_MAX + 1).collect();
    (whole.len() <= WHOLE_MAX).then(|| stamps(folder, &whole))
}

fn stamps(folder: &Path, entries: &[DirEntry]) -> String {
    let mut stamps: Vec<String> = entries.iter().map(|entry| stamp(folder, entry)).collect();
    stamps.sort();
    stamps.join("\n")
}

/// Returns a folder and what is in it, so many levels deep; git's own folder is left out.
fn walk(folder: &Path, depth: usize) -> impl Iterator<Item = DirEntry> {
    WalkDir::new(folder)
        .follow_links(false)
        .max_depth(depth)
        .into_iter()
        .filter_entry(|entry| entry.file_name() != ".git")
        .flatten()
}

fn is_hidden(entry: &DirEntry) -> bool {
    entry.file_name().as_encoded_bytes().starts_with(b".")
}

fn stamp(folder: &Path, entry: &DirEntry) -> String {
    let name = entry.path().strip_prefix(folder).unwrap_or(entry.path());
    let metadata = entry.metadata().ok();
    let size = metadata.as_ref().map_or(0, std::fs::Metadata::len);
    let time = metadata
        .and_then(|metadata| metadata.modified().ok())
        .and_then(|time| time.duration_since(UNIX_EPOCH).ok())
        .unwrap_or_default();
    format!("{} {size} {}", name.display(), time.as_nanos())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_small_folder_is_looked_through_and_a_large_one_at_its_top() {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, text: &str| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write(".claude-plugin/marketplace.json", "{}");
        write("plugins/a/skills/s/SKILL.md", "a");
        let small = of_whole(folder.path()).unwrap();
        write("plugins/a/skills/s/SKILL.md", "longer");
        assert_ne!(of_whole(folder.path()).unwrap(), small);
        for number in 0..WHOLE_MAX {
            write(&format!("plugins/{number}/SKILL.md"), "text");
        }
        assert_eq!(of_whole(folder.path()), None);
        let large = at_top(folder.path());
        write("plugins/a/skills/s/SKILL.md", "even longer");
        assert_eq!(at_top(folder.path()), large);
        write(".claude-plugin/marketplace.json", "{\"name\": \"m\"}");
        assert_ne!(at_top(folder.path()), large);
        let before = at_top(folder.path());
        write("plugins/new/SKILL.md", "text");
        assert_ne!(at_top(folder.path()), before);
    }
}
