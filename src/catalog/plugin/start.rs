//! How the MCP servers of a plugin are started, in full, as the plugin's own files say it.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value};

use super::{JSON_BYTES_MAX, inside};
use crate::catalog::json;
use crate::model::{McpStart, PluginFile};

/// The files that declare servers, in the order in which they are read: of two with one name the later one counts.
const FILES: [&str; 2] = [".mcp.json", "mcp.json"];
/// The manifests, of which the first counts.
const MANIFESTS: [&str; 4] = [
    ".claude-plugin/plugin.json",
    ".codex-plugin/plugin.json",
    ".cursor-plugin/plugin.json",
    "plugin.json",
];

/// Returns how the server called `name` is reached. Only the plugin's files are looked at, which its digest covers: what an entry of a
/// marketplace adds to them is no part of what was approved.
pub fn mcp_start(files: &BTreeMap<String, PluginFile>, name: &str) -> Result<McpStart> {
    let mut servers = Map::new();
    for file in FILES {
        add_file(files, file, &mut servers)?;
    }
    let manifest = MANIFESTS.into_iter().find(|file| files.contains_key(*file));
    if let Some(file) = manifest
        && let Some(declared) = document(files, file)?.and_then(|mut text| {
            let fields = text.as_object_mut()?;
            fields.remove("mcpServers")
        })
    {
        add(files, declared, &mut servers)?;
    }
    let Some(server) = servers.get(name) else {
        let names: Vec<&str> = servers.keys().map(String::as_str).collect();
        bail!(
            "its files declare no MCP server `{name}`; they declare: {}",
            match names.is_empty() {
                true => "none".to_string(),
                false => names.join(", "),
            }
        );
    };
    start(server).with_context(|| format!("the MCP server `{name}` cannot be understood"))
}

/// Adds the servers of a declaration: an object of them, a file of one, or a list of both.
fn add(
    files: &BTreeMap<String, PluginFile>,
    declared: Value,
    servers: &mut Map<String, Value>,
) -> Result<()> {
    match declared {
        Value::Object(named) => servers.extend(named),
        Value::String(path) => {
            if let Some(file) = inside(&path) {
                add_file(files, file, servers)?;
            }
        }
        Value::Array(items) => {
            for item in items.into_iter().filter(|item| !item.is_array()) {
                add(files, item, servers)?;
            }
        }
        _ => {}
    }
    Ok(())
}

fn add_file(
    files: &BTreeMap<String, PluginFile>,
    file: &str,
    servers: &mut Map<String, Value>,
) -> Result<()> {
    if file.ends_with(".mcpb") || file.ends_with(".dxt") {
        return Ok(());
    }
    let Some(Value::Object(mut fields)) = document(files, file)? else {
        return Ok(());
    };
    match fields.remove("mcpServers") {
        Some(Value::Object(named)) => servers.extend(named),
        Some(_) => bail!("the servers of `{file}` are no object"),
        None => servers.extend(fields),
    }
    Ok(())
}

fn document(files: &BTreeMap<String, PluginFile>, file: &str) -> Result<Option<Value>> {
    let Some(found) = files.get(file) else {
        return Ok(None);
    };
    let read = json::read_within(&found.bytes, JSON_BYTES_MAX);
    let document = read.with_context(|| format!("cannot read `{file}`"))?;
    Ok(Some(document.value))
}

fn start(server: &Value) -> Result<McpStart> {
    let text = |field: &str| server.get(field).and_then(Value::as_str);
    let kind = text("type").or(text("transport")).unwrap_or_default();
    match (text("command"), text("url")) {
        (Some(command), _) => {
            let mut argv = vec![command.to_string()];
            argv.extend(words(server.get("args"))?);
            Ok(McpStart::Program {
                argv,
                environment: texts(server.get("env"), "env")?,
                directory: text("cwd").map(str::to_string),
            })
        }
        (None, Some(_)) if kind == "sse" || kind == "ws" => {
            bail!(
                "it speaks `{kind}`, which the protocol has given up; steps speak streamable HTTP"
            )
        }
        (None, Some(url)) => Ok(McpStart::Address {
            url: url.to_string(),
            headers: texts(server.get("headers"), "headers")?,
        }),
        (None, None) => bail!("it has neither a `command` nor a `url`"),
    }
}

fn words(value: Option<&Value>) -> Result<Vec<String>> {
    let items = value.and_then(Value::as_array).into_iter().flatten();
    items
        .map(|item| word(item).context("`args` holds something that is no text"))
        .collect()
}

fn texts(value: Option<&Value>, field: &str) -> Result<BTreeMap<String, String>> {
    let fields = value.and_then(Value::as_object).into_iter().flatten();
    fields
        .map(|(name, value)| {
            let text = word(value).with_context(|| format!("`{field}.{name}` is no text"))?;
            Ok((name.clone(), text))
        })
        .collect()
}

fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(files: &[(&str, &str)], name: &str, expected: &str) {
        let file = |text: &str| PluginFile {
            bytes: text.as_bytes().to_vec(),
            executable: false,
        };
        let files = files
            .iter()
            .map(|(path, text)| (path.to_string(), file(text)));
        let found = match mcp_start(&files.collect(), name) {
            Ok(McpStart::Program {
                argv,
                environment,
                directory,
            }) => format!("{} {environment:?} {directory:?}", argv.join(" ")),
            Ok(McpStart::Address { url, headers }) => format!("{url} {headers:?}"),
            Err(error) => format!("{error:#}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn servers_are_found_wherever_a_plugin_declares_them() {
        let plain = r#"{"mcpServers": {"a": {"command": "x", "args": ["1", 2], "env": {"K": "${V}"}, "cwd": "d"}}}"#;
        check(
            &[(".mcp.json", plain)],
            "a",
            r#"x 1 2 {"K": "${V}"} Some("d")"#,
        );
        check(
            &[(".mcp.json", r#"{"a": {"command": "x"}}"#)],
            "a",
            "x {} None",
        );
        let inline = r#"{"name": "p", "mcpServers": {"a": {"url": "https://h/mcp", "headers": {"A": "b"}}}}"#;
        let files = [(".mcp.json", plain), (".claude-plugin/plugin.json", inline)];
        check(&files, "a", r#"https://h/mcp {"A": "b"}"#);
        let named = [
            (
                "plugin.json",
                r#"{"mcpServers": ["./s.json", {"b": {"command": "y"}}]}"#,
            ),
            ("s.json", plain),
        ];
        check(&named, "a", r#"x 1 2 {"K": "${V}"} Some("d")"#);
        check(&named, "b", "y {} None");
    }

    #[test]
    fn what_is_no_server_is_said() {
        check(
            &[],
            "a",
            "its files declare no MCP server `a`; they declare: none",
        );
        check(
            &[(".mcp.json", r#"{"b": {"command": "x"}}"#)],
            "a",
            "its files declare no MCP server `a`; they declare: b",
        );
        check(
            &[(".mcp.json", r#"{"a": {}}"#)],
            "a",
            "the MCP server `a` cannot be understood: it has neither a `command` nor a `url`",
        );
        check(
            &[(".mcp.json", r#"{"a": {"type": "sse", "url": "https://h"}}"#)],
            "a",
            "the MCP server `a` cannot be understood: it speaks `sse`, which the protocol has given up; steps speak streamable HTTP",
        );
        check(
            &[(".mcp.json", "{")],
            "a",
            "cannot read `.mcp.json`: EOF while parsing an object at line 1 column 1",
        );
    }
}
