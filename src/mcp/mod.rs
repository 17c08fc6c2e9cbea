//! The same program for agents: an MCP server whose tools are what a person asks for on the command line.
//!
//! A tool is a thin call of `ops`, in the folder that the server was started for. No tool approves a plan, changes settings or takes a run
//! back: what executing needs by the policy is looked at as always, and a plan is named with the digest that was shown. Nothing here prints.
//!
//! To add a tool: its arguments in `asked`, its result in `answers`, a function in `work`, and its row in `TOOLS`.

mod answers;
mod asked;
mod calls;
mod http;
mod listening;
mod server;
mod tools;
mod work;

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result};
use rmcp::ServiceExt;
use rmcp::transport::io::stdio_pipes;
use tokio::runtime::Runtime;

use crate::ops::Stop;
use server::Server;

/// What every call of a tool works with.
#[derive(Clone)]
pub struct Place {
    /// The folder of the project.
    pub directory: PathBuf,
    /// Fetch nothing.
    pub offline: bool,
    /// Run steps without a sandbox.
    pub unsandboxed: bool,
    /// Says an error in words, with what to do about it.
    pub words: fn(&anyhow::Error) -> String,
}

/// Serves on standard input and output until the client leaves or `stop` is requested; runs stop at a checkpoint then.
pub fn serve_stdio(place: Place, stop: &Stop) -> Result<()> {
    let server = Server::new(place, stop);
    let runtime = runtime()?;
    let served = runtime.block_on(async {
        let stopped = calls::cancelled(&stop.cancel);
        let service = server.clone().serve(stdio_pipes());
        let Some(running) = unless(stopped, service).await else {
            return Ok(());
        };
        // A client that leaves before it has begun is no trouble of ours.
        let Ok(mut running) = running else {
            return Ok(());
        };
        let stopped = calls::cancelled(&stop.cancel);
        let token = running.cancellation_token();
        tokio::select! {
            _ = stopped => token.cancel(),
            () = closed(&running) => {}
        }
        running.close().await.map(drop).context("the server failed")
    });
    end(server, runtime);
    served
}

/// Serves streamable HTTP at `address`, which has to be on this machine's loopback; says where when it listens.
pub fn serve_http(
    place: Place,
    address: SocketAddr,
    token: Option<String>,
    stop: &Stop,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    let server = Server::new(place, stop);
    let runtime = runtime()?;
    let served = runtime.block_on(http::serve(server.clone(), address, token, stop, listening));
    end(server, runtime);
    served
}

/// Waits until every call has come to its end, which runs do at a checkpoint.
fn end(server: Server, runtime: Runtime) {
    server.calls.end();
    // A read of standard input that waits for ever must not keep us.
    runtime.shutdown_background();
}

fn runtime() -> Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .context("cannot start a runtime")
}

async fn unless<T>(stopped: impl Future<Output = ()>, work: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        () = stopped => None,
        done = work => Some(done),
    }
}

async fn closed(running: &rmcp::service::RunningService<rmcp::RoleServer, Server>) {
    const LOOK: std::time::Duration = std::time::Duration::from_millis(50);
    while !running.peer().is_transport_closed() && !running.is_closed() {
        tokio::time::sleep(LOOK).await;
    }
}
