//! A model that plays a script, for agents that speak with it: an endpoint on loopback that answers as Anthropic's does, or OpenAI's.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::spawn;
use std::time::Duration;

use serde_json::{Value, json};

/// What the model does with one request; requests that offer no tools are answered `ok` and do not count.
#[derive(Debug, Clone)]
pub enum Turn {
    Say(&'static str),
    /// Writes a file, by the agent's own tool.
    Write(&'static str, &'static str),
    /// Runs a line in the agent's shell.
    Shell(String),
    /// Answers so, with this header.
    Status(u16, &'static str),
    /// Ends the connection in the middle of the answer.
    Cut,
    /// Begins to answer, and says nothing more.
    Silent,
}

/// A model at work, until the test ends.
pub struct Model {
    pub address: String,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    turns: VecDeque<Turn>,
    requests: Vec<Value>,
    keys: Vec<String>,
}

impl Model {
    /// Starts a model with this script; when it has been played, the model says that it is done.
    pub fn new(turns: &[Turn]) -> Model {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Seen {
            turns: turns.iter().cloned().collect(),
            ..Seen::default()
        }));
        spawn({
            let seen = Arc::clone(&seen);
            move || {
                for stream in listener.incoming().flatten() {
                    let seen = Arc::clone(&seen);
                    spawn(move || serve(&stream, &seen));
                }
            }
        });
        Model { address, seen }
    }

    /// Adds to the script.
    pub fn then(&self, turns: &[Turn]) {
        self.seen
            .lock()
            .unwrap()
            .turns
            .extend(turns.iter().cloned());
    }

    /// Returns the requests that offered tools, in order.
    pub fn requests(&self) -> Vec<Value> {
        self.seen.lock().unwrap().requests.clone()
    }

    /// Returns all that was said to the model, as one text.
    pub fn heard(&self) -> String {
        let requests = self.requests();
        requests.iter().map(Value::to_string).collect()
    }

    /// Returns the keys that came with the requests.
    pub fn keys(&self) -> Vec<String> {
        self.seen.lock().unwrap().keys.clone()
    }
}

fn serve(stream: &TcpStream, seen: &Mutex<Seen>) {
    let mut reader = BufReader::new(stream);
    while let Some((path, key, body)) = request(&mut reader) {
        if answer(stream, &path, &key, &body, seen).is_none() {
            stream.shutdown(std::net::Shutdown::Both).ok();
            return;
        }
    }
}

fn request(reader: &mut BufReader<&TcpStream>) -> Option<(String, String, Value)> {
    let (mut path, mut key, mut length) = (String::new(), String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if path.is_empty() {
            path = line.split(' ').nth(1)?.to_string();
        }
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().ok()?,
                "x-api-key" => key = value.trim().to_string(),
                "authorization" => key = value.trim().trim_start_matches("Bearer ").to_string(),
                _ => {}
            }
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((path, key, serde_json::from_slice(&body).unwrap_or_default()))
}

/// Answers; none when the connection is to end.
fn answer(
    stream: &TcpStream,
    path: &str,
    key: &str,
    body: &Value,
    seen: &Mutex<Seen>,
) -> Option<()> {
    let is_openai = path.contains("/responses");
    if (!path.contains("/v1/messages") && !is_openai) || path.contains("count_tokens") {
        return plain(stream, 404, "", "{}");
    }
    let offers_tools = body["tools"]
        .as_array()
        .is_some_and(|tools| !tools.is_empty());
    let turn = {
        let mut seen = seen.lock().unwrap();
        seen.keys.push(key.to_string());
        match offers_tools {
            false => Turn::Say("ok"),
            true => {
                seen.requests.push(body.clone());
                seen.turns.pop_front().unwrap_or(Turn::Say("Done."))
            }
        }
    };
    if is_openai {
        return answer_as_openai(stream, &turn, body);
    }
    let block = match &turn {
        Turn::Say(text) => json!({"type": "text", "text": text}),
        Turn::Write(path, content) => {
            let folder = folder(body);
            tool(
                "Write",
                json!({"file_path": format!("{folder}/{path}"), "content": content}),
            )
        }
        Turn::Shell(command) => tool(
            "Bash",
            json!({"command": command, "description": "scripted"}),
        ),
        Turn::Status(status, header) => {
            let error = json!({"type": "error", "error": {"type": "scripted", "message": format!("scripted {status}")}});
            return plain(stream, *status, header, &error.to_string());
        }
        Turn::Cut => {
            begin(stream, body)?;
            return None;
        }
        Turn::Silent => {
            begin(stream, body)?;
            std::thread::sleep(Duration::from_secs(60));
            return None;
        }
    };
    match body["stream"].as_bool() {
        Some(true) => {
            begin(stream, body)?;
            stream_block(stream, &block)
        }
        _ => {
            let mut whole = message(body);
            whole["content"] = json!([block]);
            whole["stop_reason"] = json!(stop_reason(&block));
            plain(stream, 200, "", &whole.to_string())
        }
    }
}

