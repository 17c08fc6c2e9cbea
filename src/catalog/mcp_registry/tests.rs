use super::*;
use crate::catalog::fixture::{read, tree};

fn started(server: &str) -> String {
    let server = serde_json::from_str(server).unwrap();
    let found = server::started("x", &server);
    format!(
        "{}{} {}",
        found.argv.join(" "),
        found.url,
        found.environment.join(",")
    )
}

#[test]
fn every_generation_says_how_a_server_is_started() {
    for (server, expected) in [
        (
            r#"{"packages": [{"registryType": "pypi", "identifier": "p", "version": "1.0", "environmentVariables": [{"name": "KEY"}]}]}"#,
            "uvx p==1.0 KEY",
        ),
        (
            r#"{"packages": [{"registry_name": "npm", "name": "@o/p", "version": "1.0.0"}]}"#,
            "npx -y @o/p@1.0.0 ",
        ),
        (
            r#"{"packages": [{"registry_name": "docker", "name": "o/i", "version": "1"}]}"#,
            "docker run -i --rm o/i:1 ",
        ),
        (
            r#"{"packages": [{"registryType": "oci", "identifier": "ghcr.io/o/i:2"}]}"#,
            "docker run -i --rm ghcr.io/o/i:2 ",
        ),
        (
            r#"{"packages": [{"registryType": "npm", "identifier": "p", "packageArguments": [{"type": "named", "name": "--port", "default": "1"}, {"type": "positional", "valueHint": "path"}]}]}"#,
            "npx -y p --port 1 {path} ",
        ),
        (
            r#"{"packages": [{"registryType": "mcpb", "identifier": "https://example.org/x.mcpb"}]}"#,
            "https://example.org/x.mcpb ",
        ),
        (
            r#"{"packages": [{"registry_name": "unknown", "name": "x"}], "remotes": [{"url": "https://example.org/mcp"}]}"#,
            "https://example.org/mcp ",
        ),
        (
            r#"{"packages": [{"registryType": "npm", "identifier": "-x"}]}"#,
            " ",
        ),
    ] {
        assert_eq!(started(server), expected, "{server}");
    }
}

#[test]
fn files_lists_and_answers_of_the_registry_are_read() {
    let one = r#"{"$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json", "name": "org.a/one", "description": "d", "version": "1.0.0",
        "packages": [{"registryType": "npm", "identifier": "one", "version": "1.0.0"}]}"#;
    let list = r#"[{"name": "org.a/two", "description": "", "version_detail": {"version": "0.1"}, "packages": []},
        {"name": "", "description": "d", "packages": []}]"#;
    let answer = r#"{"servers": [
        {"server": {"name": "org.a/three", "description": "old", "remotes": [{"url": "https://example.org/1"}]}, "_meta": {}},
        {"server": {"name": "org.a/three", "description": "new", "remotes": [{"url": "https://example.org/2"}]},
         "_meta": {"io.modelcontextprotocol.registry/official": {"isLatest": true}}}]}"#;
    let read = read(
        &DIALECT,
        &[
            ("a/one.server.json", one),
            ("list.json", list),
            ("answer.json", answer),
            ("package.json", "{\"name\": \"x\"}"),
        ],
    );
    assert_eq!(
        read.shown(),
        [
            "org.a/one mcp:org.a/one",
            "org.a/three mcp:org.a/three",
            "org.a/two mcp:org.a/two"
        ]
    );
    assert_eq!(read.plugins[0].plugin.version, "1.0.0");
    assert!(read.plugins[0].plugin.payloads[0].pinned);
    assert_eq!(read.plugins[1].plugin.description, "new");
    assert_eq!(
        read.listing.oddities.len(),
        2,
        "{:?}",
        read.listing.oddities
    );
    assert!(
        read.warnings()
            .iter()
            .any(|what| what.contains("nothing says how it is started"))
    );
}

#[test]
fn other_json_is_no_registry() {
    for (file, text) in [
        ("package.json", r#"{"name": "x", "description": "d"}"#),
        ("server.json", r#"{"port": 8080, "name": "web"}"#),
        ("data.json", r#"[{"name": "x", "description": "d"}]"#),
    ] {
        let (_folder, tree) = tree(&[(file, text)]);
        assert!(!detect(&tree), "{file}");
    }
}
