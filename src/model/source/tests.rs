use proptest::prelude::*;

use super::*;

const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

fn check(text: &str, expected: &str) {
    let source = Source::parse(text, false).unwrap_or_else(|error| panic!("{text}: {error:#}"));
    assert_eq!(source.to_string(), expected, "{text}");
    assert_eq!(Source::parse(expected, false).unwrap(), source, "{text}");
}

fn refused(text: &str, why: &str) {
    let error = Source::parse(text, false).expect_err(text);
    let error = format!("{error:#}");
    assert!(error.contains(why), "{text}: {error}");
}

#[test]
fn what_a_person_types_is_read_and_written_back() {
    check("./plugins", "./plugins");
    check("/srv/plugins", "/srv/plugins");
    check("..", "..");
    check("acme/tools", "acme/tools");
    check("acme/tools.git", "acme/tools");
    check("https://github.com/acme/tools", "acme/tools");
    check("https://github.com/acme/tools/", "acme/tools");
    check("acme/tools#v1.2", "acme/tools#v1.2");
    check("acme/tools@v1.2", "acme/tools#v1.2");
    check("acme/tools#main:packs/a", "acme/tools#main:packs/a");
    check(
        "https://git.example/a.git#v1",
        "https://git.example/a.git#v1",
    );
    check("ssh://git@git.example:22/a", "ssh://git@git.example:22/a");
    check("git@git.example:a/b.git", "git@git.example:a/b.git");
    check("file:///srv/a.git", "file:///srv/a.git");
    check("http://127.0.0.1:8080/a", "http://127.0.0.1:8080/a");
    check("https://[2001:db8::1]/a", "https://[2001:db8::1]/a");
    check("npm:claude-code-templates", "npm:claude-code-templates");
    check("npm:@acme/tools@^1.2", "npm:@acme/tools@^1.2");
    check(
        "npm:a@next#https://npm.example/team/",
        "npm:a@next#https://npm.example/team",
    );
    check(
        "https://example.com/x/marketplace.json",
        "https://example.com/x/marketplace.json",
    );
}

#[test]
fn a_commit_is_told_from_a_branch() {
    for text in [
        format!("acme/tools#{COMMIT}"),
        format!("acme/tools@{COMMIT}"),
        format!("acme/tools#@{COMMIT}"),
        format!("https://github.com/acme/tools@{COMMIT}"),
    ] {
        let Source::Git(git) = Source::parse(&text, false).unwrap() else {
            panic!("{text}");
        };
        assert_eq!(git.commit.unwrap().as_str(), COMMIT, "{text}");
        assert_eq!(git.reference, None, "{text}");
    }
    check(
        &format!("acme/tools#main@{COMMIT}:a"),
        &format!("acme/tools#main@{COMMIT}:a"),
    );
}

#[test]
fn a_folder_that_exists_is_meant_before_a_repository() {
    let source = Source::parse("acme/tools", true).unwrap();
    assert_eq!(source, Source::Folder("./acme/tools".into()));
}

#[test]
fn what_could_start_a_program_is_refused() {
    refused("ext::sh -c touch% /tmp/x", "space");
    refused("ext::sh", "`ext::` starts a program");
    refused("fd::17/foo", "`fd::` starts a program");
    refused("ssh://-oProxyCommand=touch/x", "not a host");
    refused("ssh://-oProxyCommand@host/x", "not a user");
    refused("-oProxyCommand=x@host:path", "not a user");
    refused("git@-host:path", "not a host");
    refused("git@host:-path", "as an option does");
    refused("git@host:--upload-pack=x", "as an option does");
    refused("acme/tools#--upload-pack=x", "begins with `-`");
    refused("npm:--registry=x", "begins with `-`");
    refused("npm:a@-g", "begins with `-`");
    refused("npm:a@file:../x", "no version or range has a `:`");
    refused("npm:a@npm:b", "no version or range has a `:`");
    refused("npm:../x", "begins with `.`");
    refused("npm:@acme", "@scope/name");
}

#[test]
fn what_is_not_safe_on_its_way_is_refused() {
    refused("git://example.com/a", "neither encrypted");
    refused("http://example.com/a.git", "can be read and changed");
    refused(
        "http://example.com/marketplace.json",
        "can be read and changed",
    );
    refused("http://127.0.0.1.example.com/a", "can be read and changed");
    refused("https://me:secret@example.com/a", "password");
    refused("https://token@example.com/a", "names a user");
    refused("https://example.com/a?token=x", "no `?`");
    refused("ftp://example.com/a", "`ftp` is not followed");
    refused("https://ex\u{430}mple.com/a", "not a host");
    refused("https://example.com/a\u{202e}b", "U+202E");
    refused("https://example.com/a b", "space");
    refused("https://example.com", "names no repository");
    refused("https://example.com:0/a", "port");
    refused("https://2130706433/a", "not a host");
    refused("nonsense", "is not a source");
    refused("", "is not a source");
}

