//! The pieces of words that the model knows, and how a word is put together from them.

use super::words::words;

/// What marks a piece that does not begin a word.
const INNER: &str = "##";
/// A longer word is unknown.
const WORD_BYTES_MAX: usize = 100;

/// The pieces and their numbers, in the order of the pieces' bytes.
#[derive(Debug)]
pub struct Vocabulary {
    pieces: Vec<(&'static str, usize)>,
    /// How many bytes the longest piece has.
    longest: usize,
    begin: usize,
    end: usize,
    unknown: usize,
}

impl Vocabulary {
    /// Takes the pieces in the order of their numbers, with `[CLS]`, `[SEP]` and `[UNK]` among them.
    pub fn new(pieces: impl Iterator<Item = &'static str>) -> Vocabulary {
        let mut pieces: Vec<_> = pieces.enumerate().map(|(n, piece)| (piece, n)).collect();
        // Fast: a few runs are sorted already.
        pieces.sort();
        let named = |name| find(&pieces, name).expect("each vocabulary has it");
        Vocabulary {
            longest: pieces
                .iter()
                .map(|(piece, _)| piece.len())
                .max()
                .unwrap_or(0),
            begin: named("[CLS]"),
            end: named("[SEP]"),
            unknown: named("[UNK]"),
            pieces,
        }
    }

    /// Returns the text's pieces between those that begin and end a text, `tokens_max` at most.
    pub fn tokens(&self, text: &str, tokens_max: usize) -> Vec<usize> {
        let mut tokens = vec![self.begin];
        for word in words(text) {
            self.take_apart(&word, &mut tokens);
            if tokens.len() >= tokens_max {
                break;
            }
        }
        tokens.truncate(tokens_max - 1);
        tokens.push(self.end);
        tokens
    }

    /// Adds the longest piece that the word begins with, then the longest of the rest, and so on; one unknown piece if that fails.
    fn take_apart(&self, word: &str, tokens: &mut Vec<usize>) {
        let before = tokens.len();
        let mut at = 0;
        while at < word.len() {
            match self.longest_piece(word, at) {
                Some((piece, length)) if word.len() <= WORD_BYTES_MAX => {
                    tokens.push(piece);
                    at += length;
                }
                _ => {
                    tokens.truncate(before);
                    tokens.push(self.unknown);
                    return;
                }
            }
        }
    }

    fn longest_piece(&self, word: &str, at: usize) -> Option<(usize, usize)> {
        let inner = if at == 0 { "" } else { INNER };
        let rest = &word[at..];
        let mut piece = String::from(inner);
        piece.extend(rest.chars().take(self.longest));
        while piece.len() > inner.len() {
            if let Some(number) = find(&self.pieces, &piece) {
                return Some((number, piece.len() - inner.len()));
            }
            piece.pop();
        }
        None
    }
}

fn find(pieces: &[(&str, usize)], piece: &str) -> Option<usize> {
    let place = pieces
        .binary_search_by(|(other, _)| (*other).cmp(piece))
        .ok()?;
    Some(pieces[place].1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        let pieces = [
            "[CLS]", "[SEP]", "[UNK]", "##d", "##ing", "##s", "embed", "em", "plug", "##in", "!",
            "-",
        ];
        let vocabulary = Vocabulary::new(pieces.into_iter());
        let named = vocabulary.tokens(text, 6).into_iter();
        let named: Vec<_> = named.map(|token| pieces[token]).collect();
        assert_eq!(named.join(" "), expected);
    }

    #[test]
    fn a_word_is_its_longest_pieces() {
        check("Embedding", "[CLS] embed ##d ##ing [SEP]");
        check("plug-in plugin", "[CLS] plug - [UNK] plug [SEP]");
        check("plugins", "[CLS] plug ##in ##s [SEP]");
    }

    #[test]
    fn a_word_of_no_pieces_is_one_unknown() {
        check("embedx 🚀 !", "[CLS] [UNK] [UNK] ! [SEP]");
        check(&"s".repeat(1_000_000), "[CLS] [UNK] [SEP]");
    }

    #[test]
    fn a_text_of_many_words_is_cut() {
        check(
            &"plug ".repeat(1_000_000),
            "[CLS] plug plug plug plug [SEP]",
        );
        check("", "[CLS] [SEP]");
    }
}
