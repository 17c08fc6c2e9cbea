//! An agent that can be called on this machine, by this person.

use anyhow::{Result, anyhow};

use super::{Agent, Program};
use crate::model::{Hint, Plugin, Trouble};
use crate::secret::Secret;

/// An agent that is installed and logged in, with the plugin that it is to load.
#[derive(Clone)]
pub struct Ready {
    pub agent: &'static Agent,
    pub program: Program,
    /// The agent's name and version.
    pub version: String,
    pub login: Login,
    pub plugin: Plugin,
}

/// What a person logs in with.
#[derive(Debug, Clone)]
pub struct Login {
    /// The variable that the agent takes its key from.
    pub variable: &'static str,
    /// The model's address.
    pub address: String,
    pub key: Secret,
}

impl Login {
    /// Returns the login that `variable` knows of: it gives the values of the person's own environment, never those of a repository.
    /// Without one it is `Trouble::Missing`.
    pub fn find(agent: &Agent, variable: &dyn Fn(&str) -> Option<String>) -> Result<Login> {
        for access in agent.logins {
            if let Some(key) = variable(access.variable) {
                let address = variable(access.address_variable);
                return Ok(Login {
                    variable: access.variable,
                    address: address.unwrap_or_else(|| access.address.to_string()),
                    key: Secret::new(access.variable, key).kind(Trouble::Missing)?,
                });
            }
        }
        let names: Vec<&str> = agent.logins.iter().map(|access| access.variable).collect();
        Err(anyhow!(
            "`{}` is not logged in: {} is not set",
            agent.name,
            names.join(" or ")
        ))
        .kind(Trouble::Missing)
        .hint(format!("export {}=..", names[0]))
    }
}

impl Agent {
    /// Returns what to say where the agent is not installed.
    pub fn missing<T>(&self) -> Result<T> {
        Err(anyhow!(
            "there is no `{}` in PATH, and a step is done by it",
            self.program
        ))
        .kind(Trouble::Missing)
        .hint(format!("npm install --global {}", self.package))
    }
}
