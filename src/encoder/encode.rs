//! Text in, vector out.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use fearless_simd::{Level, dispatch};

use super::attention::attend;
use super::math::{gelu, normalize};
use super::matrix::Matrix;
use super::product::multiply;
use super::vector::Vector;
use super::weights::{Layer, Weights};
use super::{TOKENS_MAX, WIDTH};

/// A sentence transformer, ready to encode.
#[derive(Debug)]
pub struct Encoder {
    weights: Weights,
    /// The instructions that this processor has.
    level: Level,
}

impl Encoder {
    /// Returns the encoder inside the binary; the first call reads its tables, which takes some milliseconds.
    pub fn embedded() -> &'static Encoder {
        static ENCODER: LazyLock<Encoder> = LazyLock::new(|| Encoder {
            weights: Weights::embedded(),
            level: Level::new(),
        });
        &ENCODER
    }

    /// Returns what the text is about. Any text has a vector, an empty one too; about 90 words of it are read.
    pub fn encode(&self, text: &str) -> Vector {
        let tokens = self.weights.vocabulary.tokens(text, TOKENS_MAX);
        let mut states = self.embed(&tokens);
        for layer in &self.weights.layers {
            states = self.apply(layer, states);
        }
        Vector::of(&mean(&states))
    }

    /// Encodes each text, on all cores. The vectors stand in the order of the texts.
    pub fn encode_many<T: AsRef<str> + Sync>(&self, texts: &[T]) -> Vec<Vector> {
        let cores = thread::available_parallelism().map_or(1, usize::from);
        let next = AtomicUsize::new(0);
        let share = || {
            let mut done = Vec::new();
            while let index = next.fetch_add(1, Ordering::Relaxed)
                && let Some(text) = texts.get(index)
            {
                done.push((index, self.encode(text.as_ref())));
            }
            done
        };
        let mut done = thread::scope(|scope| {
            let workers: Vec<_> = (0..cores.min(texts.len()))
                .map(|_| scope.spawn(share))
                .collect();
            let results = workers.into_iter().flat_map(|worker| {
                worker
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            });
            results.collect::<Vec<_>>()
        });
        done.sort_unstable_by_key(|(index, _)| *index);
        done.into_iter().map(|(_, vector)| vector).collect()
    }

    /// Returns what stands for each token by itself, `WIDTH` numbers a token.
    fn embed(&self, tokens: &[usize]) -> Vec<f32> {
        let mut states = vec![0.0; tokens.len() * WIDTH];
        for (place, (&token, state)) in tokens
            .iter()
            .zip(states.as_chunks_mut::<WIDTH>().0)
            .enumerate()
        {
            self.weights.read_piece(token, state);
            for (number, place) in state.iter_mut().zip(&self.weights.places[place]) {
                *number += place;
            }
        }
        self.normalize(&self.weights.norm, &mut states);
        states
    }

    /// Looks at each token in the light of the others, then by itself.
    fn apply(&self, layer: &Layer, states: Vec<f32>) -> Vec<f32> {
        let seen = self.multiply(&layer.attention, &states);
        let context = dispatch!(self.level, _simd => attend(&seen));
        let mut states = self.multiply_onto(&layer.attended, &context, &states);
        self.normalize(&layer.attended_norm, &mut states);
        let mut inner = self.multiply(&layer.inner, &states);
        dispatch!(self.level, _simd => gelu(&mut inner));
        let mut states = self.multiply_onto(&layer.outer, &inner, &states);
        self.normalize(&layer.outer_norm, &mut states);
        states
    }

    fn multiply(&self, matrix: &Matrix, states: &[f32]) -> Vec<f32> {
        multiply(self.level, matrix, states)
    }

    fn multiply_onto(&self, matrix: &Matrix, states: &[f32], onto: &[f32]) -> Vec<f32> {
        let mut product = self.multiply(matrix, states);
        for (number, more) in product.iter_mut().zip(onto) {
            *number += more;
        }
        product
    }

    fn normalize(&self, norm: &super::weights::Norm, states: &mut [f32]) {
        for state in states.as_chunks_mut::<WIDTH>().0 {
            dispatch!(self.level, _simd => normalize(&norm.gain, &norm.bias, state));
        }
    }
}

/// Returns the mean of the tokens' states.
fn mean(states: &[f32]) -> [f32; WIDTH] {
    let mut sum = [0.0; WIDTH];
    for state in states.as_chunks::<WIDTH>().0 {
        for (sum, number) in sum.iter_mut().zip(state) {
            *sum += number;
        }
    }
    sum.map(|number| number / (states.len() / WIDTH) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_processor_gives_the_same_bytes() {
        let plain = Encoder {
            weights: Weights::embedded(),
            level: Level::baseline(),
        };
        for text in [
            "",
            "Finds memory leaks",
            "one two three four five six seven",
        ] {
            let here = Encoder::embedded().encode(text);
            assert_eq!(plain.encode(text).to_bytes(), here.to_bytes());
        }
    }
}
