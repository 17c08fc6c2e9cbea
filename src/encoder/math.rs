//! The functions of one number or one state. They are inlined into code that may use the processor's wide registers.

use super::WIDTH;

/// So many running sums are kept side by side, in this order on every machine.
const LANES: usize = 16;

/// Moves and stretches the state to mean 0 and variance 1, then by what was learned.
#[inline(always)]
pub fn normalize(gain: &[f32; WIDTH], bias: &[f32; WIDTH], state: &mut [f32; WIDTH]) {
    let mean = sum(state, |number| number) / WIDTH as f32;
    let variance = sum(state, |number| (number - mean) * (number - mean)) / WIDTH as f32;
    let factor = 1.0 / (variance + 1e-12).sqrt();
    for ((number, gain), bias) in state.iter_mut().zip(gain).zip(bias) {
        *number = (*number - mean) * factor * gain + bias;
    }
}

#[inline(always)]
fn sum(numbers: &[f32; WIDTH], each: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0; LANES];
    for chunk in numbers.as_chunks::<LANES>().0 {
        for (sum, &number) in sums.iter_mut().zip(chunk) {
            *sum += each(number);
        }
    }
    sums.iter().sum()
}

/// Applies the Gaussian error linear unit.
#[inline(always)]
pub fn gelu(numbers: &mut [f32]) {
    for number in numbers {
        *number = 0.5 * *number * (1.0 + erf(*number * std::f32::consts::FRAC_1_SQRT_2));
    }
}

/// The error function, to 2e-7: Abramowitz and Stegun 7.1.26.
#[inline(always)]
fn erf(x: f32) -> f32 {
    let a = x.abs();
    let t = 1.0 / (1.0 + 0.327_591_1 * a);
    let sum = ((((1.061_405_4 * t - 1.453_152_1) * t + 1.421_413_8) * t - 0.284_496_72) * t
        + 0.254_829_6)
        * t;
    (1.0 - sum * exp(-a * a)).copysign(x)
}

/// The exponential function, to 2e-7 of its value; below -87 and above 87 it stays what it is there.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    /// Added to a small number, it leaves the nearest whole number in the lowest bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 87.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let whole = shifted - ROUND;
    // ln 2 in two parts, of which the first is exact.
    let rest = x - whole * 0.693_359_4 + whole * 2.121_944_4e-4;
    let series = 1.0
        + rest
            * (1.0
                + rest
                    * (0.5
                        + rest
                            * (1.0 / 6.0
                                + rest * (1.0 / 24.0 + rest * (1.0 / 120.0 + rest / 720.0)))));
    let power = f32::from_bits((shifted.to_bits() << 23).wrapping_add(1.0_f32.to_bits()));
    series * power
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_the_exponential_function() {
        for step in -8700..=8700 {
            let x = step as f32 / 100.0;
            let right = f64::from(x).exp();
            assert!(
                (f64::from(exp(x)) - right).abs() <= right * 4e-7,
                "{x}: {} {right}",
                exp(x)
            );
        }
        assert_eq!(exp(-1e30), exp(-87.0));
    }

    #[test]
    fn gelu_has_its_known_values() {
        let mut numbers = [-3.0, -1.0, 0.0, 0.5, 2.0, 40.0];
        gelu(&mut numbers);
        let right = [
            -0.004_049_7,
            -0.158_655_3,
            0.0,
            0.345_731_2,
            1.954_499_7,
            40.0,
        ];
        for (number, right) in numbers.iter().zip(right) {
            assert!((number - right).abs() < 1e-6, "{number} {right}");
        }
    }
}
