//! The gateway over real sockets: an upstream that answers as told, and an agent that asks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use super::*;

/// An upstream that gives each connection the next of these answers, and tells what it was asked.
fn upstream(answers: &[&'static str]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (tell, told) = channel();
    let answers = answers.to_vec();
    std::thread::spawn(move || {
        for answer in answers {
            let (mut stream, _) = listener.accept().unwrap();
            tell.send(request(&stream)).unwrap();
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    (format!("http://{address}/base"), told)
}

fn request(stream: &TcpStream) -> String {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    head + &String::from_utf8(body).unwrap()
}

fn open(address: &str) -> Gateway {
    let key = Secret::new("KEY", "the-real-key".to_string()).unwrap();
    Gateway::open(Upstream::new(address, key).unwrap()).unwrap()
}

/// Asks the gateway and returns everything that comes back until the connection ends.
fn ask(gateway: &Gateway, path: &str, headers: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", gateway.port())).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    write!(
        stream,
        "POST {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {}\r\n{headers}\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = Vec::new();
    // A cut answer ends the connection, which is what is looked at.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

#[test]
fn the_key_is_put_in_place_of_the_pass_and_never_comes_back() {
    let (address, told) =
        upstream(&["HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nhi"]);
    let gateway = open(&address);
    let headers = format!(
        "x-api-key: {}\r\nauthorization: Bearer {0}\r\n",
        gateway.pass()
    );
    let answer = ask(
        &gateway,
        &format!("/v1/messages?key={}", gateway.pass()),
        &headers,
        "{\"a\":1}",
    );
    assert!(
        answer.starts_with("HTTP/1.1 200") && answer.ends_with("hi"),
        "{answer}"
    );
    assert!(!answer.contains("the-real-key"));
    let asked = told.recv().unwrap();
    assert!(
        asked.starts_with("POST /base/v1/messages?key=the-real-key "),
        "{asked}"
    );
    assert!(asked.contains("x-api-key: the-real-key\r\n"), "{asked}");
    assert!(
        asked.contains("authorization: Bearer the-real-key\r\n"),
        "{asked}"
    );
    assert!(
        asked.ends_with("{\"a\":1}") && !asked.contains(gateway.pass()),
        "{asked}"
    );
    let news = gateway.news();
    assert_eq!(
        (news.requests, news.status, news.broken),
        (1, Some(200), None)
    );
}

#[test]
fn without_the_pass_or_out_of_the_address_nobody_is_asked() {
    let (address, told) = upstream(&["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"]);
    let gateway = open(&address);
    assert!(ask(&gateway, "/v1/messages", "x-api-key: dummy\r\n", "").starts_with("HTTP/1.1 401"));
    let pass = format!("x-api-key: {}\r\n", gateway.pass());
    for path in ["/../admin", "/v1/../../admin", "/%2e%2e/admin"] {
        let answer = ask(&gateway, path, &pass, "");
        assert!(answer.starts_with("HTTP/1.1 400"), "{path}: {answer}");
    }
    assert!(told.try_recv().is_err());
    assert_eq!(gateway.news().requests, 0);
}

#[test]
fn what_the_host_says_is_known_whatever_the_agent_makes_of_it() {
    let (address, _told) = upstream(&[
        "HTTP/1.1 429 Too Many\r\nretry-after: 7\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 100\r\nconnection: close\r\n\r\nonly this",
    ]);
    let gateway = open(&address);
    let pass = format!("x-api-key: {}\r\n", gateway.pass());
    assert!(ask(&gateway, "/v1", &pass, "").starts_with("HTTP/1.1 429"));
    let news = gateway.news();
    assert_eq!(
        (news.status, news.retry_after),
        (Some(429), Some(Duration::from_secs(7)))
    );
    ask(&gateway, "/v1", &pass, "");
    let news = gateway.news();
    assert_eq!(news.status, Some(200));
    assert!(news.broken.is_some(), "{news:?}");
    assert!(ask(&gateway, "/v1", &pass, "").starts_with("HTTP/1.1 502"));
    let news = gateway.news();
    assert!(news.status.is_none() && news.broken.is_some(), "{news:?}");
}

#[test]
fn only_this_machine_is_reached_without_encryption() {
    let key = || Secret::new("KEY", "the-real-key".to_string()).unwrap();
    for address in [
        "https://api.example.org",
        "http://127.0.0.1:1/x",
        "http://localhost:1",
    ] {
        assert!(Upstream::new(address, key()).is_ok(), "{address}");
    }
    for address in [
        "http://api.example.org",
        "ftp://127.0.0.1",
        "https://u:p@example.org",
        "https://example.org/?k=1",
        "no",
    ] {
        assert!(Upstream::new(address, key()).is_err(), "{address}");
    }
}

#[test]
fn a_closed_gateway_answers_nobody() {
    let (address, _told) = upstream(&[]);
    let gateway = open(&address);
    let port = gateway.port();
    drop(gateway);
    assert!(TcpStream::connect(("127.0.0.1", port)).is_err());
}
