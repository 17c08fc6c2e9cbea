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
        // Opening a pipe would wait for a writer.
        flag(&mut options, rustix::fs::OFlags::NONBLOCK);
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
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len())?);
        // It may have grown since; to look for more would take another call for every file.
        file.take(metadata.len()).read_to_end(&mut bytes)?;
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
        match entries(&self.directory, path) {
            Ok(entries) => Ok(entries),
            Err(error) if is_absent(&error) => Ok(Vec::new()),
            Err(error) => Err(explained(error)),
        }
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

#[cfg(unix)]
fn flag(options: &mut OpenOptions, flag: rustix::fs::OFlags) {
    use cap_std::fs::OpenOptionsExt;
    options.custom_flags(flag.bits().cast_signed());
}

/// Returns what is in a folder. It is opened once to be read; cap-std's own reading opens it twice.
#[cfg(unix)]
fn entries(root: &Dir, path: &str) -> std::io::Result<Vec<Entry>> {
    use rustix::fs::{AtFlags, Dir, FileType, OFlags, statat};

    let mut options = OpenOptions::new();
    options.read(true);
    flag(&mut options, OFlags::DIRECTORY);
    let mut names = Dir::new(root.open_with(path, &options)?)?;
    let mut found = Vec::new();
    while let Some(entry) = names.read() {
        let entry = entry?;
        let kind = match entry.file_type() {
            // Some file systems do not say.
            FileType::Unknown => {
                let status = statat(names.fd()?, entry.file_name(), AtFlags::SYMLINK_NOFOLLOW)?;
                FileType::from_raw_mode(status.st_mode)
            }
            known => known,
        };
        let kind = match kind {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Special,
        };
        let name = entry.file_name().to_string_lossy().into_owned();
        if !matches!(name.as_str(), "." | "..") {
            found.push(Entry { name, kind });
        }
    }
    Ok(found)
}

#[cfg(not(unix))]
fn entries(root: &Dir, path: &str) -> std::io::Result<Vec<Entry>> {
    let mut found = Vec::new();
    for entry in root.read_dir(path)? {
        let entry = entry?;
        found.push(Entry {
            name: entry.file_name().to_string_lossy().into_owned(),
            kind: kind(entry.file_type()?),
        });
    }
    Ok(found)
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
