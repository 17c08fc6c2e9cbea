//! One server, as each generation of the registry writes it.

use serde_json::Value;

use crate::catalog::catalogue::text;
use crate::model::McpServer;

/// How many characters a description may have.
pub const DESCRIPTION_MAX: usize = 100;

/// Says whether the value is a server rather than some other JSON.
pub fn is_one(value: &Value) -> bool {
    let server = value
        .get("server")
        .filter(|server| server.is_object())
        .unwrap_or(value);
    let has_schema =
        text(server, "$schema").is_some_and(|schema| schema.contains("modelcontextprotocol"));
    let has = |field: &str| server.get(field).is_some();
    server.get("name").is_some_and(Value::is_string)
        && (has_schema || has("version_detail") || has("packages") || has("remotes"))
        && (has("description") || has_schema)
}

/// Says whether it is the newest version of its server.
pub fn is_latest(value: &Value) -> bool {
    let official = "io.modelcontextprotocol.registry/official";
    let wrapped = value
        .get("_meta")
        .and_then(|meta| meta.get(official)?.get("isLatest")?.as_bool());
    let seeded = value
        .get("version_detail")
        .and_then(|detail| detail.get("is_latest")?.as_bool());
    wrapped.or(seeded).unwrap_or(false)
}

/// Returns the version: on its own, or in the details of older files.
pub fn version(server: &Value) -> String {
    let detail = || text(server.get("version_detail")?, "version");
    text(server, "version").or_else(detail).unwrap_or_default()
}

/// Returns how the server is started, or where it is spoken to.
pub fn started(name: &str, server: &Value) -> McpServer {
    let package =
        packages(server).find(|package| !package.argv().is_empty() || package.is_bundle());
    let url = match &package {
        Some(package) if package.is_bundle() => package.identifier.clone(),
        Some(_) => String::new(),
        None => remotes(server).next().unwrap_or_default(),
    };
    McpServer {
        name: name.to_string(),
        argv: package.as_ref().map(Package::argv).unwrap_or_default(),
        url,
        environment: package
            .map(|package| package.environment)
            .unwrap_or_default(),
    }
}

/// Returns the other ways to get the server.
pub fn others(server: &Value) -> Vec<String> {
    let all = packages(server)
        .map(|package| format!("package:{}:{}", package.registry, package.identifier));
    all.chain(remotes(server).map(|url| format!("remote:{url}")))
        .skip(1)
        .collect()
}

/// Says why the server can neither be started nor spoken to, if so.
pub fn unusable(server: &Value) -> Option<&'static str> {
    let how = started("", server);
    if !how.argv.is_empty() || !how.url.is_empty() {
        return None;
    }
    Some(match packages(server).next() {
        Some(_) => {
            "its packages are of no registry that is known, so nothing says how it is started"
        }
        None => "it has neither packages nor addresses, so nothing says how it is started",
    })
}

fn remotes(server: &Value) -> impl Iterator<Item = String> {
    list(server, "remotes").filter_map(|remote| text(remote, "url"))
}

fn packages(server: &Value) -> impl Iterator<Item = Package> {
    list(server, "packages").map(Package::of)
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value
        .get(field)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

struct Package {
    registry: String,
    identifier: String,
    version: String,
    runtime: Option<String>,
    before: Vec<String>,
    after: Vec<String>,
    environment: Vec<String>,
}

impl Package {
    /// Reads the package; fields are in camel case now, were in snake case before, and had other names at first.
    fn of(value: &Value) -> Package {
        let first = |fields: &[&str]| {
            fields
                .iter()
                .find_map(|field| text(value, field))
                .unwrap_or_default()
        };
        let both = |now: &str, before: &str| {
            let field = if value.get(now).is_some() {
                now
            } else {
                before
            };
            list(value, field).collect::<Vec<_>>()
        };
        let names = both("environmentVariables", "environment_variables");
        Package {
            registry: first(&["registryType", "registry_type", "registry_name"]),
            identifier: first(&["identifier", "name"]),
            version: first(&["version"]),
            runtime: Some(first(&["runtimeHint", "runtime_hint"])).filter(|hint| !hint.is_empty()),
            before: words(both("runtimeArguments", "runtime_arguments")),
            after: words(both("packageArguments", "package_arguments")),
            environment: names
                .into_iter()
                .filter_map(|variable| text(variable, "name"))
                .collect(),
        }
    }

    fn is_bundle(&self) -> bool {
        self.registry == "mcpb" && self.identifier.starts_with("https://")
    }

    /// Returns the program and its arguments; nothing where the registry is not known.
    fn argv(&self) -> Vec<String> {
        let joined = |separator: &str| match self.version.as_str() {
            "" => self.identifier.clone(),
            version => format!("{}{separator}{version}", self.identifier),
        };
        let (program, fixed, package): (&str, &[&str], String) = match self.registry.as_str() {
            _ if self.identifier.is_empty() || self.identifier.starts_with('-') => {
                return Vec::new();
            }
            "npm" => ("npx", &["-y"], joined("@")),
            "pypi" => ("uvx", &[], joined("==")),
            "oci" | "docker" => ("docker", &["run", "-i", "--rm"], self.image()),
            "nuget" => ("dnx", &[], joined("@")),
            "cargo" => ("cargo", &["install"], joined("@")),
            _ => return Vec::new(),
        };
        let program = self.runtime.as_deref().unwrap_or(program);
        let mut argv = vec![program.to_string()];
        // Arguments that the file gives for the program take the place of ours.
        match self.before.is_empty() || program == "docker" {
            true => argv.extend(fixed.iter().map(ToString::to_string)),
            false => argv.extend(self.before.iter().cloned()),
        }
        if program == "docker" {
            argv.extend(
                self.before
                    .iter()
                    .filter(|word| !fixed.contains(&word.as_str()))
                    .cloned(),
            );
        }
        argv.push(package);
        argv.extend(self.after.iter().cloned());
        argv
    }

    /// An image bears its version, unless the file is of the time when it stood beside.
    fn image(&self) -> String {
        let name = self
            .identifier
            .rsplit('/')
            .next()
            .unwrap_or(&self.identifier);
        match self.version.is_empty() || name.contains([':', '@']) {
            true => self.identifier.clone(),
            false if self.version.starts_with("sha256:") => {
                format!("{}@{}", self.identifier, self.version)
            }
            false => format!("{}:{}", self.identifier, self.version),
        }
    }
}

/// Returns arguments as they would stand on a command line; what a person fills in stays in `{braces}`.
fn words(arguments: Vec<&Value>) -> Vec<String> {
    let mut words = Vec::new();
    for argument in arguments {
        let value = ["value", "default"]
            .iter()
            .find_map(|field| text(argument, field));
        let hint = || {
            ["valueHint", "value_hint"]
                .iter()
                .find_map(|field| text(argument, field))
        };
        if text(argument, "type").as_deref() == Some("named") {
            words.extend(text(argument, "name"));
            words.extend(value);
        } else {
            words.extend(value.or_else(|| Some(format!("{{{}}}", hint()?))));
        }
    }
    words
}
