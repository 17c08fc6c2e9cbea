//! Services that a step may ask for: provided for real where that is possible, and said plainly where it is not.
//!
//! It does not decide what a step does with an imitation, and never starts a second server where a person named one.
//!
//! To add a service: a variant of `Service`, and a function that returns `Provided`.

mod redis;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

use redis::{Address, Answer};

use super::{Background, Cancel, Command, Network, Policy, Sandbox, program};

/// A service that a step may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// A Redis server, found by `REDIS_URL`.
    Redis,
    /// A free TCP port on the loopback, told as `PORT`.
    Port,
}

/// What a step gets for the service it asked for.
#[derive(Debug)]
pub enum Provided {
    /// The service itself; it ends when `running` is dropped.
    Real {
        /// Where it comes from, in words, without any password.
        how: String,
        environment: BTreeMap<String, String>,
        ports: BTreeSet<u16>,
        running: Option<Background>,
    },
    /// There is none, and the step has to do with an imitation.
    Substitute { why: String },
    /// One was promised and does not answer: a person has to act.
    Absent { what: String, actions: Vec<String> },
}

/// How long a server that we started may take until it answers.
const START_MAX: Duration = Duration::from_secs(10);
const START_TICK: Duration = Duration::from_millis(20);
/// How often a server is started anew because somebody else took its port.
const STARTS_MAX: usize = 3;

/// Provides Redis: the one at `url` if one is named, else a server of our own in `scratch`, else none.
pub fn provide_redis(
    url: Option<&str>,
    path: &OsStr,
    scratch: &Path,
    sandbox: &Sandbox,
) -> anyhow::Result<Provided> {
    if let Some(url) = url {
        return Ok(redis_at(url));
    }
    let Some(server) = program::find_all("redis-server", path).next() else {
        return Ok(Provided::Substitute {
            why: "there is no `redis-server` in PATH, and REDIS_URL is not set".to_owned(),
        });
    };
    let server = Server {
        file: server,
        scratch: canonical(scratch)?,
        sandbox,
    };
    let mut why = String::new();
    for _ in 0..STARTS_MAX {
        match server.start()? {
            Ok(provided) => return Ok(provided),
            Err(reason) => why = reason,
        }
    }
    Ok(Provided::Substitute { why })
}

/// Provides a port that was free a moment ago.
pub fn provide_port() -> anyhow::Result<Provided> {
    let port = free_port()?;
    Ok(Provided::Real {
        how: format!("port {port} on 127.0.0.1"),
        environment: BTreeMap::from([("PORT".to_owned(), port.to_string())]),
        ports: [port].into(),
        running: None,
    })
}

fn free_port() -> anyhow::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .context("cannot find a free port on 127.0.0.1")?;
    Ok(listener.local_addr()?.port())
}

fn redis_at(url: &str) -> Provided {
    let absent = |what: String, action: &str| Provided::Absent {
        what,
        actions: vec![
            action.to_owned(),
            "Or install: apt-get install redis-server, or brew install redis".to_owned(),
            "Or unset REDIS_URL: a server is then started for the step".to_owned(),
        ],
    };
    // The address itself may hold a password, so no message repeats it.
    let Some(address) = Address::parse(url) else {
        return absent(
            "REDIS_URL is not a redis:// or rediss:// address".to_owned(),
            "Set REDIS_URL to one, such as `redis://127.0.0.1:6379/0`",
        );
    };
    match address.ask() {
        Answer::Yes => Provided::Real {
            how: "REDIS_URL".to_owned(),
            environment: BTreeMap::from([("REDIS_URL".to_owned(), address.numbered(url))]),
            ports: [address.port].into(),
            running: None,
        },
        Answer::Refused(reply) => absent(
            format!("Redis at {address} answers `{reply}`"),
            "Correct the user and password in REDIS_URL",
        ),
        Answer::No(why) => absent(
            format!("Cannot connect to Redis at {address}: {why}"),
            &format!("Start Redis server: redis-server --port {}", address.port),
        ),
    }
}

