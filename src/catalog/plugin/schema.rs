//! Which shape a Claude Code manifest and a catalogue's entry must have.

use serde_json::{Map, Value};

use super::servers::server;
use crate::catalog::frontmatter::kind;
use crate::catalog::json::step;
use crate::model::Severity;

/// Something that has not the shape it must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub severity: Severity,
    /// The JSON pointer of the value that is meant.
    pub pointer: String,
    pub what: String,
    pub hint: &'static str,
    /// Whether a manifest with it is not loaded at all.
    pub is_fatal: bool,
}

/// The most faults that one manifest or entry is told of.
const FAULTS_MAX: usize = 100;

/// Fields whose wrong type costs only their value.
const SURVIVED: [&str; 4] = ["author", "homepage", "repository", "keywords"];

/// The fields of a manifest, which an entry may have too.
const FIELDS: [&str; 35] = [
    "$schema",
    "agents",
    "author",
    "channels",
    "commands",
    "defaultEnabled",
    "dependencies",
    "description",
    "displayName",
    "documentationUrl",
    "evals",
    "experimental",
    "homepage",
    "hooks",
    "icon",
    "keywords",
    "license",
    "lspServers",
    "mcpServers",
    "metadata",
    "modules",
    "monitors",
    "name",
    "outputStyles",
    "privacyPolicyUrl",
    "repository",
    "settings",
    "skills",
    "supportUrl",
    "termsOfServiceUrl",
    "themes",
    "types",
    "userConfig",
    "version",
    "workflows",
];
const ENTRY_FIELDS: [&str; 7] = [
    "category",
    "headers",
    "headersHelper",
    "relevance",
    "source",
    "strict",
    "tags",
];

/// Returns what is wrong with the shape of a `plugin.json`.
pub fn check_manifest(manifest: &Value) -> Vec<Fault> {
    let mut check = Check::default();
    let Some(fields) = manifest.as_object() else {
        check.wrong(
            "",
            format!("it is {} rather than an object", kind(manifest)),
        );
        return check.faults;
    };
    check.plugin(fields);
    check.strings(
        fields,
        &[
            "version",
            "description",
            "displayName",
            "license",
            "$schema",
        ],
    );
    for key in fields.keys() {
        if ENTRY_FIELDS.contains(&key.as_str()) {
            let what = format!("`{key}` belongs into the catalogue's entry, and does nothing here");
            check.warn(&pointer("", key), what);
        } else if !FIELDS.contains(&key.as_str()) {
            check.warn(&pointer("", key), unknown(key));
        }
    }
    check.faults
}

/// Returns what is wrong with the shape of an entry, but for its source.
pub fn check_entry(entry: &Map<String, Value>) -> Vec<Fault> {
    let mut check = Check::default();
    check.plugin(entry);
    check.strings(
        entry,
        &[
            "version",
            "description",
            "displayName",
            "license",
            "category",
        ],
    );
    if let Some(tags) = entry.get("tags") {
        check.strings_in("/tags", tags);
    }
    for (field, value) in entry.iter().filter(|(field, _)| *field == "strict") {
        if !value.is_boolean() {
            check.wrong(&pointer("", field), expected("a boolean", value));
        }
    }
    for key in entry.keys() {
        if !FIELDS.contains(&key.as_str()) && !ENTRY_FIELDS.contains(&key.as_str()) {
            check.warn(&pointer("", key), unknown(key));
        }
    }
    check.faults
}

fn unknown(key: &str) -> String {
    format!(
        "the field `{}` is unknown, and does nothing",
        key.escape_debug()
    )
}

fn expected(what: &str, found: &Value) -> String {
    format!("it is {} rather than {what}", kind(found))
}

fn pointer(before: &str, key: &str) -> String {
    format!("{before}/{}", step(key))
}

#[derive(Default)]
struct Check {
    faults: Vec<Fault>,
}

impl Check {
    fn wrong(&mut self, pointer: &str, what: String) {
        self.push(Severity::Error, pointer, what, "");
    }

    fn warn(&mut self, pointer: &str, what: String) {
        self.push(Severity::Warning, pointer, what, "");
    }

    fn push(&mut self, severity: Severity, pointer: &str, what: String, hint: &'static str) {
        // What is fatal is never left out: the last fault makes way for it.
        let field = pointer.split('/').nth(1).unwrap_or_default();
        let is_fatal = severity == Severity::Error && !SURVIVED.contains(&field);
        if self.faults.len() == FAULTS_MAX {
            if !is_fatal {
                return;
            }
            self.faults.pop();
        }
        self.faults.push(Fault {
            severity,
            pointer: pointer.to_string(),
            what,
            hint,
            is_fatal,
        });
    }

