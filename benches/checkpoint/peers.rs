//! The peers that keep a workflow's steps in SQLite: a chain of steps that do nothing, each of them durable when it is done.

use std::path::Path;
use std::process::Command;

/// A chain of a thousand nodes, each a checkpoint in SQLite before the next one begins.
const LANGGRAPH: &str = r#"
import sqlite3, time, operator, tempfile, os
from typing import TypedDict
from langgraph.graph import StateGraph, START, END
from langgraph.checkpoint.sqlite import SqliteSaver
class S(TypedDict):
    i: int
saver = SqliteSaver(sqlite3.connect(os.path.join(tempfile.mkdtemp(), "db"), check_same_thread=False)); saver.setup()
n = 1000
g = StateGraph(S); g.add_node("step", lambda s: {"i": s["i"] + 1}); g.add_edge(START, "step")
g.add_conditional_edges("step", lambda s: END if s["i"] >= n else "step")
app = g.compile(checkpointer=saver)
t = time.perf_counter()
app.invoke({"i": 0}, {"configurable": {"thread_id": "t"}, "recursion_limit": n + 50}, durability="sync")
print((time.perf_counter() - t) / n * 1e3)
"#;

const DBOS: &str = r#"
import time, tempfile, os
from dbos import DBOS
DBOS(config={"name": "bench", "system_database_url": "sqlite:///" + os.path.join(tempfile.mkdtemp(), "db"), "run_admin_server": False, "log_level": "ERROR", "executor_id": "local", "application_version": "1"})
@DBOS.step()
def step(i): return i
@DBOS.workflow()
def chain(k):
    for i in range(k): step(i)
    return k
DBOS.launch()
n = 1000
t = time.perf_counter(); chain(n)
print((time.perf_counter() - t) / n * 1e3)
DBOS.destroy()
"#;

/// Returns each peer with the most that we may take of what it takes, and what it takes for a step in milliseconds.
pub fn measure() -> Vec<(&'static str, f64, f64)> {
    let folder = tempfile::tempdir().unwrap();
    let venv = folder.path().join("venv");
    succeed(Command::new("python3").arg("-m").arg("venv").arg(&venv));
    let packages = ["langgraph", "langgraph-checkpoint-sqlite", "dbos"];
    succeed(
        Command::new(venv.join("bin/pip"))
            .args(["install", "--quiet"])
            .args(packages),
    );
    let python = venv.join("bin/python");
    vec![
        (
            "LangGraph, SqliteSaver in sync mode",
            1.0,
            median(&python, LANGGRAPH),
        ),
        ("DBOS on SQLite", 0.6, median(&python, DBOS)),
    ]
}

fn median(python: &Path, script: &str) -> f64 {
    let mut times: Vec<f64> = (0..3)
        .map(|_| {
            let output = succeed(Command::new(python).args(["-c", script]));
            let last = output.lines().last().unwrap_or_default().to_owned();
            last.parse().unwrap_or_else(|_| panic!("{output}"))
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times[1]
}

fn succeed(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}
