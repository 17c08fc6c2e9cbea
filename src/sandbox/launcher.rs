//! The other end of `launch`: this program as the parent of one command, which it outlives and cleans up after.
//!
//! It has a single thread. Descriptor 0 is the control socket, 1 and 2 are the command's output.

use std::ffi::OsStr;
use std::io::{self, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::Pid;

use super::confine::confine;
use super::descendants::adopt;
use super::family::Family;
use super::policy::Ending;
use super::program;
use super::protocol::{Report, Specification, receive, receive_descriptor, send};

/// Runs as the launcher; `main` calls this when the first argument is `LAUNCH`.
pub fn launcher_main() -> ExitCode {
    #[cfg(target_os = "linux")]
    if let Some(code) = super::probe::probe_main(std::env::args().skip(2)) {
        return code;
    }
    super::signals::ignore();
    match serve() {
        Ok(()) => ExitCode::SUCCESS,
        // The socket is broken, so nobody can be told.
        Err(_) => ExitCode::FAILURE,
    }
}

fn serve() -> anyhow::Result<()> {
    let control = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let specification: Specification = receive(&control)?;
    let input = match specification.has_input {
        true => Some(receive_descriptor(&control)?),
        false => None,
    };
    let report = launch(&specification, input, &control);
    send(
        &control,
        &report.unwrap_or_else(|error| Report::Trouble(format!("{error:#}"))),
    )
}

fn launch(
    specification: &Specification,
    input: Option<OwnedFd>,
    control: &UnixStream,
) -> anyhow::Result<Report> {
    adopt().context("cannot adopt orphans")?;
    match start(specification, input)? {
        Ok(command) => {
            let timeout = specification.timeout_ms.map(Duration::from_millis);
            let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
            let (ending, left_behind) = Family::new(command).attend(control, deadline)?;
            Ok(Report::Ended {
                ending,
                left_behind,
            })
        }
        Err(why) => Ok(Report::Ended {
            ending: Ending::NotStarted(why),
            left_behind: 0,
        }),
    }
}

/// Starts the command, or says why the person's command cannot start; an error is our own trouble.
fn start(
    specification: &Specification,
    input: Option<OwnedFd>,
) -> anyhow::Result<Result<Pid, String>> {
    let name = specification
        .argv
        .first()
        .context("there is no program in an empty command")?;
    let directory = &specification.directory;
    if !directory.is_dir() {
        return Ok(Err(format!(
            "`{name}` cannot start: there is no folder `{}`",
            directory.display()
        )));
    }
    let path = specification
        .environment
        .get("PATH")
        .map_or("", String::as_str);
    let Some(file) = program::find(name, directory, OsStr::new(path)) else {
        return Ok(Err(not_found(name, path)));
    };
    let mut command = Command::new(&file);
    command
        .arg0(name)
        .args(&specification.argv[1..])
        .current_dir(directory)
        .env_clear()
        .envs(&specification.environment)
        .stdin(input.map_or_else(Stdio::null, Stdio::from));
    let (mut trouble, teller) = io::pipe()?;
    confine(&mut command, specification.policy.as_ref(), teller)?;
    let started = command.spawn();
    // The teller is part of the command, as its input is; the other copies were closed by exec or by the end of the child.
    drop(command);
    let mut told = String::new();
    trouble.read_to_string(&mut told)?;
    anyhow::ensure!(told.is_empty(), "{told}");
    Ok(match started {
        Ok(child) => Ok(pid(child.id())?),
        Err(error) => Err(program::reason(
            &file,
            &error,
            specification.policy.is_some(),
        )),
    })
}

fn pid(number: u32) -> anyhow::Result<Pid> {
    i32::try_from(number)
        .ok()
        .and_then(Pid::from_raw)
        .context("the command has no process number")
}

fn not_found(name: &str, path: &str) -> String {
    if name.contains('/') {
        format!("there is no program `{name}`")
    } else if path.is_empty() {
        format!("there is no program `{name}`: the step has no PATH")
    } else {
        format!("there is no program `{name}` in the step's PATH ({path})")
    }
}
