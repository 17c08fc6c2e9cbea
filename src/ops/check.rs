//! Looking at every file of ours in a repository, without running, fetching or writing anything.

mod plans;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, anyhow};

use super::embedded_taxonomy;
use crate::checkpoint::{Opened, Repository};
use crate::model::{ApprovalPolicy, Fault, Hint, Plan, PlanId, Rule, Trouble};
use crate::store::{self, Config, Lock, paths};
use crate::yaml;

/// The most files that are looked at.
const FILES_MAX: usize = 100_000;

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Checked {
    pub files: usize,
    /// In the order of their places.
    pub faults: Vec<Fault>,
}

/// Looks at every file below `.orchestrate/` in the folder's repository.
pub fn check(directory: &Path) -> Result<Checked> {
    let Opened::Found(repository) = Repository::discover(directory)? else {
        return Err(anyhow!(
            "there is no git repository in `{}`",
            directory.display()
        ))
        .kind(Trouble::Request)
        .hint("git init");
    };
    let mut texts = BTreeMap::new();
    let root = repository.work_directory().join(paths::ROOT);
    if root.is_dir() {
        collect(&root, paths::ROOT, &mut texts)?;
    }
    let mut check = Check {
        texts,
        ..Check::default()
    };
    check.all();
    check.faults.sort();
    Ok(Checked {
        files: check.texts.len(),
        faults: check.faults,
    })
}

/// Returns what is wrong with the text of a plan, which stands at `file`; without its locks and its approval.
pub fn check_plan_text(file: &str, text: &[u8]) -> Vec<Fault> {
    let mut check = Check::default();
    check.texts.insert(file.to_string(), text.to_vec());
    check.plan(file);
    check.faults.sort();
    check.faults
}

fn collect(folder: &Path, prefix: &str, texts: &mut BTreeMap<String, Vec<u8>>) -> Result<()> {
    let listing = || format!("cannot list `{}`", folder.display());
    for entry in std::fs::read_dir(folder).with_context(listing)? {
        let entry = entry.with_context(listing)?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        let kind = entry.file_type().with_context(listing)?;
        if kind.is_dir() {
            collect(&entry.path(), &format!("{name}/"), texts)?;
        } else if kind.is_file() {
            anyhow::ensure!(
                texts.len() < FILES_MAX,
                "there are more than {FILES_MAX} files below `{}`",
                paths::ROOT
            );
            let reading = || format!("cannot read `{name}`");
            let text = std::fs::read(entry.path()).with_context(reading)?;
            texts.insert(name, text);
        }
    }
    Ok(())
}

/// The texts by their paths, and what is known of them so far.
#[derive(Default)]
struct Check {
    texts: BTreeMap<String, Vec<u8>>,
    locks: BTreeMap<String, Lock>,
    plans: BTreeMap<PlanId, Plan>,
    patterns: Vec<String>,
    config: Option<Config>,
    faults: Vec<Fault>,
}

impl Check {
    fn all(&mut self) {
        let files: Vec<String> = self.texts.keys().cloned().collect();
        // Locks and settings come first: plans point at them.
        for file in files.iter().filter(|file| *file == paths::CONFIG) {
            self.config(file);
        }
        for file in files.iter().filter(|file| file.starts_with(paths::LOCKS)) {
            self.lock(file);
        }
        let mut taxonomy = Vec::new();
        for file in &files {
            let below = |folder: &str| file.strip_prefix(folder);
            match file.as_str() {
                paths::CONFIG => {}
                _ if below(paths::LOCKS).is_some() => {}
                _ if below(paths::PLANS).is_some() => self.plan_file(file),
                _ if below(paths::PATTERNS).is_some() => self.pattern_file(file),
                _ if below(paths::TAXONOMY).is_some() => {
                    if self.read(file, store::read_taxonomy).is_some() {
                        taxonomy.push((file.clone(), self.texts[file].clone()));
                    }
                }
                _ if below(paths::RUNS).is_some() => self.run_file(file),
                _ => self.stranger(file),
            }
        }
        self.taxonomy(&taxonomy);
    }

    /// The files of the taxonomy fit together, and with the embedded ones.
    fn taxonomy(&mut self, files: &[(String, Vec<u8>)]) {
        let together = embedded_taxonomy()
            .and_then(|mut taxonomy| store::extend_taxonomy(&mut taxonomy, files));
        if let Err(error) = together {
            let what = format!("{error:#}");
            let named = files.iter().find(|(file, _)| what.contains(file.as_str()));
            let file = named.or(files.first());
            let file = file.map_or(paths::TAXONOMY.to_string(), |(file, _)| file.clone());
            let (line, column) = yaml::place_in(&what).unwrap_or((1, 1));
            self.faults.push(Fault {
                file,
                line,
                column,
                rule: Rule::Known,
                what,
                hint: String::new(),
            });
        }
    }

