//! Starts a launcher, feeds it a command, and collects what the command says and how it ends.

use std::io::{self, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command as Process};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::io::Errno;

use super::cancel::Cancel;
use super::output::{Kept, Lines, Log, Reading};
use super::policy::{Command, Ending, Outcome};
use super::protocol::{CANCEL, LAUNCH, Report, Specification, receive, send, send_descriptor};
use super::tier::Tier;
use crate::secret::Redaction;

/// How long we wait for output, and how often we take some, after everything has ended.
const DRAIN_MAX: Duration = Duration::from_millis(200);
const DRAIN_READS_MAX: u32 = 64;
/// How long past its command's timeout a launcher may take, after which it is not trusted to end.
const LAUNCHER_SLACK: Duration = Duration::from_secs(30);

/// Where a line was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    Output,
    Error,
}

/// Runs `specification` and returns what came of it; an error is our own trouble, not the command's. With an `input` the command is
/// spoken with: its standard output is an answer, which is handed over and not kept.
pub(super) fn run(
    launcher: &Path,
    specification: &Specification,
    input: Option<OwnedFd>,
    reading: &Reading,
    cancel: &Cancel,
    on_line: &mut dyn FnMut(Stream, &str),
) -> anyhow::Result<Outcome> {
    let began = Instant::now();
    let mut collected = Collected::new(reading, input.is_some());
    if cancel.is_cancelled() {
        return Ok(collected.outcome(Ending::Cancelled, 0, began.elapsed()));
    }
    let mut launched = Launched::start(launcher).context("cannot start the sandbox's launcher")?;
    send(&launched.control, specification)
        .context("cannot tell the sandbox's launcher what to run")?;
    if let Some(input) = input {
        send_descriptor(&launched.control, &input)
            .context("cannot give the sandbox's launcher the command's input")?;
    }
    let _registration = cancel.on_cancel({
        let mut control = launched.control.try_clone()?;
        move || {
            // A launcher that has ended needs no cancelling.
            let _ = control.write_all(CANCEL);
        }
    });
    let timeout = specification.timeout_ms.map(Duration::from_millis);
    let deadline =
        timeout.and_then(|timeout| began.checked_add(timeout.saturating_add(LAUNCHER_SLACK)));
    let report = launched.pump(&mut collected, deadline, on_line)?;
    let duration = began.elapsed();
    match report {
        Some(Report::Ended {
            ending,
            left_behind,
        }) => Ok(collected.outcome(ending, left_behind, duration)),
        Some(Report::Trouble(trouble)) => {
            Err(anyhow::anyhow!(trouble)).context("cannot confine the command")
        }
        None => anyhow::bail!(
            "the sandbox's launcher ended early, so how the command ended is not known"
        ),
    }
}

/// Returns what the launcher is told about `command`; a background command has no timeout.
pub(super) fn specification(command: &Command, tier: Tier, background: bool) -> Specification {
    Specification {
        argv: command.argv.clone(),
        directory: command.directory.clone(),
        environment: command.environment.clone(),
        timeout_ms: (!background)
            .then(|| u64::try_from(command.timeout.as_millis()).unwrap_or(u64::MAX)),
        has_input: false,
        policy: tier.confines().then(|| command.policy.clone()),
    }
}

/// A launcher at work. Dropping it closes the control socket, at which the launcher kills everything.
struct Launched {
    child: Child,
    control: UnixStream,
    stdout: Option<PipeReader>,
    stderr: Option<PipeReader>,
}

impl Launched {
    fn start(launcher: &Path) -> io::Result<Launched> {
        let (control, theirs) = UnixStream::pair()?;
        let (stdout, stdout_writer) = io::pipe()?;
        let (stderr, stderr_writer) = io::pipe()?;
        let child = Process::new(launcher)
            .arg(LAUNCH)
            .env_clear()
            .current_dir("/")
            // Ctrl-C is for us: a launcher that died of it could not clean up.
            .process_group(0)
            .stdin(OwnedFd::from(theirs))
            .stdout(stdout_writer)
            .stderr(stderr_writer)
            .spawn()?;
        Ok(Launched {
            child,
            control,
            stdout: Some(stdout),
            stderr: Some(stderr),
        })
    }

    /// Takes in output until the launcher reports, and what is in the pipes then.
    fn pump(
        &mut self,
        collected: &mut Collected,
        mut deadline: Option<Instant>,
        on_line: &mut dyn FnMut(Stream, &str),
    ) -> anyhow::Result<Option<Report>> {
        let mut report = None;
        let mut reads_left = None;
        while reads_left != Some(0)
            && (reads_left.is_none() || self.stdout.is_some() || self.stderr.is_some())
        {
            let ready = self.wait(reads_left.is_none(), deadline)?;
            if ready.none() {
                break;
            }
            if ready.stdout {
                take(&mut self.stdout, |bytes| collected.stdout(bytes, on_line));
            }
            if ready.stderr {
                take(&mut self.stderr, |bytes| collected.stderr(bytes, on_line));
            }
            reads_left = reads_left.map(|left: u32| left - 1);
            if ready.control {
                report = receive(&self.control).ok();
                reads_left = Some(DRAIN_READS_MAX);
                deadline = Some(Instant::now() + DRAIN_MAX);
            }
        }
        collected.finish(on_line);
        Ok(report)
    }

