//! `orchestrate mcp`, spoken with as agents do. `ORCHESTRATE_TEST_SERVERS` names the folder that the tools of the protocol's authors are in.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Lines, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStdout, Command};

use serde_json::{Value, json};
use support::process::Running;
use support::{TASK, TestEnvironment, wait_until};

const TOOLS: [&str; 8] = [
    "search_plugins",
    "explain_plugin",
    "research",
    "plan",
    "show_plan",
    "execute_plan",
    "run_status",
    "run_report",
];

/// A client of the server, which speaks with it line by line.
struct Client {
    server: Child,
    lines: Lines<BufReader<ChildStdout>>,
    asked: u64,
    /// What the server told of its own accord.
    told: Vec<Value>,
}

impl Client {
    fn new(environment: &TestEnvironment) -> Client {
        let mut command = environment.orchestrate_command(&["mcp"]);
        let mut server = command
            .stdin(std::process::Stdio::piped())
            .stderr(std::process::Stdio::inherit())
            .spawn()
            .unwrap();
        let lines = BufReader::new(server.stdout.take().unwrap()).lines();
        let mut client = Client {
            server,
            lines,
            asked: 0,
            told: Vec::new(),
        };
        let us = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let server = client.ask("initialize", us);
        assert_eq!(server["serverInfo"]["name"], "orchestrate");
        client.send(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        client
    }

    fn send(&mut self, message: &Value) {
        let input = self.server.stdin.as_mut().unwrap();
        writeln!(input, "{message}").unwrap();
    }

    fn request(&mut self, method: &str, params: Value) {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// Returns the next message of the server.
    fn hear(&mut self) -> Value {
        let line = self.lines.next().unwrap().unwrap();
        serde_json::from_str(&line).unwrap()
    }

    /// Asks, and returns the result; what is told meanwhile is kept.
    #[track_caller]
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.request(method, params);
        loop {
            let message = self.hear();
            if message["id"] == json!(self.asked) {
                assert!(message["error"].is_null(), "{message}");
                return message["result"].clone();
            }
            self.told.push(message);
        }
    }

    #[track_caller]
    fn call(&mut self, tool: &str, arguments: Value) -> Value {
        let meta = json!({"progressToken": "p"});
        self.ask(
            "tools/call",
            json!({"name": tool, "arguments": arguments, "_meta": meta}),
        )
    }

    /// Closes the server's input, and waits for its end.
    fn leave(mut self) {
        drop(self.server.stdin.take());
        wait_until("the server has ended", || {
            self.server.try_wait().unwrap().is_some()
        });
    }
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"].as_str().unwrap()
}

#[test]
fn an_agent_plans_and_executes_what_was_shown() {
    let environment = TestEnvironment::new();
    let mut client = Client::new(&environment);
    let listed = client.ask("tools/list", json!({}));
    let names = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"]);
    assert!(names.eq(TOOLS.iter()), "{listed}");
    for tool in listed["tools"].as_array().unwrap() {
        assert_eq!(tool["inputSchema"]["type"], "object", "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
    }

    let hits = client.call("search_plugins", json!({"request": "cache"}));
    let first = hits["structuredContent"]["hits"][0]["plugin"]
        .as_str()
        .unwrap();
    let explained = client.call(
        "explain_plugin",
        json!({"plugin": first, "request": "cache answers in memory"}),
    );
    assert!(
        explained["structuredContent"]["rank"].as_u64().unwrap() >= 1,
        "{explained}"
    );
    let found = client.call("research", json!({"question": TASK}));
    assert!(text(&found).starts_with("# Research: "), "{found}");

    let planned = client.call("plan", json!({"task": TASK, "pattern": "five-steps"}));
    let plan = planned["structuredContent"].clone();
    assert_eq!(plan["steps"].as_array().unwrap().len(), 5, "{plan}");
    assert_eq!(plan["approval"], "none");
    let name = plan["plan"].as_str().unwrap();
    let shown = client.call("show_plan", json!({"plan": name}));
    assert_eq!(shown["structuredContent"]["digest"], plan["digest"]);

    let other = format!("sha256:{}", "1".repeat(64));
    let refused = client.call("execute_plan", json!({"plan": name, "digest": other}));
    assert_eq!(refused["isError"], true);
    assert!(
        text(&refused).contains("is not the one that was shown"),
        "{refused}"
    );
    client.told.clear();
    let ran = client.call(
        "execute_plan",
        json!({"plan": name, "digest": plan["digest"]}),
    );
    assert_eq!(ran["structuredContent"]["status"], "done", "{ran}");
    let told: Vec<&Value> = client.told.iter().collect();
    let amounts: Vec<f64> = told
        .iter()
        .map(|told| told["params"]["progress"].as_f64().unwrap())
        .collect();
    assert!(
        amounts.len() > 5 && amounts.is_sorted_by(|a, b| a < b),
        "{told:?}"
    );
    assert!(
        told.iter()
            .all(|told| told["params"]["progressToken"] == "p"),
        "{told:?}"
    );
    assert!(
        told[0]["params"]["message"]
            .as_str()
            .unwrap()
            .starts_with("Sandbox: "),
        "{told:?}"
    );

    let run = ran["structuredContent"]["run"].as_str().unwrap();
    let report = client.call("run_report", json!({"run": run}));
    assert_eq!(
        report["structuredContent"]["steps"]
            .as_array()
            .unwrap()
            .len(),
        5
    );
    let runs = client.call("run_status", json!({}));
    assert_eq!(
        runs["structuredContent"]["runs"][0]["status"], "done",
        "{runs}"
    );
    client.leave();
}

#[test]
fn no_tool_gives_an_approval() {
    let environment = TestEnvironment::new();
    let config = fs::read_to_string(environment.project(".orchestrate/config.yaml")).unwrap();
    let config = format!("{config}approval: {{policy: merged}}\n");
    fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
    environment.commit("Ask for approval");
    let mut client = Client::new(&environment);
    let planned = client.call("plan", json!({"task": TASK, "pattern": "five-steps"}));
    let plan = &planned["structuredContent"];
    assert_eq!(plan["approval"], "merged");
    let refused = client.call(
        "execute_plan",
        json!({"plan": plan["plan"], "digest": plan["digest"]}),
    );
    assert_eq!(refused["isError"], true);
    assert!(text(&refused).contains("approv"), "{refused}");
    assert!(
        environment
            .git(&["branch", "--list", "orchestrate/*"])
            .is_empty()
    );
    client.leave();
}

#[test]
fn what_cannot_be_done_is_said_and_the_server_goes_on() {
    let environment = TestEnvironment::new();
    let mut client = Client::new(&environment);
    for (tool, arguments, said) in [
        ("show_plan", json!({"plan": "nothing"}), "there is no plan"),
        ("show_plan", json!({}), "missing field `plan`"),
        (
            "show_plan",
            json!({"plan": "x", "approve": true}),
            "unknown field `approve`",
        ),
        ("plan", json!({"task": "x [prefer: "}), "hint: "),
        ("run_report", json!({"run": "nothing"}), "there is no run"),
    ] {
        let refused = client.call(tool, arguments);
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(text(&refused).contains(said), "{said}: {refused}");
    }
    client.request("tools/call", json!({"name": "approve", "arguments": {}}));
    assert_eq!(client.hear()["error"]["code"], -32602);
    assert_eq!(text(&client.call("run_status", json!({}))), "no runs");
    client.leave();
}

#[test]
fn a_run_whose_client_leaves_stops_at_a_checkpoint() {
    let environment = TestEnvironment::new();
    let mut client = Client::new(&environment);
    let planned = client.call("plan", json!({"task": TASK, "pattern": "slow"}));
    let plan = &planned["structuredContent"];
    client.request(
        "tools/call",
        json!({"name": "execute_plan", "arguments": {"plan": plan["plan"], "digest": plan["digest"]}, "_meta": {"progressToken": 1}}),
    );
    while !client.hear()["params"]["message"]
        .as_str()
        .unwrap_or_default()
        .contains("Adding limits")
    {}
    client.leave();
    environment.wait_until_nothing_runs();
    let status = environment.orchestrate(&["status"]).exits(0);
    assert!(status.stdout.contains(" interrupted "), "{}", status.stdout);
    environment.go();
    environment.orchestrate(&["--resume", "test"]).exits(0);
}

/// Starts the server on a port of its own; it ends with what is returned.
fn over_http(environment: &TestEnvironment) -> (Running, String) {
    over_http_with(environment, "")
}

fn over_http_with(environment: &TestEnvironment, token: &str) -> (Running, String) {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let address = format!("127.0.0.1:{port}");
    let mut command = environment.orchestrate_command(&["mcp", "--http", &address]);
    let mut server = Running::new(command.env("ORCHESTRATE_MCP_TOKEN", token));
    server.wait_for("Listening on http://127.0.0.1:");
    (server, address)
}

/// Returns the status line of the answer to a first request with this further header.
fn first(address: &str, path: &str, header: &str) -> String {
    let body = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}}}).to_string();
    let mut stream = TcpStream::connect(address).unwrap();
    write!(stream, "POST {path} HTTP/1.1\r\n{header}\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let mut answer = [0; 64];
    let length = stream.read(&mut answer).unwrap();
    let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
    answer.lines().next().unwrap_or_default().to_string()
}

