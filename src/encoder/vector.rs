//! What a text is about, in few bytes.

use fearless_simd::{Level, dispatch};

use super::WIDTH;

/// How many bytes a stored vector has.
pub const VECTOR_BYTES: usize = WIDTH + 4;

/// How many bytes a vector has in four bits a number.
pub const NIBBLES_BYTES: usize = WIDTH / 2;

/// The direction of a text, in eight bits a number. Of two texts, `cosine` says how near they are.
#[derive(Debug, Clone, PartialEq)]
pub struct Vector {
    codes: [i8; WIDTH],
    /// One over the codes' length.
    scale: f32,
}

impl Vector {
    pub(super) fn of(numbers: &[f32; WIDTH]) -> Vector {
        let largest = numbers
            .iter()
            .fold(1e-12_f32, |most, number| most.max(number.abs()));
        let codes = numbers.map(|number| (number * (127.0 / largest)).round_ties_even() as i8);
        let length = dot(&codes, &codes).max(1) as f32;
        Vector {
            codes,
            scale: 1.0 / length.sqrt(),
        }
    }

    /// Returns the direction of the sum of vectors of length 1, each times its weight, and the length of that sum.
    pub fn sum(parts: &[(f32, &Vector)]) -> (Vector, f32) {
        let mut numbers = [0.0; WIDTH];
        for (weight, vector) in parts {
            for (number, code) in numbers.iter_mut().zip(&vector.codes) {
                *number += weight * vector.scale * f32::from(*code);
            }
        }
        let length = numbers.iter().map(|number| number * number).sum::<f32>();
        (Vector::of(&numbers), length.sqrt())
    }

    /// Returns its numbers, of length 1 together.
    pub fn numbers(&self) -> Vec<f32> {
        let codes = self.codes.iter();
        codes.map(|code| f32::from(*code) * self.scale).collect()
    }

    /// Returns the cosine of the angle between the two: 1 for the same meaning, around 0 for texts that have nothing to do with each other.
    #[inline(always)]
    pub fn cosine(&self, other: &Vector) -> f32 {
        dot(&self.codes, &other.codes) as f32 * (self.scale * other.scale)
    }

    /// Returns the cosine to each of many vectors, as they are stored: some ten million a second.
    pub fn cosines(&self, stored: &[[u8; VECTOR_BYTES]]) -> Vec<f32> {
        let mut cosines = vec![0.0; stored.len()];
        dispatch!(Level::new(), _simd => self.write_cosines(stored, &mut cosines));
        cosines
    }

    #[inline(always)]
    fn write_cosines(&self, stored: &[[u8; VECTOR_BYTES]], cosines: &mut [f32]) {
        for (bytes, cosine) in stored.iter().zip(cosines) {
            *cosine = self.cosine(&Vector::from_bytes(bytes));
        }
    }

    /// Returns the vector in four bits a number, which turns it a little.
    pub fn to_nibbles(&self) -> [u8; NIBBLES_BYTES] {
        let largest = self.codes.iter().map(|code| code.unsigned_abs()).max();
        let unit = 7.0 / f32::from(largest.unwrap_or_default().max(1));
        let nibble = |code: i8| ((f32::from(code) * unit).round_ties_even() as i8 + 8) as u8;
        let mut bytes = [0; NIBBLES_BYTES];
        for (byte, pair) in bytes.iter_mut().zip(self.codes.as_chunks().0) {
            let [low, high]: [i8; 2] = *pair;
            *byte = nibble(low) | nibble(high) << 4;
        }
        bytes
    }

    /// Reads what `to_nibbles` wrote.
    pub fn from_nibbles(bytes: &[u8; NIBBLES_BYTES]) -> Vector {
        let mut codes = [0; WIDTH];
        for (pair, byte) in codes.as_chunks_mut().0.iter_mut().zip(bytes) {
            *pair = [(byte & 15) as i8 - 8, (byte >> 4) as i8 - 8];
        }
        let length = dot(&codes, &codes).max(1) as f32;
        Vector {
            codes,
            scale: 1.0 / length.sqrt(),
        }
    }

    /// Returns the vector's bytes, the same on every machine.
    pub fn to_bytes(&self) -> [u8; VECTOR_BYTES] {
        let mut bytes = [0; VECTOR_BYTES];
        for (byte, code) in bytes.iter_mut().zip(self.codes) {
            *byte = code.cast_unsigned();
        }
        bytes[WIDTH..].copy_from_slice(&self.scale.to_le_bytes());
        bytes
    }

    /// Reads what `to_bytes` wrote.
    #[inline(always)]
    pub fn from_bytes(bytes: &[u8; VECTOR_BYTES]) -> Vector {
        let mut codes = [0; WIDTH];
        for (code, byte) in codes.iter_mut().zip(bytes) {
            *code = byte.cast_signed();
        }
        let [.., a, b, c, d] = *bytes;
        Vector {
            codes,
            scale: f32::from_le_bytes([a, b, c, d]),
        }
    }
}

/// Whole numbers: the sum is exact, in whatever order it is done.
#[inline(always)]
fn dot(left: &[i8; WIDTH], right: &[i8; WIDTH]) -> i32 {
    let products = left
        .iter()
        .zip(right)
        .map(|(&left, &right)| i32::from(i16::from(left) * i16::from(right)));
    products.sum()
}
