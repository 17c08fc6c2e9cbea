//! The same repositories over ssh and HTTP, and a server of the old kind.

use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};

use orchestrate::model::{Oid, Source};

use crate::git::{Remote, elsewhere};
use crate::server::{Answer, Request, Server, ok, status};
use crate::{Setup, options};

/// Answers as git's own server does, by its program.
fn git_server(root: &Path) -> Server {
    let root = root.to_path_buf();
    Server::start(move |_, request| backend(&root, request))
}

fn backend(root: &Path, request: &Request) -> Answer {
    let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_PROJECT_ROOT", root)
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("REQUEST_METHOD", &request.method)
        .env(
            "CONTENT_TYPE",
            request.header("content-type").unwrap_or_default(),
        )
        .env(
            "GIT_PROTOCOL",
            request.header("git-protocol").unwrap_or_default(),
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(&request.body)
        .unwrap();
    let output = child.wait_with_output().unwrap().stdout;
    let end = output
        .windows(4)
        .position(|four| four == b"\r\n\r\n")
        .unwrap();
    let head = String::from_utf8(output[..end].to_vec()).unwrap();
    Answer {
        headers: head.lines().map(str::to_string).collect(),
        ..ok(&output[end + 4..])
    }
}

#[test]
fn a_repository_is_fetched_and_updated_over_http() {
    let (setup, remote) = (Setup::new(), Remote::new());
    let first = remote.commit("file", "one");
    let server = git_server(remote.folder.path());
    let source = Source::parse(&format!("{}/remote.git", server.url), false).unwrap();
    let cache = setup.cache();
    let fetched = cache.fetch(&source, &options()).unwrap();
    assert_eq!(fetched.revision.commit, Some(first.clone()));
    remote.commit("file", "two");
    let fetched = cache.fetch(&source, &setup.update()).unwrap();
    assert_eq!(fetched.tree.read("file").unwrap().unwrap(), b"two");
    let pinned = format!("{}/remote.git#{first}", server.url);
    let pinned = Source::parse(&pinned, false).unwrap();
    let fetched = setup.cache().fetch(&pinned, &options()).unwrap();
    assert_eq!(fetched.tree.read("file").unwrap().unwrap(), b"one");
}

#[test]
fn a_server_that_asks_who_is_there_gets_no_prompt() {
    let setup = Setup::new();
    let server = Server::start(|_, _| Answer {
        headers: vec!["WWW-Authenticate: Basic realm=x".into()],
        ..status("401 Unauthorized")
    });
    let url = format!("{}/private.git", server.url);
    let output = elsewhere(&setup, &url)
        .env("GIT_ASKPASS", "/bin/false")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("wants to know who you are"), "{text}");
}

#[test]
fn an_http_server_without_the_repository_is_told_of() {
    let setup = Setup::new();
    let server = Server::start(|_, _| status("404 Not Found"));
    let source = Source::parse(&format!("{}/none.git", server.url), false).unwrap();
    let error = setup.cache().fetch(&source, &options()).unwrap_err();
    assert!(format!("{error:#}").contains("404"), "{error:#}");
}

#[test]
fn ssh_gets_the_users_command_and_no_options_of_the_source() {
    let (setup, remote) = (Setup::new(), Remote::new());
    remote.commit("file", "text");
    let log = remote.folder.path().join("log");
    let ssh = remote.folder.path().join("fake-ssh");
    let script = [
        "#!/bin/sh",
        "for word; do case $word in -G) exit 0;; esac; done",
        &format!("echo \"$@\" >> '{}'", log.display()),
        "shift $(($# - 2))",
        "exec sh -c \"$*\"",
    ];
    let script = script.join("\n");
    std::fs::write(&ssh, script).unwrap();
    std::fs::set_permissions(&ssh, std::fs::Permissions::from_mode(0o755)).unwrap();
    let url = format!(
        "ssh://git@git.example:2222{}/remote.git",
        remote.folder.path().display()
    );
    let output = elsewhere(&setup, &url)
        .env("GIT_SSH_COMMAND", &ssh)
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("git@git.example"), "{log}");
    assert!(log.contains("git-upload-pack"), "{log}");
}

#[test]
fn a_server_that_hands_out_no_commit_by_name_is_asked_for_its_branch() {
    let (setup, remote) = (Setup::new(), Remote::new());
    let first = remote.commit("file", "one");
    remote.commit("file", "two");
    let old_kind = |commit: &Oid| {
        elsewhere(&setup, &format!("{}#{commit}", remote.source().url))
            .env("GIT_CONFIG_COUNT", "1")
            .env("GIT_CONFIG_KEY_0", "protocol.version")
            .env("GIT_CONFIG_VALUE_0", "0")
            .output()
            .unwrap()
    };
    let output = old_kind(&first);
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{text}");
    let output = old_kind(&Oid::try_from("1".repeat(40)).unwrap());
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(text.contains("is not among the last"), "{text}");
}
