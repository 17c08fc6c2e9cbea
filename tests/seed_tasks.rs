//! What people ask for first, over real marketplaces: `ORCHESTRATE_CORPORA=.. cargo test --release --test seed_tasks -- --ignored`.
//!
//! The marketplaces are other people's data, which is not part of this project: `ORCHESTRATE_CORPORA` names the folder. Whoever reads the
//! table below would have picked much the same plugins by hand.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test that cannot go on says so, and what was picked is what it is for"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use orchestrate::model::{Plan, Step};
use orchestrate::{store, validate};
use support::TestEnvironment;
use support::process::Running;

/// A task, and of each thing that has to be done the words of which one stands in the name or the component of a good plugin for it.
type Wanted = (
    &'static str,
    &'static [(&'static str, &'static [&'static str])],
);

const TASKS: [Wanted; 7] = [
    (
        "Build a REST API with JWT authentication and Redis caching",
        &[
            ("api.rest", &["fastapi-scaffolder"]),
            ("auth.jwt", &["jwt-auth-plugin"]),
            ("cache.redis", &["redis-cache-plugin"]),
            ("api.rate-limit", &["rate-limiter-plugin"]),
            ("test.api", &["api-tester"]),
        ],
    ),
    (
        "Create CI/CD pipeline with Docker, Kubernetes, and GitHub Actions",
        &[
            ("container.image", &["docker", "container"]),
            ("kubernetes.deploy", &["kubernetes", "k8s"]),
            (
                "ci.pipeline",
                &["ci-cd", "cicd", "ci-pipeline", "ci-setup", "github-actions"],
            ),
        ],
    ),
    (
        "ETL pipeline to transform CSV data and load into BigQuery",
        &[
            ("etl.pipeline", &["data-engineer", "pipeline", "bigquery"]),
            ("etl.transform", &["data", "polars", "pandas"]),
        ],
    ),
    (
        "Audit codebase for vulnerabilities and apply recommended fixes",
        &[
            ("security-audit", &["security", "vulnerab"]),
            ("security-fix", &["security", "vulnerab"]),
        ],
    ),
    (
        "Create Next.js app with PostgreSQL backend and deploy to Vercel",
        &[
            (
                "web-app.full-stack",
                &["nextjs", "next-js", "next", "fullstack"],
            ),
            ("database-setup", &["postgres", "database"]),
            ("deploy.platform", &["vercel"]),
        ],
    ),
    (
        "ETL pipeline: CSV → transform → validate → BigQuery",
        &[
            ("etl.pipeline", &["data-engineer", "pipeline", "bigquery"]),
            ("data-quality", &["quality", "validat"]),
        ],
    ),
    (
        "Security audit: scan vulnerabilities, apply fixes, verify",
        &[
            ("security-audit", &["security", "vulnerab"]),
            ("security-fix", &["security", "vulnerab"]),
            (
                "security-verify",
                &["security", "penetration", "pentest", "vulnerab"],
            ),
        ],
    ),
];

/// Marketplaces that are recorded elsewhere, or hold nothing that stands alone.
fn marketplaces() -> Vec<PathBuf> {
    let corpora = std::env::var_os("ORCHESTRATE_CORPORA")
        .expect("ORCHESTRATE_CORPORA names the folder of the unpacked corpora");
    let folders = fs::read_dir(Path::new(&corpora).join("marketplaces")).unwrap();
    let mut folders: Vec<PathBuf> = folders.map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    assert!(folders.len() >= 16, "{folders:?}");
    folders
}

/// Returns a project whose settings name the marketplaces in this order.
fn project(folders: &[PathBuf]) -> TestEnvironment {
    let environment = TestEnvironment::new();
    let mut config = String::from("schema: 1\nmarketplaces:\n");
    for folder in folders {
        let name = folder.file_name().unwrap().to_str().unwrap();
        config.push_str(&format!("  {name}: {{path: {}}}\n", folder.display()));
    }
    fs::remove_dir_all(environment.project(".orchestrate")).unwrap();
    fs::create_dir_all(environment.project(".orchestrate")).unwrap();
    fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
    environment.commit("Use real marketplaces");
    environment
}

