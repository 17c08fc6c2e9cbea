//! Packages from a registry on this machine.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use orchestrate::fetch::Cache;
use orchestrate::model::{NpmSource, Source};
use sha2::{Digest, Sha512};
use tar::{Builder, EntryType, Header};

use crate::server::{Answer, Request, Server, ok, status};
use crate::{Setup, options};

fn entry(kind: EntryType, size: usize) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_mode(0o755);
    header
}

/// Returns an archive with these entries; names are written as they are.
fn archive(entries: &[(EntryType, &str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(GzEncoder::new(Vec::new(), Compression::best()));
    for (kind, name, bytes) in entries {
        let mut header = entry(*kind, bytes.len());
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        if matches!(kind, EntryType::Symlink | EntryType::Link) {
            header.set_link_name("/etc/passwd").unwrap();
        }
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap().finish().unwrap()
}

fn good() -> Vec<u8> {
    archive(&[
        (EntryType::Regular, "package/package.json", b"{}"),
        (EntryType::Regular, "package/a/b.md", b"text"),
    ])
}

fn integrity(archive: &[u8]) -> String {
    format!("sha512-{}", BASE64_STANDARD.encode(Sha512::digest(archive)))
}

fn metadata(tarball: &str, integrity: &str) -> Answer {
    let answer = serde_json::json!({
        "dist-tags": {"latest": "1.0.0"},
        "versions": {"1.0.0": {"dist": {"tarball": tarball, "integrity": integrity}}},
    });
    ok(answer.to_string())
}

/// Returns a registry with one package, `tool`.
fn registry(archive: Vec<u8>) -> Server {
    Server::start(move |url, request| match request.path.as_str() {
        "/tool" => metadata(&format!("{url}/tool.tgz"), &integrity(&archive)),
        "/tool.tgz" => ok(archive.clone()),
        _ => status("404 Not Found"),
    })
}

fn source(registry: &str) -> Source {
    Source::Npm(NpmSource {
        package: "tool".into(),
        version: None,
        registry: Some(registry.into()),
    })
}

/// Fetches an archive, and returns why it was refused.
fn refused(archive: Vec<u8>) -> String {
    let setup = Setup::new();
    let server = registry(archive);
    let error = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap_err();
    let again = setup.cache().fetch(&source(&server.url), &setup.offline());
    assert!(again.is_err(), "what was refused is believed");
    format!("{error:#}")
}

#[test]
fn a_package_becomes_a_tree_and_is_there_offline() {
    let setup = Setup::new();
    let server = registry(good());
    let source = source(&server.url);
    let fetched = setup.cache().fetch(&source, &options()).unwrap();
    let paths: Vec<String> = fetched.tree.files().unwrap().into_keys().collect();
    assert_eq!(paths, ["a/b.md", "package.json"]);
    assert_eq!(fetched.tree.read("a/b.md").unwrap().unwrap(), b"text");
    assert_eq!(fetched.revision.version.as_deref(), Some("1.0.0"));
    assert_eq!(fetched.revision.integrity, Some(integrity(&good())));
    assert_eq!(
        fetched.tree.id().unwrap(),
        fetched.revision.tree.to_string()
    );
    assert_eq!(fetched.warnings, [""; 0]);
    let asked = server.requests().len();
    let again = setup.cache().fetch(&source, &setup.offline()).unwrap();
    assert_eq!(again.revision, fetched.revision);
    assert!(
        setup
            .cache()
            .at(&source, &fetched.revision)
            .unwrap()
            .is_some()
    );
    assert_eq!(server.requests().len(), asked);
}

#[test]
fn an_archive_that_hashes_to_something_else_is_not_unpacked() {
    let setup = Setup::new();
    let server = Server::start(|url, request| match request.path.as_str() {
        "/tool" => metadata(&format!("{url}/tool.tgz"), &integrity(b"other")),
        _ => ok(good()),
    });
    let error = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("the registry says"),
        "{error:#}"
    );
}

#[test]
fn a_sha1_is_taken_with_a_warning() {
    let setup = Setup::new();
    let mut hash = gix::hash::hasher(gix::hash::Kind::Sha1);
    hash.update(&good());
    let shasum = hash.try_finalize().unwrap().to_string();
    let server = Server::start(move |url, request| match request.path.as_str() {
        "/tool" => {
            let tarball = format!("{url}/tool.tgz");
            let dist = serde_json::json!({"tarball": tarball, "shasum": shasum});
            let answer = serde_json::json!({
                "dist-tags": {"latest": "1.0.0"},
                "versions": {"1.0.0": {"dist": dist}},
            });
            ok(answer.to_string())
        }
        _ => ok(good()),
    });
    let fetched = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap();
    assert!(
        fetched.warnings[0].contains("SHA-1"),
        "{:?}",
        fetched.warnings
    );
}

#[test]
fn an_entry_outside_of_the_package_is_refused() {
    for name in [
        "package/../../x",
        "../x",
        "/etc/x",
        "package/.git/config",
        "package/a/.GIT/hooks/x",
        "package/a\\..\\x",
        "package//x",
        "x",
    ] {
        let error = refused(archive(&[(EntryType::Regular, name, b"x")]));
        assert!(
            error.contains("is no path") || error.contains("outside of its folder"),
            "{name}: {error}"
        );
    }
}

#[test]
fn what_is_no_file_is_refused() {
    for kind in [EntryType::Symlink, EntryType::Link] {
        let error = refused(archive(&[(kind, "package/link", b"")]));
        assert!(error.contains("has a link"), "{error}");
    }
    for kind in [EntryType::Fifo, EntryType::Char, EntryType::Block] {
        let error = refused(archive(&[(kind, "package/device", b"")]));
        assert!(error.contains("is no file"), "{error}");
    }
}

#[test]
fn a_bomb_is_refused() {
    let zeros = vec![0; 4 * 1024 * 1024];
    let error = refused(archive(&[(EntryType::Regular, "package/zeros", &zeros)]));
    assert!(error.contains("times its size"), "{error}");
}

#[test]
fn a_damaged_archive_is_refused() {
    assert!(refused(good()[..good().len() - 20].to_vec()).contains("archive"));
    assert!(refused(b"<html>".to_vec()).contains("archive"));
}

#[test]
fn a_broken_download_goes_on_where_it_ended() {
    let setup = Setup::new();
    let noise: Vec<u8> = (0..200_000u32)
        .flat_map(|i| (i.wrapping_mul(2_654_435_761) >> 8).to_le_bytes())
        .collect();
    let whole = archive(&[(EntryType::Regular, "package/noise", &noise)]);
    let bytes = whole.clone();
    let part = bytes.len() / 5;
    let server = Server::start(move |url, request| match request.path.as_str() {
        "/tool" => metadata(&format!("{url}/tool.tgz"), &integrity(&bytes)),
        _ => {
            let start = range_start(request);
            Answer {
                status: if start == 0 {
                    "200 OK"
                } else {
                    "206 Partial Content"
                },
                headers: vec![format!(
                    "Content-Range: bytes {start}-{}/{}",
                    bytes.len() - 1,
                    bytes.len()
                )],
                body: bytes[start..].to_vec(),
                sent: Some(part.min(bytes.len() - start)),
            }
        }
    });
    let source = source(&server.url);
    let error = setup.cache().fetch(&source, &options()).unwrap_err();
    assert!(format!("{error:#}").contains("broke 3 times"), "{error:#}");
    assert!(setup.cache().fetch(&source, &setup.offline()).is_err());
    let fetched = setup.cache().fetch(&source, &options()).unwrap();
    assert_eq!(fetched.tree.read("noise").unwrap().unwrap(), noise);
    let starts: Vec<usize> = server
        .requests()
        .iter()
        .filter(|request| request.path == "/tool.tgz")
        .map(range_start)
        .collect();
    assert_eq!(starts.len(), whole.len().div_ceil(part));
    assert!(
        starts.windows(2).all(|pair| pair[0] < pair[1]),
        "{starts:?}"
    );
}

fn range_start(request: &Request) -> usize {
    let range = request.header("range").unwrap_or("bytes=0-");
    let start = range.trim_start_matches("bytes=").trim_end_matches('-');
    start.parse().unwrap()
}

#[test]
fn a_token_stays_with_its_registry() {
    let setup = Setup::new();
    let other = Server::start(|_, _| ok(good()));
    let elsewhere = other.url.clone();
    let server = Server::start(move |url, request| match request.path.as_str() {
        "/tool" => metadata(&format!("{url}/tool.tgz"), &integrity(&good())),
        _ => Answer {
            headers: vec![format!("Location: {elsewhere}/moved.tgz")],
            ..status("302 Found")
        },
    });
    let host = server.url.trim_start_matches("http:");
    let npmrc = format!("{host}/:_authToken=secret\n");
    let cache = Cache::open(setup.path()).with_npmrc(&npmrc);
    cache.fetch(&source(&server.url), &options()).unwrap();
    let token = |server: &Server| {
        let requests = server.requests();
        let tokens = requests
            .iter()
            .map(|request| request.header("authorization"));
        tokens
            .map(|token| token.map(str::to_string))
            .collect::<Vec<_>>()
    };
    let sent = Some("Bearer secret".to_string());
    assert_eq!(token(&server), [sent.clone(), sent]);
    assert_eq!(token(&other), [None]);
}

#[test]
fn an_archive_elsewhere_gets_no_token_and_an_unsafe_one_is_not_fetched() {
    let setup = Setup::new();
    let server = Server::start(|_, request| match request.path.as_str() {
        "/tool" => metadata("http://example.com/tool.tgz", &integrity(&good())),
        _ => ok(good()),
    });
    let error = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap_err();
    assert!(format!("{error:#}").contains("not followed"), "{error:#}");
}

#[test]
fn a_missing_package_and_a_silent_registry_are_told_apart() {
    let setup = Setup::new();
    let server = Server::start(|_, _| status("404 Not Found"));
    let error = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap_err();
    assert!(
        format!("{error:#}").contains("nothing of this name"),
        "{error:#}"
    );
    let server = Server::start(|_, _| status("401 Unauthorized"));
    let error = setup
        .cache()
        .fetch(&source(&server.url), &options())
        .unwrap_err();
    assert!(format!("{error:#}").contains("401"), "{error:#}");
    let error = setup
        .cache()
        .fetch(&source("http://127.0.0.1:1"), &options())
        .unwrap_err();
    assert!(format!("{error:#}").contains("cannot reach"), "{error:#}");
}

#[test]
#[ignore = "needs a package index"]
fn a_real_package_is_fetched_from_the_real_registry() {
    let setup = Setup::new();
    let source = Source::parse("npm:claude-code-templates", false).unwrap();
    let cache = Cache::open(setup.path());
    let fetched = cache.fetch(&source, &options()).unwrap();
    assert!(fetched.tree.files().unwrap().contains_key("package.json"));
    assert!(fetched.revision.integrity.unwrap().starts_with("sha512-"));
}
