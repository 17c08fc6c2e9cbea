//! What agents' own words are taken for, and what they are told.

use std::path::Path;

use serde_json::{Map, json};

use super::*;
use crate::model::{FailureKind, Uses};
use crate::sandbox::Ending;

/// Has the agent say these lines, and returns what was heard.
fn hear(name: &str, lines: &[&str]) -> Heard {
    let agent = find(name).unwrap();
    let mut heard = Heard::default();
    for line in lines {
        (agent.hear)(&serde_json::from_str(line).unwrap(), &mut heard);
    }
    heard
}

fn hindsight(ending: &Ending, status: Option<u16>) -> Hindsight<'_> {
    Hindsight {
        ending,
        wanted: None,
        status,
        retry_after: None,
        unreachable: None,
        log: "",
    }
}

/// Judges an agent that says these lines and ends with this status of its own, and the last one of its model.
#[track_caller]
fn check(
    name: &str,
    lines: &[&str],
    status: i32,
    of_model: Option<u16>,
    expected: Option<(FailureKind, &str)>,
) {
    let ending = Ending::Exited(status);
    let found = judge(&hear(name, lines), &hindsight(&ending, of_model));
    match (found, expected) {
        (None, None) => {}
        (Some(found), Some((kind, words))) => {
            assert_eq!(found.kind, kind, "{found:?}");
            assert!(found.message.contains(words), "{found:?}");
        }
        (found, expected) => panic!("{name}: {found:?} instead of {expected:?}"),
    }
}

const CLAUDE_INIT: &str = r#"{"type":"system","subtype":"init","session_id":"s1","model":"m","claude_code_version":"2.1.330","slash_commands":["demo:greet"],"skills":["demo:stamp"],"agents":["demo:looker"],"mcp_servers":[{"name":"every","status":"connected"}]}"#;

#[test]
fn claude_is_judged_by_everything_it_says() {
    use FailureKind::*;
    let done = r#"{"type":"result","subtype":"success","is_error":false,"result":"Done.","num_turns":2,"total_cost_usd":0.1,"permission_denials":[]}"#;
    check("claude", &[CLAUDE_INIT, done], 0, None, None);
    check(
        "claude",
        &[CLAUDE_INIT, done],
        1,
        None,
        Some((Agent, "exited with status 1")),
    );
    check(
        "claude",
        &[CLAUDE_INIT],
        0,
        None,
        Some((Agent, "reported no end")),
    );
    check("claude", &[], 0, None, Some((Agent, "reported no end")));
    let busy = r#"{"type":"result","subtype":"success","is_error":true,"terminal_reason":"api_error","api_error_status":529,"result":"API Error: 529"}"#;
    check(
        "claude",
        &[CLAUDE_INIT, busy],
        1,
        None,
        Some((Model, "529")),
    );
    let refused = r#"{"type":"result","subtype":"success","is_error":true,"api_error_status":401,"result":"Invalid key"}"#;
    check(
        "claude",
        &[CLAUDE_INIT, refused],
        1,
        None,
        Some((Refused, "the model answered 401: Invalid key")),
    );
    let turns = r#"{"type":"result","subtype":"error_max_turns","is_error":true,"terminal_reason":"max_turns","errors":["Reached maximum number of turns (2)"]}"#;
    check(
        "claude",
        &[CLAUDE_INIT, turns],
        1,
        None,
        Some((Budget, "maximum number of turns")),
    );
    let denied = r#"{"type":"result","subtype":"success","is_error":false,"result":"","permission_denials":[{"tool_name":"Bash"}]}"#;
    check(
        "claude",
        &[CLAUDE_INIT, denied],
        0,
        None,
        Some((Refused, "`Bash`")),
    );
    // Of several ends the last counts.
    check(
        "claude",
        &[CLAUDE_INIT, done, CLAUDE_INIT, busy],
        1,
        None,
        Some((Model, "529")),
    );
    let dead = CLAUDE_INIT.replace("connected", "failed");
    check(
        "claude",
        &[&dead, done],
        0,
        None,
        Some((Refused, "the server `every` did not start")),
    );
    let broken = CLAUDE_INIT.replace(
        "\"session_id\"",
        "\"plugin_errors\":[{\"message\":\"bad hooks\"}],\"session_id\"",
    );
    check(
        "claude",
        &[&broken, done],
        0,
        None,
        Some((Refused, "bad hooks")),
    );
}

