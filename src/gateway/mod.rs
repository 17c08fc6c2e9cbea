//! The one address that an agent's step reaches: it stands for the model's host, and for nothing else.
//!
//! It listens on this machine's loopback while a step runs, passes requests on to one upstream as they are, and puts the key of the model in
//! place of a pass that is good for this step alone; so the step never sees the key, and a neighbour without the pass gets nothing. What it
//! saw (the last answer, how long to wait, how long the model has been silent) tells a cause that the agent itself may hide. It reads no
//! request and no answer, follows no redirect, and keeps nothing.
//!
//! To stand for another kind of host, give `Upstream` what is different about it; which host it is, is decided above.

mod news;
mod serve;

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use reqwest::Url;
use tokio::sync::oneshot;

use crate::secret::Secret;
use news::Board;
pub use news::News;
use serve::Server;

/// What the gateway stands for.
#[derive(Debug, Clone)]
pub struct Upstream {
    address: Url,
    key: Secret,
}

impl Upstream {
    /// Returns the host at `address` with its key; without encryption only this machine is one.
    pub fn new(address: &str, key: Secret) -> Result<Upstream> {
        let url: Url = address
            .parse()
            .with_context(|| format!("`{address}` is not an address"))?;
        let encrypted = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        ensure!(
            encrypted,
            "a model's address begins with `https://`, and `{address}` does not"
        );
        ensure!(
            url.username().is_empty() && url.password().is_none() && url.query().is_none(),
            "a model's address holds no password and no query"
        );
        Ok(Upstream { address: url, key })
    }
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// A gateway at work; dropping it closes it.
pub struct Gateway {
    address: SocketAddr,
    pass: String,
    board: Arc<Board>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Gateway {
    /// Opens a gateway to `upstream` on a free port of the loopback.
    pub fn open(upstream: Upstream) -> Result<Gateway> {
        let listener =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("cannot listen for an agent")?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let pass = pass();
        let board = Arc::new(Board::default());
        let server = Server::new(upstream, pass.clone(), Arc::clone(&board))?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("gateway".to_string())
            .spawn(move || serve::run(server, listener, stopped))
            .context("cannot start a thread")?;
        Ok(Gateway {
            address,
            pass,
            board,
            stop: Some(stop),
            thread: Some(thread),
        })
    }

    /// Returns what the agent takes for the address of its model.
    pub fn address(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the only port that the step needs.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Returns what the agent takes for its key.
    pub fn pass(&self) -> &str {
        &self.pass
    }

    /// Returns what has been seen so far.
    pub fn news(&self) -> News {
        self.board.news()
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been printed; whoever closes the gateway has no use for it.
            let _ = thread.join();
        }
    }
}

/// Returns 32 hexadecimal digits that nobody can guess: the keys of a `RandomState` come from the system's source of randomness.
fn pass() -> String {
    use std::hash::{BuildHasher, RandomState};
    let half = || RandomState::new().hash_one(std::process::id());
    format!("orchestrate-{:016x}{:016x}", half(), half())
}

#[cfg(test)]
mod tests;
