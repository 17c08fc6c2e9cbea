//! MCP servers: programs that a plugin starts, and services that it speaks to.

use serde_json::{Map, Value};

use super::{Origin, Reading, child, inside};
use crate::model::{McpServer, Severity};

/// The most servers that one plugin is read with.
const SERVERS_MAX: usize = 200;

impl Reading<'_> {
    /// Adds the servers of a file, with or without the object `mcpServers` around them; says whether there is one.
    pub fn servers_file(&mut self, file: &str) -> bool {
        self.json(file, |reading, document| {
            let (pointer, servers) = match document.value.get("mcpServers") {
                Some(servers) => ("/mcpServers", servers),
                None => ("", &document.value),
            };
            let origin = Origin::file(file, document);
            match servers {
                Value::Object(servers) => reading.servers(origin, pointer, servers),
                _ => reading.odd(Severity::Error, file, "the servers are no object", ""),
            }
        })
    }

    /// Adds the servers of an object, by their names; of two with one name the later one counts.
    pub fn servers(&mut self, origin: Origin<'_>, pointer: &str, servers: &Map<String, Value>) {
        for (name, value) in servers {
            match server(name, value) {
                Some(server) => self.server(server),
                None => {
                    let name = name.escape_debug();
                    let what = format!("the server `{name}` has neither a command nor an address");
                    let oddity = origin.odd(Severity::Error, &child(pointer, name), what);
                    self.oddities.push(oddity);
                }
            }
        }
    }

    /// Adds one server.
    pub fn server(&mut self, server: McpServer) {
        let servers = &mut self.components.mcp_servers;
        servers.retain(|other| other.name != server.name);
        if servers.len() < SERVERS_MAX {
            servers.push(server);
        }
    }

    /// Adds servers as a manifest names them: a file, a bundle, an address of one, an object of servers, or a list of those.
    pub fn servers_declared(&mut self, origin: Origin<'_>, pointer: &str, value: &Value) {
        match value {
            Value::Array(items) => {
                for (index, item) in items
                    .iter()
                    .enumerate()
                    .filter(|(_, item)| !item.is_array())
                {
                    self.servers_declared(origin, &child(pointer, index), item);
                }
            }
            Value::Object(servers) => self.servers(origin, pointer, servers),
            Value::String(address) if address.starts_with("https://") => {
                let name = address.rsplit('/').next().unwrap_or(address);
                self.server(McpServer {
                    name: name.to_string(),
                    argv: Vec::new(),
                    url: address.clone(),
                    environment: Vec::new(),
                });
            }
            Value::String(path) => self.servers_at(origin, pointer, path),
            _ => {}
        }
    }

    fn servers_at(&mut self, origin: Origin<'_>, pointer: &str, path: &str) {
        let Some(file) = inside(path) else {
            return self.tell_escape(origin, pointer, path);
        };
        if file.ends_with(".mcpb") || file.ends_with(".dxt") {
            self.components.others.push(format!("mcp-bundle:{file}"));
        } else if !self.servers_file(file) {
            self.tell_missing(origin, pointer, path);
        }
    }

    pub(super) fn tell_escape(&mut self, origin: Origin<'_>, pointer: &str, path: &str) {
        let what = format!(
            "the path `{}` leaves the plugin, and is not followed",
            path.escape_debug()
        );
        let oddity = origin.odd(Severity::Error, pointer, what);
        self.oddities
            .push(oddity.hint("write a path below the plugin's folder, such as `./extra`"));
    }

    pub(super) fn tell_missing(&mut self, origin: Origin<'_>, pointer: &str, path: &str) {
        if self.tree.is_none() {
            return;
        }
        let what = format!("there is nothing at `{}`", path.escape_debug());
        let oddity = origin.odd(Severity::Error, pointer, what);
        self.oddities
            .push(oddity.hint("paths start at the plugin's own folder, not at the marketplace's"));
    }
}

/// Reads one server; none where it says neither what to start nor where to speak to.
pub fn server(name: &str, value: &Value) -> Option<McpServer> {
    let text = |field: &str| value.get(field).and_then(Value::as_str);
    let (command, url) = (text("command"), text("url"));
    command.or(url)?;
    let arguments = value.get("args").and_then(Value::as_array);
    let words = arguments.into_iter().flatten().filter_map(Value::as_str);
    let names = value.get("env").and_then(Value::as_object);
    Some(McpServer {
        name: name.to_string(),
        argv: command
            .into_iter()
            .chain(words)
            .map(str::to_string)
            .collect(),
        url: url.unwrap_or_default().to_string(),
        environment: names
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
    })
}
