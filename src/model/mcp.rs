//! A call of a tool of an MCP server, as a plan states it, and the server, as its plugin declares it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Which tool is called, and with what.
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct McpCall {
    /// The server, by its name in the plugin's `.mcp.json` or manifest.
    pub server: String,
    pub tool: String,
    /// `${input:NAME}` as a whole text is that input; `${worktree}`, `${scratch}` and `${plugin}` within a text are folders.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub arguments: Map<String, Value>,
    /// The file, one of `writes`, that the text of the result becomes; without one the text is in the step's log alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub into: Option<String>,
}

/// How an MCP server is reached; texts hold variables, such as `${CLAUDE_PLUGIN_ROOT}` and `${TOKEN:-none}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum McpStart {
    /// It is started, and spoken with through its standard input and output.
    Program {
        argv: Vec<String>,
        environment: BTreeMap<String, String>,
        /// The folder it starts in; the worktree without one.
        directory: Option<String>,
    },
    /// It runs elsewhere, and is spoken with over streamable HTTP.
    Address {
        url: String,
        headers: BTreeMap<String, String>,
    },
}

impl McpStart {
    /// Returns every text of it that may hold variables.
    pub fn texts(&self) -> Vec<&str> {
        match self {
            McpStart::Program {
                argv,
                environment,
                directory,
            } => {
                let words = argv.iter().chain(environment.values()).chain(directory);
                words.map(String::as_str).collect()
            }
            McpStart::Address { url, headers } => std::iter::once(url)
                .chain(headers.values())
                .map(String::as_str)
                .collect(),
        }
    }
}
