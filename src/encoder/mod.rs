//! Turns text into a vector whose direction says what the text is about: a small sentence transformer inside the binary.
//!
//! An encoder does not rank, keep vectors or know what a plugin is: `ops` hands it text and stores what it returns. It reads no file and no
//! network, and learns nothing. The same text gives the same bytes on every machine, whatever its instructions, and for any number of threads:
//! sums of products are whole numbers, and what is left is done in one order without the machine's own `exp`.
//!
//! The weights are `templates/encoder/encoder.bin`; the README beside it says where they come from and how to make them again. A new layout
//! is a new `MAGIC` in `weights`, in `make.py` too. A faster product for another processor is a function in `product` that gives the same sums.

mod attention;
mod encode;
mod known;
mod math;
mod matrix;
mod pieces;
mod product;
mod vector;
mod vocabulary;
mod weights;
mod words;

pub use encode::Encoder;
pub use known::{known, table, vector};
pub use vector::{VECTOR_BYTES, Vector};

/// How many numbers stand for a token, and for a text.
const WIDTH: usize = 384;
/// How many tokens of a text are read; what comes after them is not seen.
const TOKENS_MAX: usize = 128;
