//! Whatever state a person's folder is in, a run that is killed and resumed changes nothing of it.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says so")]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use proptest::test_runner::{Config, TestRunner};

use support::TestEnvironment;
use support::plans::{PLAN, Scripted};

/// How many states are tried; `ORCHESTRATE_SWEEP=full` tries more.
const STATES: u32 = 3;
const STATES_FULL: u32 = 1000;

/// Something that a person has done to the folder before.
#[derive(Debug, Clone, Copy)]
enum Done {
    Staged,
    Changed,
    Deleted,
    Untracked,
    Ignored,
    Stashed,
    Conflicted,
    Hooked,
    Executable,
    IntentToAdd,
    Detached,
    Packed,
}

const ALL: [Done; 12] = [
    Done::Staged,
    Done::Changed,
    Done::Deleted,
    Done::Untracked,
    Done::Ignored,
    Done::Stashed,
    Done::Conflicted,
    Done::Hooked,
    Done::Executable,
    Done::IntentToAdd,
    Done::Detached,
    Done::Packed,
];

fn act(environment: &TestEnvironment, done: Done) {
    let write = |name: &str, text: &str| fs::write(environment.project(name), text).unwrap();
    match done {
        Done::Staged => {
            write("staged", "staged");
            environment.git(&["add", "staged"]);
        }
        Done::Changed => write("kept", "changed"),
        Done::Deleted => drop(fs::remove_file(environment.project("gone"))),
        Done::Untracked => write("untracked", "mine"),
        Done::Ignored => {
            fs::write(environment.project(".git/info/exclude"), "/secret\n").unwrap();
            write("secret", "mine");
        }
        Done::Stashed => {
            write("for-later", "later");
            environment.git(&["add", "for-later"]);
            environment.git(&["stash", "--quiet", "--", "for-later"]);
        }
        Done::Conflicted => {
            let mut git = environment.command("sh");
            let script = "git hash-object -w --stdin <kept >../id; for stage in 1 2 3; do echo \"100644 $(cat ../id) $stage\tconflict\"; done | git update-index --index-info";
            support::process::Running::new(git.args(["-c", script]))
                .end()
                .exits(0);
        }
        Done::Hooked => {
            let hooks = environment.project(".git/hooks");
            fs::create_dir_all(&hooks).unwrap();
            for hook in [
                "post-commit",
                "pre-commit",
                "reference-transaction",
                "post-checkout",
                "post-merge",
            ] {
                let path = hooks.join(hook);
                fs::write(
                    &path,
                    format!(
                        "#!/bin/sh\ntouch {}\n",
                        environment.path("hooked").display()
                    ),
                )
                .unwrap();
                fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
                    .unwrap();
            }
        }
        Done::Executable => {
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(environment.project("kept"), mode).unwrap();
        }
        Done::IntentToAdd => {
            write("intended", "soon");
            environment.git(&["add", "--intent-to-add", "intended"]);
        }
        Done::Detached => drop(environment.git(&["update-ref", "--no-deref", "HEAD", "HEAD"])),
        Done::Packed => drop(environment.git(&["gc", "--quiet"])),
    }
}

/// Returns everything of the person's: each file with its bytes, mode, number and times, and what git keeps for them.
fn everything(environment: &TestEnvironment) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![environment.project("")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap().flatten() {
            match entry.file_type().unwrap().is_dir() {
                true if entry.file_name() == ".git" => {}
                true => folders.push(entry.path()),
                false => add(&mut found, &entry.path()),
            }
        }
    }
    for name in [
        "index",
        "HEAD",
        "config",
        "info/exclude",
        "refs/stash",
        "logs/refs/stash",
        "logs/HEAD",
    ] {
        let path = environment.project(".git").join(name);
        if path.exists() {
            add(&mut found, &path);
        }
    }
    for hook in fs::read_dir(environment.project(".git/hooks"))
        .into_iter()
        .flatten()
        .flatten()
    {
        add(&mut found, &hook.path());
    }
    let refs = environment.git(&["for-each-ref", "--format=%(refname) %(objectname)"]);
    let theirs: Vec<&str> = refs
        .lines()
        .filter(|line| !line.contains("/orchestrate/"))
        .collect();
    found.insert("refs".to_owned(), theirs.join("\n"));
    found
}

fn add(found: &mut BTreeMap<String, String>, path: &Path) {
    let stat = path.symlink_metadata().unwrap();
    let bytes = fs::read(path).unwrap_or_default();
    let state = format!(
        "{:o} {} {}.{} {bytes:?}",
        stat.mode(),
        stat.ino(),
        stat.mtime(),
        stat.mtime_nsec()
    );
    found.insert(path.display().to_string(), state);
}

fn check(state: &[Done], words: usize) {
    let environment = TestEnvironment::new();
    for name in ["kept", "gone"] {
        fs::write(environment.project(name), name).unwrap();
    }
    let step = |number: usize| Scripted {
        needs: (1..number).collect(),
        writes: vec![format!("out/{number}")],
        script: format!("mkdir -p out; echo {number} > out/{number}; echo wrote {number}"),
        leaves: format!("out/{number}"),
        more: Vec::new(),
    };
    environment.save_plan(&[step(1), step(2)]);
    state.iter().for_each(|done| act(&environment, *done));
    // What the person did has run hooks too.
    fs::remove_file(environment.path("hooked")).ok();
    let before = everything(&environment);
    let mut run = environment.start(&["--verbose", "--no-merge", "--execute", PLAN]);
    let heard = [
        "Phase 3",
        "[Step 1/2]",
        "wrote 1",
        "✓ Complete",
        "[Step 2/2]",
        "wrote 2",
    ];
    heard
        .iter()
        .take(1 + words)
        .for_each(|word| run.wait_for(word));
    run.kill();
    environment.wait_until_nothing_runs();
    assert_eq!(everything(&environment), before, "killed, {state:?}");
    environment
        .orchestrate(&["--no-merge", "--resume", "test"])
        .exits(0);
    assert_eq!(everything(&environment), before, "resumed, {state:?}");
    assert!(
        !environment.path("hooked").exists(),
        "a hook has run, {state:?}"
    );
}

#[test]
fn nothing_of_a_persons_is_changed_by_a_run_that_is_killed_and_resumed() {
    let full = std::env::var("ORCHESTRATE_SWEEP").is_ok_and(|sweep| sweep == "full");
    let cases = if full { STATES_FULL } else { STATES };
    let config = Config {
        cases,
        max_shrink_iters: 20,
        failure_persistence: None,
        ..Config::default()
    };
    let states = (
        proptest::sample::subsequence(&ALL[..], 0..=ALL.len()),
        0..6_usize,
    );
    let same = |(state, words): (Vec<Done>, usize)| {
        check(&state, words);
        Ok(())
    };
    TestRunner::new(config).run(&states, same).unwrap();
}

#[test]
fn everything_at_once_is_left_alone() {
    check(&ALL, 3);
}
