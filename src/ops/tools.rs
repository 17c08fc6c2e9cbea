//! What a plan needs of this machine and this person: Python, agents with their logins, secrets. All of it is looked for before the first step.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};

use super::Project;
use super::session::planned_plugin;
use crate::agent::{self, Login, Program, Ready};
use crate::catalog::mcp_start;
use crate::model::{Action, Hint, McpStart, Plan, Runner, Trouble};
use crate::sandbox::{PythonTool, find_python};
use crate::secret::{Secret, Secrets};
use crate::workspace::{Server, variables};

/// What was found.
#[derive(Clone, Default)]
pub struct Tools {
    pub python: Option<Arc<PythonTool>>,
    /// By the agent's name.
    agents: BTreeMap<String, (Program, Login)>,
    secrets: BTreeMap<String, Secret>,
}

impl Tools {
    /// Finds everything that the plan uses; what is not there is `Trouble::Missing`.
    pub fn find(project: &Project, plan: &Plan, path: &OsStr) -> Result<Tools> {
        let mut tools = Tools::default();
        for action in plan.steps.iter().flat_map(|step| step.actions()) {
            if action.environment.is_some() && tools.python.is_none() {
                tools.python = Some(Arc::new(find_python(path)?));
            }
            for name in &action.grants.secrets {
                tools.secrets.insert(name.clone(), secret(name)?);
            }
            match action.runner {
                Runner::Agent => tools.agent(project, action, path)?,
                Runner::Mcp => drop(server(project, action, path)?),
                Runner::Template | Runner::Command => {}
            }
        }
        Ok(tools)
    }

    fn agent(&mut self, project: &Project, action: &Action, path: &OsStr) -> Result<()> {
        let (agent, plugin) = (known(action)?, planned_plugin(project, action)?.0);
        if let Some(uses) = action.agent.as_ref().and_then(|task| task.uses.as_ref()) {
            agent::component(&plugin, uses).kind(Trouble::Request)?;
        }
        if self.agents.contains_key(agent.name) {
            return Ok(());
        }
        let Some(program) = Program::find(agent, path) else {
            return agent.missing();
        };
        let login = Login::find(agent, &variable)?;
        self.agents.insert(agent.name.to_string(), (program, login));
        Ok(())
    }

    /// Returns the agent of the action, ready to be called.
    pub fn ready(&self, project: &Project, action: &Action) -> Result<Option<Ready>> {
        if action.runner != Runner::Agent {
            return Ok(None);
        }
        let agent = known(action)?;
        let (program, login) = self
            .agents
            .get(agent.name)
            .ok_or_else(|| anyhow!("`{}` was not looked for", agent.name))?;
        Ok(Some(Ready {
            agent,
            version: match program.version() {
                Some(version) => format!("{} {version}", agent.name),
                None => agent.name.to_string(),
            },
            program: program.clone(),
            login: login.clone(),
            plugin: planned_plugin(project, action)?.0,
        }))
    }

    /// Returns the MCP server that the action calls a tool of.
    pub fn server(&self, project: &Project, action: &Action) -> Result<Option<Server>> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        match action.runner {
            Runner::Mcp => server(project, action, &path).map(Some),
            _ => Ok(None),
        }
    }

    /// Returns the secrets that the action is granted.
    pub fn granted(&self, action: &Action) -> Vec<Secret> {
        let names = action.grants.secrets.iter();
        names
            .filter_map(|name| self.secrets.get(name))
            .cloned()
            .collect()
    }

    /// Returns what finds every secret of the run, the keys of models among them.
    pub fn hidden(&self) -> Result<Secrets> {
        let keys = self.agents.values().map(|(_, login)| login.key.clone());
        Secrets::new(
            &self
                .secrets
                .values()
                .cloned()
                .chain(keys)
                .collect::<Vec<_>>(),
        )
    }
}

/// Finds the server of the action, with its program, and makes sure that the plan grants what it takes.
fn server(project: &Project, action: &Action, path: &OsStr) -> Result<Server> {
    let call = action
        .mcp
        .as_ref()
        .ok_or_else(|| anyhow!("a step of the runner `mcp` says which tool it calls"))
        .kind(Trouble::Request)?;
    let (plugin, files) = planned_plugin(project, action)?;
    let start = mcp_start(&files, &call.server)
        .with_context(|| format!("cannot find what a step calls in `{}`", plugin.id))
        .kind(Trouble::Request)?;
    let asked = || format!("the MCP server `{}` of `{}`", call.server, plugin.id);
    for name in start.texts().into_iter().flat_map(variables) {
        if !action.grants.secrets.contains(&name) {
            return Err(anyhow!(
                "{} takes the variable `{name}`, which the plan does not grant",
                asked()
            ))
            .kind(Trouble::Request)
            .hint(format!(
                "grants: {{secrets: [{name}]}}, and approve the plan anew"
            ));
        }
    }
    let grants = |name: &str| action.grants.network.iter().any(|grant| grant == name);
    let mut program = None;
    match &start {
        McpStart::Program { argv, .. } if !argv[0].contains(['/', '$']) => {
            program = Program::called(&argv[0], &[], path);
            if program.is_none() {
                return Err(anyhow!(
                    "there is no `{}` in PATH, and {} is started by it",
                    argv[0],
                    asked()
                ))
                .kind(Trouble::Missing)
                .hint("install it, or put its folder into PATH");
            }
        }
        McpStart::Program { .. } => {}
        McpStart::Address { url, .. } => {
            if !grants("mcp-server") {
                return Err(anyhow!(
                    "{} is at `{url}`, and the plan does not let the step reach it",
                    asked()
                ))
                .kind(Trouble::Request)
                .hint("grants: {network: [mcp-server]}, and approve the plan anew");
            }
        }
    }
    Ok(Server {
        name: call.server.clone(),
        start,
        program,
        reaches_internet: grants("internet"),
    })
}

fn known(action: &Action) -> Result<&'static agent::Agent> {
    let name = action.agent.as_ref().map_or("", |task| task.agent.as_str());
    let names: Vec<&str> = agent::AGENTS.iter().map(|agent| agent.name).collect();
    agent::find(name)
        .ok_or_else(|| anyhow!("there is no agent `{name}`; known: {}", names.join(", ")))
        .kind(Trouble::Request)
}

fn secret(name: &str) -> Result<Secret> {
    let value = variable(name)
        .ok_or_else(|| {
            anyhow!("a step is granted the secret `{name}`, and the environment has none")
        })
        .kind(Trouble::Missing)
        .hint(format!("export {name}=.."))?;
    Secret::new(name, value).kind(Trouble::Missing)
}

/// Returns the value of a variable of the person's environment; an empty one is none.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
