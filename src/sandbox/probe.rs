//! Tries what must not be possible, from inside, before anything is trusted to the sandbox.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::unix::fs::DirBuilderExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use rustix::process::{getppid, test_kill_process};

use super::cancel::Cancel;
use super::output::Reading;
use super::policy::{Network, Policy};
use super::protocol::{LAUNCH, Specification};

/// The argument after `LAUNCH` that makes the launcher try forbidden things instead.
const PROBE: &str = "probe";

type Attempt = fn(&Place) -> bool;

/// What a sandboxed process tries, and whether the kernel lets it.
const ACTS: &[(&str, Attempt)] = &[
    (WRITE_INSIDE, |place| {
        fs::write(place.inside().join("file"), "x").is_ok()
    }),
    ("write outside", |place| {
        fs::write(place.outside().join("file"), "x").is_ok()
    }),
    ("rename outside", |place| {
        fs::rename(place.secret(), place.outside().join("moved")).is_ok()
    }),
    ("truncate outside", |place| {
        fs::OpenOptions::new()
            .write(true)
            .truncate(true)
            .open(place.secret())
            .is_ok()
    }),
    ("read a folder that was not granted", |place| {
        fs::read(place.secret()).is_ok()
    }),
    ("connect over TCP", |place| {
        TcpStream::connect_timeout(&place.listener, Duration::from_secs(1)).is_ok()
    }),
    ("open a UDP socket", |_| {
        UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).is_ok()
    }),
    ("open a Unix socket", |_| UnixDatagram::unbound().is_ok()),
    ("read the environment of the launcher", |_| {
        getppid().is_none_or(|parent| fs::read(format!("/proc/{parent}/environ")).is_ok())
    }),
    (SIGNAL, |_| {
        getppid().is_none_or(|parent| test_kill_process(parent).is_ok())
    }),
];
/// The one act that must be possible.
const WRITE_INSIDE: &str = "write inside";
/// The one act that older kernels cannot stop.
const SIGNAL: &str = "signal the launcher";
/// The address that is tried where there is no listener.
const NOBODY: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9);
/// How long all acts together may take.
const TIMEOUT_MS: u64 = 10_000;

/// What the sandbox turned out not to hold.
pub(super) struct Holes {
    pub(super) signals: bool,
}

/// Does the forbidden acts in a real child of `launcher`; fails when the sandbox would not hold.
pub(super) fn probe(launcher: &Path, tcp_is_limited: bool) -> anyhow::Result<Holes> {
    // Inside a step whose network is off nobody can listen, and nobody can connect either.
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| {
        let address = listener.local_addr()?;
        Ok((listener, address))
    });
    let address = listener.as_ref().map_or(NOBODY, |(_, address)| *address);
    let place = Place::create(address)?;
    // Without ports in its power Landlock leaves TCP to the filter of system calls, which knows on and off only.
    let network = if tcp_is_limited {
        Network::Ports(BTreeSet::new())
    } else {
        Network::Off
    };
    let specification = Specification {
        argv: place.argv(launcher),
        directory: PathBuf::from("/"),
        environment: BTreeMap::new(),
        timeout_ms: Some(TIMEOUT_MS),
        has_input: false,
        policy: Some(Policy {
            read: vec![launcher.to_owned()],
            write: vec![place.inside()],
            network,
        }),
    };
    let outcome = super::launch::run(
        launcher,
        &specification,
        None,
        &Reading::default(),
        &Cancel::new(),
        &mut |_, _| {},
    )?;
    anyhow::ensure!(
        outcome.succeeded(),
        "the probe ended with {:?}: {}",
        outcome.ending,
        outcome.log.trim_end()
    );
    judge(&String::from_utf8_lossy(&outcome.stdout))
}

/// Reads the acts that were possible, one a line.
fn judge(possible: &str) -> anyhow::Result<Holes> {
    let possible: BTreeSet<&str> = possible.lines().collect();
    anyhow::ensure!(
        possible.contains(WRITE_INSIDE),
        "a step could not write its own folder"
    );
    let holes: Vec<&str> = possible
        .iter()
        .copied()
        .filter(|act| ![WRITE_INSIDE, SIGNAL].contains(act))
        .collect();
    anyhow::ensure!(holes.is_empty(), "a step could {}", holes.join(", "));
    Ok(Holes {
        signals: possible.contains(SIGNAL),
    })
}

/// Runs inside the sandbox, when the arguments are those of a probe, and prints the acts that were possible.
pub(super) fn probe_main(arguments: impl Iterator<Item = String>) -> Option<ExitCode> {
    let arguments: Vec<String> = arguments.collect();
    let [PROBE, root, listener] = arguments.iter().map(String::as_str).collect::<Vec<_>>()[..]
    else {
        return None;
    };
    let place = Place {
        root: PathBuf::from(root),
        listener: listener.parse().ok()?,
        created: false,
    };
    let possible = ACTS
        .iter()
        .filter(|(_, attempt)| attempt(&place))
        .map(|(name, _)| format!("{name}\n"));
    let printed = io::stdout().write_all(possible.collect::<String>().as_bytes());
    Some(if printed.is_ok() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

/// A folder with something to protect, and a listener that must not be reached.
struct Place {
    root: PathBuf,
    listener: SocketAddr,
    created: bool,
}

impl Place {
    fn create(listener: SocketAddr) -> anyhow::Result<Place> {
        let temporary = std::env::temp_dir();
        let temporary = temporary
            .canonicalize()
            .with_context(|| format!("cannot find `{}`", temporary.display()))?;
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_nanos();
        let root = temporary.join(format!("orchestrate-probe-{}-{now}", std::process::id()));
        let place = Place {
            root,
            listener,
            created: true,
        };
        let create = |path: &Path| fs::DirBuilder::new().mode(0o700).create(path);
        create(&place.root)
            .and_then(|()| create(&place.inside()))
            .and_then(|()| create(&place.outside()))
            .and_then(|()| fs::write(place.secret(), "secret"))
            .with_context(|| format!("cannot write `{}`", place.root.display()))?;
        Ok(place)
    }

    fn argv(&self, launcher: &Path) -> Vec<String> {
        let text = |path: &Path| path.display().to_string();
        vec![
            text(launcher),
            LAUNCH.to_owned(),
            PROBE.to_owned(),
            text(&self.root),
            self.listener.to_string(),
        ]
    }

    fn inside(&self) -> PathBuf {
        self.root.join("inside")
    }

    fn outside(&self) -> PathBuf {
        self.root.join("outside")
    }

    fn secret(&self) -> PathBuf {
        self.outside().join("secret")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.created {
            // A leftover of some bytes in the temporary folder is not worth an error.
            let _ = fs::remove_dir_all(&self.root);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(possible: &str, expected: Result<bool, &str>) {
        let found = judge(possible)
            .map(|holes| holes.signals)
            .map_err(|error| error.to_string());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_sandbox_is_judged_by_what_was_possible() {
        check("write inside\n", Ok(false));
        check("write inside\nsignal the launcher\n", Ok(true));
        check("", Err("a step could not write its own folder"));
        check(
            "write inside\nwrite outside\n",
            Err("a step could write outside"),
        );
    }
}
