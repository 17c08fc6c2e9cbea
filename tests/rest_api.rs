//! The README's task from its sentence to a server that answers, with the plugins of the binary.
//!
//! Environments are built from a package index, so these tests run with `cargo test -- --ignored`. The variable
//! `ORCHESTRATE_TEST_CACHE` names a folder that keeps the environments for the next test.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use support::process::{Ran, Running};
use support::{TestEnvironment, wait_until};

const TASK: &str = "Build a REST API with JWT authentication and Redis caching";

/// How long a run may take whose environments have to be built first.
const PATIENCE: Duration = Duration::from_secs(15 * 60);

/// Returns a command that finds what this machine has: Python, its package index, Redis.
fn command(environment: &TestEnvironment, program: impl AsRef<OsStr>) -> Command {
    let mut command = environment.command(program);
    let hidden = |name: &OsStr| {
        let name = name.to_string_lossy();
        ["GIT_", "XDG_", "ORCHESTRATE_"]
            .iter()
            .any(|ours| name.starts_with(ours))
            || ["REDIS_URL", "TMPDIR", "VIRTUAL_ENV"].contains(&name.as_ref())
    };
    command.envs(std::env::vars_os().filter(|(name, _)| !hidden(name)));
    command.env_remove("ORCHESTRATE_NOW");
    if let Some(cache) = std::env::var_os("ORCHESTRATE_TEST_CACHE") {
        command.env("XDG_CACHE_HOME", cache);
    }
    command
}

fn end(command: &mut Command) -> Ran {
    Running::new(command).with_patience(PATIENCE).end()
}

/// Runs orchestrate in the folder `demo`, which it makes.
fn orchestrate(environment: &TestEnvironment, arguments: &[&str], redis: Option<&Redis>) -> Ran {
    let mut command = command(environment, env!("CARGO_BIN_EXE_orchestrate"));
    command.args(["--json", "-C", "../demo"]).args(arguments);
    end(command.envs(redis.map(|redis| ("REDIS_URL", redis.url()))))
}

#[test]
#[ignore = "needs python3, a package index and redis-server"]
fn the_task_of_the_readme_ends_in_a_server_that_answers() {
    let environment = TestEnvironment::new();
    let document = orchestrate(&environment, &[TASK], None).exits(0).json();
    assert_eq!(document["status"], "done", "{document}");
    check_report(&environment, &document, 24);
    check_history(&environment, 5);
    let python = check_own_tests(&environment);
    check_server(&environment, &python);
}

/// Makes sure that the report counts tests, and that none of them ran against a stand-in.
#[track_caller]
fn check_report(environment: &TestEnvironment, document: &Value, tests_min: u32) {
    let path = environment
        .path("demo")
        .join(document["report"].as_str().unwrap());
    let report = std::fs::read_to_string(path).unwrap();
    let counts = report
        .lines()
        .find_map(|line| line.strip_prefix("- Tests passed: "));
    let (passed, total) = counts.unwrap().split_once('/').unwrap();
    assert_eq!(passed, total, "{report}");
    assert!(passed.parse::<u32>().unwrap() >= tests_min, "{report}");
    assert!(!report.contains("stand-in"), "{report}");
    for heading in [
        "Workflow Executed",
        "Results",
        "Issues Encountered",
        "Recommendation",
    ] {
        assert!(report.contains(&format!("## {heading}")), "{report}");
    }
}

/// Makes sure that there is one commit for the orchestration, and behind it one for each phase and step.
#[track_caller]
fn check_history(environment: &TestEnvironment, steps: usize) {
    let git = |arguments: &[&str]| environment.git_in("demo", arguments);
    git(&["fsck", "--strict"]);
    assert_eq!(
        git(&["rev-list", "--count", "--first-parent", "main"]),
        "2\n"
    );
    assert_eq!(git(&["status", "--porcelain"]), "");
    let subjects = git(&["log", "--format=%s", "main"]);
    for (start, number) in [
        ("research: ", 1),
        ("plan: ", 1),
        ("step ", steps),
        ("report: ", 1),
        ("learn: ", 1),
    ] {
        let found = subjects
            .lines()
            .filter(|line| line.starts_with(start))
            .count();
        assert_eq!(found, number, "`{start}` in\n{subjects}");
    }
    let secret = [
        "grep",
        "--extended-regexp",
        "JWT_SECRET *[:=] *[\"']?[A-Za-z0-9]",
        "main",
    ];
    assert_eq!(search(environment, &secret), "");
}

