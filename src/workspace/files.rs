//! Files that a step may have made: read with bounds, and only where they are plain files.

use std::fs::{File, OpenOptions};
use std::io::Read;
use std::path::Path;

use anyhow::{Context, Result, bail};

/// The most bytes of such a file that are read.
const BYTES_MAX: u64 = 64 * 1024 * 1024;

/// Returns the bytes of the file, or none where there is none. A link, a pipe, a device and a file without end are refused:
/// whoever made it is not trusted, and we are not in its sandbox.
pub fn read_plain(path: &Path) -> Result<Option<Vec<u8>>> {
    let reading = || format!("cannot read `{}`", path.display());
    let file = match open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error).with_context(reading),
    };
    if !file.metadata().with_context(reading)?.is_file() {
        bail!("`{}` is not a regular file", path.display());
    }
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .with_context(reading)?;
    if bytes.len() as u64 > BYTES_MAX {
        bail!("`{}` has more than {BYTES_MAX} bytes", path.display());
    }
    Ok(Some(bytes))
}

#[cfg(unix)]
fn open(path: &Path) -> std::io::Result<File> {
    use rustix::fs::OFlags;
    use std::os::unix::fs::OpenOptionsExt;
    // Without NONBLOCK a pipe that nobody writes to would keep us waiting.
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
    OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits() as i32)
        .open(path)
}

#[cfg(not(unix))]
fn open(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().read(true).open(path)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn pipes_links_and_folders_are_refused_at_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::write(path("plain"), "x").unwrap();
        assert_eq!(
            read_plain(&path("plain")).unwrap().as_deref(),
            Some(&b"x"[..])
        );
        assert_eq!(read_plain(&path("none")).unwrap(), None);
        std::os::unix::fs::symlink(path("plain"), path("link")).unwrap();
        let made = std::process::Command::new("mkfifo")
            .arg(path("pipe"))
            .status();
        assert!(made.unwrap().success());
        for name in ["link", "pipe", "."] {
            assert!(read_plain(&path(name)).is_err(), "{name}");
        }
        assert!(read_plain(Path::new("/dev/zero")).is_err());
    }
}
