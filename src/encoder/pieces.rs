//! The vectors of the pieces of words, in fewer bits the less a piece is used.

use super::WIDTH;

/// The vectors of some pieces.
#[derive(Debug)]
pub struct Pieces {
    /// How many bits a number has: eight numbers are in as many bytes, the first in the lowest bits.
    pub bits: usize,
    /// `WIDTH` numbers a piece.
    pub codes: &'static [u8],
    /// What a column's numbers are multiplied with.
    pub columns: [f32; WIDTH],
    /// What a piece's numbers are multiplied with.
    pub rows: Vec<f32>,
}

impl Pieces {
    /// Writes the piece's vector to `state`.
    pub fn read(&self, piece: usize, state: &mut [f32; WIDTH]) {
        let length = WIDTH / 8 * self.bits;
        let mask = (1_u32 << self.bits) - 1;
        let middle = mask as f32 / 2.0;
        let codes = self.codes[piece * length..][..length].chunks_exact(self.bits);
        let columns = self.columns.as_chunks::<8>().0;
        let states = state.as_chunks_mut::<8>().0;
        for ((state, codes), columns) in states.iter_mut().zip(codes).zip(columns) {
            let word = codes
                .iter()
                .rfold(0, |word, &byte| word << 8 | u32::from(byte));
            for (place, (number, column)) in state.iter_mut().zip(columns).enumerate() {
                let code = word >> (self.bits * place) & mask;
                *number = (code as f32 - middle) * self.rows[piece] * column;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_three_bits_stand_side_by_side() {
        let pieces = Pieces {
            bits: 3,
            codes: &[0b1111_0001, 0b0000_0010, 0b1000_0000]
                .repeat(2 * WIDTH / 8)
                .leak()[..],
            columns: std::array::from_fn(|column| column as f32),
            rows: vec![1.0, 2.0],
        };
        let mut state = [0.0; WIDTH];
        pieces.read(1, &mut state);
        let codes = [1.0, 6.0, 3.0, 1.0, 0.0, 0.0, 0.0, 4.0];
        for (column, number) in state.iter().enumerate() {
            assert_eq!(*number, (codes[column % 8] - 3.5) * 2.0 * column as f32);
        }
    }
}
