//! A disk whose power can be cut: an ext4 image of its own, which is shut down without its journal being written.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

const IMAGE_BYTES: u64 = 96 << 20;

/// What ext4 is told by python3, as no crate here knows the call: shut down, and write nothing more, the journal neither.
const SHUT_DOWN: &str = "import fcntl, os, struct, sys\n\
    fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))";

/// A mounted image.
pub struct Disk {
    root: TempDir,
}

impl Disk {
    /// Makes one; needs root.
    pub fn new() -> Disk {
        let disk = Disk {
            root: tempfile::tempdir().unwrap(),
        };
        let image = File::create(disk.image()).unwrap();
        image.set_len(IMAGE_BYTES).unwrap();
        fs::create_dir(disk.folder()).unwrap();
        succeed(Command::new("mkfs.ext4").arg("-qF").arg(disk.image()));
        disk.mount();
        disk
    }

    fn image(&self) -> PathBuf {
        self.root.path().join("image")
    }

    /// Returns the folder that it is mounted on.
    pub fn folder(&self) -> PathBuf {
        self.root.path().join("disk")
    }

    fn mount(&self) {
        let mut mount = Command::new("mount");
        succeed(
            mount
                .args(["-o", "loop"])
                .arg(self.image())
                .arg(self.folder()),
        );
    }

    /// Brings everything so far onto the disk.
    pub fn flush(&self) {
        succeed(Command::new("sync").arg("--file-system").arg(self.folder()));
    }

    /// Cuts the power: what is not on the disk by now never gets there.
    pub fn cut(&self) {
        succeed(
            Command::new("python3")
                .args(["-c", SHUT_DOWN])
                .arg(self.folder()),
        );
    }

    /// Starts from what is on the disk.
    pub fn start_again(&self) {
        unmount(&self.folder());
        self.mount();
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        unmount(&self.folder());
    }
}

fn unmount(folder: &Path) {
    let mut unmount = Command::new("umount");
    succeed(unmount.arg(folder));
}

#[track_caller]
fn succeed(command: &mut Command) {
    let output = command.output();
    let output = output.unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}
