//! The templates for CI services: the one for GitHub is a workflow without a fault.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::fs;
use std::process::Command;

use support::TestEnvironment;

#[test]
fn a_template_is_written_once_and_never_over_another_file() {
    let environment = TestEnvironment::new();
    for (service, file) in [
        ("github", ".github/workflows/orchestrate.yml"),
        ("gitlab", ".gitlab/orchestrate.yml"),
    ] {
        let ran = environment.orchestrate(&["init", "--ci", service]).exits(0);
        assert!(ran.stdout.contains(file), "{}", ran.stdout);
        let written = environment.project(file);
        let text = fs::read_to_string(&written).unwrap();
        assert!(text.contains("orchestrate --no-merge --execute"), "{text}");
        fs::write(&written, "mine\n").unwrap();
        environment.orchestrate(&["init", "--ci", service]).exits(0);
        assert_eq!(fs::read_to_string(&written).unwrap(), "mine\n");
    }
}

/// The linter of workflows, which also looks at their scripts where shellcheck is there.
#[test]
#[ignore = "needs actionlint"]
fn the_workflow_has_no_fault() {
    let environment = TestEnvironment::new();
    environment
        .orchestrate(&["init", "--ci", "github"])
        .exits(0);
    let linted = Command::new("actionlint")
        .arg(environment.project(".github/workflows/orchestrate.yml"))
        .current_dir(environment.project(""))
        .output()
        .expect("actionlint is installed");
    let said = String::from_utf8_lossy(&linted.stdout);
    assert!(linted.status.success(), "{said}");
    // A linter that finds nothing wrong with anything would prove nothing.
    let bad = environment.project(".github/workflows/bad.yml");
    let text =
        fs::read_to_string(environment.project(".github/workflows/orchestrate.yml")).unwrap();
    fs::write(&bad, text.replacen("runs-on:", "runs-onn:", 1)).unwrap();
    let linted = Command::new("actionlint").arg(&bad).output().unwrap();
    assert!(!linted.status.success());
}
