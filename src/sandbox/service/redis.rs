//! Asks a Redis server whether it is there.

use std::fmt;
use std::io::{BufRead, BufReader, Write};
use std::net::{IpAddr, TcpStream, ToSocketAddrs};
use std::time::Duration;

/// How long a server may take for each answer.
const ANSWER_MAX: Duration = Duration::from_secs(2);
const PORT: u16 = 6379;
/// A reply longer than this is not one to our question.
const REPLY_MAX: u64 = 1024;

/// Where a server is, and what it wants to hear first. Shown without user and password.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address {
    host: String,
    pub(super) port: u16,
    user: Option<String>,
    password: Option<String>,
    encrypted: bool,
}

/// What came of asking.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Yes,
    /// It is there and does not let us in.
    Refused(String),
    No(String),
}

impl Address {
    /// Returns the server on a port of the loopback.
    pub(super) fn local(port: u16) -> Address {
        Address {
            host: "127.0.0.1".to_owned(),
            port,
            user: None,
            password: None,
            encrypted: false,
        }
    }

    /// Reads `redis://user:password@host:port/0`, or the same with `rediss`.
    pub(super) fn parse(url: &str) -> Option<Address> {
        let (scheme, rest) = url.split_once("://")?;
        let encrypted = match scheme {
            "redis" => false,
            "rediss" => true,
            _ => return None,
        };
        let authority = rest.split(['/', '?', '#']).next()?;
        let (credentials, place) = match authority.rsplit_once('@') {
            Some((credentials, place)) => (Some(credentials), place),
            None => (None, authority),
        };
        let (user, password) = match credentials
            .map(|credentials| credentials.split_once(':').unwrap_or(("", credentials)))
        {
            Some((user, password)) => (
                Some(decoded(user)).filter(|user| !user.is_empty()),
                Some(decoded(password)),
            ),
            None => (None, None),
        };
        let (host, port) = host_and_port(place)?;
        Some(Address {
            host,
            port,
            user,
            password: password.filter(|password| !password.is_empty()),
            encrypted,
        })
    }

    /// Returns `url`, whose address this is, with the host's number in place of its name: a step has no name server.
    /// An encrypted server keeps its name, which its certificate is for.
    pub(super) fn numbered(&self, url: &str) -> String {
        let is_name = self.host != "localhost" && self.host.parse::<IpAddr>().is_err();
        let found = (self.host.as_str(), self.port)
            .to_socket_addrs()
            .ok()
            .and_then(|mut found| found.next());
        let Some(found) = found.filter(|_| is_name && !self.encrypted) else {
            return url.to_owned();
        };
        let number = match found.ip() {
            IpAddr::V4(number) => number.to_string(),
            IpAddr::V6(number) => format!("[{number}]"),
        };
        with_host(url, &self.host, &number)
    }

    /// Asks for an answer within seconds; an encrypted server is only connected to.
    pub(super) fn ask(&self) -> Answer {
        match self.converse() {
            Ok(None) => Answer::Yes,
            Ok(Some(reply))
                if ["-WRONGPASS", "-DENIED"]
                    .iter()
                    .any(|word| reply.starts_with(word)) =>
            {
                Answer::Refused(reply)
            }
            // `-NOAUTH` and `-LOADING` come from a server that is there.
            Ok(Some(reply)) if reply.starts_with('-') || reply == "+PONG" => Answer::Yes,
            Ok(Some(_)) => Answer::No("what answers there is not Redis".to_owned()),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {
                Answer::No(format!("no answer in {} seconds", ANSWER_MAX.as_secs()))
            }
            Err(error) => Answer::No(error.to_string()),
        }
    }

    fn converse(&self) -> std::io::Result<Option<String>> {
        let mut stream = self.connect()?;
        if self.encrypted {
            return Ok(None);
        }
        stream.set_read_timeout(Some(ANSWER_MAX))?;
        stream.set_write_timeout(Some(ANSWER_MAX))?;
        if let Some(password) = &self.password {
            let mut words = vec!["AUTH"];
            words.extend(self.user.as_deref());
            words.push(password);
            let reply = say(&mut stream, &words)?;
            if reply != "+OK" {
                return Ok(Some(reply));
            }
        }
        say(&mut stream, &["PING"]).map(Some)
    }

