//! A server that is a process of ours, in the sandbox: messages are lines on its standard input and output.

use std::future::Future;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context, Result};
use rmcp::RoleClient;
use rmcp::service::{RxJsonRpcMessage, TxJsonRpcMessage};
use rmcp::transport::Transport;
use tokio::io::AsyncWriteExt;
use tokio::net::unix::pipe;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::client::{Broken, Request, ask};
use super::{Answer, MESSAGE_BYTES_MAX, Tell};
use crate::sandbox::{Cancel, Command, Ending, Outcome, Stream};
use crate::workspace::Workspace;

/// Messages that wait to be taken in.
const WAITING_MAX: usize = 64;
/// How many lines that are no messages are let pass: some servers greet on standard output.
const GARBAGE_LINES_MAX: usize = 20;
/// How long a server may take to end by itself once its input is closed.
const GRACE: Duration = Duration::from_secs(2);

/// Starts the server, asks it, and ends it.
pub fn call(request: &Request, command: &Command, workspace: &Workspace, tell: Tell) -> Answer {
    let (input, ours) = io::pipe().context("cannot make a pipe")?;
    let (arrived, messages) = channel(WAITING_MAX);
    let halt = Cancel::new();
    let over = Cancel::new();
    let heard = Heard {
        arrived,
        tell: tell.clone(),
        halt: halt.clone(),
        garbage: 0,
        nonsense: Arc::default(),
    };
    let nonsense = Arc::clone(&heard.nonsense);
    // The server has a little longer than its call, to be told that nobody waits any more.
    let mut command = command.clone();
    command.timeout += GRACE;
    let (outcome, answer) = std::thread::scope(|scope| {
        let server = scope.spawn(|| {
            let outcome = listen(&command, OwnedFd::from(input), heard, workspace, &halt);
            over.cancel();
            outcome
        });
        let answer = conversation(request, OwnedFd::from(ours), messages, &tell);
        if !over.sleep(GRACE) {
            halt.cancel();
        }
        let outcome = server
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        (outcome, answer)
    });
    let (outcome, answer) = (outcome?, answer?);
    let nonsense = nonsense
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
        .take();
    Ok(answer.map_err(|broken| blame(broken, &outcome, nonsense)))
}

fn conversation(
    request: &Request,
    input: OwnedFd,
    messages: Receiver<RxJsonRpcMessage<RoleClient>>,
    tell: &Tell,
) -> Answer {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let answer = runtime.block_on(async {
        let input = pipe::Sender::from_owned_fd(input).context("cannot use a pipe")?;
        let line = Line {
            input: Arc::new(tokio::sync::Mutex::new(Some(input))),
            messages,
        };
        anyhow::Ok(ask(line, request, tell).await)
    });
    // What still wants to be written, to a server that does not read, is given up.
    runtime.shutdown_background();
    answer
}

/// Says why a conversation broke off, as far as the end of the server tells it.
fn blame(broken: Broken, outcome: &Outcome, nonsense: Option<String>) -> Broken {
    let log = outcome.log.clone();
    match broken {
        Broken::Gone { during, why, .. } => {
            let why = match (nonsense, &outcome.ending) {
                (Some(nonsense), _) => nonsense,
                (None, Ending::NotStarted(why)) => format!("did not start ({why})"),
                (None, Ending::Exited(_) | Ending::Signalled(_)) => outcome.ending.to_string(),
                (None, _) => why,
            };
            Broken::Gone { during, why, log }
        }
        Broken::Late { during, .. } => Broken::Late { during, log },
        other => other,
    }
}

fn listen(
    command: &Command,
    input: OwnedFd,
    mut heard: Heard,
    workspace: &Workspace,
    halt: &Cancel,
) -> Result<Outcome> {
    let most = MESSAGE_BYTES_MAX;
    workspace.converse(
        command,
        input,
        most,
        halt,
        &mut |stream, line| match stream {
            Stream::Output => heard.message(line),
            Stream::Error => drop(heard.tell.send(line.to_string())),
        },
    )
}

/// What the server says.
struct Heard {
    arrived: Sender<RxJsonRpcMessage<RoleClient>>,
    tell: Tell,
    halt: Cancel,
    garbage: usize,
    /// Why it is no longer listened to.
    nonsense: Arc<Mutex<Option<String>>>,
}

impl Heard {
    fn message(&mut self, line: &str) {
        if line.trim().is_empty() || self.halt.is_cancelled() {
            return;
        }
        if let Ok(message) = serde_json::from_str(line) {
            // Nobody takes it in once the conversation is over.
            self.arrived.blocking_send(message).ok();
            return;
        }
        self.garbage += 1;
        if line.len() >= MESSAGE_BYTES_MAX {
            self.give_up(format!(
                "sent a message of more than {} MiB",
                MESSAGE_BYTES_MAX >> 20
            ));
        } else if self.garbage > GARBAGE_LINES_MAX {
            self.give_up("said what is no message, again and again,".to_string());
        } else {
            let brief: String = line.chars().take(200).collect();
            self.tell.send(format!("(no message) {brief}")).ok();
        }
    }

    fn give_up(&self, why: String) {
        self.nonsense
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .get_or_insert(why);
        self.halt.cancel();
    }
}

/// Our end of the conversation.
struct Line {
    input: Arc<tokio::sync::Mutex<Option<pipe::Sender>>>,
    messages: Receiver<RxJsonRpcMessage<RoleClient>>,
}

impl Transport<RoleClient> for Line {
    type Error = io::Error;

    fn send(
        &mut self,
        message: TxJsonRpcMessage<RoleClient>,
    ) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let input = Arc::clone(&self.input);
        async move {
            let mut text = serde_json::to_vec(&message)?;
            text.push(b'\n');
            match input.lock().await.as_mut() {
                Some(input) => input.write_all(&text).await,
                None => Err(io::ErrorKind::BrokenPipe.into()),
            }
        }
    }

    async fn receive(&mut self) -> Option<RxJsonRpcMessage<RoleClient>> {
        self.messages.recv().await
    }

    /// Closing its input is how a server is told to end.
    async fn close(&mut self) -> io::Result<()> {
        self.input.lock().await.take();
        Ok(())
    }
}