/// Returns what `git grep` finds in the project.
fn search(environment: &TestEnvironment, arguments: &[&str]) -> String {
    let mut grep = environment.command("git");
    let ran = end(grep.args(arguments).current_dir(environment.path("demo")));
    assert!(ran.code <= 1, "{}", ran.stderr);
    ran.stdout
}

/// Runs the project's own tests by hand, as its README says; returns the Python that has what the project needs.
fn check_own_tests(environment: &TestEnvironment) -> PathBuf {
    let demo = environment.path("demo");
    let python = environment.path("venv/bin/python");
    let run = |program: &OsStr, arguments: &[&str]| {
        end(command(environment, program)
            .args(arguments)
            .current_dir(&demo))
        .exits(0)
    };
    run(OsStr::new("python3"), &["-m", "venv", "../venv"]);
    run(
        python.as_os_str(),
        &["-m", "pip", "install", "--quiet", "--editable", ".[dev]"],
    );
    let tests = run(
        python.as_os_str(),
        &["-m", "pytest", "-q", "-p", "no:cacheprovider"],
    );
    let last = tests
        .stdout
        .trim()
        .lines()
        .last()
        .unwrap_or_default()
        .to_owned();
    let passed = last
        .split(" passed")
        .next()
        .and_then(|words| words.rsplit(' ').next());
    assert!(passed.unwrap().parse::<u32>().unwrap() >= 24, "{last}");
    python
}

/// Starts the server beside a real Redis, and uses it as a client would.
fn check_server(environment: &TestEnvironment, python: &PathBuf) {
    let redis = Redis::start(environment, free_port());
    let port = free_port();
    let mut uvicorn = command(environment, python);
    uvicorn
        .args([
            "-m",
            "uvicorn",
            "app.main:create_app",
            "--factory",
            "--host",
            "127.0.0.1",
            "--port",
            &port.to_string(),
        ])
        .env("REDIS_URL", redis.url())
        .env("JWT_SECRET", "a secret of this test, and of nothing else")
        .env(
            "DATABASE_URL",
            format!(
                "sqlite+aiosqlite:///{}",
                environment.path("app.db").display()
            ),
        )
        .current_dir(environment.path("tmp"));
    let _server = Running::new(&mut uvicorn);
    let api = Api { port };
    wait_until("the server answers", || {
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
    });
    assert_eq!(api.get("/health", None).status, 200);
    assert!(api.get("/docs", None).body.contains("swagger"));

    let account = json!({"email": "ada@example.com", "password": "correct horse battery staple"});
    assert_eq!(api.post("/auth/register", None, &account).status, 201);
    assert_eq!(api.post("/auth/register", None, &account).status, 409);
    let login = api.post("/auth/login", None, &account);
    assert_eq!(login.status, 200, "{}", login.body);
    let token = login.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(
        api.get("/auth/me", Some(&token)).json()["email"],
        "ada@example.com"
    );
    assert_eq!(api.get("/auth/me", None).status, 401);
    assert_eq!(api.get("/auth/me", Some("none")).status, 401);

    let item = json!({"name": "Desk lamp"});
    assert_eq!(api.post("/items", None, &item).status, 401);
    assert_eq!(api.post("/items", Some(&token), &item).status, 201);
    let cached = || api.get("/items/1", Some(&token)).headers["x-cache"].clone();
    assert_eq!((cached(), cached()), ("miss".to_owned(), "hit".to_owned()));
    assert_eq!(api.post("/items", Some(&token), &item).status, 201);
    assert_eq!(cached(), "miss");

    let limited = (0..2000)
        .map(|_| api.get("/items", Some(&token)))
        .find(|answer| answer.status != 200)
        .unwrap();
    assert_eq!(limited.status, 429);
    assert!(limited.headers.contains_key("retry-after"));
}