    /// Checks what manifests and entries have in common.
    fn plugin(&mut self, fields: &Map<String, Value>) {
        self.name(fields.get("name"));
        self.about(fields);
        for field in ["skills", "agents", "outputStyles", "workflows"] {
            if let Some(value) = fields.get(field) {
                self.paths(field, value);
            }
        }
        match fields.get("commands") {
            Some(Value::Object(commands)) => self.commands(commands),
            Some(value) => self.paths("commands", value),
            None => {}
        }
        if let Some(servers) = fields.get("mcpServers") {
            self.servers(servers);
        }
        if let Some(servers) = fields.get("lspServers") {
            self.language_servers(servers);
        }
        if let Some(hooks) = fields.get("hooks") {
            self.hooks(hooks);
        }
        self.options("/userConfig", fields.get("userConfig"));
        self.channels(fields.get("channels"));
    }

    fn name(&mut self, name: Option<&Value>) {
        let hint = "write it like `code-review`";
        let what = match name {
            Some(Value::String(name)) if name.is_empty() => "the name is empty".to_string(),
            Some(Value::String(name)) if name.contains(' ') => {
                format!("the name `{name}` has a space in it")
            }
            Some(Value::String(name))
                if name.contains(['@', ':', '/', '\\']) || has_unseen(name) =>
            {
                format!(
                    "the name `{}` has a character that no name may have",
                    name.escape_debug()
                )
            }
            Some(Value::String(_)) => return,
            Some(other) => expected("a text", other),
            None => "there is no name".to_string(),
        };
        self.push(Severity::Error, "/name", what, hint);
    }

    fn about(&mut self, fields: &Map<String, Value>) {
        match fields.get("author") {
            None => {}
            Some(Value::Object(author)) => match author.get("name") {
                Some(Value::String(_)) => self.strings_of("/author", author, &["email", "url"]),
                _ => self.wrong("/author/name", "the author has no name".to_string()),
            },
            Some(other) => {
                let what = expected("an object", other);
                self.push(
                    Severity::Error,
                    "/author",
                    what,
                    "write `{\"name\": \"..\"}`",
                );
            }
        }
        self.strings(fields, &["homepage", "repository"]);
        if let Some(Value::String(address)) = fields.get("homepage")
            && !is_address(address)
        {
            let what = format!("`{}` is no address", address.escape_debug());
            self.push(
                Severity::Error,
                "/homepage",
                what,
                "write it with `https://`",
            );
        }
        if let Some(keywords) = fields.get("keywords") {
            self.strings_in("/keywords", keywords);
        }
        if let Some(value) = fields
            .get("defaultEnabled")
            .filter(|value| !value.is_boolean())
        {
            self.wrong("/defaultEnabled", expected("a boolean", value));
        }
        if let Some(value) = fields.get("dependencies").filter(|value| !value.is_array()) {
            self.wrong("/dependencies", expected("a list", value));
        }
    }

    fn strings(&mut self, fields: &Map<String, Value>, names: &[&str]) {
        self.strings_of("", fields, names);
    }

    fn strings_of(&mut self, before: &str, fields: &Map<String, Value>, names: &[&str]) {
        for name in names {
            if let Some(value) = fields.get(*name).filter(|value| !value.is_string()) {
                self.wrong(&pointer(before, name), expected("a text", value));
            }
        }
    }

    fn strings_in(&mut self, at: &str, value: &Value) {
        let Some(items) = value.as_array() else {
            return self.push(
                Severity::Error,
                at,
                expected("a list", value),
                "write `[\"..\"]`",
            );
        };
        for (index, item) in items
            .iter()
            .enumerate()
            .filter(|(_, item)| !item.is_string())
        {
            self.wrong(&format!("{at}/{index}"), expected("a text", item));
        }
    }

