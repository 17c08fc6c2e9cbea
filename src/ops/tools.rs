//! What a plan needs of this machine and this person: Python, agents with their logins, secrets. All of it is looked for before the first step.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::sync::Arc;

use anyhow::{Result, anyhow};

use super::Project;
use super::session::planned_plugin;
use crate::agent::{self, Login, Program, Ready};
use crate::model::{Action, Hint, Plan, Runner, Trouble};
use crate::sandbox::{PythonTool, find_python};
use crate::secret::{Secret, Secrets};

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
            if action.runner == Runner::Agent {
                tools.agent(project, action, path)?;
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
