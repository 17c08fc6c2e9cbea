//! Repositories for the tests of this module.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Head, Opened, Repository, Settings, Worktree};
use crate::model::{Hinted, Kinded, Oid, Trouble};

/// A repository in a folder of its own, made with the git program, without the machine's configuration.
pub(super) struct Fixture {
    pub repository: Repository,
    home: tempfile::TempDir,
}

/// Returns an id from git's output.
pub(super) fn id(text: &str) -> Oid {
    Oid::try_from(text.trim().to_owned()).unwrap()
}

impl Fixture {
    pub fn new() -> Fixture {
        Fixture::with_arguments(&[])
    }

    pub fn with_arguments(arguments: &[&str]) -> Fixture {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join("user");
        let mut all = vec![
            "init",
            "--quiet",
            "--initial-branch=main",
            folder.to_str().unwrap(),
        ];
        all.extend(arguments);
        run(home.path(), home.path(), &all);
        let repository = Fixture::open(&folder);
        Fixture { repository, home }
    }

    pub fn with_commit(files: &[(&str, &[u8])]) -> Fixture {
        let fixture = Fixture::new();
        fixture.commit(files);
        fixture
    }

    pub fn open(folder: &Path) -> Repository {
        match Repository::discover_with(folder, Settings::Repository).unwrap() {
            Opened::Found(repository) => repository,
            Opened::NoRepository => panic!("no repository in {folder:?}"),
        }
    }

    /// Commits files in the user's folder with git.
    pub fn commit(&self, files: &[(&str, &[u8])]) -> Oid {
        for (path, bytes) in files {
            self.write_bytes(path, bytes);
        }
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=user"]);
        self.head()
    }

    pub fn head(&self) -> Oid {
        match self.repository.head().unwrap() {
            Head::Branch { commit, .. } => commit.unwrap(),
            Head::Detached { commit } => commit,
        }
    }

    pub fn git(&self, arguments: &[&str]) -> String {
        run(
            self.home.path(),
            self.repository.work_directory(),
            arguments,
        )
    }

    pub fn git_in(&self, folder: &Path, arguments: &[&str]) -> String {
        run(self.home.path(), folder, arguments)
    }

    pub fn fsck(&self) {
        let output = self.git(&["fsck", "--strict", "--no-dangling", "--no-progress"]);
        assert_eq!(output, "");
    }

    /// Returns a path outside the user's folder that does not exist yet.
    pub fn outside(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.repository.work_directory().join(name)
    }

    pub fn write(&self, path: &str, text: &str) {
        self.write_bytes(path, text.as_bytes());
    }

    pub fn write_bytes(&self, path: &str, bytes: &[u8]) {
        write(&self.path(path), bytes);
    }

    pub fn make_executable(&self, path: &str) {
        make_executable(&self.path(path));
    }

    /// Returns the tree git makes of the user's folder.
    pub fn write_tree(&self) -> String {
        self.git(&["add", "--all", "--force"]);
        self.git(&["write-tree"])
    }

    pub fn tree(&self, files: &[(&str, &[u8])]) -> Oid {
        let empty = id(&self.git(&["hash-object", "-t", "tree", "-w", "/dev/null"]));
        let files: Vec<_> = files
            .iter()
            .map(|(path, bytes)| ((*path).to_owned(), bytes.to_vec()))
            .collect();
        self.repository.with_files(&empty, &files).unwrap()
    }

    pub fn worktree(&self) -> Worktree {
        Worktree::open_or_add(&self.repository, &self.outside("state/run"), &self.head()).unwrap()
    }

    pub fn check_busy<T>(&self, result: anyhow::Result<T>) {
        let error = result.err().expect("an error of kind Busy");
        let inner = error.downcast_ref::<Hinted>().map_or(&error, Hinted::inner);
        let kinded = inner
            .downcast_ref::<Kinded>()
            .expect("an error with a kind");
        assert_eq!(kinded.kind, Trouble::Busy, "{error:#}");
    }
}

pub(super) fn write(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

pub(super) fn make_executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn run(home: &Path, folder: &Path, arguments: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=User",
            "-c",
            "user.email=user@localhost",
            "-c",
            "protocol.file.allow=always",
        ])
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    assert!(
        output.status.success(),
        "git {arguments:?}: {}",
        text(&output.stderr)
    );
    text(&output.stdout)
}
