//! HTTP for npm and catalogues, and the settings that git's transport shares with it: one stack, with the system's certificates
//! (`SSL_CERT_FILE`) and proxies (`HTTPS_PROXY`).

use std::io::Read;
use std::net::IpAddr;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use reqwest::blocking::{Client, ClientBuilder, RequestBuilder, Response};
use reqwest::redirect::Policy;
use reqwest::{StatusCode, Url};

use crate::model::{Hint, Trouble};

/// How long making a connection may take, and how long nothing may arrive.
const CONNECT_S_MAX: u64 = 10;
const STALL_S_MAX: u64 = 30;
const REDIRECTS_MAX: usize = 10;

/// Returns the settings that every connection has.
pub fn configured(builder: ClientBuilder) -> ClientBuilder {
    // Fails only where another part of the program has chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder
        .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
        .timeout(Duration::from_secs(STALL_S_MAX))
        .user_agent(concat!("orchestrate/", env!("CARGO_PKG_VERSION")))
}

/// Returns a client that follows redirects to where the first address could have led.
pub fn client() -> Result<Client> {
    let follow = Policy::custom(|attempt| {
        let from = attempt.previous().last();
        match from.is_some_and(|from| may_follow(from, attempt.url())) {
            _ if attempt.previous().len() > REDIRECTS_MAX => attempt.error("too many redirects"),
            true => attempt.follow(),
            false => attempt.error("it redirects to an address that is not followed"),
        }
    });
    configured(Client::builder())
        .redirect(follow)
        .build()
        .context("cannot set up HTTP")
}

/// Says whether what came from one address may name the other: over https, and not to this machine unless it came from there.
pub fn may_follow(from: &Url, to: &Url) -> bool {
    let is_safe = to.scheme() == "https" || (to.scheme() == "http" && from.scheme() == "http");
    is_safe
        && (is_loopback(from) || !is_loopback(to))
        && (to.scheme() == "https" || is_loopback(to))
        && to.username().is_empty()
        && to.password().is_none()
}

fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_matches(['[', ']']).parse::<IpAddr>();
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|ip| ip.is_loopback() || ip.is_unspecified())
}

/// Returns what was answered, which may have so many bytes at most.
pub fn body(response: Response, bytes_max: u64) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let read = response.take(bytes_max + 1).read_to_end(&mut bytes);
    read.context("the connection broke")
        .kind(Trouble::Missing)?;
    ensure!(
        bytes.len() as u64 <= bytes_max,
        "it has more than {bytes_max} bytes"
    );
    Ok(bytes)
}

/// Sends the request, and explains what went wrong.
pub fn send(request: RequestBuilder, url: &Url) -> Result<Response> {
    let host = url.host_str().unwrap_or_default();
    let response = request
        .send()
        .map_err(unreachable)
        .with_context(|| format!("cannot reach `{host}`"));
    let response = response
        .kind(Trouble::Missing)
        .hint("check the connection, and `HTTPS_PROXY` where there is a proxy; what is cached works with `--offline`")?;
    let refused = |why: String| Err(anyhow!("`{}` answers {why}", without_query(response.url())));
    match response.status() {
        status if status.is_success() || status == StatusCode::RANGE_NOT_SATISFIABLE => {
            Ok(response)
        }
        StatusCode::NOT_FOUND | StatusCode::GONE => {
            refused("that there is nothing of this name".into()).kind(Trouble::Request)
        }
        status @ (StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
            refused(format!("`{status}`"))
                .kind(Trouble::Missing)
                .hint(format!(
                    "a private registry needs a line `//{host}/:_authToken=..` in `~/.npmrc`"
                ))
        }
        status => refused(format!("`{status}`"))
            .kind(Trouble::Missing)
            .hint("try again later"),
    }
}

/// Returns the innermost reason, which is the one that names what failed.
fn unreachable(error: reqwest::Error) -> anyhow::Error {
    let error = anyhow::Error::new(error.without_url());
    anyhow!("{}", error.root_cause())
}

fn without_query(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}
