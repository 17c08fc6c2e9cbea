//! Each token looks at all tokens and takes from those that concern it.

use super::math::exp;
use super::{TOKENS_MAX, WIDTH};

/// How many numbers of a state a head looks at.
const HEAD: usize = 32;

/// Takes each token's question, key and value, `3 * WIDTH` numbers, and returns what it takes from the others, `WIDTH` numbers.
///
/// The questions come scaled: their products with the keys go into the exponential function as they are.
#[inline(always)]
pub fn attend(seen: &[f32]) -> Vec<f32> {
    let seen = seen.as_chunks::<{ 3 * WIDTH }>().0;
    let mut context = vec![0.0; seen.len() * WIDTH];
    for head in (0..WIDTH).step_by(HEAD) {
        let mut keys = [[0.0; TOKENS_MAX]; HEAD];
        for (place, token) in seen.iter().enumerate() {
            for (row, key) in keys.iter_mut().zip(&token[WIDTH + head..][..HEAD]) {
                row[place] = *key;
            }
        }
        for (token, context) in seen.iter().zip(context.as_chunks_mut::<WIDTH>().0) {
            let mut weights = [0.0; TOKENS_MAX];
            let weights = &mut weights[..seen.len()];
            for (row, question) in keys.iter().zip(&token[head..][..HEAD]) {
                for (weight, key) in weights.iter_mut().zip(row) {
                    *weight += question * key;
                }
            }
            softmax(weights);
            let mut taken = [0.0; HEAD];
            for (weight, other) in weights.iter().zip(seen) {
                for (taken, value) in taken.iter_mut().zip(&other[2 * WIDTH + head..][..HEAD]) {
                    *taken += weight * value;
                }
            }
            context[head..][..HEAD].copy_from_slice(&taken);
        }
    }
    context
}

/// Makes the numbers positive with sum 1.
#[inline(always)]
fn softmax(numbers: &mut [f32]) {
    let largest = numbers
        .iter()
        .fold(f32::MIN, |most, &number| most.max(number));
    for number in numbers.iter_mut() {
        *number = exp(*number - largest);
    }
    let factor = 1.0 / numbers.iter().sum::<f32>();
    for number in numbers {
        *number *= factor;
    }
}