#[test]
fn http_is_for_programs_of_this_machine() {
    let environment = TestEnvironment::new();
    let refused = environment
        .orchestrate(&["mcp", "--http", "0.0.0.0:0"])
        .exits(2);
    assert!(
        refused.stderr.contains("can be reached from elsewhere"),
        "{}",
        refused.stderr
    );
    let (server, address) = over_http(&environment);
    let host = format!("Host: {address}");
    assert_eq!(first(&address, "/mcp", &host), "HTTP/1.1 200 OK");
    let own = format!("{host}\r\nOrigin: http://{address}");
    assert_eq!(first(&address, "/mcp", &own), "HTTP/1.1 200 OK");
    assert_eq!(first(&address, "/", &host), "HTTP/1.1 404 Not Found");
    for strange in [
        "Host: evil.example".to_string(),
        format!("{host}\r\nOrigin: http://evil.example"),
    ] {
        assert_eq!(
            first(&address, "/mcp", &strange),
            "HTTP/1.1 403 Forbidden",
            "{strange}"
        );
    }
    server.signal(rustix::process::Signal::TERM);
    server.end().exits(143);
}

#[test]
fn http_with_a_token_is_for_those_who_have_it() {
    let environment = TestEnvironment::new();
    let (_server, address) = over_http_with(&environment, "open-sesame");
    let status = |bearer: &str| {
        let header = format!("Host: {address}\r\nAuthorization: {bearer}");
        first(&address, "/mcp", &header)
    };
    assert_eq!(status("Bearer open-sesame"), "HTTP/1.1 200 OK");
    for wrong in [
        "",
        "Bearer",
        "Bearer open-sesam",
        "Bearer open-sesamy",
        "Basic open-sesame",
    ] {
        assert_eq!(status(wrong), "HTTP/1.1 401 Unauthorized", "{wrong}");
    }
}