    fn config(&mut self, file: &str) {
        let Some(config) = self.read(file, Config::read) else {
            return;
        };
        if let Some(rule) = &config.approval
            && rule.policy == ApprovalPolicy::Signed
            && rule.signers.is_empty()
        {
            let what = "the policy `signed` names no signers, so nobody can approve".to_string();
            self.fault(
                file,
                "approval",
                Rule::Known,
                what,
                "list them under `signers:`",
            );
        }
        self.config = Some(config);
    }

    fn lock(&mut self, file: &str) {
        let name = file[paths::LOCKS.len()..].strip_suffix(".yaml");
        let Some(name) = name.filter(|name| !name.contains('/')).map(str::to_string) else {
            return self.stranger(file);
        };
        let Some(lock) = self.read(file, Lock::read) else {
            return;
        };
        let known = self
            .config
            .as_ref()
            .and_then(|config| config.marketplaces.get(&name));
        if let (Some(known), Some(locked)) = (known, &lock.source)
            && known != locked
        {
            let what = format!(
                "`{name}` is locked from another source than `{}` names",
                paths::CONFIG
            );
            let hint = format!("orchestrate marketplace update {name}");
            self.fault(file, "source", Rule::LockAgrees, what, &hint);
        }
        self.locks.insert(name, lock);
    }

    fn pattern_file(&mut self, file: &str) {
        let below = &file[paths::PATTERNS.len()..];
        match below.split('/').collect::<Vec<_>>().as_slice() {
            [folder, "pattern.yaml"] => {
                let Some(pattern) = self.read(file, store::read_pattern) else {
                    return;
                };
                if pattern.id.as_str() != *folder {
                    let what = format!(
                        "the pattern `{}` stands in the folder `{folder}`",
                        pattern.id
                    );
                    self.fault(file, "id", Rule::Named, what, "");
                }
                self.patterns.push((*folder).to_string());
            }
            [_, "evidence", record] => {
                let Some(evidence) = self.read(file, store::read_evidence) else {
                    return;
                };
                if record.strip_suffix(".yaml") != Some(evidence.run.as_str()) {
                    let what = format!(
                        "the evidence of run `{}` stands in `{record}`",
                        evidence.run
                    );
                    self.fault(file, "run", Rule::Named, what, "");
                }
                if evidence.run.plan() != evidence.plan.as_str() {
                    let what =
                        format!("run `{}` is none of plan `{}`", evidence.run, evidence.plan);
                    self.fault(file, "plan", Rule::Named, what, "");
                }
            }
            _ => self.stranger(file),
        }
    }

    fn run_file(&mut self, file: &str) {
        let below = &file[paths::RUNS.len()..];
        match below.split('/').collect::<Vec<_>>().as_slice() {
            [_, "events", _, segment] if segment.ends_with(".yaml") => {
                self.read(file, store::read_segment);
            }
            [_, "report.yaml"] | [_, "steps", _, "findings.yaml"] => {
                self.read(file, |file, text| {
                    yaml::parse::<serde_json::Value>(file, text)
                });
            }
            [_, "REPORT.md"] | [_, "steps", _, "log.txt"] => {}
            _ => self.stranger(file),
        }
    }

    /// Reads a file, or notes why it cannot be read.
    fn read<T>(&mut self, file: &str, read: impl Fn(&str, &[u8]) -> Result<T>) -> Option<T> {
        match read(file, &self.texts[file]) {
            Ok(value) => Some(value),
            Err(error) => {
                let said: Vec<String> = error.chain().map(ToString::to_string).collect();
                let place = said.iter().rev().find_map(|text| yaml::place_in(text));
                let mut said: Vec<&str> = said.iter().map(String::as_str).collect();
                said.dedup();
                // That it cannot be read stands beside its name already.
                if said.len() > 1 && said[0].starts_with("cannot read ") {
                    said.remove(0);
                }
                let (line, column) = place.unwrap_or((1, 1));
                self.faults.push(Fault {
                    file: file.to_string(),
                    line,
                    column,
                    rule: Rule::Readable,
                    what: said.join(": "),
                    hint: String::new(),
                });
                None
            }
        }
    }

    /// Notes a fault at a field of a file that can be read.
    fn fault(&mut self, file: &str, field: &str, rule: Rule, what: String, hint: &str) {
        let text = self.texts.get(file).map(Vec::as_slice).unwrap_or_default();
        let (line, column) = yaml::place_of(&String::from_utf8_lossy(text), field);
        self.faults.push(Fault {
            file: file.to_string(),
            line,
            column,
            rule,
            what,
            hint: hint.to_string(),
        });
    }

    fn stranger(&mut self, file: &str) {
        let what = "it is none of our files".to_string();
        self.fault(file, "", Rule::Ours, what, "move it elsewhere");
    }
}