    fn connect(&self) -> std::io::Result<TcpStream> {
        let mut last = std::io::Error::other("the host has no address");
        for address in (self.host.as_str(), self.port).to_socket_addrs()? {
            match TcpStream::connect_timeout(&address, ANSWER_MAX) {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Address({self})")
    }
}

/// Sends one command in Redis's protocol and returns the first line of the reply.
fn say(stream: &mut TcpStream, words: &[&str]) -> std::io::Result<String> {
    let mut request = format!("*{}\r\n", words.len());
    for word in words {
        request.push_str(&format!("${}\r\n{word}\r\n", word.len()));
    }
    stream.write_all(request.as_bytes())?;
    let mut reply = Vec::new();
    BufReader::new(std::io::Read::take(&*stream, REPLY_MAX)).read_until(b'\n', &mut reply)?;
    Ok(String::from_utf8_lossy(&reply).trim_end().to_owned())
}

fn host_and_port(place: &str) -> Option<(String, u16)> {
    let (host, port) = match place.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (host, rest.strip_prefix(':'))
        }
        None => match place.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (place, None),
        },
    };
    let port = port.map_or(Some(PORT), |port| port.parse().ok())?;
    let host = if host.is_empty() { "localhost" } else { host };
    Some((host.to_owned(), port))
}

/// Replaces the host of `url` and nothing that looks like it in the credentials before it.
fn with_host(url: &str, host: &str, number: &str) -> String {
    let after_scheme = url.find("://").map_or(0, |index| index + 3);
    let end = url[after_scheme..]
        .find(['/', '?', '#'])
        .map_or(url.len(), |index| after_scheme + index);
    let start = url[after_scheme..end]
        .rfind('@')
        .map_or(after_scheme, |index| after_scheme + index + 1);
    format!(
        "{}{}",
        &url[..start],
        url[start..].replacen(host, number, 1)
    )
}

/// Undoes percent signs; what is not one stays as it is.
fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut result = Vec::new();
    let mut index = 0;
    while index < bytes.len() {
        let hex = text
            .get(index + 1..index + 3)
            .filter(|_| bytes[index] == b'%');
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                result.push(byte);
                index += 3;
            }
            None => {
                result.push(bytes[index]);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&result).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::net::TcpListener;

    fn check(url: &str, expected: Option<(&str, Option<&str>, Option<&str>)>) {
        let found = Address::parse(url);
        let found = found.as_ref().map(|address| {
            (
                address.to_string(),
                address.user.as_deref(),
                address.password.as_deref(),
            )
        });
        assert_eq!(
            found,
            expected.map(|(place, user, password)| (place.to_owned(), user, password)),
            "{url}"
        );
    }

    #[test]
    fn addresses_are_read_with_or_without_their_parts() {
        check("redis://localhost", Some(("localhost:6379", None, None)));
        check(
            "redis://localhost:1/0?x=y",
            Some(("localhost:1", None, None)),
        );
        check("rediss://h:1", Some(("h:1", None, None)));
        check("redis://:secret@h", Some(("h:6379", None, Some("secret"))));
        check(
            "redis://me:p%40ss@h:2",
            Some(("h:2", Some("me"), Some("p@ss"))),
        );
        check("redis://[::1]:7", Some(("[::1]:7", None, None)));
        check("redis://", Some(("localhost:6379", None, None)));
        check("redis://h:port", None);
        check("unix:///run/redis.sock", None);
        check("secret", None);
    }

    #[test]
    fn a_step_gets_the_number_of_a_host() {
        let check =
            |url: &str, expected: &str| assert_eq!(with_host(url, "redis", "10.0.0.1"), expected);
        check("redis://redis:1/0", "redis://10.0.0.1:1/0");
        check("redis://redis:redis@redis", "redis://redis:redis@10.0.0.1");
        check("redis://redis/redis", "redis://10.0.0.1/redis");
        let literal = "redis://127.0.0.1:1/0";
        assert_eq!(Address::parse(literal).unwrap().numbered(literal), literal);
    }

    #[test]
    fn no_way_of_showing_an_address_shows_its_password() {
        let address = Address::parse("redis://me:hunter2@h:2").unwrap();
        assert!(!format!("{address}{address:?}").contains("hunter2"));
    }

    fn answer(reply: &'static [u8], url_credentials: &str) -> Answer {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let _ = stream.read(&mut [0; 512]);
            stream.write_all(reply).unwrap();
        });
        let answer = Address::parse(&format!("redis://{url_credentials}127.0.0.1:{port}"))
            .unwrap()
            .ask();
        server.join().unwrap();
        answer
    }

    #[test]
    fn answers_are_told_apart() {
        assert_eq!(answer(b"+PONG\r\n", ""), Answer::Yes);
        assert_eq!(
            answer(b"-NOAUTH Authentication required.\r\n", ""),
            Answer::Yes
        );
        assert_eq!(
            answer(b"-WRONGPASS no\r\n", "me:x@"),
            Answer::Refused("-WRONGPASS no".to_owned())
        );
        assert!(matches!(
            answer(b"HTTP/1.1 400 Bad Request\r\n", ""),
            Answer::No(_)
        ));
        assert!(matches!(answer(b"", ""), Answer::No(_)));
    }
}
