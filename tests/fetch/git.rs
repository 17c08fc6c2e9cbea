//! Repositories over `file://`.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use orchestrate::fetch::{Cache, FetchOptions};
use orchestrate::model::{GitSource, Oid, Source};

use crate::{Setup, options};

/// A bare repository, and commands of git in it that see no settings of this machine.
pub struct Remote {
    pub folder: tempfile::TempDir,
}

impl Remote {
    pub fn new() -> Remote {
        let folder = tempfile::tempdir().unwrap();
        let remote = Remote { folder };
        remote.git(&["init", "-q", "--bare", "-b", "main", "remote.git"]);
        remote.git(&["clone", "-q", "remote.git", "work"]);
        remote
    }

    fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.folder.path())
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(arguments)
            .output()
            .unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {errors}");
        String::from_utf8(output.stdout).unwrap().trim().to_string()
    }

    /// Commits a file, pushes it, and returns the commit.
    pub fn commit(&self, path: &str, text: &str) -> Oid {
        let file = self.folder.path().join("work").join(path);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
        self.git(&["-C", "work", "add", "."]);
        self.git(&["-C", "work", "commit", "-q", "-m", path]);
        self.git(&["-C", "work", "push", "-q", "origin", "HEAD", "--tags"]);
        Oid::try_from(self.git(&["-C", "work", "rev-parse", "HEAD"])).unwrap()
    }

    pub fn source(&self) -> GitSource {
        let path = self.folder.path().join("remote.git");
        GitSource::at(&format!("file://{}", path.display())).unwrap()
    }
}

fn read(cache: &Cache, source: &GitSource, path: &str) -> Option<String> {
    let fetched = cache
        .fetch(&Source::Git(source.clone()), &options())
        .unwrap();
    let bytes = fetched.tree.read(path).unwrap()?;
    Some(String::from_utf8(bytes).unwrap())
}

#[test]
fn a_new_commit_is_seen_by_update_and_the_old_one_stays() {
    let (setup, remote) = (Setup::new(), Remote::new());
    let (cache, source) = (setup.cache(), Source::Git(remote.source()));
    let first = remote.commit("a/file", "one");
    let old = cache.fetch(&source, &options()).unwrap();
    assert_eq!(old.revision.commit, Some(first));
    assert_eq!(old.tree.read("a/file").unwrap().unwrap(), b"one");
    let second = remote.commit("a/file", "two");
    let same = cache.fetch(&source, &options()).unwrap();
    assert_eq!(same.revision, old.revision);
    let new = cache.fetch(&source, &setup.update()).unwrap();
    assert_eq!(new.revision.commit, Some(second.clone()));
    assert_eq!(new.tree.read("a/file").unwrap().unwrap(), b"two");
    let again = cache.fetch(&source, &setup.update()).unwrap();
    assert_eq!(again.revision, new.revision);
    collect_garbage(setup.path());
    let then = cache.at(&source, &old.revision).unwrap().unwrap();
    assert_eq!(then.read("a/file").unwrap().unwrap(), b"one");
    let now = cache.fetch(&source, &setup.offline()).unwrap();
    assert_eq!(now.revision.commit, Some(second));
}

fn collect_garbage(cache: &Path) {
    for place in std::fs::read_dir(cache).unwrap().flatten() {
        if place.path().is_dir() {
            let mut git = Command::new("git");
            git.arg("-C").arg(place.path());
            git.args(["gc", "-q", "--prune=now"]);
            assert!(git.status().unwrap().success());
        }
    }
}

#[test]
fn only_one_commit_is_brought() {
    let (setup, remote) = (Setup::new(), Remote::new());
    for i in 0..5 {
        remote.commit("file", &format!("{i}"));
    }
    assert_eq!(read(&setup.cache(), &remote.source(), "file").unwrap(), "4");
    let place = std::fs::read_dir(setup.path()).unwrap().flatten();
    let place = place
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .unwrap();
    let mut git = Command::new("git");
    git.arg("-C")
        .arg(place)
        .args(["rev-list", "--all", "--count"]);
    assert_eq!(git.output().unwrap().stdout, b"1\n");
}

#[test]
fn a_branch_a_tag_and_a_folder_are_found() {
    let (setup, remote) = (Setup::new(), Remote::new());
    remote.commit("pack/file", "one");
    remote.git(&["-C", "work", "tag", "-m", "annotated", "v1"]);
    remote.commit("pack/file", "two");
    remote.git(&["-C", "work", "checkout", "-q", "-b", "team/next"]);
    remote.commit("pack/file", "three");
    let cache = setup.cache();
    let at = |reference: &str, path: Option<&str>| GitSource {
        reference: Some(reference.into()),
        path: path.map(str::to_string),
        ..remote.source()
    };
    assert_eq!(read(&cache, &at("v1", None), "pack/file").unwrap(), "one");
    assert_eq!(read(&cache, &at("main", None), "pack/file").unwrap(), "two");
    assert_eq!(
        read(&cache, &at("refs/tags/v1", None), "pack/file").unwrap(),
        "one"
    );
    let folder = at("team/next", Some("pack"));
    assert_eq!(read(&cache, &folder, "file").unwrap(), "three");
    let fetched = cache.fetch(&Source::Git(folder), &options()).unwrap();
    assert_eq!(
        fetched.tree.id().unwrap(),
        fetched.revision.tree.to_string()
    );
    let missing = |source: GitSource| {
        let error = cache.fetch(&Source::Git(source), &options()).unwrap_err();
        format!("{error:#}")
    };
    let error = missing(at("v1", Some("none")));
    assert!(error.contains("no folder `none`"), "{error}");
    let error = missing(at("none", None));
    assert!(
        error.contains("there is no branch or tag `none`"),
        "{error}"
    );
}

