//! A handle on a folder, through which files are read and written without ever following a symbolic link.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use anyhow::Context;
use rustix::fs::{self, AtFlags, FileType, Mode, OFlags};
use rustix::io::Errno;

/// How many folders may lie inside each other: each one on the way down keeps a file descriptor open.
pub(super) const FOLDER_DEPTH_MAX: usize = 128;

/// What stands under a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, socket or device, said in words.
    Other(&'static str),
}

/// What `lstat` says about a name; two equal stamps of one path mean the same content, but for races.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    pub kind: Kind,
    pub mode: u32,
    pub links: u64,
    pub size: u64,
    /// Seconds and nanoseconds since the epoch.
    pub modified: (i64, u32),
    pub changed: (i64, u32),
    pub device: u64,
    pub inode: u64,
    pub user: u32,
    pub group: u32,
}

impl Stamp {
    /// Returns whether git would call it executable.
    pub fn executable(&self) -> bool {
        self.mode & 0o100 != 0
    }

    #[allow(
        clippy::unnecessary_cast,
        reason = "the widths of these fields differ between platforms"
    )]
    fn new(stat: &fs::Stat) -> Stamp {
        Stamp {
            kind: kind(FileType::from_raw_mode(stat.st_mode)),
            mode: stat.st_mode as u32 & 0o7777,
            links: stat.st_nlink as u64,
            size: stat.st_size as u64,
            modified: (stat.st_mtime as i64, stat.st_mtime_nsec as u32),
            changed: (stat.st_ctime as i64, stat.st_ctime_nsec as u32),
            device: stat.st_dev as u64,
            inode: stat.st_ino as u64,
            user: stat.st_uid,
            group: stat.st_gid,
        }
    }
}

fn kind(file_type: FileType) -> Kind {
    match file_type {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        FileType::Fifo => Kind::Other("a pipe"),
        FileType::Socket => Kind::Other("a socket"),
        FileType::CharacterDevice | FileType::BlockDevice => Kind::Other("a device"),
        FileType::Unknown => Kind::Other("of an unknown kind"),
    }
}