/// Plans the task without saving anything twice, and returns the bytes of the plan.
fn plan(environment: &TestEnvironment, task: &str) -> Vec<u8> {
    let mut command = environment.orchestrate_command(&["-q", "--plan-only", task]);
    let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seed-cache");
    command.env("XDG_CACHE_HOME", cache);
    let began = Instant::now();
    let ran = Running::new(&mut command)
        .with_patience(Duration::from_secs(3600))
        .end()
        .exits(0);
    println!("{:?} {task}", began.elapsed());
    let name = ran
        .stdout
        .lines()
        .next()
        .unwrap()
        .trim_start_matches("Plan: ");
    fs::read(environment.project(&format!(".orchestrate/plans/{name}/plan.yaml"))).unwrap()
}

#[test]
#[ignore = "needs the corpora: ORCHESTRATE_CORPORA"]
fn what_people_ask_for_first_finds_plugins_that_fit() {
    let mut folders = marketplaces();
    let environment = project(&folders);
    folders.reverse();
    let other_way_round = project(&folders);
    for (task, wanted) in TASKS {
        let text = plan(&environment, task);
        let plan_of = store::read_plan("plan.yaml", &text).unwrap();
        show(&plan_of);
        assert_eq!(
            validate::check_plan(&plan_of),
            Vec::<String>::new(),
            "{task}"
        );
        is_ordered(&plan_of);
        for (capability, names) in wanted {
            is_served(&plan_of, capability, names);
        }
        assert_eq!(text, plan(&environment, task), "planned again: {task}");
        assert_eq!(
            text,
            plan(&other_way_round, task),
            "in another order: {task}"
        );
    }
}

fn show(plan: &Plan) {
    println!("== {}", plan.task);
    for step in &plan.steps {
        let provides: Vec<&str> = step.provides.iter().map(|one| one.as_str()).collect();
        let needs: Vec<&str> = step.needs.iter().map(|one| one.as_str()).collect();
        println!(
            "  {} <- {needs:?}: {provides:?} by {}, {}",
            step.id,
            step.action.plugin,
            component(step)
        );
    }
    plan.remarks
        .iter()
        .for_each(|remark| println!("  ! {remark}"));
}

fn component(step: &Step) -> String {
    let uses = step
        .action
        .agent
        .as_ref()
        .and_then(|task| task.uses.as_ref());
    uses.map_or(String::new(), |uses| uses.name().to_string())
}

fn is_served(plan: &Plan, capability: &str, names: &[&str]) {
    let step = plan
        .steps
        .iter()
        .find(|step| step.provides.iter().any(|one| one.as_str() == capability));
    let step = step.unwrap_or_else(|| panic!("{}: nobody does `{capability}`", plan.task));
    let picked = format!("{} {}", step.action.plugin, component(step)).to_lowercase();
    assert!(
        names.iter().any(|name| picked.contains(name)),
        "{}: `{capability}` by {picked}",
        plan.task
    );
}

/// Makes sure that no step comes before what it needs, and that steps that may write to the same place are in one order.
fn is_ordered(plan: &Plan) {
    let mut done = BTreeSet::new();
    let mut made: BTreeMap<String, &Step> = BTreeMap::new();
    for step in &plan.steps {
        assert!(
            step.needs.iter().all(|need| done.contains(need)),
            "{}",
            step.id
        );
        assert!(!step.checks.is_empty(), "{}", step.id);
        for connection in step.action.connections.values() {
            let output = format!("{}.{}", connection.step, connection.output);
            assert!(made.contains_key(&output), "{}: {output}", step.id);
        }
        for output in step.action.outputs.keys() {
            made.insert(format!("{}.{output}", step.id), step);
        }
        done.insert(step.id.clone());
    }
}