#[test]
fn a_reference_is_one_reference() {
    for name in [
        "+a", "a:b/../c", "a..b", "a b", "refs/*", "a^", "a~1", "@{1}", "a.lock", "a/",
    ] {
        let source = GitSource {
            reference: Some(name.into()),
            ..GitSource::at("acme/tools").unwrap()
        };
        assert!(source.checked().is_err(), "{name}");
    }
    for name in [
        "main",
        "feature/x",
        "v1.0",
        "refs/tags/v1",
        "plugin--v1.0.0",
        "a@b",
    ] {
        let source = GitSource {
            reference: Some(name.into()),
            ..GitSource::at("acme/tools").unwrap()
        };
        assert!(source.checked().is_ok(), "{name}");
    }
}

#[test]
fn a_path_stays_in_its_repository() {
    let at = |path: &str| {
        GitSource {
            path: Some(path.into()),
            ..GitSource::at("acme/tools").unwrap()
        }
        .checked()
    };
    assert_eq!(at("./a/b/").unwrap().path.unwrap(), "a/b");
    assert_eq!(at(".").unwrap().path, None);
    for path in ["..", "a/../b", "/a", ".git/x", "a\\b", "a\nb"] {
        assert!(at(path).is_err(), "{path}");
    }
}

#[test]
fn a_stranger_names_neither_this_machine_nor_its_files() {
    let stranger = |text: &str| Source::parse(text, false).unwrap().checked_as_stranger();
    for text in [
        "./x",
        "file:///srv/a.git",
        "http://localhost/a.git",
        "https://127.0.0.1/a.git",
        "https://[::1]/a.git",
        "https://[::ffff:127.0.0.1]/a.git",
        "https://169.254.169.254/latest",
        "ssh://git@localhost/a",
        "git@127.0.0.1:a",
        "https://example.com/marketplace.json",
        "npm:a#https://localhost:4873",
    ] {
        let error = stranger(text).expect_err(text);
        assert!(format!("{error:#}").contains("catalogue"), "{error:#}");
    }
    for text in [
        "acme/tools",
        "git@github.com:a/b.git",
        "npm:@acme/tools@1.x",
    ] {
        stranger(text).unwrap();
    }
}

fn sources() -> impl Strategy<Value = Source> {
    let name = "[a-z][a-z0-9]{0,8}";
    let url = prop_oneof![
        (name, name).prop_map(|(a, b)| format!("https://github.com/{a}/{b}.git")),
        (name, name).prop_map(|(a, b)| format!("https://{a}.example/{b}")),
        (name, name).prop_map(|(a, b)| format!("ssh://git@{a}.example:2222/{b}.git")),
        (name, name).prop_map(|(a, b)| format!("git@{a}.example:{b}.git")),
        name.prop_map(|a| format!("file:///srv/{a}.git")),
    ];
    let optional = |strategy: &'static str| proptest::option::of(strategy);
    let git = (
        url,
        optional("[a-z]{1,6}(/[a-z@.][a-z]{1,4}){0,2}"),
        optional("[a-z]{1,6}(/[a-z ]{1,4}x){0,2}"),
        optional("[0-9a-f]{40}"),
    );
    let git = git.prop_map(|(url, reference, path, commit)| {
        let commit = commit.map(|commit| Oid::try_from(commit).unwrap());
        Source::Git(GitSource {
            url,
            path,
            reference,
            commit,
        })
    });
    let npm = (
        "(@[a-z]{1,5}/)?[a-z][a-z.-]{0,8}",
        optional("[~^]?[1-9]\\.[0-9]{1,2}( <[0-9])?|latest"),
        optional("https://[a-z]{1,5}\\.example(/[a-z]{1,4})?"),
    );
    let npm = npm.prop_map(|(package, version, registry)| {
        Source::Npm(NpmSource {
            package,
            version,
            registry,
        })
    });
    prop_oneof![
        "(\\./|\\.\\./|/)?[a-z #@:]{1,12}".prop_map(Source::Folder),
        git,
        npm,
        "https://[a-z]{1,9}\\.example/[a-z]{1,5}\\.json".prop_map(Source::Url),
    ]
}

proptest! {
    #[test]
    fn the_short_form_is_read_back(source in sources()) {
        if let Ok(source) = source.checked() {
            prop_assert_eq!(Source::parse(&source.to_string(), false).unwrap(), source);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,60}", hint in "(npm:|https://|git@|ssh://|a/b#)?") {
        if let Ok(source) = Source::parse(&format!("{hint}{text}"), false) {
            prop_assert_eq!(Source::parse(&source.to_string(), false).unwrap(), source);
        }
    }
}
