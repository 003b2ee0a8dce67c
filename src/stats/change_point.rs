//! Did a sequence of numbers shift somewhere, and is its newest one out of line?
//!
//! [`ChangePoint`] is the largest standardised CUSUM, the likelihood ratio for one shift of the mean of normal numbers
//! (Worsley 1979, JASA 74:365). Its p-value is by permutation (Antoch & Hušková 2001, Statistics & Probability Letters
//! 53:37), so that no shape of the numbers is assumed, only that without a shift any order of them is as likely: numbers
//! that depend on the ones before them break that. [`prediction_interval`] asks for the newest number alone, where a
//! shift has only one number on its other side.

use serde::{Deserialize, Serialize};

use super::random::Draws;
use super::special::beta_quantile;
use super::{Confidence, Interval};

/// Fewer numbers have too few orders for a small p-value to mean much.
pub const MIN_VALUES: usize = 8;
/// So many numbers are on each side of a shift, at least.
pub const MIN_SIDE: usize = 2;

/// How the p-value is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChangePointOptions {
    /// How many orders are drawn.
    pub permutations: usize,
    /// Fixes the draws.
    pub seed: u64,
}

impl Default for ChangePointOptions {
    fn default() -> Self {
        Self { permutations: 9_999, seed: 0 }
    }
}

/// Where a sequence most likely shifted, and how likely chance alone does as much.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ChangePoint {
    /// The index of the first number after the shift.
    pub at: usize,
    /// The mean before it.
    pub before: f64,
    /// The mean from it on.
    pub after: f64,
    /// max |S_k| / (s √(k(n−k)/n)), where S_k sums the first k deviations from the mean of all.
    pub statistic: f64,
    /// The share of orders with a statistic at least as large, the given order among them (Phipson & Smyth 2010).
    pub p: f64,
    /// How the orders were drawn.
    pub options: ChangePointOptions,
}

/// Why no shift can be looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ChangePointError {
    /// Too few numbers.
    #[error("{values} are too few, {MIN_VALUES} are needed")]
    TooFew {
        /// How many there are.
        values: usize,
    },
    /// All are the same.
    #[error("all are the same")]
    NoVariation,
    /// One is no number.
    #[error("one of them is no number")]
    NotFinite,
}

impl ChangePoint {
    /// Looks for one shift of the mean.
    ///
    /// # Errors
    /// [`ChangePointError`] says what keeps it from being looked for.
    pub fn find(values: &[f64], options: ChangePointOptions) -> Result<Self, ChangePointError> {
        if values.len() < MIN_VALUES {
            return Err(ChangePointError::TooFew { values: values.len() });
        }
        if !values.iter().all(|value| value.is_finite()) {
            return Err(ChangePointError::NotFinite);
        }
        // Not by the deviation, which rounding keeps above zero.
        if values.iter().all(|value| value.to_bits() == values[0].to_bits()) {
            return Err(ChangePointError::NoVariation);
        }
        let (mean, deviation) = mean_and_deviation(values);
        let mut order: Vec<f64> = values.iter().map(|value| (value - mean) / deviation).collect();
        let (at, statistic) = largest(&order);
        let mut draws = Draws::new(options.seed);
        // A hair less, so that an order of the same statistic is not lost to rounding.
        let as_large = statistic * (1.0 - 1e-9);
        let mut reached = 0_usize;
        for _ in 0..options.permutations {
            for last in (1..order.len()).rev() {
                order.swap(last, draws.below(last + 1));
            }
            reached += usize::from(largest(&order).1 >= as_large);
        }
        let mean = |part: &[f64]| part.iter().sum::<f64>() / part.len() as f64;
        Ok(Self {
            at,
            before: mean(&values[..at]),
            after: mean(&values[at..]),
            statistic,
            p: (reached + 1) as f64 / (options.permutations + 1) as f64,
            options,
        })
    }
}

/// The largest standardised CUSUM of standardised numbers, and the index of the first number after it.
fn largest(standardised: &[f64]) -> (usize, f64) {
    let all = standardised.len();
    let (mut sum, mut best) = (0.0_f64, (MIN_SIDE, 0.0_f64));
    for (index, value) in standardised.iter().enumerate() {
        sum += value;
        let k = index + 1;
        if k < MIN_SIDE || all - k < MIN_SIDE {
            continue;
        }
        let statistic = sum.abs() / ((k * (all - k)) as f64 / all as f64).sqrt();
        if statistic > best.1 {
            best = (k, statistic);
        }
    }
    best
}

/// Where one more number of the same normal distribution falls: mean ± t·s·√(1 + 1/m) (Hahn & Meeker 1991, §4.6).
///
/// `None` for fewer than three numbers, and where they do not vary: an interval without width would claim certainty.
pub fn prediction_interval(values: &[f64], confidence: Confidence) -> Option<Interval> {
    let vary = values.iter().any(|value| value.to_bits() != values[0].to_bits());
    if values.len() < 3 || !vary || !values.iter().all(|value| value.is_finite()) {
        return None;
    }
    let count = values.len() as f64;
    let (mean, deviation) = mean_and_deviation(values);
    let reach = student_quantile(count - 1.0, confidence.alpha()) * deviation * (1.0 + 1.0 / count).sqrt();
    Some(Interval { lower: mean - reach, upper: mean + reach })
}

/// The t that Student's distribution exceeds in absolute value with probability α.
fn student_quantile(degrees: f64, alpha: f64) -> f64 {
    let x = beta_quantile(degrees / 2.0, 0.5, alpha);
    (degrees * (1.0 - x) / x).sqrt()
}

/// The mean and the sample's standard deviation.
fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let count = values.len() as f64;
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}
