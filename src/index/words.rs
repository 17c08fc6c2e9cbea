//! Text cut into words, and words cut to their stems.

use hashbrown::HashMap;
use rust_stemmers::{Algorithm, Stemmer};

use super::{PerField, Texts};
use crate::model::{beginning, fingerprint};

/// The longest word that counts; what is longer is a digest or an encoded blob.
const WORD_BYTES_MAX: usize = 64;
/// How much of one field is read.
const TEXT_BYTES_MAX: usize = 512 * 1024;
/// How many words of a document count.
const WORDS_MAX: u32 = 65_536;

/// The number of a term: a stem, as long as the lexicon lives.
pub type TermId = u32;

/// The distinct words that were met, each of them stemmed once.
pub struct Lexicon {
    stemmer: Stemmer,
    words: HashMap<Box<str>, TermId>,
    ids: HashMap<Box<str>, TermId>,
    terms: Vec<Term>,
}

struct Term {
    text: Box<str>,
    /// The same for the same text on every machine.
    hash: u64,
}

impl Lexicon {
    /// Returns a lexicon that knows no word.
    pub fn new() -> Lexicon {
        Lexicon {
            stemmer: Stemmer::create(Algorithm::English),
            words: HashMap::new(),
            ids: HashMap::new(),
            terms: Vec::new(),
        }
    }

    /// Returns a lexicon whose first terms are these stems, in their order.
    pub fn of(stems: &[String]) -> Lexicon {
        let mut lexicon = Lexicon::new();
        for stem in stems {
            lexicon.add(stem);
        }
        lexicon
    }

    /// Returns the number of the word's stem.
    pub fn term(&mut self, word: &str) -> TermId {
        if let Some(id) = self.words.get(word) {
            return *id;
        }
        let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase());
        let id = match is_plain {
            true => self.add(&self.stemmer.stem(word)),
            false => self.add(word),
        };
        self.words.insert(word.into(), id);
        id
    }

    fn add(&mut self, stem: &str) -> TermId {
        if let Some(id) = self.ids.get(stem) {
            return *id;
        }
        let id = TermId::try_from(self.terms.len()).expect("memory ends before the numbers do");
        self.ids.insert(stem.into(), id);
        self.terms.push(Term {
            text: stem.into(),
            hash: fingerprint(stem.as_bytes()),
        });
        id
    }

    /// Returns the text of a term.
    pub fn text(&self, id: TermId) -> &str {
        &self.terms[id as usize].text
    }

    /// Returns a number that depends on the term's text alone.
    pub fn hash(&self, id: TermId) -> u64 {
        self.terms[id as usize].hash
    }

    /// Returns how many words and terms there are.
    pub fn len(&self) -> usize {
        self.words.len() + self.terms.len()
    }
}

/// Calls `each` with the field and every word that counts, and returns how many words each field has.
pub fn count(texts: &Texts, mut each: impl FnMut(usize, &str)) -> PerField<u32> {
    let mut lengths = PerField::default();
    let mut left = WORDS_MAX;
    for (field, text) in texts.all().into_iter().enumerate() {
        for_each_word(read(text), |word| {
            if left > 0 {
                left -= 1;
                lengths[field] += 1;
                each(field, word);
            }
        });
    }
    lengths
}

/// Returns as much of the text as is read.
pub fn read(text: &str) -> &str {
    beginning(text, TEXT_BYTES_MAX)
}

/// Calls `each` with every word in small letters, and with the parts of a word that is put together: `fastAPI` is also `fast` and `api`.
pub fn for_each_word(text: &str, mut each: impl FnMut(&str)) {
    let mut small = String::new();
    for run in text.split(|c: char| !c.is_alphanumeric()) {
        match run {
            "" => {}
            run if run.bytes().all(|byte| byte.is_ascii_lowercase()) => emit(run, &mut each),
            run if run.is_ascii() => compound(run, &mut small, &mut each),
            run => mixed(run, &mut small, &mut each),
        }
    }
}

fn emit(word: &str, each: &mut impl FnMut(&str)) {
    if word.len() <= WORD_BYTES_MAX {
        each(word);
    }
}

/// Emits the run and, where case or digits divide it, its parts of two letters and more.
fn compound(run: &str, small: &mut String, each: &mut impl FnMut(&str)) {
    if run.len() > WORD_BYTES_MAX {
        return;
    }
    small.clear();
    small.extend(run.chars().flat_map(char::to_lowercase));
    each(small);
    let mut start = 0;
    let boundaries = boundaries(run).chain([run.len()]);
    for end in boundaries {
        let part = &run[start..end];
        if part.len() > 1 && part.len() < run.len() {
            small.clear();
            small.extend(part.chars().flat_map(char::to_lowercase));
            each(small);
        }
        start = end;
    }
}

/// Returns where a word ends inside of the run: at `fast|API`, `HTTP|Server`, `base|64`.
fn boundaries(run: &str) -> impl Iterator<Item = usize> + '_ {
    let before = run.chars();
    let here = run.char_indices().skip(1);
    let after = run.chars().skip(2).map(Some).chain([None]);
    before
        .zip(here)
        .zip(after)
        .filter(|((before, (_, here)), after)| {
            let hump = before.is_lowercase() && here.is_uppercase();
            let last_hump = before.is_uppercase()
                && here.is_uppercase()
                && after.is_some_and(char::is_lowercase);
            let number = before.is_numeric() != here.is_numeric();
            hump || last_hump || number
        })
        .map(|((_, (at, _)), _)| at)
}

/// Emits a run with other than ASCII characters: pairs of those that are written without spaces, and words of the rest.
fn mixed(run: &str, small: &mut String, each: &mut impl FnMut(&str)) {
    let mut rest = run;
    while let Some(first) = rest.chars().next() {
        let kind = is_unspaced(first);
        let end = rest.find(|c| is_unspaced(c) != kind).unwrap_or(rest.len());
        let (part, after) = rest.split_at(end);
        match kind {
            true => pairs(part, each),
            false => compound(part, small, each),
        }
        rest = after;
    }
}

/// Says whether the character belongs to a script without spaces between words.
fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

fn pairs(text: &str, each: &mut impl FnMut(&str)) {
    let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
    if starts.len() == 1 {
        each(text);
    }
    let ends = starts.iter().skip(2).copied().chain([text.len()]);
    for (start, end) in starts.iter().zip(ends).take(starts.len() - 1) {
        each(&text[*start..end]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let mut words = Vec::new();
        for_each_word(text, |word| words.push(word.to_string()));
        assert_eq!(words.join(" "), expected);
    }

    #[test]
    fn words_are_cut_at_case_digits_and_punctuation() {
        check("rest-api, snake_case", "rest api snake case");
        check(
            "fastAPI HTTPServer",
            "fastapi fast api httpserver http server",
        );
        check("base64 k8s OAuth2", "base64 base 64 k8s oauth2 auth");
        check("Grüße", "grüße");
        check("", "");
    }

    #[test]
    fn scripts_without_spaces_are_read_in_pairs() {
        check("数据库API", "数据 据库 api");
        check("图", "图");
    }

    #[test]
    fn what_is_too_long_for_a_word_is_left_out() {
        check(&"a".repeat(65), "");
        check(&"a1".repeat(40), "");
    }

    #[test]
    fn forms_of_a_word_are_one_term() {
        let mut lexicon = Lexicon::new();
        let tests = lexicon.term("tests");
        assert_eq!(lexicon.term("testing"), tests);
        assert_eq!(lexicon.text(tests), "test");
    }
}
