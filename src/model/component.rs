//! What a plugin can do: its components, as its files declare them.

use serde::{Deserialize, Serialize};

/// Everything that a plugin brings along.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Components {
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skills: Vec<Component>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commands: Vec<Component>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<Component>,
    /// Run by the agent on its own, on events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub hooks: Vec<Hook>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mcp_servers: Vec<McpServer>,
    /// What else the plugin declares, as `kind:name`, such as `lsp:gopls`, `output-style:terse`, `bin:lint`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub others: Vec<String>,
}

/// A skill, a command or an agent: a text of instructions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Component {
    /// How the agent calls it, without the plugin's namespace: `review`, `git:commit`.
    pub name: String,
    /// The file, from the root of the plugin; with a `/` before it, from the root of the marketplace, where several plugins share it; empty
    /// where it stands in the catalogue's entry.
    pub file: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The first 16 hexadecimal digits of the SHA-256 of the file, to tell changed instructions.
    pub digest: String,
    /// Tools it may use without being asked, as written.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tools: Vec<String>,
}

/// Something that runs when an event occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hook {
    pub event: String,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub matcher: String,
    /// `command`, `http`, `mcp_tool`, `prompt` or `agent`.
    pub kind: String,
    /// The command line, address or prompt, as written.
    pub what: String,
}

/// An MCP server that the plugin starts or speaks to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct McpServer {
    pub name: String,
    /// The program and its arguments; empty for a remote one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub argv: Vec<String>,
    /// The address of a remote one; empty for a local one.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
    /// The names of the variables it is given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub environment: Vec<String>,
}

/// Something that is fetched when the plugin is used, and that its digest therefore does not cover.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Payload {
    /// What fetches it: `npx`, `uvx`, `docker`, `curl`, or `remote` for a server elsewhere.
    pub by: String,
    /// The package, image or address, as written.
    pub what: String,
    /// Whether what is written names exact bytes or an exact version.
    pub pinned: bool,
    /// Where it was found, such as `.mcp.json: servers.github`.
    pub at: String,
}
