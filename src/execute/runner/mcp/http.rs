//! A server that runs elsewhere, over streamable HTTP. It is this program that speaks with it: the plan grants just this address.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use reqwest::header::{HeaderName, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Url};
use rmcp::transport::StreamableHttpClientTransport;
use rmcp::transport::streamable_http_client::StreamableHttpClientTransportConfig;

use super::client::{Broken, Request, ask};
use super::{Answer, MESSAGE_BYTES_MAX, Tell};

const CONNECT_S_MAX: u64 = 15;

/// Asks the server at `url`.
pub fn call(
    request: &Request,
    url: &str,
    headers: &BTreeMap<String, String>,
    tell: Tell,
) -> Answer {
    let (client, config) = match prepared(url, headers) {
        Ok(prepared) => prepared,
        Err(error) => return Ok(Err(Broken::Refused(format!("{error:#}")))),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start a runtime")?;
    let answer = runtime.block_on(async {
        let transport = StreamableHttpClientTransport::with_client(client, config);
        ask(transport, request, &tell).await
    });
    runtime.shutdown_background();
    Ok(answer)
}

fn prepared(
    address: &str,
    headers: &BTreeMap<String, String>,
) -> Result<(Client, StreamableHttpClientTransportConfig)> {
    // The address may hold a key, so it is not said.
    let url: Url = address.parse().context("the server's address is none")?;
    let host = url.host_str().unwrap_or_default().to_string();
    let ip = host.trim_matches(['[', ']']).parse::<std::net::IpAddr>();
    let is_loopback = host == "localhost" || ip.is_ok_and(|ip| ip.is_loopback());
    ensure!(
        url.scheme() == "https" || (url.scheme() == "http" && is_loopback),
        "the server's address begins with `https://`, unless it is on this machine"
    );
    // Fails only where another part of the program has chosen one already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut client = Client::builder()
        .connect_timeout(Duration::from_secs(CONNECT_S_MAX))
        .redirect(Policy::none());
    if is_loopback {
        client = client.no_proxy();
    }
    let mut named = HashMap::new();
    for (name, value) in headers {
        let wrong = || format!("the server's header `{}` is none", name.escape_debug());
        let name: HeaderName = name.parse().with_context(wrong)?;
        named.insert(name, HeaderValue::from_str(value).with_context(wrong)?);
    }
    let mut config =
        StreamableHttpClientTransportConfig::with_uri(url.as_str()).custom_headers(named);
    config.max_sse_event_size = MESSAGE_BYTES_MAX;
    config.max_json_response_size = MESSAGE_BYTES_MAX;
    Ok((client.build().context("cannot set up HTTP")?, config))
}
