//! Streamable HTTP, on this machine's loopback alone: what asks from a web page, or by another name, is refused.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::header::{AUTHORIZATION, HeaderValue, WWW_AUTHENTICATE};
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

/// Serves until `stop` is requested; where there is a token, only those who have it.
pub async fn serve(
    server: Server,
    address: SocketAddr,
    token: Option<String>,
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
    let ending = config.cancellation_token.clone();
    let token: Option<Arc<str>> = token.map(Into::into);
    let sessions = Arc::new(LocalSessionManager::default());
    let service = StreamableHttpService::new(move || Ok(server.clone()), sessions, config);
    tokio::select! {
        () = accept(service, listener, token) => {}
        () = cancelled(&stop.cancel) => ending.cancel(),
    }
    Ok(())
}

async fn accept(service: Service, listener: tokio::net::TcpListener, token: Option<Arc<str>>) {
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(PAUSE).await;
            continue;
        };
        let (service, token) = (service.clone(), token.clone());
        tokio::spawn(async move {
            let answering =
                service_fn(move |request| answer(service.clone(), token.clone(), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the client's to notice.
            let _ = http
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), answering)
                .await;
        });
    }
}

async fn answer(
    service: Service,
    token: Option<Arc<str>>,
    request: Request<Incoming>,
) -> Result<Answer, Infallible> {
    if request.uri().path() != PATH {
        return Ok(nothing(StatusCode::NOT_FOUND));
    }
    if !token.is_none_or(|token| bears(&request, &token)) {
        let mut refused = nothing(StatusCode::UNAUTHORIZED);
        let scheme = HeaderValue::from_static("Bearer");
        refused.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        return Ok(refused);
    }
    Ok(service.handle(request).await)
}

fn nothing(status: StatusCode) -> Answer {
    let mut nothing = Response::new(Empty::new().boxed());
    *nothing.status_mut() = status;
    nothing
}

/// Says whether the request has the token; how long that takes tells nothing of where they differ.
fn bears(request: &Request<Incoming>, token: &str) -> bool {
    let given = request.headers().get(AUTHORIZATION);
    let given = given.and_then(|value| value.as_bytes().strip_prefix(b"Bearer "));
    given.is_some_and(|given| {
        let differing = given.iter().zip(token.as_bytes()).map(|(a, b)| a ^ b);
        given.len() == token.len() && differing.fold(0, |all, one| all | one) == 0
    })
}
