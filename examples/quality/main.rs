//! Prints how well plugins are found, beside the usual ways to find them in the same run:
//! `cargo run --release --example quality -- DIR [SET..] [--queries N] [--documents N] [--past N] [--guard FILE | --write FILE]`.
//!
//! DIR holds a folder for each set. A sample of the queries, of the documents and of past requests is the same each time. `--guard` fails
//! where a figure is lower than that in the file by more than 0.01.

#![expect(clippy::print_stdout, reason = "a table is printed")]

mod guard;
mod measures;
#[path = "../sets/planner.rs"]
mod planner;
mod plans;
#[path = "../sets/ranking.rs"]
mod ranking;
mod set;
#[path = "../sets/mod.rs"]
mod sets;
mod ways;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, bail};
use guard::Figures;
use orchestrate::rank::Past;
use serde_json::Value;
use set::{Sample, Set};
use sets::{Corpus, text};

/// How many of a ranking are looked at.
const LIMIT: usize = 20;

fn main() -> Result<()> {
    let asked = Asked::read(std::env::args().skip(1))?;
    let mut figures = BTreeMap::new();
    let mut queries = 0;
    println!("nDCG@10                 queries   ours  words  meaning  fusion   more of ours");
    for name in &asked.sets {
        let set = Set::read(&Path::new(&asked.folder).join(name), asked.sample)
            .with_context(|| format!("cannot read the set `{name}`"))?;
        let own = measure(&set)?;
        print_row(name, set.queries.len(), &own);
        queries += set.queries.len();
        figures.insert(name.clone(), own);
    }
    let mean = |measure: &str| {
        let all = figures.values().map(|own: &Figures| own[measure]);
        all.sum::<f64>() / figures.len() as f64
    };
    let means = ["ndcg", "words", "meaning", "fusion"].map(|name| (name.to_string(), mean(name)));
    print_row("mean", queries, &means.into_iter().collect());
    match &asked.file {
        Some((Use::Guard, file)) => guard::guard(Path::new(file), asked.sample, &figures),
        Some((Use::Write, file)) => guard::write(Path::new(file), asked.sample, figures),
        None => Ok(()),
    }
}

/// What is to be done with the file of figures.
enum Use {
    Guard,
    Write,
}

struct Asked {
    folder: String,
    sets: Vec<String>,
    sample: Sample,
    file: Option<(Use, String)>,
}

impl Asked {
    fn read(mut arguments: impl Iterator<Item = String>) -> Result<Asked> {
        let all = usize::MAX;
        let mut asked = Asked {
            folder: arguments.next().context("which folder has the sets?")?,
            sets: Vec::new(),
            sample: Sample {
                queries: all,
                documents: all,
                past: all,
            },
            file: None,
        };
        while let Some(argument) = arguments.next() {
            if !argument.starts_with("--") {
                asked.sets.push(argument);
                continue;
            }
            let value = arguments.next();
            let value = value.with_context(|| format!("`{argument}` takes a value"))?;
            match argument.as_str() {
                "--queries" => asked.sample.queries = value.parse()?,
                "--documents" => asked.sample.documents = value.parse()?,
                "--past" => asked.sample.past = value.parse()?,
                "--guard" => asked.file = Some((Use::Guard, value)),
                "--write" => asked.file = Some((Use::Write, value)),
                other => bail!("there is no `{other}`"),
            }
        }
        if asked.sets.is_empty() {
            for entry in std::fs::read_dir(&asked.folder)? {
                asked
                    .sets
                    .push(entry?.file_name().to_string_lossy().into_owned());
            }
            asked.sets.sort();
        }
        Ok(asked)
    }
}

