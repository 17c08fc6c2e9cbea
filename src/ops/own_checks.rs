//! What a repository brings along to check a change with. Files are read, as they stand in the commit that a run begins on; nothing is run.
//!
//! A check runs in the sandbox, without network and without writing into the worktree, so only what can hold there is one; of the rest it
//! is said why it is none.

use anyhow::Result;
use serde_json::Value;

use super::Project;
use crate::model::{Check, CommandCheck, Environment, Oid, TestsCheck};
use crate::plan::OwnChecks;

/// The Python manifest that an environment is built from.
const PYTHON: &str = "pyproject.toml";
const REPORT: &str = "${scratch}/own-tests.xml";
const TIMEOUT_S: u64 = 900;

/// Returns the checks that the project has at its base.
pub fn own_checks(project: &Project) -> Result<OwnChecks> {
    let Some(base) = project.base() else {
        return Ok(OwnChecks::default());
    };
    let files = Files {
        project,
        paths: project.repository.list_files(&base, "")?,
        base,
    };
    let mut own = OwnChecks::default();
    for look in [cargo, npm, python, go] {
        look(&files, &mut own)?;
    }
    if own == OwnChecks::default() {
        make(&files, &mut own)?;
    }
    Ok(own)
}

/// The files of a commit.
struct Files<'a> {
    project: &'a Project,
    base: Oid,
    paths: Vec<String>,
}

impl Files<'_> {
    fn has(&self, path: &str) -> bool {
        self.paths
            .binary_search_by(|own| own.as_str().cmp(path))
            .is_ok()
    }

    fn has_below(&self, folder: &str) -> bool {
        self.paths.iter().any(|path| path.starts_with(folder))
    }

    /// Returns the text of a file; an empty one where there is none.
    fn text(&self, path: &str) -> Result<String> {
        let bytes = self.project.repository.read_file(&self.base, path)?;
        let text = bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(text.unwrap_or_default())
    }
}

fn cargo(files: &Files<'_>, own: &mut OwnChecks) -> Result<()> {
    if !files.has("Cargo.toml") {
        return Ok(());
    }
    let lock = files.text("Cargo.lock")?;
    let vendored = files
        .text(".cargo/config.toml")?
        .contains("vendored-sources");
    if lock.is_empty() || (lock.contains("source = \"") && !vendored) {
        own.remarks.push(none(
            "cargo test",
            "crates from the network",
            "`cargo vendor`, and a `Cargo.lock` in the commit,",
        ));
        return Ok(());
    }
    let target = "CARGO_TARGET_DIR=${scratch}/target";
    own.checks.push(command(
        "own-tests-cargo",
        &["env", target, "cargo", "test", "--offline"],
    ));
    Ok(())
}

fn npm(files: &Files<'_>, own: &mut OwnChecks) -> Result<()> {
    let Ok(manifest) = serde_json::from_str::<Value>(&files.text("package.json")?) else {
        return Ok(());
    };
    let test = manifest["scripts"]["test"].as_str().unwrap_or_default();
    // What `npm init` writes.
    if test.is_empty() || test.contains("no test specified") {
        return Ok(());
    }
    let needs = |field: &str| {
        manifest[field]
            .as_object()
            .is_some_and(|packages| !packages.is_empty())
    };
    if (needs("dependencies") || needs("devDependencies")) && !files.has_below("node_modules/") {
        own.remarks.push(none(
            "npm test",
            "packages from the network",
            "`node_modules/` in the commit",
        ));
        return Ok(());
    }
    own.checks.push(command("own-tests-npm", &["npm", "test"]));
    Ok(())
}

fn python(files: &Files<'_>, own: &mut OwnChecks) -> Result<()> {
    let is_test = |path: &String| {
        let name = path.rsplit('/').next().unwrap_or_default();
        name.ends_with(".py") && (name.starts_with("test_") || name.ends_with("_test.py"))
    };
    if !files.has(PYTHON) || !files.paths.iter().any(is_test) {
        return Ok(());
    }
    let manifest = files.text(PYTHON)?;
    if !manifest.contains("pytest") {
        own.remarks.push(none(
            "pytest",
            "pytest itself",
            "naming it in `pyproject.toml`, under `[project.optional-dependencies]` as `dev`,",
        ));
        return Ok(());
    }
    let junit = format!("--junitxml={REPORT}");
    let argv = [
        "python",
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        &junit,
    ];
    own.environment = Some(Environment {
        python: PYTHON.to_string(),
    });
    own.network.push("python-packages".to_string());
    own.checks.push(Check {
        tests: Some(TestsCheck {
            argv: argv.map(str::to_string).to_vec(),
            junit: REPORT.to_string(),
            at_least: 1,
            timeout_s: Some(TIMEOUT_S),
        }),
        label: Some("Tests passed".to_string()),
        ..Check::named("own-tests-python")
    });
    Ok(())
}

fn go(files: &Files<'_>, own: &mut OwnChecks) -> Result<()> {
    let manifest = files.text("go.mod")?;
    if manifest.is_empty() {
        return Ok(());
    }
    if manifest.contains("require") && !files.has("vendor/modules.txt") {
        own.remarks.push(none(
            "go test",
            "modules from the network",
            "`go mod vendor`",
        ));
        return Ok(());
    }
    own.checks.push(command(
        "own-tests-go",
        &[
            "env",
            "GOCACHE=${scratch}/go",
            "GOFLAGS=-mod=mod",
            "go",
            "test",
            "./...",
        ],
    ));
    Ok(())
}

fn make(files: &Files<'_>, own: &mut OwnChecks) -> Result<()> {
    let text = files.text("Makefile")?;
    if text.lines().any(|line| line.starts_with("test:")) {
        own.checks
            .push(command("own-tests-make", &["make", "test"]));
    }
    Ok(())
}

fn none(command: &str, needed: &str, remedy: &str) -> String {
    format!(
        "the project's own `{command}` is no check of this plan: it needs {needed}, and a check reaches nothing; {remedy} would make it one"
    )
}

fn command(id: &str, argv: &[&str]) -> Check {
    Check {
        command: Some(CommandCheck {
            argv: argv.iter().map(|word| word.to_string()).collect(),
            facts: false,
            timeout_s: Some(TIMEOUT_S),
        }),
        ..Check::named(id)
    }
}