#[test]
fn a_component_that_was_not_loaded_is_missed() {
    let heard = hear("claude", &[CLAUDE_INIT]);
    for name in ["demo:greet", "demo:stamp", "demo:looker"] {
        assert!(!heard.is_hopeless(Some(name)), "{name}");
    }
    assert!(heard.is_hopeless(Some("demo:other")));
    assert!(
        !Heard::default().is_hopeless(Some("demo:other")),
        "nothing is known yet"
    );
}

#[test]
fn what_a_session_used_is_counted_once_when_it_goes_on() {
    let end = |input: u64, usd: f64| {
        json!({
            "type": "result", "subtype": "success", "is_error": false, "result": "", "num_turns": 1, "total_cost_usd": usd,
            "modelUsage": {"m": {"inputTokens": input, "outputTokens": 10, "cacheReadInputTokens": 5, "cacheCreationInputTokens": 0}},
        })
        .to_string()
    };
    let first = hear("claude", &[CLAUDE_INIT, &end(100, 0.25)]);
    assert_eq!(
        (
            first.used.input_tokens,
            first.used.cached_tokens,
            first.used.cost_usd
        ),
        (100, 5, 0.25)
    );
    let mut again = Heard::after(&first);
    let agent = find("claude").unwrap();
    (agent.hear)(&serde_json::from_str(&end(150, 0.375)).unwrap(), &mut again);
    assert_eq!(
        (
            again.used.input_tokens,
            again.used.cached_tokens,
            again.used.cost_usd
        ),
        (50, 0, 0.125)
    );
}