/// A Redis server of our own.
struct Server<'a> {
    file: PathBuf,
    scratch: PathBuf,
    sandbox: &'a Sandbox,
}

impl Server<'_> {
    /// Starts it, or says why it did not come up.
    fn start(&self) -> anyhow::Result<Result<Provided, String>> {
        let port = free_port()?;
        let running = self
            .sandbox
            .start(&self.command(&self.options(port), [port].into())?)?;
        let address = Address::local(port);
        let deadline = Instant::now() + START_MAX;
        while address.ask() != Answer::Yes {
            if running.has_ended() || Instant::now() > deadline {
                let said = running.last_lines().pop().unwrap_or_default();
                return Ok(Err(format!(
                    "`{}` did not come up on port {port}: {said}",
                    self.file.display()
                )));
            }
            std::thread::sleep(START_TICK);
        }
        let version = self.version()?;
        Ok(Ok(Provided::Real {
            how: format!("redis-server {version} started for this step on port {port}"),
            environment: BTreeMap::from([(
                "REDIS_URL".to_owned(),
                format!("redis://127.0.0.1:{port}/0"),
            )]),
            ports: [port].into(),
            running: Some(running),
        }))
    }

    fn options(&self, port: u16) -> Vec<String> {
        let port = port.to_string();
        let scratch = self.scratch.display().to_string();
        [
            "--bind",
            "127.0.0.1",
            "--port",
            &port,
            "--save",
            "",
            "--appendonly",
            "no",
            "--dir",
            &scratch,
        ]
        .map(str::to_owned)
        .into()
    }

    /// Returns the version that the program tells, `(unknown version)` if it tells none.
    fn version(&self) -> anyhow::Result<String> {
        let command = self.command(&["--version".to_owned()], BTreeSet::new())?;
        let outcome = self.sandbox.run(&command, &Cancel::new(), &mut |_| {})?;
        let version = outcome
            .log
            .split_whitespace()
            .find_map(|word| word.strip_prefix("v="));
        Ok(version.unwrap_or("(unknown version)").to_owned())
    }

    fn command(&self, arguments: &[String], ports: BTreeSet<u16>) -> anyhow::Result<Command> {
        let file = self
            .file
            .to_str()
            .context("the path of redis-server is not UTF-8")?;
        let read = [Some(self.file.clone()), self.file.canonicalize().ok()];
        Ok(Command {
            argv: [&[file.to_owned()], arguments].concat(),
            directory: self.scratch.clone(),
            environment: BTreeMap::new(),
            policy: Policy {
                read: read.into_iter().flatten().collect(),
                write: vec![self.scratch.clone()],
                network: Network::Ports(ports),
            },
            timeout: START_MAX,
        })
    }
}

fn canonical(folder: &Path) -> anyhow::Result<PathBuf> {
    folder
        .canonicalize()
        .with_context(|| format!("cannot find `{}`", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_provided_and_told() {
        let Provided::Real {
            environment, ports, ..
        } = provide_port().unwrap()
        else {
            panic!("no port");
        };
        assert_eq!(environment["PORT"], ports.first().unwrap().to_string());
    }

    #[test]
    fn a_promised_redis_that_is_not_there_asks_for_a_person() {
        let port = free_port().unwrap();
        let url = format!("redis://me:hunter2@127.0.0.1:{port}/0");
        let Provided::Absent { what, actions } = redis_at(&url) else {
            panic!("somebody answered");
        };
        assert!(
            what.starts_with(&format!("Cannot connect to Redis at 127.0.0.1:{port}: ")),
            "{what}"
        );
        assert!(!format!("{what}{actions:?}").contains("hunter2"));
        let Provided::Absent { what, .. } = redis_at("hunter2") else {
            panic!("somebody answered");
        };
        assert_eq!(what, "REDIS_URL is not a redis:// or rediss:// address");
    }
}
