//! What a measurement hands over, and how samples become one number.

use serde_json::{Value, json};

/// One number and the most it may be.
pub(crate) fn at_most(name: &str, value: f64, unit: &str, most: f64) -> Value {
    json!({ "name": name, "value": rounded(value), "unit": unit, "at_most": most })
}

/// A count as a number.
pub(crate) fn number(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}

/// A run with a fault planted: each of its numbers must miss its goal.
pub(crate) fn control(planted: &str, parts: &[Value]) -> Value {
    json!({ "planted": planted, "parts": parts })
}

/// The middle one, or the mean of the two in the middle.
pub(crate) fn median(samples: &[f64]) -> f64 {
    let sorted = sorted(samples);
    let middle = sorted.len() / 2;
    if sorted.len().is_multiple_of(2) {
        f64::midpoint(sorted[middle - 1], sorted[middle])
    } else {
        sorted[middle]
    }
}

/// The smallest sample that this share of all samples does not exceed.
pub(crate) fn percentile(samples: &[f64], share: f64) -> f64 {
    let sorted = sorted(samples);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "a place in a short list"
    )]
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted[place.clamp(1, sorted.len()) - 1]
}

/// Four places after the point: what is beyond is noise.
pub(crate) fn rounded(value: f64) -> f64 {
    (value * 10_000.0).round() / 10_000.0
}

/// All samples in the order in which they were taken.
pub(crate) fn samples(samples: &[f64]) -> Value {
    samples.iter().map(|sample| json!(rounded(*sample))).collect()
}

fn sorted(samples: &[f64]) -> Vec<f64> {
    assert!(!samples.is_empty(), "nothing was measured");
    let mut sorted = samples.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[4.0, 1.0, 3.0, 2.0]), 2.5);
    }

    #[test]
    fn a_percentile_is_one_of_the_samples() {
        let hundred: Vec<f64> = (1..=100).rev().map(f64::from).collect();
        assert_eq!(percentile(&hundred, 0.95), 95.0);
        assert_eq!(percentile(&hundred[..20], 0.95), 99.0);
        assert_eq!(percentile(&[7.0], 0.95), 7.0);
    }
}