/// An open folder. Every name given to its methods is a single path component.
pub(super) struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder by its path, the last component of which is no symbolic link.
    pub fn open(path: &Path) -> anyhow::Result<Folder> {
        let fd = fs::open(path, folder_flags(), Mode::empty())
            .with_context(|| format!("cannot open folder `{}`", path.display()))?;
        Ok(Folder {
            fd,
            path: path.to_owned(),
        })
    }

    /// Opens a folder inside this one.
    pub fn enter(&self, name: &[u8]) -> anyhow::Result<Folder> {
        let fd = fs::openat(&self.fd, name, folder_flags(), Mode::empty())
            .with_context(|| format!("cannot open folder `{}`", self.shown(name)))?;
        Ok(Folder {
            fd,
            path: self.path_of(name),
        })
    }

    /// Opens a folder inside this one, giving us every right to it first: tools such as Go leave read-only ones behind.
    pub fn enter_unlocked(&self, name: &[u8]) -> anyhow::Result<Folder> {
        self.unlock(name)?;
        self.enter(name)
    }

    fn unlock(&self, name: &[u8]) -> anyhow::Result<()> {
        let locked = |stamp: &Stamp| stamp.kind == Kind::Folder && stamp.mode & 0o700 != 0o700;
        if self.look(name)?.as_ref().is_some_and(locked) {
            fs::chmodat(&self.fd, name, Mode::RWXU, AtFlags::empty())
                .with_context(|| format!("cannot unlock folder `{}`", self.shown(name)))?;
        }
        Ok(())
    }

    /// Returns the names in the folder, in byte order, without `.` and `..`.
    pub fn names(&self) -> anyhow::Result<Vec<Vec<u8>>> {
        let read = || -> Result<Vec<Vec<u8>>, Errno> {
            let mut names = Vec::new();
            for entry in fs::Dir::read_from(&self.fd)? {
                let name = entry?.file_name().to_bytes().to_vec();
                if name != b"." && name != b".." {
                    names.push(name);
                }
            }
            names.sort();
            Ok(names)
        };
        read().with_context(|| format!("cannot list folder `{}`", self.path.display()))
    }

    /// Returns what stands under a name, or None.
    pub fn look(&self, name: &[u8]) -> anyhow::Result<Option<Stamp>> {
        match fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(Stamp::new(&stat))),
            Err(Errno::NOENT) => Ok(None),
            Err(errno) => {
                Err(errno).with_context(|| format!("cannot look at `{}`", self.shown(name)))
            }
        }
    }

    /// Returns the bytes of a regular file, or None when it has more than `bytes_max`.
    pub fn read(&self, name: &[u8], bytes_max: u64) -> anyhow::Result<Option<Vec<u8>>> {
        let read = || -> std::io::Result<Option<Vec<u8>>> {
            // Without NONBLOCK a pipe put in the file's place would keep us waiting for its writer.
            let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::CLOEXEC;
            let file = File::from(fs::openat(&self.fd, name, flags, Mode::empty())?);
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return Err(std::io::Error::other("it is not a regular file"));
            }
            if metadata.len() > bytes_max {
                return Ok(None);
            }
            let mut bytes = Vec::new();
            file.take(bytes_max + 1).read_to_end(&mut bytes)?;
            Ok((bytes.len() as u64 <= bytes_max).then_some(bytes))
        };
        read().with_context(|| format!("cannot read `{}`", self.shown(name)))
    }

    /// Returns the text of a symbolic link.
    pub fn read_link(&self, name: &[u8]) -> anyhow::Result<Vec<u8>> {
        let target = fs::readlinkat(&self.fd, name, Vec::new())
            .with_context(|| format!("cannot read link `{}`", self.shown(name)))?;
        Ok(target.into_bytes())
    }

    /// Creates a file; nothing may stand under its name.
    pub fn write(&self, name: &[u8], bytes: &[u8], executable: bool) -> anyhow::Result<()> {
        let mode = if executable { 0o777 } else { 0o666 };
        let write = || -> std::io::Result<()> {
            let flags =
                OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let fd = fs::openat(&self.fd, name, flags, Mode::from_raw_mode(mode))?;
            File::from(fd).write_all(bytes)
        };
        write().with_context(|| format!("cannot write `{}`", self.shown(name)))
    }

    /// Creates a symbolic link; nothing may stand under its name.
    pub fn link(&self, name: &[u8], target: &[u8]) -> anyhow::Result<()> {
        fs::symlinkat(target, &self.fd, name)
            .with_context(|| format!("cannot create link `{}`", self.shown(name)))
    }

    /// Creates a folder; nothing may stand under its name.
    pub fn make(&self, name: &[u8]) -> anyhow::Result<()> {
        fs::mkdirat(&self.fd, name, Mode::from_raw_mode(0o777))
            .with_context(|| format!("cannot create folder `{}`", self.shown(name)))
    }

    /// Renames `from` to `to` within the folder, replacing a file that stands there.
    pub fn rename(&self, from: &[u8], to: &[u8]) -> anyhow::Result<()> {
        fs::renameat(&self.fd, from, &self.fd, to)
            .with_context(|| format!("cannot rename `{}`", self.shown(from)))
    }

    /// Removes whatever stands under a name, with everything in it.
    pub fn remove(&self, name: &[u8]) -> anyhow::Result<()> {
        match self.look(name)? {
            None => Ok(()),
            Some(stamp) if stamp.kind == Kind::Folder => self.remove_folder(name),
            Some(_) => fs::unlinkat(&self.fd, name, AtFlags::empty())
                .with_context(|| format!("cannot remove `{}`", self.shown(name))),
        }
    }

    /// Removes a folder of any depth with a bounded stack: what lies deeper is first moved up beside it.
    fn remove_folder(&self, name: &[u8]) -> anyhow::Result<()> {
        let mut waiting = vec![name.to_vec()];
        let mut moved = 0_u32;
        while let Some(name) = waiting.pop() {
            let folder = self.enter_unlocked(&name)?;
            for inner in folder.names()? {
                let is_folder =
                    matches!(folder.look(&inner)?, Some(stamp) if stamp.kind == Kind::Folder);
                if !is_folder {
                    folder.remove(&inner)?;
                } else if !folder.remove_empty(&inner) {
                    let aside = self.free_name(&mut moved)?;
                    folder.unlock(&inner)?;
                    fs::renameat(&folder.fd, &inner, &self.fd, &aside)
                        .with_context(|| format!("cannot move `{}`", folder.shown(&inner)))?;
                    waiting.push(aside);
                }
            }
            fs::unlinkat(&self.fd, &name, AtFlags::REMOVEDIR)
                .with_context(|| format!("cannot remove folder `{}`", self.shown(&name)))?;
        }
        Ok(())
    }

    fn remove_empty(&self, name: &[u8]) -> bool {
        fs::unlinkat(&self.fd, name, AtFlags::REMOVEDIR).is_ok()
    }

    fn free_name(&self, counter: &mut u32) -> anyhow::Result<Vec<u8>> {
        loop {
            *counter += 1;
            let name = format!(".orchestrate-removed-{counter}").into_bytes();
            if self.look(&name)?.is_none() {
                return Ok(name);
            }
        }
    }

    fn path_of(&self, name: &[u8]) -> PathBuf {
        self.path.join(name_to_path(name))
    }

    fn shown(&self, name: &[u8]) -> String {
        self.path_of(name).display().to_string()
    }
}

/// Returns the bytes of a name or relative path as a path.
pub(super) fn name_to_path(name: &[u8]) -> &Path {
    use std::os::unix::ffi::OsStrExt;
    Path::new(std::ffi::OsStr::from_bytes(name))
}

fn folder_flags() -> OFlags {
    OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC
}
