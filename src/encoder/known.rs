//! The vectors of texts that were known when the program was made, so that they need not be worked out at each start.
//!
//! `templates/encoder/known.bin` is a table in the order of its keys: 8 bytes of a text's hash, and its vector in four bits a number. It is
//! made by `cargo run --release --example known > templates/encoder/known.bin`.

use super::vector::{NIBBLES_BYTES, Vector};
use super::{Encoder, WIDTH};
use crate::model::fingerprint;

static TABLE: &[u8] = include_bytes!("../../templates/encoder/known.bin");

const KEY_BYTES: usize = 8;
const ROW_BYTES: usize = KEY_BYTES + NIBBLES_BYTES;
const _: () = assert!(WIDTH == 2 * NIBBLES_BYTES);

/// Returns what the text is about: from the table where it is known, else by the encoder.
pub fn vector(text: &str) -> Vector {
    known(text).unwrap_or_else(|| Encoder::embedded().encode(text))
}

/// Returns the vector of a text that was known when the program was made.
pub fn known(text: &str) -> Option<Vector> {
    let (rows, _) = TABLE.as_chunks::<ROW_BYTES>();
    let key = key(text);
    let row = rows.binary_search_by_key(&&key[..], |row| &row[..KEY_BYTES]);
    let nibbles = rows[row.ok()?].last_chunk()?;
    Some(Vector::from_nibbles(nibbles))
}

/// Returns the table of these texts.
pub fn table(texts: &[String]) -> Vec<u8> {
    let vectors = Encoder::embedded().encode_many(texts);
    let row = |(text, vector): (&String, &Vector)| [&key(text)[..], &vector.to_nibbles()].concat();
    let mut rows: Vec<Vec<u8>> = texts.iter().zip(&vectors).map(row).collect();
    rows.sort();
    rows.dedup();
    rows.concat()
}

/// The texts are ours, and none is made to collide.
fn key(text: &str) -> [u8; KEY_BYTES] {
    fingerprint(text.as_bytes()).to_be_bytes()
}
