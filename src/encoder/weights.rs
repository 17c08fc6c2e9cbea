//! The file of weights, read from what is in the binary. Its matrices stay where they are.

use super::matrix::{Codes, GROUP, Matrix, ROWS};
use super::pieces::Pieces;
use super::vocabulary::Vocabulary;
use super::{TOKENS_MAX, WIDTH};
use crate::tree;

/// How the file begins; another layout has another number.
const MAGIC: &[u8] = b"ORCHENC1";
const LAYERS: usize = 6;
/// How many kinds of pieces there are, by how often they are used.
const TIERS: usize = 3;
/// How many numbers a layer computes of each state in between.
const INNER: usize = 4 * WIDTH;

/// All that was learned.
#[derive(Debug)]
pub struct Weights {
    pub vocabulary: Vocabulary,
    /// The vectors of the first pieces, of those after them, and so on.
    pub pieces: [Pieces; TIERS],
    /// What is added to a piece by its place in the text.
    pub places: Vec<[f32; WIDTH]>,
    pub norm: Norm,
    pub layers: Vec<Layer>,
}

/// What a layer does: each token takes from the others, then is worked on by itself.
#[derive(Debug)]
pub struct Layer {
    /// A state's question, key and value.
    pub attention: Matrix,
    pub attended: Matrix,
    pub attended_norm: Norm,
    pub inner: Matrix,
    pub outer: Matrix,
    pub outer_norm: Norm,
}

/// What a state is multiplied with, and what is added, once it has mean 0 and variance 1.
#[derive(Debug)]
pub struct Norm {
    pub gain: [f32; WIDTH],
    pub bias: [f32; WIDTH],
}

impl Weights {
    /// Reads the embedded file, which `build.rs` puts into the binary and a test compares with its checksum.
    pub fn embedded() -> Weights {
        let (_, bytes) = tree::embedded("encoder/encoder.bin")
            .next()
            .expect("the binary holds the weights");
        let mut file = File(bytes);
        assert_eq!(file.bytes(MAGIC.len()), MAGIC, "another layout of weights");
        let weights = Weights {
            vocabulary: file.vocabulary(),
            pieces: std::array::from_fn(|_| file.pieces()),
            places: (0..TOKENS_MAX).map(|_| file.place()).collect(),
            norm: file.norm(),
            layers: (0..LAYERS).map(|_| file.layer()).collect(),
        };
        assert!(file.0.is_empty(), "more weights than known");
        weights
    }

    /// Writes the vector of a piece of the vocabulary to `state`.
    pub fn read_piece(&self, mut piece: usize, state: &mut [f32; WIDTH]) {
        for pieces in &self.pieces {
            match piece.checked_sub(pieces.rows.len()) {
                Some(later) => piece = later,
                None => return pieces.read(piece, state),
            }
        }
    }
}

/// What of the file is still to be read.
struct File(&'static [u8]);

impl File {
    fn bytes(&mut self, length: usize) -> &'static [u8] {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .expect("the embedded weights are whole");
        self.0 = rest;
        bytes
    }

    fn count(&mut self) -> usize {
        let bytes = self.bytes(4).try_into().expect("four bytes");
        u32::from_le_bytes(bytes) as usize
    }

    /// Numbers of 16 bits: the upper half of an `f32`.
    fn numbers(&mut self, count: usize) -> impl Iterator<Item = f32> + use<> {
        let halves = self.bytes(2 * count).as_chunks::<2>().0;
        halves
            .iter()
            .map(|half| f32::from_bits(u32::from(u16::from_le_bytes(*half)) << 16))
    }

    fn array<const N: usize>(&mut self) -> [f32; N] {
        let mut numbers = self.numbers(N);
        std::array::from_fn(|_| numbers.next().expect("as many as asked for"))
    }

    fn vocabulary(&mut self) -> Vocabulary {
        let length = self.count();
        let text = str::from_utf8(self.bytes(length)).expect("pieces are text");
        Vocabulary::new(text.lines())
    }

    fn pieces(&mut self) -> Pieces {
        let (bits, count) = (self.count(), self.count());
        Pieces {
            bits,
            columns: self.array(),
            rows: self.numbers(count).collect(),
            codes: self.bytes(count * WIDTH / 8 * bits),
        }
    }

    fn place(&mut self) -> [f32; WIDTH] {
        let [scale] = self.array();
        let mut codes = self.bytes(WIDTH).iter();
        std::array::from_fn(|_| {
            codes
                .next()
                .map_or(0.0, |code| f32::from(code.cast_signed()) * scale)
        })
    }

    fn norm(&mut self) -> Norm {
        Norm {
            gain: self.array(),
            bias: self.array(),
        }
    }

    fn layer(&mut self) -> Layer {
        Layer {
            attention: self.matrix(WIDTH, 3 * WIDTH),
            attended: self.matrix(WIDTH, WIDTH),
            attended_norm: self.norm(),
            inner: self.matrix(WIDTH, INNER),
            outer: self.matrix(INNER, WIDTH),
            outer_norm: self.norm(),
        }
    }

    fn matrix(&mut self, inputs: usize, outputs: usize) -> Matrix {
        let groups = inputs / GROUP;
        let rows = outputs / ROWS;
        Matrix {
            groups,
            codes: self.bytes(rows * groups * size_of::<Codes>()).as_chunks().0,
            scales: (0..rows * groups).map(|_| self.array()).collect(),
            bias: (0..rows).map(|_| self.array()).collect(),
        }
    }
}
