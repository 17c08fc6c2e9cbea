//! Finding the user's repository, or making one.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};

use super::repository::Repository;
use crate::model::{Hint, Trouble};

/// What a search for a repository came to.
pub enum Opened {
    Found(Repository),
    NoRepository,
}

/// Whose git configuration counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settings {
    /// The system's, the user's and the environment's, as for the git program.
    User,
    /// The repository's own file alone, so that tests do not depend on the machine.
    Repository,
}

impl Repository {
    /// Finds the repository that a folder is in, looking upwards as git does.
    ///
    /// A folder that does not exist yet counts as if it were made. Fails when what is found is broken, bare, in a format we
    /// do not read, or not allowed to be looked at.
    pub fn discover(directory: &Path) -> anyhow::Result<Opened> {
        Repository::discover_with(directory, Settings::User)
    }

    /// Does as `discover`, with the configuration of choice.
    pub fn discover_with(directory: &Path, settings: Settings) -> anyhow::Result<Opened> {
        for folder in folders_to_search(&existing(directory)?, settings)? {
            let dot_git = folder.join(".git");
            if exists(&dot_git)? {
                // Git's own libraries take a folder they must not enter for one that is no repository.
                exists(&dot_git.join("HEAD"))?;
                return open(&folder, settings).map(Opened::Found);
            }
            if looks_bare(&folder)? {
                let message = format!(
                    "`{}` is a git directory without a working folder",
                    folder.display()
                );
                return Err(anyhow!(message))
                    .kind(Trouble::Request)
                    .hint("run orchestrate in a clone with files: `git clone PATH`");
            }
        }
        Ok(Opened::NoRepository)
    }

    /// Opens what a folder is in to look at its history only: a bare repository will do, and its folder then is the working one.
    pub fn look_at(directory: &Path) -> anyhow::Result<Opened> {
        let directory = existing(directory)?;
        if !exists(&directory.join(".git"))? && looks_bare(&directory)? {
            let shared = gix::ThreadSafeRepository::open_opts(&directory, options(Settings::User))
                .with_context(|| format!("cannot open the repository in `{}`", directory.display()))
                .kind(Trouble::Request)?;
            refuse_foreign_formats(&shared.to_thread_local(), &directory)?;
            return Repository::new(shared, &directory, Settings::User).map(Opened::Found);
        }
        Repository::discover(&directory)
    }

    /// Makes a repository, and the folder where there is none; the branch is that of `init.defaultBranch`, else `main`.
    pub fn init(directory: &Path) -> anyhow::Result<Repository> {
        Repository::init_with(directory, Settings::User)
    }

    /// Does as `init`, with the configuration of choice.
    pub fn init_with(directory: &Path, settings: Settings) -> anyhow::Result<Repository> {
        let cannot = || format!("cannot make a repository in `{}`", directory.display());
        std::fs::create_dir_all(directory).with_context(cannot)?;
        let kind = gix::create::Kind::WithWorktree;
        gix::ThreadSafeRepository::init_opts(
            directory,
            kind,
            gix::create::Options::default(),
            options(settings),
        )
        .with_context(cannot)?;
        open(directory, settings)
    }
}

/// Returns the nearest folder that exists, absolute and without symbolic links.
fn existing(directory: &Path) -> anyhow::Result<PathBuf> {
    let cannot = || format!("cannot look into folder `{}`", directory.display());
    let absolute = std::path::absolute(directory).with_context(cannot)?;
    for folder in absolute.ancestors() {
        if exists(folder)? {
            return std::fs::canonicalize(folder).with_context(cannot);
        }
    }
    Err(anyhow!("there is no folder above it")).with_context(cannot)
}

/// Returns the folder and those above it, up to the border of the file system or a ceiling set for git.
fn folders_to_search(start: &Path, settings: Settings) -> anyhow::Result<Vec<PathBuf>> {
    let device = |folder: &Path| -> anyhow::Result<u64> {
        let metadata = std::fs::metadata(folder)
            .with_context(|| format!("cannot look into folder `{}`", folder.display()))?;
        Ok(metadata.dev())
    };
    let from_environment = |name: &str| match settings {
        Settings::User => std::env::var_os(name),
        Settings::Repository => None,
    };
    let ceilings: Vec<PathBuf> = from_environment("GIT_CEILING_DIRECTORIES")
        .map(|list| std::env::split_paths(&list).collect())
        .unwrap_or_default();
    let across = from_environment("GIT_DISCOVERY_ACROSS_FILESYSTEM")
        .is_some_and(|value| value == "1" || value == "true");
    let home = device(start)?;
    let mut folders = vec![start.to_owned()];
    for folder in start.ancestors().skip(1) {
        if ceilings.iter().any(|ceiling| ceiling == folder) || (!across && device(folder)? != home)
        {
            break;
        }
        folders.push(folder.to_owned());
    }
    Ok(folders)
}

/// Opens the repository whose `.git` is in a folder.
fn open(folder: &Path, settings: Settings) -> anyhow::Result<Repository> {
    let cannot = || format!("cannot open the repository in `{}`", folder.display());
    let shared = gix::ThreadSafeRepository::open_opts(folder, options(settings));
    let shared = match shared.with_context(cannot) {
        Err(error) if !owned_by_us(folder) => {
            let command = format!(
                "git config --global --add safe.directory {}",
                folder.display()
            );
            return Err(error).kind(Trouble::Request).hint(format!(
                "somebody else owns it; when you trust them: `{command}`"
            ));
        }
        other => other.kind(Trouble::Request)?,
    };
    let git = shared.to_thread_local();
    refuse_foreign_formats(&git, folder)?;
    let Some(work_directory) = git.workdir() else {
        let message = format!(
            "the repository in `{}` is bare: it has no working folder",
            folder.display()
        );
        return Err(anyhow!(message))
            .kind(Trouble::Request)
            .hint("run orchestrate in a clone with files: `git clone PATH`");
    };
    Repository::new(shared.clone(), work_directory, settings)
}

