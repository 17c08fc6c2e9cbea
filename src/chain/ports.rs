//! What tools take and give, as far as their names, descriptions and parameters tell: `Retrieve the images of a movie using its ID` takes a
//! movie that some other tool has to find.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

/// What a tool says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Tool<'a> {
    pub name: &'a str,
    pub description: &'a str,
    /// The names of its parameters and what each is.
    pub params: &'a str,
}

/// The things that a tool takes and gives, in small letters and in the singular.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ports {
    pub takes: BTreeSet<String>,
    pub gives: BTreeSet<String>,
    /// Whether it finds things by what they are called.
    pub finds: bool,
    /// Whether it tells so much of a thing that other things may be among it.
    pub tells: bool,
}

/// Something is told apart by an id.
static BY_ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:based\s+on|using|by|with|from|given|for)\s+(?:its|their|his|the|an?)?\s*(?:unique\s+)?(?:\w+\s+)?(?:ids?|identifiers?)\b")
        .expect("the expression is a constant")
});

/// One certain thing: `a movie`, `the TV show's`, `a particular person`.
static ONE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:an?|each|one)\s+(?:(?:particular|specific|given|certain|single|existing)\s+)?([a-z]+(?:\s+[a-z]+)?)")
        .expect("the expression is a constant")
});

/// A parameter that is an id: `movie_id`, `movieId`.
static PARAM: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b([A-Za-z]+)(?:_ids?|I[dD]s?)\b").expect("the expression is a constant")
});

static FINDS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)^(?:search|find|look\s*up|lookup|query|locate)\b|\b(?:search(?:es)?|look\s*up|find)\b.{0,24}$|\bby\s+name\b")
        .expect("the expression is a constant")
});

static TELLS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?i)\b(?:details?|detailed|information|info|profile|credits?|metadata|full)\b")
        .expect("the expression is a constant")
});

/// Returns what each of the tools takes and gives. Only what some tool takes is followed.
pub fn ports(tools: &[Tool<'_>]) -> Vec<Ports> {
    let names: Vec<Vec<String>> = tools.iter().map(|tool| singular_words(tool.name)).collect();
    let things = things(tools, &names);
    let read = tools.iter().zip(&names);
    read.map(|(tool, name)| of_tool(tool, name, &things))
        .collect()
}

/// Returns the things that some tool takes: those that are told apart by an id and stand in a tool's name, or are a parameter's.
fn things(tools: &[Tool<'_>], names: &[Vec<String>]) -> BTreeSet<String> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for word in names.iter().flatten() {
        *named.entry(word).or_default() += 1;
    }
    let mut things = BTreeSet::new();
    for (tool, name) in tools.iter().zip(names) {
        for captures in PARAM.captures_iter(tool.params) {
            things.extend(singular_words(&captures[1]).last().cloned());
        }
        if let Some(end) = BY_ID.find(tool.description) {
            let before = &tool.description[..end.start()];
            let ones = ONE.captures_iter(before);
            let words = ones.flat_map(|one| singular_words(&one[1]));
            // A thing that tools are about is in the name of more than one.
            things.extend(words.filter(|word| {
                name.contains(word) && named.get(word.as_str()).is_some_and(|count| *count > 1)
            }));
        }
    }
    things
}

fn of_tool(tool: &Tool<'_>, name: &[String], things: &BTreeSet<String>) -> Ports {
    let mut takes = BTreeSet::new();
    for captures in PARAM.captures_iter(tool.params) {
        takes.extend(singular_words(&captures[1]).last().cloned());
    }
    let own: Vec<&String> = name.iter().filter(|word| things.contains(*word)).collect();
    let ones = ONE.captures_iter(tool.description);
    let one: Vec<String> = ones.flat_map(|one| singular_words(&one[1])).collect();
    let certain = one.iter().any(|word| things.contains(word));
    let finds = FINDS.is_match(&spaced(tool.name)) || FINDS.is_match(tool.description);
    if takes.is_empty() && (BY_ID.is_match(tool.description) || certain) && !finds {
        let told = one.iter().find(|word| things.contains(*word));
        takes.extend(own.first().copied().or(told).cloned());
    }
    let mut gives: BTreeSet<String> = own.into_iter().cloned().collect();
    if !finds || gives.is_empty() {
        gives.extend(
            many(tool.description)
                .into_iter()
                .filter(|word| things.contains(word)),
        );
    }
    if !gives
        .iter()
        .any(|given| takes.contains(given) && many(tool.description).contains(given))
    {
        gives.retain(|given| !takes.contains(given));
    }
    Ports {
        finds,
        tells: TELLS.is_match(tool.description) || TELLS.is_match(&spaced(tool.name)),
        takes,
        gives,
    }
}

/// Returns the words of a text that stand in the plural, in the singular.
fn many(text: &str) -> BTreeSet<String> {
    let words = spaced(text).to_lowercase();
    let words = words.split(' ').map(str::to_string);
    let plural = words.filter(|word| singular(word) != *word);
    plural.map(|word| singular(&word)).collect()
}

/// Returns the words of a name or a text, in small letters and in the singular.
pub fn singular_words(text: &str) -> Vec<String> {
    let text = spaced(text).to_lowercase();
    let words = text.split(' ').filter(|word| !word.is_empty());
    words.map(singular).collect()
}

/// Returns a text whose words, those inside of a name too, stand apart.
fn spaced(text: &str) -> String {
    crate::rank::identifier(text)
        .replace(|c: char| !c.is_alphanumeric(), " ")
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
}

fn singular(word: &str) -> String {
    let ending = |ending: &str| word.strip_suffix(ending).filter(|stem| stem.len() > 1);
    match word {
        "people" | "persons" => "person".to_string(),
        "children" => "child".to_string(),
        _ if word.ends_with("ss") || word.ends_with("us") || word.ends_with("is") => {
            word.to_string()
        }
        "series" | "news" | "species" => word.to_string(),
        "movies" | "cookies" | "ties" => word.trim_end_matches('s').to_string(),
        _ => match (
            ending("ies"),
            ending("ses")
                .or(ending("xes"))
                .or(ending("ches"))
                .or(ending("shes")),
        ) {
            (Some(stem), _) => format!("{stem}y"),
            (_, Some(_)) => word[..word.len() - 2].to_string(),
            _ => ending("s").unwrap_or(word).to_string(),
        },
    }
}
