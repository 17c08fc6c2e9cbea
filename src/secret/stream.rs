//! Redacting what arrives in pieces, whatever the pieces are.

use super::Secrets;

/// Takes secrets out of a stream of bytes; what could be the beginning of one is held back until more is known.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    secrets: Secrets,
    held: Vec<u8>,
    /// How many of the held bytes belong to a secret that has been marked already.
    marked: usize,
}

impl Redaction {
    /// Begins a stream in which these secrets are looked for.
    pub fn new(secrets: Secrets) -> Redaction {
        Redaction {
            secrets,
            ..Redaction::default()
        }
    }

    /// Takes in the next bytes, and returns those that are safe to show.
    pub fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.held.extend_from_slice(bytes);
        let end = self.secrets.open_end(&self.held);
        self.show(end)
    }

    /// Returns the rest: the stream has ended.
    pub fn finish(&mut self) -> Vec<u8> {
        self.show(self.held.len())
    }

    fn show(&mut self, end: usize) -> Vec<u8> {
        let mut shown = Vec::with_capacity(end);
        let mut at = self.marked.min(end);
        let mut covered = self.marked;
        for found in self.secrets.places(&self.held) {
            if found.range.start >= end {
                break;
            }
            if found.range.start >= covered {
                shown.extend_from_slice(&self.held[at.min(found.range.start)..found.range.start]);
                shown.extend_from_slice(self.secrets.mark(&found).as_bytes());
            }
            covered = covered.max(found.range.end);
            at = covered.min(end);
        }
        shown.extend_from_slice(&self.held[at..end]);
        self.marked = covered.saturating_sub(end);
        self.held.drain(..end);
        shown
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
    use proptest::prelude::*;

    use super::super::{Secret, Secrets};
    use super::*;

    /// Redacts `text` cut into pieces of these lengths, over and over.
    fn redact(secrets: &Secrets, text: &[u8], lengths: &[usize]) -> String {
        let mut redaction = Redaction::new(secrets.clone());
        let (mut shown, mut rest) = (Vec::new(), text);
        for length in lengths.iter().cycle() {
            if rest.is_empty() {
                break;
            }
            let (piece, more) = rest.split_at((*length).min(rest.len()));
            shown.extend(redaction.push(piece));
            rest = more;
        }
        shown.extend(redaction.finish());
        String::from_utf8_lossy(&shown).into_owned()
    }

    fn percent(text: &str) -> String {
        let digits = |byte: u8| match byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        };
        text.bytes().map(digits).collect()
    }

    /// Every form that is promised, as programs write it: alone and inside of something longer.
    fn written(secret: &str, before: &str, after: &str) -> Vec<String> {
        let whole = format!("{before}{secret}{after}");
        let hex = |upper: bool| -> String {
            let bytes = whole.bytes();
            bytes
                .map(|byte| {
                    if upper {
                        format!("{byte:02X}")
                    } else {
                        format!("{byte:02x}")
                    }
                })
                .collect()
        };
        vec![
            whole.clone(),
            STANDARD.encode(&whole),
            URL_SAFE_NO_PAD.encode(&whole),
            hex(false),
            hex(true),
            percent(&whole),
            serde_json::to_string(&whole).unwrap(),
        ]
    }

    proptest! {
        #[test]
        fn no_form_of_a_secret_gets_through_in_whatever_pieces(
            secret in "[ -~éß€]{8,60}",
            before in "[a-z ]{0,7}",
            after in "[a-z ]{0,7}",
            lengths in prop::collection::vec(1_usize..40, 1..6),
        ) {
            let secrets = Secrets::new(&[Secret::new("S", secret.clone()).unwrap()]).unwrap();
            for text in written(&secret, &before, &after) {
                let shown = redact(&secrets, text.as_bytes(), &lengths);
                prop_assert!(shown.contains("[redacted: S]"), "{text:?} became {shown:?}");
                prop_assert_eq!(secrets.named_in(shown.as_bytes()), None, "{:?}", shown);
                prop_assert_eq!(secrets.named_in(text.as_bytes()), Some("S"));
            }
        }

        #[test]
        fn pieces_make_no_difference_and_other_text_stays(
            text in "[ab]{0,60}",
            secret in "[ab]{8,12}",
            lengths in prop::collection::vec(1_usize..9, 1..5),
        ) {
            let secrets = Secrets::new(&[Secret::new("S", secret.clone()).unwrap()]).unwrap();
            let whole = redact(&secrets, text.as_bytes(), &[usize::MAX]);
            let in_pieces = redact(&secrets, text.as_bytes(), &lengths);
            prop_assert_eq!(&whole, &in_pieces);
            if !text.contains(&secret) {
                prop_assert_eq!(&whole, &text);
            }
            prop_assert!(!whole.contains(&secret));
        }
    }

    #[test]
    fn nothing_is_held_back_that_cannot_be_a_secret() {
        let secrets = Secrets::new(&[Secret::new("S", "0123456789".to_string()).unwrap()]).unwrap();
        let mut redaction = Redaction::new(secrets);
        assert_eq!(redaction.push(b"a line\n"), b"a line\n");
        assert_eq!(redaction.push(b"x 01234"), b"x ");
        assert_eq!(redaction.push(b"5x\n"), b"012345x\n");
    }
}
