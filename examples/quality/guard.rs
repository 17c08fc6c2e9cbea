//! The file of figures, and that none of them falls.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use orchestrate::yaml;
use serde::{Deserialize, Serialize};

use crate::set::Sample;

/// By how much a figure may fall.
const FALL_MAX: f64 = 0.01;

/// What was measured of a set, by the name of the measure: higher is better.
pub type Figures = BTreeMap<String, f64>;

/// The file.
#[derive(Serialize, Deserialize, PartialEq)]
#[serde(deny_unknown_fields)]
struct File {
    queries: usize,
    documents: usize,
    past: usize,
    sets: BTreeMap<String, Figures>,
}

/// Fails where a figure is lower than it was.
pub fn guard(path: &Path, sample: Sample, now: &BTreeMap<String, Figures>) -> Result<()> {
    let text = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let known: File = yaml::parse(&path.display().to_string(), &text)?;
    ensure!(
        (known.queries, known.documents, known.past)
            == (sample.queries, sample.documents, sample.past),
        "`{}` was measured with `--queries {} --documents {} --past {}`",
        path.display(),
        known.queries,
        known.documents,
        known.past
    );
    let mut fallen = Vec::new();
    for (set, figures) in &known.sets {
        for (measure, before) in figures {
            // What other ways come to is there to be compared with.
            if ["words", "meaning", "fusion"].contains(&measure.as_str()) {
                continue;
            }
            let now = now.get(set).and_then(|own| own.get(measure)).copied();
            match now {
                Some(now) if now >= before - FALL_MAX => {}
                Some(now) => fallen.push(format!("{set}: {measure} {before:.3} -> {now:.3}")),
                None => fallen.push(format!("{set}: {measure} was not measured")),
            }
        }
    }
    ensure!(
        fallen.is_empty(),
        "figures fell by more than {FALL_MAX}:\n{}\nwhere that is meant, `--write` the file anew and say why",
        fallen.join("\n")
    );
    Ok(())
}

/// Writes the file.
pub fn write(path: &Path, sample: Sample, mut sets: BTreeMap<String, Figures>) -> Result<()> {
    let round = |figure: &mut f64| *figure = (*figure * 10_000.0).round() / 10_000.0;
    sets.values_mut()
        .flat_map(BTreeMap::values_mut)
        .for_each(round);
    let file = File {
        queries: sample.queries,
        documents: sample.documents,
        past: sample.past,
        sets,
    };
    std::fs::write(path, yaml::print(&file)?)
        .with_context(|| format!("cannot write `{}`", path.display()))
}