#[test]
fn a_pinned_commit_is_found_however_old() {
    let (setup, remote) = (Setup::new(), Remote::new());
    let first = remote.commit("file", "one");
    for i in 2..5 {
        remote.commit("file", &format!("{i}"));
    }
    let pinned = |commit: Oid| GitSource {
        commit: Some(commit),
        ..remote.source()
    };
    let cache = setup.cache();
    assert_eq!(read(&cache, &pinned(first.clone()), "file").unwrap(), "one");
    assert_eq!(read(&cache, &remote.source(), "file").unwrap(), "4");
    let none = Oid::try_from("1".repeat(40)).unwrap();
    let error = cache
        .fetch(&Source::Git(pinned(none)), &options())
        .unwrap_err();
    assert!(format!("{error:#}").contains("is not among"), "{error:#}");
}

#[test]
fn threads_at_once_fetch_once_and_agree() {
    let (setup, remote) = (Setup::new(), Remote::new());
    remote.commit("file", "text");
    std::thread::scope(|scope| {
        for _ in 0..6 {
            scope.spawn(|| {
                let text = read(&setup.cache(), &remote.source(), "file");
                assert_eq!(text.unwrap(), "text");
            });
        }
    });
}

#[test]
fn a_cancelled_fetch_is_not_believed_and_the_next_one_works() {
    let (setup, remote) = (Setup::new(), Remote::new());
    remote.commit("file", "text");
    let source = Source::Git(remote.source());
    let cancel = AtomicBool::new(true);
    let cancelled = FetchOptions {
        cancel: &cancel,
        progress: &|_| {},
        ..options()
    };
    // A fetch as small as this one may have ended before anybody looks.
    if let Err(error) = setup.cache().fetch(&source, &cancelled) {
        assert!(format!("{error:#}").contains("cancelled"), "{error:#}");
        assert!(setup.cache().fetch(&source, &setup.offline()).is_err());
    }
    cancel.store(false, Ordering::Relaxed);
    assert_eq!(
        read(&setup.cache(), &remote.source(), "file").unwrap(),
        "text"
    );
}

#[test]
fn a_killed_process_leaves_nothing_half_believed() {
    let remote = Remote::new();
    for i in 0..20 {
        remote.commit(&format!("folder{i}/file"), &"text ".repeat(i * 1000));
    }
    for pause_ms in [0, 20, 40, 60, 90, 120, 160, 220] {
        let setup = Setup::new();
        let mut child = elsewhere(&setup, &remote.source().url);
        let mut child = child
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::thread::sleep(Duration::from_millis(pause_ms));
        child.kill().unwrap();
        child.wait().unwrap();
        let source = Source::Git(remote.source());
        if let Ok(fetched) = setup.cache().fetch(&source, &setup.offline()) {
            assert_eq!(fetched.tree.files().unwrap().len(), 20);
        }
        let fetched = setup.cache().fetch(&source, &options()).unwrap();
        assert_eq!(fetched.tree.files().unwrap().len(), 20);
    }
}

/// Returns a process that fetches the source: the test below, alone in this program.
pub fn elsewhere(setup: &Setup, source: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args([
            "--ignored",
            "--exact",
            "--nocapture",
            "git::a_process_of_its_own_fetches",
        ])
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_NOSYSTEM", "1")
        .env("ORCHESTRATE_FETCH_CACHE", setup.path())
        .env("ORCHESTRATE_FETCH_SOURCE", source);
    command
}

#[test]
#[ignore = "is started by other tests, see `elsewhere`"]
fn a_process_of_its_own_fetches() {
    let variable = |name: &str| std::env::var(name).ok();
    let (Some(cache), Some(source)) = (
        variable("ORCHESTRATE_FETCH_CACHE"),
        variable("ORCHESTRATE_FETCH_SOURCE"),
    ) else {
        return;
    };
    let cache = Cache::open(Path::new(&cache));
    let source = Source::parse(&source, false).unwrap();
    if let Err(error) = cache.fetch(&source, &options()) {
        panic!("{error:#}");
    }
}

#[test]
fn a_repository_that_is_not_there_is_named() {
    let setup = Setup::new();
    let source = Source::parse("file:///nowhere/at/all.git", false).unwrap();
    let error = setup.cache().fetch(&source, &options()).unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("file:///nowhere/at/all.git"), "{error}");
}

#[test]
fn an_empty_repository_has_nothing_to_read() {
    let (setup, remote) = (Setup::new(), Remote::new());
    let error = setup
        .cache()
        .fetch(&Source::Git(remote.source()), &options())
        .unwrap_err();
    let error = format!("{error:#}");
    assert!(error.contains("no commit"), "{error}");
}