    fn paths(&mut self, field: &str, value: &Value) {
        match value {
            Value::String(path) => self.path(field, &format!("/{field}"), path),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    let at = format!("/{field}/{index}");
                    match item {
                        Value::String(path) => self.path(field, &at, path),
                        other => self.wrong(&at, expected("a path", other)),
                    }
                }
            }
            other => self.wrong(
                &format!("/{field}"),
                expected("a path, or a list of paths", other),
            ),
        }
    }

    fn path(&mut self, field: &str, at: &str, path: &str) {
        let is_own_folder = field == "skills" && path == ".";
        if !path.starts_with("./") && !is_own_folder {
            let what = format!(
                "the path `{}` does not start with `./`",
                path.escape_debug()
            );
            self.push(Severity::Error, at, what, "write `./` before it");
        }
        if field == "agents" && !path.ends_with(".md") {
            let what = format!("`{}` does not end in `.md`", path.escape_debug());
            self.push(
                Severity::Error,
                at,
                what,
                "name each agent's file: a folder is not read",
            );
        }
    }

    fn commands(&mut self, commands: &Map<String, Value>) {
        for (name, command) in commands {
            let at = pointer("/commands", name);
            let (source, content) = (command.get("source"), command.get("content"));
            if source.is_some() == content.is_some() {
                let what = "a command has either a `source` or a `content`".to_string();
                self.wrong(&at, what);
            }
            if let Some(Value::String(path)) = source {
                self.path("commands", &pointer(&at, "source"), path);
            }
        }
    }

    fn servers(&mut self, servers: &Value) {
        let what = match servers {
            Value::Object(servers) => {
                match servers
                    .iter()
                    .find(|(name, value)| server(name, value).is_none())
                {
                    Some((name, _)) => {
                        format!(
                            "the server `{}` has neither a command nor an address",
                            name.escape_debug()
                        )
                    }
                    None => return,
                }
            }
            Value::String(path) if path.starts_with("./") || path.starts_with("https://") => return,
            Value::String(path) => format!(
                "the path `{}` does not start with `./`",
                path.escape_debug()
            ),
            Value::Array(items) => return items.iter().for_each(|item| self.servers(item)),
            other => expected("a path or an object", other),
        };
        self.wrong("/mcpServers", what);
    }

    fn language_servers(&mut self, servers: &Value) {
        match servers {
            Value::Object(servers) => {
                for (name, server) in servers {
                    let has = |field: &str| server.get(field).is_some();
                    if !has("command") || !has("extensionToLanguage") {
                        let what = "a language server has a `command` and an `extensionToLanguage`";
                        self.wrong(&pointer("/lspServers", name), what.to_string());
                    }
                }
            }
            Value::String(_) | Value::Array(_) => {}
            other => self.wrong("/lspServers", expected("a path or an object", other)),
        }
    }

    fn hooks(&mut self, hooks: &Value) {
        match hooks {
            Value::Object(_) => {}
            Value::String(path) => self.path("hooks", "/hooks", path),
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::String(path) = item {
                        self.path("hooks", &format!("/hooks/{index}"), path);
                    }
                }
            }
            other => self.wrong("/hooks", expected("a path or an object", other)),
        }
    }

    fn options(&mut self, at: &str, options: Option<&Value>) {
        const KNOWN: [&str; 10] = [
            "type",
            "title",
            "description",
            "required",
            "default",
            "options",
            "multiple",
            "sensitive",
            "min",
            "max",
        ];
        let Some(options) = options else { return };
        let Some(options) = options.as_object() else {
            return self.wrong(at, expected("an object", options));
        };
        for (name, option) in options {
            let at = pointer(at, name);
            let Some(option) = option.as_object() else {
                self.wrong(&at, expected("an object", option));
                continue;
            };
            for key in option.keys().filter(|key| !KNOWN.contains(&key.as_str())) {
                self.wrong(
                    &at,
                    format!("the field `{}` is unknown", key.escape_debug()),
                );
            }
            for needed in ["type", "title", "description"] {
                if !option.get(needed).is_some_and(Value::is_string) {
                    self.wrong(&pointer(&at, needed), "there is no such text".to_string());
                }
            }
        }
    }

    fn channels(&mut self, channels: Option<&Value>) {
        let Some(channels) = channels else { return };
        let Some(channels) = channels.as_array() else {
            return self.wrong("/channels", expected("a list", channels));
        };
        for (index, channel) in channels.iter().enumerate() {
            let at = format!("/channels/{index}");
            if !channel.get("server").is_some_and(Value::is_string) {
                self.wrong(&pointer(&at, "server"), "there is no such text".to_string());
            }
            for key in channel.as_object().into_iter().flat_map(Map::keys) {
                if !["server", "displayName", "userConfig"].contains(&key.as_str()) {
                    self.wrong(
                        &at,
                        format!("the field `{}` is unknown", key.escape_debug()),
                    );
                }
            }
            self.options(&format!("{at}/userConfig"), channel.get("userConfig"));
        }
    }
}

fn has_unseen(name: &str) -> bool {
    name.chars().any(crate::model::invisible)
}

/// Says whether a browser would take the text for an address: with a scheme, and with a host where the scheme has one.
fn is_address(text: &str) -> bool {
    let Some((scheme, rest)) = text.trim().split_once(':') else {
        return false;
    };
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    let has_host = !matches!(scheme, "http" | "https" | "ftp" | "ws" | "wss")
        || rest
            .trim_start_matches('/')
            .starts_with(|c: char| !matches!(c, '/' | '?' | '#') && !c.is_whitespace());
    is_scheme && has_host
}
