//! What was approved is what runs: every byte of it counts, and what changes between the check and the use does not run.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orchestrate::ops::{self, OpenOptions, Project};
use support::process::Running;
use support::{TASK, TestEnvironment, copy, wait_until};

/// A repository with an approved plan that follows the pattern.
struct ApprovedPlan {
    environment: TestEnvironment,
    plan: String,
}

impl ApprovedPlan {
    fn new(pattern: &str, task: &str) -> ApprovedPlan {
        let environment = TestEnvironment::new();
        ApprovedPlan::planned(environment, &["--pattern-id", pattern, task])
    }

    fn planned(environment: TestEnvironment, arguments: &[&str]) -> ApprovedPlan {
        let ran = environment.orchestrate(&[&["--json", "--plan-only"], arguments].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let plan = ran.json()["plan"].as_str().unwrap().to_owned();
        let ran = environment.orchestrate(&["approve", &plan]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ApprovedPlan { environment, plan }
    }

    fn folder(&self) -> PathBuf {
        self.environment
            .project(&format!(".orchestrate/plans/{}", self.plan))
    }

    /// Returns the files that the approval binds: the plan, its locks, and the plugins that it uses.
    fn bound(&self) -> Vec<PathBuf> {
        let text = fs::read_to_string(self.folder().join("approval.yaml")).unwrap();
        let mut files = vec![self.folder().join("plan.yaml")];
        for line in text.lines().map(str::trim) {
            if let Some((plugin, rest)) = line.split_once('@')
                && rest.contains(": sha256:")
            {
                let before = files.len();
                collect(
                    &self.environment.path("marketplace").join(plugin),
                    &mut files,
                );
                assert!(files.len() > before, "{plugin}");
            }
        }
        files.push(self.environment.project(".orchestrate/lock/fixtures.yaml"));
        files
    }

    /// Returns what stops the plan from being run, if something does.
    fn refused(&self) -> Option<String> {
        self.refused_in(&self.open())
    }

    fn open(&self) -> Project {
        Project::open(&self.environment.project(""), OpenOptions::default()).unwrap()
    }

    fn refused_in(&self, project: &Project) -> Option<String> {
        let check = || {
            let planned = ops::find_plan(project, &self.plan)?;
            ops::ready(project, &planned).map(drop)
        };
        check().err().map(|error| format!("{error:#}"))
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = fs::read_dir(folder).unwrap().map(Result::unwrap).collect();
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        match entry.file_type().unwrap().is_dir() {
            true => collect(&entry.path(), files),
            false => files.push(entry.path()),
        }
    }
}

/// Flips every `step`th byte of everything that is bound, one at a time, and returns how many were flipped.
fn flip(approved: &ApprovedPlan, step: usize) -> usize {
    assert_eq!(approved.refused(), None);
    let mut flipped = 0;
    for file in approved.bound() {
        let kept = fs::read(&file).unwrap();
        let project = approved.open();
        for index in (0..kept.len()).step_by(step) {
            let mut bytes = kept.clone();
            bytes[index] ^= 1 << (index % 7);
            fs::write(&file, &bytes).unwrap();
            let said = approved.refused_in(&project);
            assert!(said.is_some(), "{} byte {index}", file.display());
            flipped += 1;
        }
        fs::write(&file, kept).unwrap();
    }
    assert_eq!(approved.refused(), None);
    flipped
}

/// Runs the test called `name` again in a process that finds nothing of this machine, and returns true; there it returns false.
fn outside(name: &str) -> bool {
    const INSIDE: &str = "ORCHESTRATE_TEST_INSIDE";
    if std::env::var_os(INSIDE).is_some() {
        return false;
    }
    let environment = TestEnvironment::new();
    let mut command = environment.command(std::env::current_exe().unwrap());
    command.args(["--exact", name, "--include-ignored", "--nocapture"]);
    let patience = Duration::from_secs(3600);
    let ran = Running::new(
        command
            .env(INSIDE, "1")
            .env("ORCHESTRATE_STRIDE", stride().to_string()),
    )
    .with_patience(patience)
    .end();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    true
}

/// Returns how thoroughly the slow tests look: at every thing, or only at every so many.
fn stride() -> usize {
    let given = std::env::var("ORCHESTRATE_STRIDE");
    given.map_or(1, |text| text.parse().unwrap())
}

/// The patterns of the fixtures.
const PATTERNS: [&str; 8] = [
    "asking",
    "broken",
    "fallback",
    "five-steps",
    "mended",
    "planting",
    "slow",
    "straying",
];

#[test]
fn every_byte_counts() {
    if outside("every_byte_counts") {
        return;
    }
    assert!(flip(&ApprovedPlan::new("mended", TASK), 97) > 50);
}

#[test]
#[ignore = "needs minutes"]
fn every_byte_of_twenty_plans_counts() {
    if outside("every_byte_of_twenty_plans_counts") {
        return;
    }
    let tasks = [
        TASK.to_string(),
        format!("{TASK} [quality: production-ready]"),
        format!("{TASK} [note: port 6381]"),
    ];
    let plans = PATTERNS
        .iter()
        .flat_map(|pattern| tasks.iter().map(move |task| (*pattern, task)));
    let mut flipped = 0;
    for (pattern, task) in plans.take(20) {
        flipped += flip(&ApprovedPlan::new(pattern, task), stride());
    }
    assert!(flipped > 40_000 / stride(), "{flipped}");
}

/// Through the binary: exit code 5, and no commit and no branch.
#[test]
fn a_changed_byte_is_refused_before_anything_is_begun() {
    let approved = ApprovedPlan::new("mended", TASK);
    let environment = &approved.environment;
    for file in approved.bound() {
        let kept = fs::read(&file).unwrap();
        for index in [0, kept.len() / 2, kept.len() - 1] {
            let mut bytes = kept.clone();
            bytes[index] ^= 1;
            fs::write(&file, &bytes).unwrap();
            let ran = environment.orchestrate(&["-q", "--execute", &approved.plan]);
            let place = format!("{} byte {index}: {}", file.display(), ran.stderr);
            assert_eq!(ran.code, 5, "{place}");
            assert!(ran.stderr.contains("\nhint: "), "{place}");
        }
        fs::write(&file, kept).unwrap();
    }
    assert_eq!(environment.git(&["branch", "--list"]), "* main\n");
    assert_eq!(environment.git(&["rev-list", "--all", "--count"]), "1\n");
    assert_eq!(environment.state(), Vec::<PathBuf>::new());
}

#[test]
fn a_plugin_that_is_gone_is_not_at_hand() {
    let approved = ApprovedPlan::new("mended", TASK);
    let environment = &approved.environment;
    fs::remove_dir_all(environment.path("marketplace/mended-auth")).unwrap();
    let ran = environment.orchestrate(&["-q", "--execute", &approved.plan]);
    assert_eq!(ran.code, 7, "{}", ran.stderr);
    assert_eq!(environment.git(&["branch", "--list"]), "* main\n");
}

/// Waits at the failpoint between the check and the use, writes over what was checked, and lets the run go on.
fn swap(approved: &ApprovedPlan, file: &Path, number: usize) {
    let environment = &approved.environment;
    let gate = environment.path(&format!("tmp/gate-{number}"));
    let reached = PathBuf::from(format!("{}.reached", gate.display()));
    let mut command =
        environment.orchestrate_command(&["-q", "--no-merge", "--execute", &approved.plan]);
    command
        .env(
            "ORCHESTRATE_FAILPOINT",
            format!("approved:{}", gate.display()),
        )
        .env("ORCHESTRATE_RUN", format!("n{number}"));
    let running = Running::new(&mut command);
    wait_until("the plan was checked", || reached.exists());
    let kept = fs::read(file).unwrap();
    fs::write(file, b"touch stolen; exit 1\n").unwrap();
    fs::write(&gate, "").unwrap();
    let ran = running.end();
    fs::write(file, &kept).unwrap();
    let place = format!("{}: {}", file.display(), ran.stderr);
    assert!(matches!(ran.code, 0 | 5), "{} {place}", ran.code);
    let branch = format!("orchestrate/{}.n{number}", approved.plan);
    let names = environment.git(&["ls-tree", "-r", "--name-only", &branch]);
    assert!(!names.contains("stolen"), "{place}");
    let plan = format!("{branch}:.orchestrate/plans/{}/plan.yaml", approved.plan);
    let committed = environment.git(&["show", &plan]);
    assert!(!committed.contains("stolen"), "{place}");
    environment.git(&["branch", "--quiet", "-D", &branch]);
}

#[test]
fn what_is_swapped_after_the_check_does_not_run() {
    let approved = ApprovedPlan::new("mended", TASK);
    let files = approved.bound();
    for (number, file) in files.iter().step_by(3).chain(files.last()).enumerate() {
        swap(&approved, file, number);
    }
}

#[test]
#[ignore = "needs minutes"]
fn what_is_swapped_after_the_check_does_not_run_in_a_thousand_tries() {
    let approved = ApprovedPlan::new("mended", TASK);
    let files = approved.bound();
    for number in 0..1000 / stride() {
        swap(&approved, &files[number % files.len()], number);
    }
}

/// A plan of the repository's own plugins, in a folder of it, is bound like any other.
#[test]
fn plugins_in_the_repository_are_bound() {
    if outside("plugins_in_the_repository_are_bound") {
        return;
    }
    let environment = TestEnvironment::new();
    copy(
        &environment.path("marketplace"),
        &environment.project("tools"),
    );
    let config = "schema: 1\nmarketplaces:\n  fixtures: {path: tools}\n";
    fs::write(environment.project(".orchestrate/config.yaml"), config).unwrap();
    environment.commit("Plugins of our own");
    let approved = ApprovedPlan::planned(environment, &["--pattern-id", "mended", TASK]);
    assert_eq!(approved.refused(), None);
    let step = approved.environment.project("tools/plain-api/step.sh");
    fs::write(&step, "echo mine\n").unwrap();
    let said = approved.refused().unwrap();
    assert!(said.contains("plain-api@fixtures"), "{said}");
}
