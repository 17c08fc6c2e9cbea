//! A mistake that people really make: a form route without `python-multipart`. FastAPI refuses it when the module is imported; the
//! declared remedy puts the dependency into the project, the environment is built anew, and the retry succeeds.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::fs;

use support::process::Ran;
use support::{TestEnvironment, copy, tests};

const FORM: [&str; 4] = ["--json", "--pattern-id", "form-api", "Build a REST API"];

#[test]
#[ignore = "needs python3 and a package index"]
fn a_missing_dependency_is_installed_and_the_retry_succeeds() {
    let environment = TestEnvironment::new();
    use_the_python_fixtures(&environment);
    let ran = run_with_python(&environment, &FORM).exits(0);
    let report = ran.json();
    assert_eq!(report["status"], "done", "{}", ran.stderr);
    assert_eq!(report["steps"][0]["attempts"], 2);
    for said in [
        "✗ Failed: `python -c",
        "Form data requires \"python-multipart\" to be installed.",
        "⚠️ Missing dependency: python-multipart",
        "Status: Retrying plugin...",
        "✓ Retry successful",
    ] {
        assert!(ran.stderr.contains(said), "{said} in {}", ran.stderr);
    }
    let manifest = environment.git(&["show", "HEAD:pyproject.toml"]);
    assert!(
        manifest.contains("\"python-multipart~=0.0.20\""),
        "{manifest}"
    );
    let page = environment.git(&[
        "show",
        &format!("HEAD:{}", report["report"].as_str().unwrap()),
    ]);
    let fixed = "Missing dependency: python-multipart (auto-fixed by `install-python-multipart`)";
    assert!(page.contains(fixed), "{page}");
    let learned = environment
        .orchestrate(&["--json", "learn", "test"])
        .exits(0);
    assert_eq!(
        learned.json()["evidence"]["issues"][0]["mended_by"],
        "remedy"
    );
}

/// Adds the marketplace of Python fixtures to the project, with a pattern for its plugin.
fn use_the_python_fixtures(environment: &TestEnvironment) {
    copy(&tests("fixtures/python"), &environment.path("python"));
    let config = "schema: 1\nmarketplaces:\n  python: {path: ../python}\n";
    fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
    let pattern = "schema: 1\nid: form-api\ntitle: An API with a form\nsteps:\n- capability: api.rest\n  plugin: form-api@python\n";
    fs::remove_dir_all(environment.project(".orchestrate/patterns")).unwrap();
    fs::create_dir_all(environment.project(".orchestrate/patterns/form-api")).unwrap();
    fs::write(
        environment.project(".orchestrate/patterns/form-api/pattern.yaml"),
        pattern,
    )
    .unwrap();
    environment.commit("Use the Python fixtures");
}

/// Runs orchestrate with this machine's Python and its settings for the package index.
fn run_with_python(environment: &TestEnvironment, arguments: &[&str]) -> Ran {
    let mut command = environment.orchestrate_command(arguments);
    for (name, value) in std::env::vars_os() {
        let text = name.to_string_lossy();
        let passed = ["PIP_", "UV_", "SSL_", "REQUESTS_"]
            .iter()
            .any(|start| text.starts_with(start));
        if passed || text == "PATH" {
            command.env(name, value);
        }
    }
    if let Some(cache) = std::env::var_os("ORCHESTRATE_TEST_CACHE") {
        command.env("XDG_CACHE_HOME", cache);
    }
    // Without uv the environment takes longer than other tests wait.
    let output = command.output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
