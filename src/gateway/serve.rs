//! Passing requests on, and answers back.

use std::convert::Infallible;
use std::io;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use http_body_util::channel::Channel;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use tokio::sync::oneshot;

use super::news::{Board, Open};
use super::{Upstream, is_loopback};

/// The largest request that is passed on, in bytes.
const REQUEST_BYTES_MAX: usize = 64 << 20;
const CONNECT_S_MAX: u64 = 15;
/// Pieces of an answer that wait for the agent to take them.
const PIECES_WAITING_MAX: usize = 16;

/// Headers that are about one connection, or that we say ourselves.
const NOT_PASSED_ON: [&str; 9] = [
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

type Answer = Response<BoxBody<Bytes, io::Error>>;

/// All that a request needs.
pub(super) struct Server {
    upstream: Upstream,
    pass: String,
    board: Arc<Board>,
    client: Client,
}

impl Server {
    pub fn new(upstream: Upstream, pass: String, board: Arc<Board>) -> Result<Server> {
        // Fails only where another part of the program has chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
            .redirect(Policy::none());
        if is_loopback(&upstream.address) {
            client = client.no_proxy();
        }
        Ok(Server {
            client: client.build().context("cannot set up HTTP")?,
            upstream,
            pass,
            board,
        })
    }
}

/// Serves until `stopped`.
pub(super) fn run(server: Server, listener: TcpListener, stopped: oneshot::Receiver<()>) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    // Without a runtime nobody is answered, and the agent says that its model cannot be reached.
    let Ok(runtime) = runtime else { return };
    runtime.block_on(async {
        tokio::select! {
            () = accept(Arc::new(server), listener) => {}
            _ = stopped => {}
        }
    });
}

async fn accept(server: Arc<Server>, listener: TcpListener) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else {
        return;
    };
    loop {
        let Ok((stream, _)) = listener.accept().await else {
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let server = Arc::clone(&server);
        tokio::spawn(async move {
            let service = service_fn(move |request| answer(Arc::clone(&server), request));
            let mut http = hyper::server::conn::http1::Builder::new();
            // A connection that breaks is the agent's to notice.
            let _ = http
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service)
                .await;
        });
    }
}

async fn answer(server: Arc<Server>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let (parts, body) = request.into_parts();
    let query = parts.uri.query().unwrap_or_default();
    let has_pass =
        |value: &HeaderValue| value.to_str().is_ok_and(|text| text.contains(&server.pass));
    if !parts.headers.values().any(has_pass) && !query.contains(&server.pass) {
        return Ok(plain(
            StatusCode::UNAUTHORIZED,
            "this gateway is for one step of a run",
        ));
    }
    let Some(address) = server.address(parts.uri.path(), query) else {
        return Ok(plain(
            StatusCode::BAD_REQUEST,
            "the path leaves the model's address",
        ));
    };
    let Ok(body) = Limited::new(body, REQUEST_BYTES_MAX).collect().await else {
        return Ok(plain(
            StatusCode::PAYLOAD_TOO_LARGE,
            "the request is too large",
        ));
    };
    let open = server.board.asked();
    let request = server
        .client
        .request(parts.method, address)
        .headers(server.headers(&parts.headers))
        .body(body.to_bytes());
    match request.send().await {
        Ok(response) => Ok(passed_back(response, open)),
        Err(error) => {
            let why = reason(error);
            open.unanswered(why.clone());
            Ok(plain(
                StatusCode::BAD_GATEWAY,
                &format!("the model cannot be reached: {why}"),
            ))
        }
    }
}

impl Server {
    /// Returns where a request goes; none for a path that climbs out of the upstream's.
    fn address(&self, path: &str, query: &str) -> Option<Url> {
        let base = self.upstream.address.path().trim_end_matches('/');
        let mut address = self.upstream.address.clone();
        address.set_path(&format!("{base}{path}"));
        let query = (!query.is_empty()).then(|| self.with_key(query));
        address.set_query(query.as_deref());
        // What climbs has been resolved by now.
        let inside = address.path() == base || address.path().starts_with(&format!("{base}/"));
        inside.then_some(address)
    }

    fn headers(&self, from: &HeaderMap) -> HeaderMap {
        let connection = from.get_all("connection").iter();
        let listed: Vec<String> = connection
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .map(|name| name.trim().to_ascii_lowercase())
            .collect();
        let passed = |name: &HeaderName| {
            !NOT_PASSED_ON.contains(&name.as_str())
                && !listed.iter().any(|other| other == name.as_str())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in from.iter().filter(|(name, _)| passed(name)) {
            let value = match value.to_str() {
                Ok(text) => {
                    HeaderValue::try_from(self.with_key(text)).unwrap_or_else(|_| value.clone())
                }
                Err(_) => value.clone(),
            };
            headers.append(name, value);
        }
        headers
    }

    fn with_key(&self, text: &str) -> String {
        text.replace(&self.pass, self.upstream.key.reveal())
    }
}

/// Returns the answer as it comes in, piece by piece.
fn passed_back(mut response: reqwest::Response, open: Open) -> Answer {
    let status = response.status();
    open.answered(status.as_u16(), retry_after(response.headers()));
    let (mut sender, body) = Channel::<Bytes, io::Error>::new(PIECES_WAITING_MAX);
    let mut answer = Response::builder().status(status);
    let headers = response.headers().iter();
    for (name, value) in headers.filter(|(name, _)| {
        // The length stays: a client may count on it.
        !NOT_PASSED_ON.contains(&name.as_str()) || *name == "content-length"
    }) {
        answer = answer.header(name, value);
    }
    tokio::spawn(async move {
        loop {
            match response.chunk().await {
                Ok(Some(piece)) => {
                    open.heard();
                    if sender.send_data(piece).await.is_err() {
                        return;
                    }
                }
                Ok(None) => return,
                Err(error) => {
                    let why = reason(error);
                    open.broke(why.clone());
                    // The agent has to see that the answer is not whole.
                    return sender.abort(io::Error::other(why));
                }
            }
        }
    });
    let whole = answer.body(body);
    whole.map_or_else(
        |_| plain(StatusCode::BAD_GATEWAY, "the answer cannot be passed on"),
        |whole| whole.map(BodyExt::boxed),
    )
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get("retry-after")?.to_str().ok()?;
    seconds.trim().parse().ok().map(Duration::from_secs)
}

/// Returns the innermost reason, which is the one that names what failed; an address may hold a key.
fn reason(error: reqwest::Error) -> String {
    anyhow::Error::new(error.without_url())
        .root_cause()
        .to_string()
}

fn plain(status: StatusCode, text: &str) -> Answer {
    let mut response = Response::new(
        Full::new(Bytes::from(format!("{text}\n")))
            .map_err(|never| match never {})
            .boxed(),
    );
    *response.status_mut() = status;
    response
}
