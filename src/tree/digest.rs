//! The digest of a plugin: what its bytes, names and modes are, in one line.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::model::{Digest, PluginFile};

/// Returns the SHA-256 over the files in the byte order of their paths. Each adds its git mode (`100644` or `100755`), a space,
/// its path, a NUL, its size in decimal digits, a NUL, and its bytes.
pub fn digest(files: &BTreeMap<String, PluginFile>) -> Digest {
    let mut hash = Sha256::new();
    for (path, file) in files {
        let mode = if file.executable { "100755" } else { "100644" };
        hash.update(format!("{mode} {path}\0{}\0", file.bytes.len()));
        hash.update(&file.bytes);
    }
    of_hash(hash)
}

/// Returns the SHA-256 of `bytes`.
pub fn of_bytes(bytes: &[u8]) -> Digest {
    of_hash(Sha256::new().chain_update(bytes))
}

fn of_hash(hash: Sha256) -> Digest {
    let hex: String = hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    Digest::from_hex(&hex).expect("a SHA-256 has 64 hexadecimal digits")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plugin(path: &str, bytes: &str, executable: bool) -> Digest {
        let file = PluginFile {
            bytes: bytes.into(),
            executable,
        };
        digest(&BTreeMap::from([(path.to_string(), file)]))
    }

    #[test]
    fn name_mode_and_bytes_all_count() {
        let one = plugin("a", "b", false);
        assert_ne!(one, plugin("a", "c", false));
        assert_ne!(one, plugin("A", "b", false));
        assert_ne!(one, plugin("a", "b", true));
        // `printf '100644 a\0001\0b' | sha256sum`
        assert_eq!(one.as_str(), of_bytes(b"100644 a\x001\x00b").as_str());
    }
}
