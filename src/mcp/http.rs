//! Streamable HTTP, on this machine's loopback alone: what asks from a web page, or by another name, is refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::{StreamableHttpServerConfig, StreamableHttpService};

use super::calls::cancelled;
use super::server::Server;
use crate::model::{Hint, Trouble};
use crate::ops::Stop;

/// The one path that is served.
const PATH: &str = "/mcp";
/// How long it is waited when no connection can be taken.
const PAUSE: Duration = Duration::from_millis(50);

type Service = StreamableHttpService<Server, LocalSessionManager>;
type Answer = Response<BoxBody<Bytes, Infallible>>;

/// Serves until `stop` is requested.
pub async fn serve(
    server: Server,
    address: SocketAddr,
    stop: &Stop,
    listening: impl FnOnce(SocketAddr),
) -> Result<()> {
    if !address.ip().is_loopback() {
        return Err(anyhow!("`{address}` can be reached from elsewhere, and whoever reaches it can have plans carried out"))
            .kind(Trouble::Request)
            .hint("orchestrate mcp --http 127.0.0.1:8765");
    }
    let listener = tokio::net::TcpListener::bind(address).await;
    let listener = listener
        .with_context(|| format!("cannot listen at `{address}`"))
        .kind(Trouble::Missing)?;
    listening(listener.local_addr()?);
    // The only page that could ask from here is one of ours, and there is none.
    let port = listener.local_addr()?.port();
    let own = ["127.0.0.1", "localhost", "[::1]"].map(|host| format!("http://{host}:{port}"));
    let config = StreamableHttpServerConfig::default().with_allowed_origins(own);
    let token = config.cancellation_token.clone();
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    tokio::select! {
        () = accept(service, listener) => {}
        () = cancelled(&stop.cancel) => token.cancel(),
    }
    Ok(())
}

async fn accept(service: Service, listener: tokio::net::TcpListener) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let service = service.clone();
        tokio::spawn(async move {
            let answering = service_fn(move |request| answer(service.clone(), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the client's to notice.
            let _ = http
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), answering)
                .await;
        });
    }
}

async fn answer(service: Service, request: Request<Incoming>) -> Result<Answer, Infallible> {
    if request.uri().path() != PATH {
        let mut nothing = Response::new(Empty::new().boxed());
        *nothing.status_mut() = StatusCode::NOT_FOUND;
        return Ok(nothing);
    }
    Ok(service.handle(request).await)
}
