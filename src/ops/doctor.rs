//! What works here and what does not, each with the command that mends it.

use serde::Serialize;

use super::{Project, Silent};
use crate::agent::{AGENTS, Login, Program};
use crate::model::counted;
use crate::sandbox::{Sandbox, find_python};

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Examined {
    pub what: String,
    pub works: bool,
    pub found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mend: Option<String>,
}

/// Everything that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Doctor {
    pub examined: Vec<Examined>,
}

/// Looks at the sandbox, Python, Redis, git's identity and the marketplaces.
pub fn doctor(project: Option<&Project>) -> Doctor {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut examined = vec![sandbox(), python(&path), redis(&path)];
    examined.extend(agents(&path));
    if let Some(project) = project {
        examined.push(identity(project));
        examined.push(marketplaces(project));
    }
    Doctor { examined }
}

fn sandbox() -> Examined {
    match Sandbox::choose(false) {
        Ok(sandbox) => Examined { what: "sandbox".into(), works: true, found: sandbox.describe(), mend: None },
        Err(error) => Examined {
            what: "sandbox".into(),
            works: false,
            found: format!("{error:#}"),
            mend: Some("Linux 6.2 or newer has Landlock; elsewhere `--unsandboxed` runs steps with everything you may do".into()),
        },
    }
}

fn python(path: &std::ffi::OsStr) -> Examined {
    match find_python(path) {
        Ok(_) => Examined {
            what: "Python".into(),
            works: true,
            found: ["uv", "python3"]
                .iter()
                .filter_map(|name| program(path, name))
                .collect::<Vec<_>>()
                .join(", "),
            mend: None,
        },
        Err(error) => Examined {
            what: "Python".into(),
            works: false,
            found: format!("{error:#}"),
            mend: Some("apt-get install python3-venv, or brew install python".into()),
        },
    }
}

fn redis(path: &std::ffi::OsStr) -> Examined {
    let set = std::env::var("REDIS_URL").is_ok_and(|url| !url.is_empty());
    let (works, found) = match (set, program(path, "redis-server")) {
        (true, _) => (true, "REDIS_URL is set".to_string()),
        (false, Some(file)) => (true, file),
        (false, None) => (
            false,
            "no `redis-server` in PATH, and REDIS_URL is not set: tests use a substitute"
                .to_string(),
        ),
    };
    let mend = (!works).then(|| "apt-get install redis-server, or brew install redis".to_string());
    Examined {
        what: "Redis".into(),
        works,
        found,
        mend,
    }
}

/// Looks for each agent and its login; one that is not installed is missed by nobody who does not use it.
fn agents(path: &std::ffi::OsStr) -> Vec<Examined> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let installed = AGENTS
        .iter()
        .filter_map(|agent| Some((agent, Program::find(agent, path)?)));
    let examined: Vec<Examined> = installed
        .map(|(agent, program)| {
            let version = program.version().unwrap_or_default();
            let (works, login) = match Login::find(agent, &variable) {
                Ok(login) => (true, format!("`{}` is set", login.variable)),
                Err(error) => (false, format!("{error}")),
            };
            Examined {
                what: format!("agent {}", agent.name),
                works,
                found: format!("{} {version}, {login}", program.file.display()).replace(" ,", ","),
                mend: (!works).then(|| format!("export {}=..", agent.logins[0].variable)),
            }
        })
        .collect();
    if !examined.is_empty() {
        return examined;
    }
    let names: Vec<&str> = AGENTS.iter().map(|agent| agent.name).collect();
    vec![Examined {
        what: "agents".into(),
        works: false,
        found: format!("none of {} is in PATH", names.join(", ")),
        mend: Some(format!("npm install --global {}", AGENTS[0].package)),
    }]
}

fn program(path: &std::ffi::OsStr, name: &str) -> Option<String> {
    let found = std::env::split_paths(path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.map(|file| file.display().to_string())
}

fn identity(project: &Project) -> Examined {
    let identity = project.repository.identity();
    Examined {
        what: "git identity".into(),
        works: identity.configured,
        found: format!("{} <{}>", identity.name, identity.email),
        mend: (!identity.configured)
            .then(|| "git config --global user.name \"Your Name\"".to_string()),
    }
}

fn marketplaces(project: &Project) -> Examined {
    let (mut complaints, mut plugins) = (project.complaints.clone(), 0);
    match project.catalog(&mut Silent) {
        Ok(catalog) => {
            plugins = catalog.len();
            let failures = catalog.failures.iter();
            complaints.extend(failures.map(|(_, error)| format!("{error:#}")));
        }
        Err(error) => complaints.push(format!("{error:#}")),
    }
    Examined {
        what: "plugins".into(),
        works: complaints.is_empty(),
        found: match complaints.as_slice() {
            [] => counted(plugins, "plugin"),
            several => several.join("; "),
        },
        mend: (!complaints.is_empty()).then(|| "orchestrate marketplace list".to_string()),
    }
}
