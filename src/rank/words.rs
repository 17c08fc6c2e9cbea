//! Words of requests and names.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::LazyLock;

use crate::index;

/// Words that say how something is asked, not what.
static STOP_WORDS: LazyLock<HashSet<&str>> =
    LazyLock::new(|| STOP_LIST.split_ascii_whitespace().collect());

const STOP_LIST: &str = "a an the and or but if then than so of in on at to for from with by as into onto over about is are was were be been \
    being am do does did has have had having it its this that these those there here i me my we us our you your he she they them their his her \
    what which who whom how when where why can could would should will shall may might must please want wants need needs like let lets get got \
    give me tell show help also just some any all each every more most very s t d ll re ve m not no don doesn isn using use used via up out";

/// Says whether the word, in small letters, says something about what is asked.
pub fn is_content(word: &str) -> bool {
    !STOP_WORDS.contains(word)
}

/// Returns the words of a text in small letters that say something.
pub fn content(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '_'));
    let words = words.filter(|word| !word.is_empty()).map(str::to_lowercase);
    words.filter(|word| is_content(word)).collect()
}

/// Returns the stems of the words that say something, as they are counted.
pub fn stems(text: &str) -> Vec<String> {
    index::stems(&without_stop_words(&spelled(text)))
}

/// Returns the text without the words that say nothing.
fn without_stop_words(text: &str) -> String {
    let kept = text.split_inclusive(|c: char| !c.is_alphanumeric());
    let is_kept = |part: &&str| {
        let word = part.trim_end_matches(|c: char| !c.is_alphanumeric());
        word.is_empty() || is_content(&word.to_lowercase())
    };
    kept.filter(is_kept).collect()
}

/// Returns an identifier as words: `fastAPIServer` and `fast_api-server` become `fast API Server` and `fast api server`.
pub fn identifier(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let mut words = String::new();
    for (at, c) in characters.iter().copied().enumerate() {
        let before = at.checked_sub(1).map(|before| characters[before]);
        let after = characters.get(at + 1);
        let hump = before.is_some_and(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
        let last_hump = before.is_some_and(|b| b.is_ascii_uppercase())
            && after.is_some_and(|a| a.is_ascii_lowercase());
        if c.is_ascii_uppercase() && (hump || last_hump) {
            words.push(' ');
        }
        words.push(if "_-/:.".contains(c) { ' ' } else { c });
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Returns a text whose names of languages survive being cut into words: `C++` is `cpp`.
pub fn spelled(text: &str) -> Cow<'_, str> {
    let spellings = [
        ("c++", "cpp"),
        ("c#", "csharp"),
        ("f#", "fsharp"),
        (".net", "dotnet"),
    ];
    let lower = text.to_ascii_lowercase();
    if !spellings.iter().any(|(sign, _)| lower.contains(sign)) {
        return Cow::Borrowed(text);
    }
    let spelled = spellings
        .iter()
        .fold(lower, |text, (sign, word)| text.replace(sign, word));
    Cow::Owned(spelled)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_cut_at_its_humps_and_signs() {
        for (name, words) in [
            ("fastAPIServer", "fast API Server"),
            ("secret-scanner_v2", "secret scanner v2"),
            ("getURL", "get URL"),
            ("", ""),
        ] {
            assert_eq!(identifier(name), words);
        }
    }

    #[test]
    fn words_that_say_nothing_are_left_out() {
        assert_eq!(content("Please show me the Leaks"), ["leaks"]);
        assert_eq!(
            without_stop_words("use the redis cache, please"),
            "redis cache, "
        );
        assert_eq!(spelled("port it to C++"), "port it to cpp");
    }
}
