//! `orchestrate discover-patterns [domain]`: the patterns there are, without running anything.

use super::arguments::{Arguments, DiscoverPatterns};
use super::output::Output;
use super::pattern::{listed, print};
use super::{Done, open};

/// Prints the patterns of a domain, or those that share a word with what is asked.
pub fn run(arguments: &Arguments, discover: &DiscoverPatterns, output: &Output) -> Done {
    let project = open(arguments)?;
    let wanted = discover
        .domain
        .as_deref()
        .unwrap_or_default()
        .to_lowercase();
    let words: Vec<&str> = wanted.split_whitespace().collect();
    let matching = listed(&project).filter(|(pattern, _)| {
        let text = format!(
            "{} {} {}",
            pattern.id,
            pattern.title,
            pattern.domain.as_deref().unwrap_or_default()
        )
        .to_lowercase();
        words.is_empty() || words.iter().any(|word| text.contains(word))
    });
    print(output, &matching.collect::<Vec<_>>())
}
