//! Text cut into words as the model's makers cut it: lower case, no accents, each mark of punctuation by itself.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// Only so many characters are looked at: more than the tokens that are read can have.
const CHARACTERS_MAX: usize = 16_384;

/// Returns the text's words, in order.
pub fn words(text: &str) -> impl Iterator<Item = String> {
    let mut characters = text
        .chars()
        .take(CHARACTERS_MAX)
        .filter(|&character| !is_dropped(character))
        .flat_map(char::to_lowercase)
        .nfd()
        .filter(|&character| !is_combining_mark(character))
        .peekable();
    std::iter::from_fn(move || {
        while characters
            .next_if(|character| character.is_whitespace())
            .is_some()
        {}
        let first = characters.next()?;
        let mut word = String::from(first);
        if first.is_alphanumeric() && !is_ideograph(first) {
            while let Some(next) =
                characters.next_if(|&next| next.is_alphanumeric() && !is_ideograph(next))
            {
                word.push(next);
            }
        }
        Some(word)
    })
}

/// Says whether the character is no part of what a person reads: control characters that do not part words, and marks of no width.
fn is_dropped(character: char) -> bool {
    let no_width = matches!(character, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{fffd}');
    no_width || character.is_control() && !character.is_whitespace()
}

/// Says whether the character is a word by itself.
fn is_ideograph(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{2fa1f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        assert_eq!(words(text).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn words_are_lower_case_without_accents() {
        check(
            "Résumé of a REST API",
            &["resume", "of", "a", "rest", "api"],
        );
        check("ÅNGSTRÖM İstanbul", &["angstrom", "istanbul"]);
    }

    #[test]
    fn each_mark_of_punctuation_is_a_word() {
        check("don't: a->b", &["don", "'", "t", ":", "a", "-", ">", "b"]);
        check("ship it 🚀!", &["ship", "it", "🚀", "!"]);
        check("数据 base", &["数", "据", "base"]);
    }

    #[test]
    fn what_is_not_read_is_dropped() {
        check("a\u{200b}b\u{0}c \u{7}\n\td", &["abc", "d"]);
        check("", &[]);
        check(" \n\u{a0}", &[]);
    }
}