fn answer_as_openai(mut stream: &TcpStream, turn: &Turn, body: &Value) -> Option<()> {
    let shell = |command: String| {
        let offered: Vec<&str> = body["tools"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|tool| tool["name"].as_str())
            .collect();
        let name = ["exec_command", "shell_command"]
            .into_iter()
            .find(|name| offered.contains(name))
            .unwrap();
        let field = if name == "exec_command" {
            "cmd"
        } else {
            "command"
        };
        let mut input = serde_json::Map::new();
        input.insert(field.to_string(), json!(command));
        json!({
            "type": "function_call", "id": new_id("fc"), "call_id": new_id("call"), "name": name,
            "arguments": Value::from(input).to_string(), "status": "completed",
        })
    };
    let item = match turn {
        Turn::Say(text) => json!({
            "type": "message", "id": new_id("item"), "role": "assistant", "status": "completed",
            "content": [{"type": "output_text", "text": text, "annotations": []}],
        }),
        Turn::Write(path, content) => shell(format!("printf '%s' '{content}' > {path}")),
        Turn::Shell(command) => shell(command.clone()),
        Turn::Status(status, header) => {
            let error =
                json!({"error": {"type": "scripted", "message": format!("scripted {status}")}});
            return plain(stream, *status, header, &error.to_string());
        }
        Turn::Cut | Turn::Silent => {
            head(stream)?;
            if matches!(turn, Turn::Silent) {
                std::thread::sleep(Duration::from_secs(60));
            }
            return None;
        }
    };
    let usage = json!({
        "input_tokens": 1000, "input_tokens_details": {"cached_tokens": 400}, "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 0}, "total_tokens": 1020,
    });
    let response = |status: &str, output: Value| {
        json!({
            "id": new_id("resp"), "object": "response", "created_at": 0, "model": body["model"], "status": status,
            "output": output, "usage": usage, "error": null, "incomplete_details": null, "parallel_tool_calls": true,
            "tools": [], "tool_choice": "auto",
        })
    };
    head(stream)?;
    event(
        stream,
        "response.created",
        json!({"response": response("in_progress", json!([]))}),
    )?;
    event(
        stream,
        "response.output_item.done",
        json!({"output_index": 0, "item": item}),
    )?;
    event(
        stream,
        "response.completed",
        json!({"response": response("completed", json!([item]))}),
    )?;
    stream.write_all(b"0\r\n\r\n").ok()
}

fn tool(name: &str, input: Value) -> Value {
    json!({"type": "tool_use", "id": new_id("toolu"), "name": name, "input": input})
}

fn new_id(kind: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{kind}_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

/// Returns the folder that the agent says it works in.
fn folder(body: &Value) -> String {
    let said = body.to_string();
    let after = said
        .split("Primary working directory: ")
        .nth(1)
        .unwrap_or_default();
    after
        .split(['\\', '"'])
        .next()
        .unwrap_or_default()
        .to_string()
}

fn message(body: &Value) -> Value {
    json!({
        "id": new_id("msg"), "type": "message", "role": "assistant", "model": body["model"], "content": [],
        "stop_reason": null, "stop_sequence": null, "usage": {"input_tokens": 1000, "output_tokens": 20},
    })
}

fn stop_reason(block: &Value) -> &'static str {
    match block["type"].as_str() {
        Some("tool_use") => "tool_use",
        _ => "end_turn",
    }
}

fn plain(mut stream: &TcpStream, status: u16, header: &str, body: &str) -> Option<()> {
    let header = if header.is_empty() {
        String::new()
    } else {
        format!("{header}\r\n")
    };
    let head = format!(
        "HTTP/1.1 {status} Scripted\r\ncontent-type: application/json\r\ncontent-length: {}\r\n{header}\r\n",
        body.len()
    );
    stream.write_all((head + body).as_bytes()).ok()
}

fn head(mut stream: &TcpStream) -> Option<()> {
    let head =
        "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
    stream.write_all(head.as_bytes()).ok()
}

fn begin(stream: &TcpStream, body: &Value) -> Option<()> {
    head(stream)?;
    event(stream, "message_start", json!({"message": message(body)}))
}

fn stream_block(mut stream: &TcpStream, block: &Value) -> Option<()> {
    let (empty, delta) = match block["type"].as_str() {
        Some("tool_use") => {
            let mut empty = block.clone();
            empty["input"] = json!({});
            (
                empty,
                json!({"type": "input_json_delta", "partial_json": block["input"].to_string()}),
            )
        }
        _ => (
            json!({"type": "text", "text": ""}),
            json!({"type": "text_delta", "text": block["text"]}),
        ),
    };
    event(
        stream,
        "content_block_start",
        json!({"index": 0, "content_block": empty}),
    )?;
    event(
        stream,
        "content_block_delta",
        json!({"index": 0, "delta": delta}),
    )?;
    event(stream, "content_block_stop", json!({"index": 0}))?;
    let delta = json!({"stop_reason": stop_reason(block), "stop_sequence": null});
    event(
        stream,
        "message_delta",
        json!({"delta": delta, "usage": {"input_tokens": 1000, "output_tokens": 20}}),
    )?;
    event(stream, "message_stop", json!({}))?;
    stream.write_all(b"0\r\n\r\n").ok()
}

fn event(mut stream: &TcpStream, name: &str, mut data: Value) -> Option<()> {
    data["type"] = json!(name);
    let text = format!("event: {name}\ndata: {data}\n\n");
    stream
        .write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
        .ok()
}