#[test]
fn the_others_are_judged_by_their_own_words_and_by_what_their_model_answered() {
    use FailureKind::*;
    let turn = r#"{"type":"turn.completed","usage":{"input_tokens":10,"cached_input_tokens":4,"output_tokens":2}}"#;
    check("codex", &[turn], 0, None, None);
    let failed =
        r#"{"type":"turn.failed","error":{"message":"unexpected status 401 Unauthorized"}}"#;
    check("codex", &[failed], 1, None, Some((Refused, "401")));
    check(
        "codex",
        &[r#"{"type":"error","message":"Reconnecting... 1/1"}"#, turn],
        0,
        None,
        None,
    );
    check(
        "codex",
        &[r#"{"type":"error","message":"Reconnecting... 1/1"}"#],
        1,
        Some(503),
        Some((Model, "503")),
    );

    let said = r#"{"type":"text","sessionID":"s","part":{"text":"Done."}}"#;
    check("opencode", &[said], 0, None, None);
    let error = r#"{"type":"error","sessionID":"s","error":{"name":"APIError","data":{"message":"no","statusCode":429}}}"#;
    check("opencode", &[said, error], 0, None, Some((Model, "429")));
    let denied = r#"{"type":"tool_use","part":{"tool":"bash","state":{"status":"error","input":{"command":"ls"},"error":"The user rejected permission to use this tool"}}}"#;
    check(
        "opencode",
        &[denied, said],
        0,
        None,
        Some((Refused, "`bash`")),
    );

    check(
        "gemini",
        &[r#"{"type":"result","status":"success","stats":{"input_tokens":9,"output_tokens":1}}"#],
        0,
        None,
        None,
    );
    let error =
        r#"{"type":"result","status":"error","error":{"type":"x","message":"[API Error: 400]"}}"#;
    check("gemini", &[error], 144, None, Some((Refused, "400")));
    check(
        "gemini",
        &[],
        41,
        None,
        Some((Agent, "exited with status 41")),
    );

    let refused = r#"{"type":"result","subtype":"error_during_execution","is_error":true,"error":{"message":"401 no"}}"#;
    check("qwen", &[refused], 1, Some(401), Some((Refused, "401 no")));
    check(
        "copilot",
        &[r#"{"type":"result","sessionId":"s","exitCode":0}"#],
        0,
        None,
        None,
    );
    let error = r#"{"type":"session.error","data":{"message":"over","statusCode":500}}"#;
    check(
        "copilot",
        &[error, r#"{"type":"result","sessionId":"s","exitCode":1}"#],
        1,
        None,
        Some((Model, "500")),
    );
}

#[test]
fn a_model_that_was_not_reached_is_no_fault_of_the_agent() {
    let ending = Ending::Exited(1);
    let hindsight = Hindsight {
        unreachable: Some("connection refused"),
        ..hindsight(&ending, None)
    };
    let found = judge(
        &hear(
            "codex",
            &[r#"{"type":"turn.failed","error":{"message":"stream closed"}}"#],
        ),
        &hindsight,
    );
    let found = found.unwrap();
    assert_eq!(found.kind, FailureKind::Model);
    assert!(found.message.contains("connection refused"), "{found:?}");
}

fn task(agent: &str) -> AgentTask {
    let json = json!({"agent": agent, "prompt": "--help me", "uses": {"skill": "stamp"}, "tools": ["Bash"]});
    serde_json::from_value(json).unwrap()
}

#[test]
fn no_agent_is_given_the_key_or_takes_an_order_for_an_option() {
    for agent in AGENTS {
        let task = task(agent.name);
        let order = Order::in_full(&task, None, "Rules.".to_string(), &Map::new());
        let invocation = (agent.invoke)(&Call {
            program: Path::new("/bin/agent"),
            task: &task,
            order: &order,
            home: Path::new("/scratch/agent"),
            plugin: Path::new("/plugin"),
            address: "http://127.0.0.1:1",
            variable: agent.logins[0].variable,
            pass: "the-pass",
            session: Some("s1"),
            budget: Budget::default(),
        });
        let argv = &invocation.argv;
        let place = argv
            .iter()
            .position(|word| word.contains("--help me"))
            .unwrap();
        let shielded =
            argv[place].starts_with("--prompt=") || argv[..place].contains(&"--".to_string());
        assert!(shielded, "{argv:?}");
        assert!(argv.contains(&"s1".to_string()), "{argv:?}");
        let told: Vec<&String> = invocation
            .environment
            .values()
            .chain(invocation.files.iter().map(|(_, text)| text))
            .collect();
        assert!(
            told.iter().any(|text| text.contains("the-pass")),
            "{}",
            agent.name
        );
        assert!(
            told.iter().any(|text| text.contains("http://127.0.0.1:1")),
            "{}",
            agent.name
        );
        let outside = |path: &PathBuf| !path.starts_with("/scratch/agent");
        assert!(
            !invocation.files.iter().any(|(path, _)| outside(path)),
            "{}",
            agent.name
        );
    }
}

#[test]
fn an_order_names_the_component_or_holds_it() {
    let inputs = json!({"name": "Ada", "none": null})
        .as_object()
        .unwrap()
        .clone();
    let order = Order::by_name(&task("claude"), "demo", "Rules.".to_string(), &inputs);
    assert_eq!(order.work, "/demo:stamp --help me\n\nInputs:\n- name: Ada");
    assert_eq!(
        order.component,
        Some((Uses::Skill("stamp".to_string()), "demo:stamp".to_string()))
    );
    assert_eq!(brief(&"é".repeat(200)).chars().count(), 161);
    assert_eq!(
        tool("Bash", &json!({"command": "ls -l\nrm"})),
        "→ Bash ls -l"
    );
}
