//! A folder of the disk, opened once: the kernel resolves every path beneath it.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};

use super::{Entry, FILE_BYTES_MAX, Kind};

#[derive(Debug)]
pub struct Folder {
    directory: Dir,
    path: PathBuf,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Folder> {
        let directory = Dir::open_ambient_dir(path, ambient_authority())
            .with_context(|| format!("cannot open the folder `{}`", path.display()))?;
        Ok(Folder {
            directory,
            path: path.to_path_buf(),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn read(&self, path: &str) -> Result<Option<Vec<u8>>> {
        let mut options = OpenOptions::new();
        options.read(true);
        #[cfg(unix)]
        {
            use cap_std::fs::OpenOptionsExt;
            // Opening a pipe would wait for a writer.
            options.custom_flags(rustix::fs::OFlags::NONBLOCK.bits().cast_signed());
        }
        let file = match self.directory.open_with(path, &options) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(explained(error)),
        };
        let metadata = file.metadata()?;
        ensure!(metadata.is_file(), "it is not a regular file");
        ensure!(
            metadata.len() <= FILE_BYTES_MAX,
            "it has {} bytes, and at most {FILE_BYTES_MAX} are read",
            metadata.len()
        );
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len())? + 1);
        // It may have grown since.
        file.take(FILE_BYTES_MAX).read_to_end(&mut bytes)?;
        Ok(Some(bytes))
    }

    pub fn kind(&self, path: &str) -> Result<Option<Kind>> {
        if path.is_empty() {
            return Ok(Some(Kind::Folder));
        }
        match self.directory.metadata(path) {
            Ok(metadata) => Ok(Some(kind(metadata.file_type()))),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(explained(error)),
        }
    }

    pub fn list(&self, path: &str) -> Result<Vec<Entry>> {
        let path = if path.is_empty() { "." } else { path };
        let entries = match self.directory.read_dir(path) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => return Ok(Vec::new()),
            Err(error) => return Err(explained(error)),
        };
        let mut found = Vec::new();
        for entry in entries {
            let entry = entry?;
            found.push(Entry {
                name: entry.file_name().to_string_lossy().into_owned(),
                kind: kind(entry.file_type()?),
            });
        }
        Ok(found)
    }

    pub fn is_executable(&self, path: &str) -> Result<bool> {
        #[cfg(unix)]
        {
            use cap_std::fs::MetadataExt;
            Ok(self.directory.metadata(path)?.mode() & 0o100 != 0)
        }
        #[cfg(not(unix))]
        {
            let _ = path;
            Ok(false)
        }
    }
}

fn kind(of: FileType) -> Kind {
    match of {
        of if of.is_file() => Kind::File,
        of if of.is_dir() => Kind::Folder,
        of if of.is_symlink() => Kind::Link,
        _ => Kind::Special,
    }
}

fn is_absent(error: &std::io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

fn explained(error: std::io::Error) -> anyhow::Error {
    // What the kernel (EXDEV) and cap-std (permission denied) say of a path that resolves outside.
    let outside = error.raw_os_error() == Some(rustix::io::Errno::XDEV.raw_os_error())
        || error.to_string().contains("outside of the filesystem");
    match outside {
        true => anyhow::anyhow!("a symlink leads out of its root"),
        false => error.into(),
    }
}
