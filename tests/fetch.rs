//! Sources into the cache, from this machine alone.

#![expect(
    clippy::unwrap_used,
    reason = "a test may panic, and its helpers are tests too"
)]

#[path = "fetch/git.rs"]
mod git;
#[path = "fetch/npm.rs"]
mod npm;
#[path = "fetch/server.rs"]
mod server;
#[path = "fetch/transport.rs"]
mod transport;

use std::path::Path;
use std::sync::atomic::AtomicBool;

use orchestrate::fetch::{Cache, FetchOptions};
use orchestrate::model::Source;
use server::{Server, ok};

static NEVER: AtomicBool = AtomicBool::new(false);

fn options() -> FetchOptions<'static> {
    FetchOptions {
        offline: false,
        update: false,
        may_ask: false,
        progress: &|_| {},
        cancel: &NEVER,
    }
}

/// A cache of its own.
struct Setup {
    folder: tempfile::TempDir,
}

impl Setup {
    fn new() -> Setup {
        Setup {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn cache(&self) -> Cache {
        Cache::open(self.path()).with_npmrc("")
    }

    fn offline(&self) -> FetchOptions<'static> {
        FetchOptions {
            offline: true,
            ..options()
        }
    }

    fn update(&self) -> FetchOptions<'static> {
        FetchOptions {
            update: true,
            ..options()
        }
    }
}

#[test]
fn a_catalogue_at_an_address_becomes_a_tree() {
    let setup = Setup::new();
    let server = Server::start(|_, _| ok(r#"{"name": "team"}"#));
    let address = format!("{}/marketplace.json", server.url);
    let source = Source::parse(&address, false).unwrap();
    let fetched = setup.cache().fetch(&source, &options()).unwrap();
    let paths: Vec<String> = fetched.tree.files().unwrap().into_keys().collect();
    assert_eq!(paths, [".claude-plugin/marketplace.json"]);
    setup.cache().fetch(&source, &setup.offline()).unwrap();
    assert_eq!(server.requests().len(), 1);
}

#[test]
fn a_page_that_is_no_catalogue_is_refused() {
    let setup = Setup::new();
    for body in ["<html>".to_string(), "[".repeat(6 * 1024 * 1024)] {
        let server = Server::start(move |_, _| ok(body.clone()));
        let address = format!("{}/marketplace.json", server.url);
        let source = Source::parse(&address, false).unwrap();
        assert!(setup.cache().fetch(&source, &options()).is_err());
    }
}

#[test]
fn what_is_not_in_the_cache_is_not_fetched_offline() {
    let setup = Setup::new();
    for text in [
        "acme/tools",
        "npm:tool",
        "https://example.com/marketplace.json",
    ] {
        let source = Source::parse(text, false).unwrap();
        let error = setup.cache().fetch(&source, &setup.offline()).unwrap_err();
        assert!(
            format!("{error:#}").contains("not in the cache"),
            "{error:#}"
        );
    }
}

#[test]
fn a_hostile_source_is_refused_before_anything_starts() {
    let setup = Setup::new();
    for url in [
        "ext::sh -c id",
        "ssh://-oProxyCommand=id/x",
        "--upload-pack=id",
    ] {
        let source = Source::Git(orchestrate::model::GitSource {
            url: url.into(),
            path: None,
            reference: None,
            commit: None,
        });
        assert!(setup.cache().fetch(&source, &options()).is_err(), "{url}");
    }
    assert_eq!(std::fs::read_dir(setup.path()).unwrap().count(), 0);
}
