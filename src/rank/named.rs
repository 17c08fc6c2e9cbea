//! What a text names, and where it says that something is not wanted.

use std::collections::BTreeSet;
use std::ops::Range;

use super::ruled_out::{is_telling, names_in, negations};
use crate::model::Taxonomy;

/// Returns the ranges of a text that say what is not wanted, in order.
pub fn negated(text: &str) -> Vec<Range<usize>> {
    let found = negations(text).into_iter();
    found.map(|negation| negation.range).collect()
}

/// Returns the technologies that a text names, by the names that the taxonomy has for them.
pub fn technologies<'a>(text: &str, taxonomy: &'a Taxonomy) -> BTreeSet<&'a str> {
    let names = names_in(text).into_iter();
    // `Go` is a language where it is written so, and does not begin the sentence.
    let is_meant = |name: &String| is_telling(name) || is_capital(text, name);
    names
        .filter(is_meant)
        .filter_map(|name| taxonomy.technology(&name))
        .collect()
}

fn is_capital(text: &str, name: &str) -> bool {
    let mut words = text.split(|c: char| !(c.is_alphanumeric() || "+#".contains(c)));
    words.next();
    words
        .any(|word| word.eq_ignore_ascii_case(name) && word.starts_with(|c: char| c.is_uppercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_wanted_has_its_place() {
        let text = "an API without caching, please";
        let negated = negated(text);
        assert_eq!(&text[negated[0].clone()], "without caching");
    }
}
