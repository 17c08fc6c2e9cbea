//! What the repository's own runs teach about finding plugins: the tasks that were done, and what did them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;

use crate::checkpoint::Repository;
use crate::encoder::{Encoder, VECTOR_BYTES, Vector};
use crate::model::{EvidenceResult, Oid, PlanId, fingerprint};
use crate::rank::PastRequest;
use crate::store::{self, paths};

/// The most past requests that are learned from: the newest.
const PAST_MAX: usize = 100;
/// The most vectors that are kept.
const KEPT_MAX: usize = 10_000;
const KEY_BYTES: usize = 8;
const ROW_BYTES: usize = KEY_BYTES + VECTOR_BYTES;

/// Returns the tasks of the runs that succeeded, as the evidence in a commit has them, with the ids of the plugins that did them. A record or a
/// plan that cannot be read teaches nothing.
///
/// What the tasks are about is worked out once and kept in `cache`, a folder that may be deleted.
pub fn past_requests(
    repository: &Repository,
    base: &Oid,
    cache: &Path,
) -> Result<Vec<PastRequest>> {
    let mut records = Vec::new();
    for file in repository.list_files(base, paths::PATTERNS)? {
        if !(file.contains("/evidence/") && file.ends_with(".yaml")) {
            continue;
        }
        let text = repository.read_file(base, &file)?.unwrap_or_default();
        records.extend(store::read_evidence(&file, &text));
    }
    records.retain(|record| record.result == EvidenceResult::Success);
    records.sort_by(|a, b| (b.at, &b.run).cmp(&(a.at, &a.run)));
    let mut done = Vec::new();
    for record in records {
        if done.len() < PAST_MAX
            && let Some(task) = task_of(repository, base, &record.plan)?
        {
            let plugins = record.plugins.iter().map(ToString::to_string);
            done.push((task, plugins.collect()));
        }
    }
    let texts: Vec<&str> = done.iter().map(|(task, _)| task.as_str()).collect();
    let meanings = Meanings::at(cache).of(&texts);
    let requests = done.into_iter().zip(meanings);
    Ok(requests
        .map(|((text, chosen), meaning)| PastRequest {
            text,
            meaning,
            chosen,
        })
        .collect())
}

fn task_of(repository: &Repository, base: &Oid, plan: &PlanId) -> Result<Option<String>> {
    let file = paths::plan_yaml(plan);
    let text = repository.read_file(base, &file)?;
    let plan = text.and_then(|text| store::read_plan(&file, &text).ok());
    Ok(plan.map(|plan| plan.task))
}

/// A file of vectors: of each text its fingerprint, and its vector.
struct Meanings {
    path: PathBuf,
}

impl Meanings {
    fn at(cache: &Path) -> Meanings {
        Meanings {
            path: cache.join("past-requests.bin"),
        }
    }

    /// Returns the vectors of the texts. What is not in the file is worked out and kept; a file that cannot be written costs time only.
    fn of(&self, texts: &[&str]) -> Vec<Vector> {
        let mut known = self.read();
        let missing: Vec<&str> = texts
            .iter()
            .copied()
            .filter(|text| !known.contains_key(&key(text)))
            .collect();
        let made = Encoder::embedded().encode_many(&missing);
        known.extend(missing.iter().map(|text| key(text)).zip(made));
        if !missing.is_empty() && known.len() <= KEPT_MAX {
            self.write(&known);
        }
        texts.iter().map(|text| known[&key(text)].clone()).collect()
    }

    fn read(&self) -> BTreeMap<Key, Vector> {
        let bytes = std::fs::read(&self.path).unwrap_or_default();
        let (rows, _) = bytes.as_chunks::<ROW_BYTES>();
        let rows = rows.iter().filter_map(|row| {
            let (key, vector) = row.split_first_chunk()?;
            Some((*key, Vector::from_bytes(vector.first_chunk()?)))
        });
        rows.collect()
    }

    fn write(&self, known: &BTreeMap<Key, Vector>) {
        let rows = known.iter();
        let rows = rows.map(|(key, vector)| [&key[..], &vector.to_bytes()].concat());
        let bytes = rows.collect::<Vec<_>>().concat();
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let written = std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::NamedTempFile::new_in(folder))
            .and_then(|file| std::fs::write(file.path(), &bytes).map(|()| file));
        if let Ok(file) = written {
            file.persist(&self.path).ok();
        }
    }
}

type Key = [u8; KEY_BYTES];

fn key(text: &str) -> Key {
    fingerprint(text.as_bytes()).to_le_bytes()
}
