//! An HTTP server on this machine that plays a registry, and remembers what it was asked.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// A server that ends with the test's process.
pub struct Server {
    pub url: String,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// What was asked.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: String,
    pub path: String,
    headers: Vec<String>,
    pub body: Vec<u8>,
}

impl Request {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

/// What is answered: the status line's end, more header lines, the body, and how many bytes of it are really sent.
pub struct Answer {
    pub status: &'static str,
    pub headers: Vec<String>,
    pub body: Vec<u8>,
    pub sent: Option<usize>,
}

pub fn ok(body: impl Into<Vec<u8>>) -> Answer {
    Answer {
        status: "200 OK",
        headers: Vec::new(),
        body: body.into(),
        sent: None,
    }
}

pub fn status(status: &'static str) -> Answer {
    Answer { status, ..ok("") }
}

impl Server {
    /// Answers with what `answer` makes of the server's own address and a request.
    pub fn start(answer: impl Fn(&str, &Request) -> Answer + Send + 'static) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let server = Server {
            url: url.clone(),
            requests: requests.clone(),
        };
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let Some(request) = read(&stream) else {
                    continue;
                };
                requests.lock().unwrap().push(request.clone());
                let _ = write(&mut stream, answer(&url, &request));
            }
        });
        server
    }

    pub fn requests(&self) -> Vec<Request> {
        self.requests.lock().unwrap().clone()
    }
}

fn read(stream: &TcpStream) -> Option<Request> {
    let mut reader = BufReader::new(stream);
    let first = line(&mut reader)?;
    let mut words = first.split(' ').map(str::to_string);
    let mut request = Request {
        method: words.next()?,
        path: words.next()?,
        headers: Vec::new(),
        body: Vec::new(),
    };
    while let Some(header) = line(&mut reader).filter(|line| !line.is_empty()) {
        request.headers.push(header);
    }
    if request.header("transfer-encoding") == Some("chunked") {
        while let Some(length) = line(&mut reader).filter(|line| line != "0") {
            let length = usize::from_str_radix(&length, 16).ok()?;
            let mut chunk = vec![0; length + 2];
            reader.read_exact(&mut chunk).ok()?;
            request.body.extend(&chunk[..length]);
        }
    } else if let Some(length) = request.header("content-length") {
        request.body = vec![0; length.parse().ok()?];
        reader.read_exact(&mut request.body).ok()?;
    }
    Some(request)
}

fn line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    Some(line.trim_end().to_string())
}

fn write(stream: &mut TcpStream, answer: Answer) -> std::io::Result<()> {
    let mut head = format!("HTTP/1.1 {}\r\nConnection: close\r\n", answer.status);
    for line in &answer.headers {
        head.push_str(&format!("{line}\r\n"));
    }
    head.push_str(&format!("Content-Length: {}\r\n\r\n", answer.body.len()));
    stream.write_all(head.as_bytes())?;
    stream.write_all(&answer.body[..answer.sent.unwrap_or(answer.body.len())])
}
