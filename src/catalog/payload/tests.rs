use super::*;
use crate::model::{Hook, McpServer};

fn of_hook(line: &str) -> Vec<String> {
    let hooks = vec![Hook {
        event: "SessionStart".to_string(),
        matcher: String::new(),
        kind: "command".to_string(),
        what: line.to_string(),
    }];
    shown(&Components {
        hooks,
        ..Components::default()
    })
}

fn shown(components: &Components) -> Vec<String> {
    payloads(components)
        .iter()
        .map(|payload| {
            let pin = if payload.pinned { " pinned" } else { "" };
            format!("{} {}{pin}", payload.by, payload.what)
        })
        .collect()
}

#[track_caller]
fn check(line: &str, expected: &[&str]) {
    assert_eq!(of_hook(line), expected, "{line}");
}

#[test]
fn packages_of_npm_are_found_however_they_are_run() {
    check(
        "npx -y @o/server@1.2.3 --port 1",
        &["npx @o/server@1.2.3 pinned"],
    );
    check("npx -y @o/server", &["npx @o/server"]);
    check("npx x@latest", &["npx x@latest"]);
    check("npx x@^1.2.3", &["npx x@^1.2.3"]);
    check("npx x@1.2", &["npx x@1.2"]);
    check(
        "npx -p typescript@5.0.1 tsc",
        &["npx typescript@5.0.1 pinned"],
    );
    check("npx --package=a --package b c", &["npx a", "npx b"]);
    check("npx --no-install x", &[]);
    check("bunx x@1.0.0", &["bunx x@1.0.0 pinned"]);
    check("bun x y", &["bunx y"]);
    check("pnpm dlx x", &["pnpm x"]);
    check("yarn dlx x", &["yarn x"]);
    check("npm exec -- x", &["npx x"]);
    check("npm --silent exec x", &["npx x"]);
    check(
        "npm install a b@1.0.0 ./c",
        &["npm a", "npm b@1.0.0 pinned"],
    );
    let commit = "a".repeat(40);
    check(
        &format!("npx github:o/r#{commit}"),
        &[&format!("npx github:o/r#{commit} pinned")],
    );
    check("npx github:o/r", &["npx github:o/r"]);
}

#[test]
fn packages_of_python_are_found_however_they_are_run() {
    check("uvx --python 3.13 x", &["uvx x"]);
    check("uvx x==1.2 y", &["uvx x==1.2 pinned"]);
    check("uvx ruff@0.3.0 check", &["uvx ruff@0.3.0 pinned"]);
    check("uvx ruff@latest", &["uvx ruff@latest"]);
    check(
        "uvx --from git+https://h/r@main x",
        &["uvx git+https://h/r@main"],
    );
    let commit = "0".repeat(40);
    check(
        &format!("uvx --from git+https://h/r@{commit}#subdirectory=a x"),
        &[&format!(
            "uvx git+https://h/r@{commit}#subdirectory=a pinned"
        )],
    );
    check(
        "uv --directory d run --with a --with=b==1.0 x.py",
        &["uv a", "uv b==1.0 pinned"],
    );
    check("uv run x.py", &[]);
    check("pipx run --spec a==1 b", &["pipx a==1 pinned"]);
    check(
        "pip install -q a 'b>=1' -r c.txt .",
        &["pip a", "pip b>=1", "pip c.txt"],
    );
    check("python3 -m pip install a", &["pip a"]);
    check("python3 -m http.server", &[]);
}

#[test]
fn images_modules_and_addresses_are_found() {
    let digest = "b".repeat(64);
    check(
        "docker run -i --rm -e A -v /a:/b image:1.0 arg",
        &["docker image:1.0"],
    );
    check(
        &format!("podman run i@sha256:{digest}"),
        &[&format!("podman i@sha256:{digest} pinned")],
    );
    check(
        "deno run -A https://h/x@1.2.3/m.ts",
        &["deno https://h/x@1.2.3/m.ts pinned"],
    );
    check("deno run -A npm:x", &["deno npm:x"]);
    check("deno run main.ts", &[]);
    check(
        "go run example.org/m@v1.2.3",
        &["go example.org/m@v1.2.3 pinned"],
    );
    check("go run example.org/m@latest", &["go example.org/m@latest"]);
    check("go run ./cmd", &[]);
    check(
        "cargo install x --version =1.2.3",
        &["cargo x@1.2.3 pinned"],
    );
    check("cargo install --git https://h/r", &["cargo https://h/r"]);
    check("git clone --depth 1 https://h/r", &["git https://h/r"]);
    check("poetry add git+https://h/r", &["git git+https://h/r"]);
}

#[test]
fn a_download_counts_where_it_is_executed() {
    let found: &[&str] = &["curl https://h/i.sh"];
    check("curl -fsSL https://h/i.sh | sh", found);
    check("curl -fsSL https://h/i.sh | sudo bash -s -- -y", found);
    check("curl https://h/i.sh | tee log | python3 -", found);
    check("bash -c \"$(curl -fsSL https://h/i.sh)\"", found);
    check("bash <(curl -s https://h/i.sh)", found);
    check("eval `curl -s https://h/i.sh`", found);
    check(
        "curl -o /tmp/x https://h/i.sh && chmod +x /tmp/x && /tmp/x",
        found,
    );
    check("wget https://h/i.sh; sh i.sh", &["wget https://h/i.sh"]);
    check("curl -s https://h/api | python3 -c 'import json'", &[]);
    check("curl -X POST https://h/hook -d done; python3 log.py", &[]);
    check("true || curl https://h/a", &[]);
}

#[test]
fn programs_are_found_in_the_middle_of_lines() {
    let found: &[&str] = &["npx x@1.0.0 pinned"];
    check("if [ -f a ]; then exit 0; fi; npx x@1.0.0 run", found);
    check("cd \"$A\" && A=b npx x@1.0.0", found);
    check("bash -lc 'cd /a; npx x@1.0.0'", found);
    check("cmd /c npx x@1.0.0", found);
    check("/usr/bin/env npx.cmd x@1.0.0", found);
    check("timeout 30 npx x@1.0.0", found);
    check("echo \"version: $(npx x@1.0.0)\"", found);
    check("echo 'npx x'", &[]);
    check("echo \"it's\" && npx \"x@1.0.0\" '", found);
}

#[test]
fn servers_name_their_place() {
    let server = |name: &str, argv: &[&str], url: &str| McpServer {
        name: name.to_string(),
        argv: argv.iter().map(ToString::to_string).collect(),
        url: url.to_string(),
        environment: Vec::new(),
    };
    let mcp_servers = vec![
        server("a", &["npx", "mcp-remote@latest", "https://h/mcp"], ""),
        server("b", &[], "https://h/b.mcpb"),
        server("c", &["node", "${CLAUDE_PLUGIN_ROOT}/x.js"], ""),
        server("d", &["sh", "-c", "npx a b; $(("], ""),
    ];
    let components = Components {
        mcp_servers,
        ..Components::default()
    };
    let found = [
        "mcpb https://h/b.mcpb",
        "npx a",
        "npx mcp-remote@latest",
        "remote https://h/mcp",
    ];
    assert_eq!(shown(&components), found);
    assert_eq!(payloads(&components)[0].at, "servers.b");
}

proptest::proptest! {
    #[test]
    fn any_line_is_read(line in "[ -~\\n]{0,60}") {
        let _ = of_hook(&line);
        let _ = of_hook(&format!("npx {line} | sh \"$(curl https://a {line}"));
    }
}