    /// Waits until something is there to be read, or the deadline; with neither the answer is that nothing is.
    fn wait(&self, with_control: bool, deadline: Option<Instant>) -> anyhow::Result<Ready> {
        let control = with_control.then(|| PollFd::new(&self.control, PollFlags::IN));
        let stdout = self
            .stdout
            .as_ref()
            .map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let stderr = self
            .stderr
            .as_ref()
            .map(|pipe| PollFd::new(pipe, PollFlags::IN));
        let asked = [control.is_some(), stdout.is_some(), stderr.is_some()];
        let mut watched: Vec<PollFd<'_>> =
            [control, stdout, stderr].into_iter().flatten().collect();
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let timeout = left.map(Timespec::try_from).transpose()?;
        match poll(&mut watched, timeout.as_ref()) {
            Ok(_) => {}
            Err(Errno::INTR) => return self.wait(with_control, deadline),
            Err(error) => return Err(error.into()),
        }
        let mut answers = watched.iter().map(|watched| !watched.revents().is_empty());
        let [control, stdout, stderr] = asked.map(|asked| asked && answers.next().unwrap_or(false));
        Ok(Ready {
            control,
            stdout,
            stderr,
        })
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // One that has reported ends at once, and the work of one that is told to end here is bounded.
        let _ = self.control.shutdown(std::net::Shutdown::Both);
        let deadline = Instant::now() + LAUNCHER_SLACK;
        let mut pause = Duration::from_micros(50);
        while matches!(self.child.try_wait(), Ok(None)) {
            if Instant::now() > deadline {
                let _ = self.child.kill();
            }
            std::thread::sleep(pause);
            pause = (pause * 2).min(Duration::from_millis(10));
        }
    }
}

struct Ready {
    control: bool,
    stdout: bool,
    stderr: bool,
}

impl Ready {
    fn none(&self) -> bool {
        !(self.control || self.stdout || self.stderr)
    }
}

/// Reads once from a pipe that has something, and closes it at its end.
fn take(pipe: &mut Option<PipeReader>, mut with: impl FnMut(&[u8])) {
    let mut buffer = [0; 64 * 1024];
    let read = pipe.as_mut().map_or(Ok(0), |pipe| pipe.read(&mut buffer));
    match read {
        Ok(0) => *pipe = None,
        Ok(length) => with(&buffer[..length]),
        Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
        Err(_) => *pipe = None,
    }
}

/// What a command has said so far.
struct Collected {
    is_conversation: bool,
    kept: Kept,
    log: Log,
    stdout_lines: Lines,
    stderr_lines: Lines,
    /// What takes secrets out of both streams, before anything else sees them.
    stdout: Redaction,
    stderr: Redaction,
}

impl Collected {
    fn new(reading: &Reading, is_conversation: bool) -> Collected {
        Collected {
            is_conversation,
            kept: Kept::default(),
            log: Log::default(),
            stdout_lines: Lines::new(reading.line_bytes_max),
            stderr_lines: Lines::new(reading.line_bytes_max),
            stdout: Redaction::new(reading.secrets.clone()),
            stderr: Redaction::new(reading.secrets.clone()),
        }
    }

    fn stdout(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(Stream, &str)) {
        let bytes = self.stdout.push(bytes);
        self.output(&bytes, on_line);
    }

    fn output(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(Stream, &str)) {
        if !self.is_conversation {
            self.kept.push(bytes);
        }
        let log = (!self.is_conversation).then_some(&mut self.log);
        self.stdout_lines
            .push(bytes, &mut both(log, Stream::Output, on_line));
    }

    fn stderr(&mut self, bytes: &[u8], on_line: &mut dyn FnMut(Stream, &str)) {
        let bytes = self.stderr.push(bytes);
        self.stderr_lines.push(
            &bytes,
            &mut both(Some(&mut self.log), Stream::Error, on_line),
        );
    }

    fn finish(&mut self, on_line: &mut dyn FnMut(Stream, &str)) {
        let (stdout, stderr) = (self.stdout.finish(), self.stderr.finish());
        self.output(&stdout, on_line);
        let log = (!self.is_conversation).then_some(&mut self.log);
        let mut output = both(log, Stream::Output, on_line);
        self.stdout_lines.finish(&mut output);
        drop(output);
        let mut error = both(Some(&mut self.log), Stream::Error, on_line);
        self.stderr_lines.push(&stderr, &mut error);
        self.stderr_lines.finish(&mut error);
    }

    fn outcome(self, ending: Ending, left_behind: usize, duration: Duration) -> Outcome {
        Outcome {
            ending,
            stdout: self.kept.bytes,
            stdout_left_out: self.kept.left_out,
            log: self.log.text(),
            left_behind,
            duration,
        }
    }
}

fn both<'a>(
    log: Option<&'a mut Log>,
    stream: Stream,
    on_line: &'a mut dyn FnMut(Stream, &str),
) -> impl FnMut(&str) + 'a {
    let mut log = log;
    move |line| {
        if let Some(log) = &mut log {
            log.push(line);
        }
        on_line(stream, line);
    }
}
