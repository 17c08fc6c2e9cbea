//! The product of a matrix and states: nearly all of an encoder's time.

use fearless_simd::{Level, dispatch};

use super::matrix::{Codes, GROUP, Group, Matrix, ROWS};

/// Returns the product of the matrix with each state, and its bias: `matrix.outputs()` numbers a state.
pub fn multiply(level: Level, matrix: &Matrix, states: &[f32]) -> Vec<f32> {
    let numbers = states.as_chunks::<GROUP>().0;
    let groups: Vec<Group> = dispatch!(level, _simd => numbers.iter().map(Group::new).collect());
    let mut product = vec![0.0; groups.len() / matrix.groups * matrix.outputs()];
    #[cfg(target_arch = "x86_64")]
    if let Some(avx2) = level.as_avx2() {
        avx2::multiply(avx2, matrix, &groups, &mut product);
        return product;
    }
    dispatch!(level, _simd => multiply_plainly(matrix, &groups, &mut product));
    product
}

/// The product in plain code, whose sums every other way has to give.
#[inline(always)]
fn multiply_plainly(matrix: &Matrix, states: &[Group], product: &mut [f32]) {
    let outputs = matrix.outputs();
    let rows = matrix
        .codes
        .chunks_exact(matrix.groups)
        .zip(matrix.scales.chunks_exact(matrix.groups))
        .zip(&matrix.bias);
    for (row, ((codes, scales), bias)) in rows.enumerate() {
        let columns: Vec<_> = codes.iter().map(spread).collect();
        let states = states.chunks_exact(matrix.groups);
        for (state, product) in states.zip(product.chunks_exact_mut(outputs)) {
            let mut sums = *bias;
            for ((columns, scales), group) in columns.iter().zip(scales).zip(state) {
                let whole = multiply_group(columns, group);
                for ((sum, whole), scale) in sums.iter_mut().zip(whole).zip(scales) {
                    *sum += whole as f32 * group.scale * scale;
                }
            }
            product[row * ROWS..][..ROWS].copy_from_slice(&sums);
        }
    }
}

/// Each row's weight of each input, plus `ZERO`.
type Columns = [[i16; ROWS]; GROUP];

#[inline(always)]
fn spread(codes: &Codes) -> Columns {
    std::array::from_fn(|input| {
        std::array::from_fn(|row| {
            let byte = codes[input / 8 * 4 * ROWS + 4 * row + input % 4];
            i16::from(byte >> (input & 4) & 15)
        })
    })
}

/// Returns each row's sum of products.
#[inline(always)]
fn multiply_group(columns: &Columns, group: &Group) -> [i32; ROWS] {
    let mut whole = [-group.shift; ROWS];
    let words = group.words.as_chunks::<4>().0;
    // Sixteen products of at most 15 * 127 fit 16 bits, which is twice as fast as 32.
    for (columns, words) in columns.as_chunks::<16>().0.iter().zip(words) {
        let mut sums = [0_i16; ROWS];
        for (columns, word) in columns.as_chunks::<4>().0.iter().zip(words) {
            for (column, number) in columns.iter().zip(word.to_le_bytes()) {
                for (sum, weight) in sums.iter_mut().zip(column) {
                    *sum += weight * i16::from(number.cast_signed());
                }
            }
        }
        for (whole, sum) in whole.iter_mut().zip(sums) {
            *whole += i32::from(sum);
        }
    }
    whole
}

#[cfg(target_arch = "x86_64")]
mod avx2 {
    use std::arch::x86_64::{
        __m256, __m256i, _mm256_add_epi16, _mm256_add_epi32, _mm256_add_ps, _mm256_and_si256,
        _mm256_cvtepi32_ps, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_mul_ps,
        _mm256_set1_epi8, _mm256_set1_epi16, _mm256_set1_epi32, _mm256_set1_ps,
        _mm256_setzero_si256, _mm256_srli_epi16, _mm256_sub_epi32,
    };

    use fearless_simd::prelude::*;
    use fearless_simd::{f32x8, u8x32};

    use crate::encoder::matrix::{Group, Matrix, ROWS};

    /// So many states are multiplied at once with the weights at hand.
    const STATES: usize = 4;

    fearless_simd::kernel!(
        /// A pair of products is at most 2 * 15 * 127, and eight of them fit 16 bits: one half of a group's codes.
        pub fn multiply(avx2: Avx2, matrix: &Matrix, states: &[Group], product: &mut [f32]) {
            let (groups, outputs) = (matrix.groups, matrix.outputs());
            let half = _mm256_set1_epi8(15);
            let ones = _mm256_set1_epi16(1);
            let rows = matrix
                .codes
                .chunks_exact(groups)
                .zip(matrix.scales.chunks_exact(groups))
                .zip(&matrix.bias);
            for (row, ((codes, scales), bias)) in rows.enumerate() {
                for (states, product) in states
                    .chunks(STATES * groups)
                    .zip(product.chunks_mut(STATES * outputs))
                {
                    // The last ones may be fewer: the last of them is then multiplied again, and left out.
                    let last = states.len() / groups - 1;
                    let state: [&[Group]; STATES] =
                        std::array::from_fn(|place| &states[place.min(last) * groups..][..groups]);
                    let bias: __m256 = f32x8::from_slice(avx2, bias).into();
                    let mut sums = [bias; STATES];
                    for (index, (codes, scales)) in codes.iter().zip(scales).enumerate() {
                        let group = state.map(|state| &state[index]);
                        let mut low = [_mm256_setzero_si256(); STATES];
                        let mut high = [_mm256_setzero_si256(); STATES];
                        for (block, codes) in codes.as_chunks::<{ 4 * ROWS }>().0.iter().enumerate()
                        {
                            let codes: __m256i = u8x32::from_slice(avx2, codes).into();
                            let lows = _mm256_and_si256(codes, half);
                            let highs = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), half);
                            for place in 0..STATES {
                                let words = &group[place].words;
                                let first = _mm256_set1_epi32(words[2 * block]);
                                let second = _mm256_set1_epi32(words[2 * block + 1]);
                                low[place] =
                                    _mm256_add_epi16(low[place], _mm256_maddubs_epi16(lows, first));
                                high[place] = _mm256_add_epi16(
                                    high[place],
                                    _mm256_maddubs_epi16(highs, second),
                                );
                            }
                        }
                        let scales: __m256 = f32x8::from_slice(avx2, scales).into();
                        for place in 0..STATES {
                            let whole = _mm256_add_epi32(
                                _mm256_madd_epi16(low[place], ones),
                                _mm256_madd_epi16(high[place], ones),
                            );
                            let whole =
                                _mm256_sub_epi32(whole, _mm256_set1_epi32(group[place].shift));
                            let scaled = _mm256_mul_ps(
                                _mm256_cvtepi32_ps(whole),
                                _mm256_set1_ps(group[place].scale),
                            );
                            sums[place] = _mm256_add_ps(sums[place], _mm256_mul_ps(scaled, scales));
                        }
                    }
                    for (sums, product) in sums.iter().zip(product.chunks_exact_mut(outputs)) {
                        let sums: f32x8<_> = (*sums).simd_into(avx2);
                        sums.store_slice(&mut product[row * ROWS..][..ROWS]);
                    }
                }
            }
        }
    );
}