/// Returns every figure of a set.
fn measure(set: &Set) -> Result<Figures> {
    let corpus = Corpus::of(set.corpus.clone())?;
    let plain = ways::Plain::of(&set.corpus)?;
    let mut sums = Sums::default();
    for query in &set.queries {
        let asked = format!("{} {}", text(query, "instruction"), text(query, "text"));
        let words = plain.by_words(asked.trim())?;
        let meaning = ways::by_meaning(&corpus, asked.trim())?;
        let fusion = ways::fusion([&words, &meaning]);
        let answers = &set.answers[text(query, "id")];
        for (name, ranking) in [("words", words), ("meaning", meaning), ("fusion", fusion)] {
            let ids: Vec<&str> = ranking.iter().take(LIMIT).map(|n| corpus.id(*n)).collect();
            sums.add(name, measures::ndcg(&ids, answers));
        }
        let ours = ids(&corpus, query, None)?;
        sums.add("ndcg", measures::ndcg(&ours, answers));
        sums.add("recall-5", measures::recall(&ours, answers, 5));
        sums.add("precision-10", measures::precision(&ours, answers));
        facets(query, &ours, &mut sums);
    }
    plans::with_needs(set, &corpus, &mut sums)?;
    plans::plans(set, &corpus, &mut sums)?;
    if !set.past.is_empty() {
        let past = Past::learn(&ranking::past_requests(&set.past));
        for query in &set.queries {
            let answers = &set.answers[text(query, "id")];
            let ours = ids(&corpus, query, Some(&past))?;
            sums.add("learned-ndcg", measures::ndcg(&ours, answers));
            sums.add("learned-recall-5", measures::recall(&ours, answers, 5));
        }
    }
    Ok(sums.means())
}

fn ids<'a>(corpus: &'a Corpus, query: &Value, past: Option<&Past>) -> Result<Vec<&'a str>> {
    let best = ranking::best(corpus, query, past, LIMIT)?;
    Ok(best
        .into_iter()
        .map(|(number, _)| corpus.id(number))
        .collect())
}

/// Measures whether each facet of a request is served, and whether what it rules out is left out.
fn facets(query: &Value, ranking: &[&str], sums: &mut Sums) {
    let ids = |value: &Value| -> Vec<String> {
        let ids = value.as_array().into_iter().flatten();
        ids.filter_map(|id| Some(id.as_str()?.to_string()))
            .collect()
    };
    let facets = query["facets"].as_object().into_iter().flatten();
    let facets: Vec<Vec<String>> = facets.map(|(_, facet)| ids(facet)).collect();
    if !facets.is_empty() {
        let groups: Vec<Vec<&str>> = facets
            .iter()
            .map(|facet| facet.iter().map(String::as_str).collect())
            .collect();
        sums.add("facets-5", measures::hit(ranking, &groups, 5));
    }
    let ruled_out = ids(&query["avoid"]);
    if !ruled_out.is_empty() {
        let group = ruled_out.iter().map(String::as_str).collect();
        sums.add("spared-5", 1.0 - measures::hit(ranking, &[group], 5));
    }
}

/// Sums of figures.
#[derive(Default)]
pub struct Sums(BTreeMap<&'static str, (f64, f64)>);

impl Sums {
    pub fn add(&mut self, measure: &'static str, figure: f64) {
        let (sum, count) = self.0.entry(measure).or_default();
        *sum += figure;
        *count += 1.0;
    }

    fn means(self) -> Figures {
        let means = self.0.into_iter();
        means
            .map(|(measure, (sum, count))| (measure.to_string(), sum / count))
            .collect()
    }
}

fn print_row(name: &str, queries: usize, own: &Figures) {
    let usual = ["ndcg", "words", "meaning", "fusion"];
    let [ours, words, meaning, fusion] = usual.map(|measure| own[measure]);
    let more: Vec<String> = own
        .iter()
        .filter(|(measure, _)| !usual.contains(&measure.as_str()))
        .map(|(measure, figure)| format!("{measure} {figure:.3}"))
        .collect();
    println!(
        "{name:<24}{queries:>6}  {ours:.3}  {words:.3}    {meaning:.3}   {fusion:.3}   {}",
        more.join(", ")
    );
}
