//! Numbers in few bits: the matrices' weights in four, the states in eight.

/// So many inputs share a scale.
pub const GROUP: usize = 64;
/// So many outputs are computed side by side.
pub const ROWS: usize = 8;
/// A group of weights for `ROWS` outputs.
///
/// Byte `32 b + 4 r + i` holds row `r`'s weights of inputs `8 b + i`, in its low half, and `8 b + 4 + i`, in its high half. A half holds a
/// weight plus `ZERO`.
pub type Codes = [u8; GROUP * ROWS / 2];
/// The code of the weight 0.
pub const ZERO: i32 = 8;

/// A matrix and what is added to its product.
#[derive(Debug)]
pub struct Matrix {
    /// How many groups of inputs it has.
    pub groups: usize,
    /// The groups of the first `ROWS` outputs, then those of the next.
    pub codes: &'static [Codes],
    /// What each row's codes are multiplied with, by group.
    pub scales: Vec<[f32; ROWS]>,
    pub bias: Vec<[f32; ROWS]>,
}

impl Matrix {
    pub fn outputs(&self) -> usize {
        self.bias.len() * ROWS
    }
}

/// A group of a state's numbers in eight bits.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// Four numbers each, the first in the lowest bits.
    pub words: [i32; GROUP / 4],
    /// What the numbers are multiplied with.
    pub scale: f32,
    /// The sum of the numbers times `ZERO`: what the codes' shift adds to a product.
    pub shift: i32,
}

impl Group {
    #[inline(always)]
    pub fn new(numbers: &[f32; GROUP]) -> Group {
        /// Added to a small number, it leaves the nearest whole number in the lowest bits.
        const ROUND: f32 = 12_582_912.0;
        let largest = numbers
            .iter()
            .fold(1e-12_f32, |most, number| most.max(number.abs()));
        let factor = 127.0 / largest;
        let mut words = [0; GROUP / 4];
        let mut sum = 0;
        for (word, four) in words.iter_mut().zip(numbers.as_chunks::<4>().0) {
            let four = four.map(|number| (number * factor + ROUND).to_bits() as i8);
            sum += four.iter().map(|&number| i32::from(number)).sum::<i32>();
            *word = i32::from_le_bytes(four.map(i8::cast_unsigned));
        }
        Group {
            words,
            scale: largest / 127.0,
            shift: sum * ZERO,
        }
    }
}
