use std::path::PathBuf;
use std::time::SystemTime;

use super::LeftBy;
use crate::checkpoint::NewCommit;
use crate::checkpoint::fixture::Fixture;
use crate::model::Oid;

const BRANCH: &str = "orchestrate/run";
const REFERENCE: &str = "refs/heads/orchestrate/run";

/// A repository with three checkpoints in its journal.
struct Journaled {
    fixture: Fixture,
    journal: PathBuf,
    tips: Vec<Oid>,
}

fn left(rebooted: bool) -> LeftBy {
    LeftBy {
        process: std::process::id(),
        since: SystemTime::UNIX_EPOCH,
        rebooted,
    }
}

impl Journaled {
    fn new() -> Journaled {
        let fixture = Fixture::with_commit(&[("a", b"1")]);
        let journal = fixture.outside("journal");
        fixture.repository.open_journal(&journal).unwrap();
        let mut tips = vec![fixture.head()];
        for number in 0..3 {
            let tip = checkpoint(
                &fixture,
                (number > 0).then_some(&tips[number]),
                &tips[number],
                number,
            );
            tips.push(tip);
        }
        Journaled {
            fixture,
            journal,
            tips,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.fixture.repository.common_directory().join(name)
    }

    /// Recovers with a handle of its own, as another process would.
    fn recover(&self, rebooted: bool) -> Vec<String> {
        let repository = Fixture::open(self.fixture.repository.work_directory());
        repository
            .recover(&self.journal, &[left(rebooted)])
            .unwrap()
    }

    #[track_caller]
    fn check(&self, said: &[String], expected: &[&str]) {
        assert_eq!(said.len(), expected.len(), "{said:?}");
        for (said, expected) in said.iter().zip(expected) {
            assert!(said.contains(expected), "{said:?}");
        }
        let tip = self.fixture.git(&["rev-parse", BRANCH]);
        assert_eq!(tip.trim(), self.tips[3].as_str());
        assert_eq!(std::fs::read(&self.journal).unwrap(), b"");
        self.fixture.git(&["fsck", "--strict"]);
        self.fixture.git(&["status", "--porcelain"]);
    }
}

fn checkpoint(fixture: &Fixture, expected: Option<&Oid>, parent: &Oid, number: usize) -> Oid {
    let repository = &fixture.repository;
    let parent_tree = repository.tree_of(parent).unwrap();
    let file = (format!("folder/{number}"), number.to_string().into_bytes());
    let tree = repository.with_files(&parent_tree, &[file]).unwrap();
    let new = NewCommit {
        branch: BRANCH,
        expected,
        tree: &tree,
        parents: std::slice::from_ref(parent),
        message: "step\n\nOrchestrate-Run: run\n",
        identity: &repository.identity(),
        time_s: 1_700_000_000,
    };
    repository.commit(&new).unwrap()
}

#[test]
fn a_journal_that_git_has_all_of_is_emptied() {
    let run = Journaled::new();
    run.check(&run.recover(false), &[]);
}

#[test]
fn a_branch_that_was_lost_is_brought_back() {
    let run = Journaled::new();
    std::fs::remove_file(run.path(REFERENCE)).unwrap();
    run.check(&run.recover(true), &["to its last checkpoint"]);
}

#[test]
fn a_branch_that_the_power_cut_emptied_is_brought_back() {
    let run = Journaled::new();
    std::fs::write(run.path(REFERENCE), "").unwrap();
    run.check(&run.recover(true), &["to its last checkpoint"]);
}

#[test]
fn a_branch_on_its_way_is_brought_to_its_end() {
    let run = Journaled::new();
    run.fixture
        .git(&["update-ref", REFERENCE, run.tips[1].as_str()]);
    run.fixture.git(&["pack-refs", "--all"]);
    run.check(&run.recover(false), &["to its last checkpoint"]);
}

#[test]
fn a_branch_that_somebody_else_moved_is_left_alone() {
    let run = Journaled::new();
    let other = run.fixture.commit(&[("b", b"2")]);
    run.fixture.git(&["update-ref", REFERENCE, other.as_str()]);
    let said = run.recover(false);
    assert!(
        said[0].contains("where somebody else has moved it"),
        "{said:?}"
    );
    assert_eq!(
        run.fixture.git(&["rev-parse", BRANCH]).trim(),
        other.as_str()
    );
}

#[test]
fn objects_that_the_power_cut_emptied_are_written_again() {
    let run = Journaled::new();
    let users = run.fixture.git(&["rev-list", "--objects", "HEAD"]);
    let mut emptied = 0;
    for path in run.fixture.repository.loose_files().unwrap() {
        let id = super::id_of(&path).unwrap().to_hex().to_string();
        // What the user's own commit holds is not in the journal.
        if users.lines().any(|line| line.starts_with(&id)) {
            continue;
        }
        std::fs::remove_file(&path).unwrap();
        // One is gone, one is empty, one is cut off.
        if emptied % 3 > 0 {
            std::fs::write(&path, &b"x\x01"[..emptied % 3 - 1]).unwrap();
        }
        emptied += 1;
    }
    assert!(emptied >= 9, "{emptied}");
    run.check(&run.recover(true), &["git objects that were cut off"]);
}

#[test]
fn a_lock_that_was_cut_off_is_removed_and_any_other_kept() {
    for (text, ours) in [("", true), ("half", true), ("other", false)] {
        let run = Journaled::new();
        run.fixture
            .git(&["update-ref", REFERENCE, run.tips[2].as_str()]);
        let lock = run.path(&format!("{REFERENCE}.lock"));
        let text = match text {
            "half" => &run.tips[3].as_str()[..7],
            "other" => run.tips[1].as_str(),
            text => text,
        };
        std::fs::write(&lock, text).unwrap();
        let repository = Fixture::open(run.fixture.repository.work_directory());
        let recovered = repository.recover(&run.journal, &[left(false)]);
        assert_eq!(recovered.is_ok(), ours, "{text:?}");
        assert_eq!(lock.exists(), !ours, "{text:?}");
        if ours {
            run.check(
                &recovered.unwrap(),
                &["stale lock", "to its last checkpoint"],
            );
        } else {
            let bytes = std::fs::read(&run.journal).unwrap();
            assert!(
                !bytes.is_empty(),
                "what is not in git yet stays in the journal"
            );
        }
    }
}

#[test]
fn half_written_objects_of_the_dead_process_are_removed_and_others_kept() {
    let run = Journaled::new();
    let folder = run.path("objects/00");
    std::fs::create_dir_all(&folder).unwrap();
    let ours = folder.join(format!("tmp_obj_orchestrate_{}_7", std::process::id()));
    let others = [
        folder.join("tmp_obj_orchestrate_1_7"),
        folder.join("tmp_obj_Xy12ab"),
    ];
    for path in others.iter().chain([&ours]) {
        std::fs::write(path, "x").unwrap();
    }
    let said = run.recover(false);
    assert!(said[0].contains("half-written"), "{said:?}");
    assert!(!ours.exists() && others.iter().all(|path| path.exists()));
}

#[test]
fn a_file_of_the_users_that_was_set_aside_gets_its_name_back() {
    let run = Journaled::new();
    let plans = run.fixture.path(".orchestrate/plans");
    std::fs::create_dir_all(&plans).unwrap();
    let aside = |name: &str| plans.join(format!(".{name}.{}.aside", std::process::id()));
    for name in ["alone", "twice"] {
        std::fs::write(aside(name), name).unwrap();
    }
    std::fs::write(plans.join("twice"), "twice").unwrap();
    run.recover(false);
    for name in ["alone", "twice"] {
        assert_eq!(std::fs::read_to_string(plans.join(name)).unwrap(), name);
        assert!(!aside(name).exists());
    }
}
