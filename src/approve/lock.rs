//! The part of a lock that a plan depends on, cut out of its bytes without reading them as YAML.

use std::collections::BTreeSet;

/// Returns the lines of a lock that hold for the plugins called `names`: everything outside `plugins:`, and their entries in it.
///
/// What is returned is a lock itself, so it can be read in place of the whole: then nothing counts that was not bound.
pub fn lock_part(text: &[u8], names: &BTreeSet<&str>) -> Vec<u8> {
    let mut part = Vec::new();
    let (mut inside, mut wanted) = (false, true);
    for line in text.split_inclusive(|&byte| byte == b'\n') {
        let depth = line.iter().take_while(|&&byte| byte == b' ').count();
        if depth == 0 {
            inside = line.trim_ascii_end() == b"plugins:";
            wanted = true;
        } else if inside && depth <= ENTRY_DEPTH {
            wanted = key(line).is_some_and(|key| names.contains(key));
        }
        if wanted {
            part.extend_from_slice(line);
        }
    }
    part
}

/// How far the names of plugins are indented, as we write them.
const ENTRY_DEPTH: usize = 2;

/// Returns the key of a line `  key:`, without the quotes that some names need.
fn key(line: &[u8]) -> Option<&str> {
    let line = std::str::from_utf8(line).ok()?.trim();
    let key = line.strip_suffix(':')?;
    let quoted = ['"', '\''].into_iter().find_map(|quote| {
        key.strip_prefix(quote)
            .and_then(|key| key.strip_suffix(quote))
    });
    Some(quoted.unwrap_or(key))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCK: &str = "schema: 1\ncommit: abc\nplugins:\n  a:\n    digest: 1\n  \"b/c\":\n    digest: 2\n    payloads:\n    - x\n  d:\n    digest: 3\ntree: def\n";

    fn part(names: &[&str]) -> String {
        let names = names.iter().copied().collect();
        String::from_utf8(lock_part(LOCK.as_bytes(), &names)).unwrap()
    }

    #[test]
    fn the_head_and_the_named_entries_are_kept() {
        assert_eq!(part(&["a", "b/c", "d"]), LOCK);
        assert_eq!(
            part(&["b/c"]),
            "schema: 1\ncommit: abc\nplugins:\n  \"b/c\":\n    digest: 2\n    payloads:\n    - x\ntree: def\n"
        );
        assert_eq!(part(&[]), "schema: 1\ncommit: abc\nplugins:\ntree: def\n");
    }
}
