//! Signals of different kinds made comparable.

/// Returns by how many standard deviations each number is above the mean; zeros where all are the same.
pub fn standard(numbers: &[f32]) -> Vec<f32> {
    let (mean, deviation) = spread(numbers);
    numbers
        .iter()
        .map(|number| (number - mean) / (deviation + 1e-6))
        .collect()
}

/// Returns the mean and the standard deviation.
pub fn spread(numbers: &[f32]) -> (f32, f32) {
    let count = numbers.len().max(1) as f64;
    let mean = numbers.iter().map(|number| f64::from(*number)).sum::<f64>() / count;
    let square = |number: &f32| (f64::from(*number) - mean).powi(2);
    let variance = numbers.iter().map(square).sum::<f64>() / count;
    (mean as f32, variance.sqrt() as f32)
}

/// Returns where `value` is between `low` and `high`, from 0 to 1.
pub fn share(value: f32, low: f32, high: f32) -> f32 {
    ((value - low) / (high - low)).clamp(0.0, 1.0)
}
