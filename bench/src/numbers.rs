//! Numbers of several rounds as one line.

use std::time::Duration;

/// The middle of the numbers.
pub fn median(numbers: &[f64]) -> f64 {
    let mut sorted = numbers.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// The widest distance of two numbers, in percent of the middle.
pub fn spread(numbers: &[f64]) -> f64 {
    let max = numbers.iter().copied().fold(f64::MIN, f64::max);
    let min = numbers.iter().copied().fold(f64::MAX, f64::min);
    (max - min) / median(numbers) * 100.0
}

/// The time that so many percent of requests do not exceed.
pub fn percentile(times: &mut [Duration], percent: usize) -> Duration {
    times.sort_unstable();
    let index = (times.len() * percent / 100).min(times.len().saturating_sub(1));
    times.get(index).copied().unwrap_or_default()
}

/// A count as a number to divide.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of a measurement are small"
)]
pub fn number(count: usize) -> f64 {
    count as f64
}