#[test]
#[ignore = "needs python3 and a package index"]
fn without_redis_the_project_has_no_redis() {
    let environment = TestEnvironment::new();
    let task = format!("{TASK} [avoid: redis]");
    let document = orchestrate(&environment, &[&task], None).exits(0).json();
    assert_eq!(document["status"], "done", "{document}");
    check_report(&environment, &document, 24);
    check_history(&environment, document["steps"].as_array().unwrap().len());
    let named = [
        "grep",
        "--ignore-case",
        "redis",
        "main",
        "--",
        ":!.orchestrate",
    ];
    assert_eq!(search(&environment, &named), "");
}

#[test]
#[ignore = "needs python3, a package index and redis-server"]
fn oauth2_takes_the_place_of_jwt() {
    let environment = TestEnvironment::new();
    let task = "Build a REST API with authentication and Redis caching [prefer: oauth2]";
    let document = orchestrate(&environment, &[task], None).exits(0).json();
    let plugins: Vec<&str> = document["steps"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|step| step["plugin"].as_str())
        .collect();
    assert!(
        plugins.contains(&"oauth2-integration@builtin"),
        "{plugins:?}"
    );
    assert!(!plugins.contains(&"jwt-auth-plugin@builtin"), "{plugins:?}");
    check_report(&environment, &document, 24);
    check_history(&environment, 5);
}

#[test]
#[ignore = "needs python3, a package index and redis-server"]
fn a_redis_that_does_not_answer_pauses_the_run_until_it_does() {
    let environment = TestEnvironment::new();
    let absent = Redis {
        port: free_port(),
        _server: None,
    };
    let document = orchestrate(&environment, &[TASK], Some(&absent))
        .exits(3)
        .json();
    assert_eq!(document["status"], "paused", "{document}");
    assert_eq!(document["steps"][1]["status"], "done", "{document}");
    assert!(
        document["actions"].to_string().contains("redis-server"),
        "{document}"
    );
    let redis = Redis::start(&environment, absent.port);
    let run = document["run"].as_str().unwrap();
    let document = orchestrate(&environment, &["--resume", run], Some(&redis))
        .exits(0)
        .json();
    check_report(&environment, &document, 24);
}

/// A Redis of this test's own, or the place where one could be.
struct Redis {
    port: u16,
    _server: Option<Running>,
}

impl Redis {
    fn start(environment: &TestEnvironment, port: u16) -> Redis {
        let mut server = command(environment, "redis-server");
        let port_text = port.to_string();
        server.args([
            "--port",
            &port_text,
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        let server = Running::new(server.current_dir(environment.path("tmp")));
        wait_until("Redis answers", || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok()
        });
        Redis {
            port,
            _server: Some(server),
        }
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}/0", self.port)
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// A client of the server, with as much of HTTP as is needed.
struct Api {
    port: u16,
}

struct Answer {
    status: u16,
    /// By their names in small letters.
    headers: BTreeMap<String, String>,
    body: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }
}

impl Api {
    fn get(&self, path: &str, token: Option<&str>) -> Answer {
        self.ask("GET", path, token, "")
    }

    fn post(&self, path: &str, token: Option<&str>, body: &Value) -> Answer {
        self.ask("POST", path, token, &body.to_string())
    }

    fn ask(&self, method: &str, path: &str, token: Option<&str>, body: &str) -> Answer {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).unwrap();
        stream.set_read_timeout(Some(support::PATIENCE)).unwrap();
        let token = token
            .map(|token| format!("Authorization: Bearer {token}\r\n"))
            .unwrap_or_default();
        let length = body.len();
        write!(
            stream,
            "{method} {path} HTTP/1.0\r\nHost: localhost\r\n{token}Content-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        let header = |line: &str| {
            let (name, value) = line.split_once(": ")?;
            Some((name.to_lowercase(), value.to_owned()))
        };
        Answer {
            status: head.split(' ').nth(1).unwrap().parse().unwrap(),
            headers: head.lines().filter_map(header).collect(),
            body: body.to_owned(),
        }
    }
}