fn tool(environment: &TestEnvironment, name: &str, arguments: &[&str]) -> Command {
    let tools = std::env::var("ORCHESTRATE_TEST_SERVERS").unwrap();
    let mut command = environment.command(Path::new(&tools).join(name));
    let path = format!(
        "{}:{tools}:/usr/local/bin:/usr/bin:/bin",
        environment.path("bin").display()
    );
    command.args(arguments).env("PATH", path);
    command
}

#[test]
#[ignore = "needs mcp-inspector"]
fn the_inspector_lists_and_calls_the_tools() {
    let environment = TestEnvironment::new();
    let inspect = |arguments: &[&str]| {
        let arguments = [&["--cli", "orchestrate", "mcp"], arguments].concat();
        Running::new(&mut tool(&environment, "mcp-inspector", &arguments))
            .end()
            .exits(0)
            .json()
    };
    let listed = inspect(&["--method", "tools/list"]);
    let names = listed["tools"]
        .as_array()
        .unwrap()
        .iter()
        .map(|tool| &tool["name"]);
    assert!(names.eq(TOOLS.iter()), "{listed}");
    let called = inspect(&[
        "--method",
        "tools/call",
        "--tool-name",
        "search_plugins",
        "--tool-arg",
        "request=cache",
        "--tool-arg",
        "limit=2",
    ]);
    assert_eq!(
        called["structuredContent"]["hits"]
            .as_array()
            .unwrap()
            .len(),
        2,
        "{called}"
    );
}

/// The scenarios that apply to a server of tools.
const APPLY: [&str; 5] = [
    "server-initialize",
    "ping",
    "tools-list",
    "server-sse-multiple-streams",
    "dns-rebinding-protection",
];

/// The others, with the reason.
const APPLY_NOT: [(&str, &[&str]); 5] = [
    (
        "they call tools of the suite's own, by fixed names, which a server of one purpose has no reason to have",
        &[
            "tools-call-simple-text",
            "tools-call-image",
            "tools-call-audio",
            "tools-call-embedded-resource",
            "tools-call-mixed-content",
            "tools-call-with-logging",
            "tools-call-error",
            "tools-call-with-progress",
            "tools-call-sampling",
            "tools-call-elicitation",
            "json-schema-2020-12",
            "elicitation-sep1034-defaults",
            "elicitation-sep1330-enums",
            "server-sse-polling",
        ],
    ),
    (
        "the server has no resources, and says so",
        &[
            "resources-list",
            "resources-read-text",
            "resources-read-binary",
            "resources-templates-read",
            "resources-subscribe",
            "resources-unsubscribe",
        ],
    ),
    (
        "the server has no prompts, and says so",
        &[
            "prompts-list",
            "prompts-get-simple",
            "prompts-get-with-args",
            "prompts-get-embedded-resource",
            "prompts-get-with-image",
        ],
    ),
    (
        "the protocol gives logging up; what happens is told as progress",
        &["logging-set-level"],
    ),
    (
        "there is nothing to complete without prompts and resources",
        &["completion-complete"],
    ),
];

#[test]
#[ignore = "needs conformance"]
fn the_protocol_s_own_suite_passes() {
    let environment = TestEnvironment::new();
    let conformance =
        |arguments: &[&str]| Running::new(&mut tool(&environment, "conformance", arguments)).end();
    let listed = conformance(&["list", "--server"]).exits(0);
    let names = listed.stdout.lines().filter_map(|line| {
        let name = line.trim().strip_prefix("- ")?;
        name.split(' ').next()
    });
    let not = APPLY_NOT.iter().flat_map(|(_, names)| names.iter());
    let known: BTreeSet<&str> = APPLY.iter().chain(not).copied().collect();
    assert_eq!(names.collect::<BTreeSet<_>>(), known);

    let (server, address) = over_http(&environment);
    let url = format!("http://{address}/mcp");
    for scenario in APPLY {
        let ran = conformance(&["server", "--url", &url, "--scenario", scenario]);
        assert_eq!(ran.code, 0, "{scenario}: {}\n{}", ran.stdout, ran.stderr);
    }
    server.signal(rustix::process::Signal::INT);
    server.end().exits(130);
}