fn refuse_foreign_formats(git: &gix::Repository, folder: &Path) -> anyhow::Result<()> {
    let storage = git.config_snapshot().string("extensions.refStorage");
    match storage {
        Some(format) if !format.eq_ignore_ascii_case(b"files") => {
            let message = format!(
                "the repository in `{}` keeps its branches in the format `{format}`, which orchestrate does not read",
                folder.display()
            );
            Err(anyhow!(message))
                .kind(Trouble::Request)
                .hint("`git refs migrate --ref-format=files` changes it")
        }
        _ => Ok(()),
    }
}

fn options(settings: Settings) -> gix::open::Options {
    match settings {
        Settings::User => gix::open::Options::default().bail_if_untrusted(true),
        Settings::Repository => gix::open::Options::isolated(),
    }
}

fn owned_by_us(folder: &Path) -> bool {
    gix::sec::identity::is_path_owned_by_current_user(folder).unwrap_or(true)
}

fn looks_bare(folder: &Path) -> anyhow::Result<bool> {
    Ok(exists(&folder.join("HEAD"))?
        && exists(&folder.join("objects"))?
        && exists(&folder.join("refs"))?)
}

fn exists(path: &Path) -> anyhow::Result<bool> {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    match std::fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("cannot look at `{}`", path.display())),
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Opened, Settings};
    use crate::checkpoint::fixture::Fixture;
    use crate::checkpoint::{Head, Repository};

    fn discover(folder: &Path) -> anyhow::Result<Opened> {
        Repository::discover_with(folder, Settings::Repository)
    }

    fn check_error(folder: &Path, expected: &str) {
        match discover(folder) {
            Err(error) => assert!(format!("{error:#}").contains(expected), "{error:#}"),
            Ok(_) => panic!("{folder:?} was opened"),
        }
    }

    #[test]
    fn a_repository_is_found_from_below() {
        let fixture = Fixture::with_commit(&[("a/b/c", b"1")]);
        for name in ["", "a", "a/b", "a/new/folder"] {
            let found = Fixture::open(&fixture.path(name));
            assert_eq!(found.work_directory(), fixture.repository.work_directory());
            assert_eq!(found.common_directory(), fixture.path(".git"));
        }
    }

    #[test]
    fn no_repository_is_not_an_error() {
        let home = tempfile::tempdir().unwrap();
        assert!(matches!(discover(home.path()), Ok(Opened::NoRepository)));
        assert!(matches!(
            discover(&home.path().join("new")),
            Ok(Opened::NoRepository)
        ));
    }

    #[test]
    fn broken_and_bare_repositories_are_named() {
        let fixture = Fixture::with_commit(&[("a/b", b"1")]);
        let bare = fixture.outside("bare.git");
        fixture.git(&["init", "--quiet", "--bare", bare.to_str().unwrap()]);
        check_error(
            &bare,
            "bare.git` is a git directory without a working folder",
        );
        fixture.git(&["config", "core.bare", "true"]);
        check_error(&fixture.path("a"), "is bare");
        std::fs::remove_file(fixture.path(".git/HEAD")).unwrap();
        check_error(&fixture.path("a"), "cannot open the repository in");
        std::fs::remove_dir_all(fixture.path(".git")).unwrap();
        fixture_with_dangling_pointer(&fixture);
    }

    fn fixture_with_dangling_pointer(fixture: &Fixture) {
        fixture.write(".git", "gitdir: /nowhere\n");
        check_error(&fixture.path("a"), "cannot open the repository in");
    }

    #[test]
    fn a_reftable_repository_is_refused_by_name() {
        let fixture = Fixture::new();
        let folder = fixture.outside("reftable");
        fixture.git(&[
            "init",
            "--quiet",
            "--ref-format=reftable",
            folder.to_str().unwrap(),
        ]);
        check_error(&folder, "`reftable`");
    }

    #[test]
    fn a_new_repository_is_one_for_git_too() {
        let fixture = Fixture::new();
        let folder = fixture.outside("new/project");
        let made = Repository::init_with(&folder, Settings::Repository).unwrap();
        let unborn = Head::Branch {
            name: "main".into(),
            commit: None,
        };
        assert_eq!(made.head().unwrap(), unborn);
        assert!(!made.identity().configured);
        let status = fixture.git_in(&folder, &["status", "--porcelain", "--branch"]);
        assert_eq!(status.trim(), "## No commits yet on main");
        assert!(Repository::init_with(&folder, Settings::Repository).is_err());
    }

    #[test]
    fn the_configured_identity_is_used_without_what_git_drops() {
        let fixture = Fixture::new();
        fixture.git(&["config", "user.name", " Ada <L> "]);
        fixture.git(&["config", "user.email", "ada@localhost"]);
        let identity = Fixture::open(&fixture.path("")).identity();
        assert_eq!(
            (identity.name.as_str(), identity.configured),
            ("Ada L", true)
        );
        assert_eq!(identity.email, "ada@localhost");
    }

    #[test]
    fn a_detached_head_has_no_branch() {
        let fixture = Fixture::with_commit(&[("a", b"1")]);
        let commit = fixture.head();
        fixture.git(&["checkout", "--quiet", "--detach"]);
        assert_eq!(
            fixture.repository.head().unwrap(),
            Head::Detached { commit }
        );
    }
}
