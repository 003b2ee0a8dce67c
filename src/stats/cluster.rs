//! Cases that come in families: variants of one template say less than as many independent cases.
//!
//! Clustered standard error of Miller (2024, arXiv:2411.00640, appendix A) with the C/(C − 1) correction of
//! `inspect_ai`; design effect of Kish (1965); interval of Korn & Graubard (1998).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::special::beta_quantile;
use super::{Confidence, Interval};

/// A mean over clustered cases, and how many independent cases it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClusteredMean {
    /// The mean over all cases.
    pub mean: f64,
    /// Its standard error, clusters taken into account.
    pub standard_error: f64,
    /// How many cases there are.
    pub cases: usize,
    /// How many clusters they come in.
    pub clusters: usize,
    /// Variance over that of as many independent cases; `None` when all cases are alike.
    pub design_effect: Option<f64>,
}

/// The mean of (cluster, value) pairs with its clustered standard error; `None` with fewer than two clusters.
///
/// SE² = C/(C − 1) · Σ over clusters of (Σ (x − x̄))² / n².
pub fn clustered_mean(values: &[(usize, f64)]) -> Option<ClusteredMean> {
    let cases = values.len() as f64;
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / cases;
    let mut squares = 0.0;
    for (cluster, value) in values {
        *sums.entry(*cluster).or_default() += value - mean;
        squares += (value - mean).powi(2);
    }
    let clusters = sums.len();
    if clusters < 2 {
        return None;
    }
    let correction = clusters as f64 / (clusters - 1) as f64;
    let variance = correction * sums.values().map(|sum| sum * sum).sum::<f64>() / (cases * cases);
    let independent = squares / (cases - 1.0) / cases;
    Some(ClusteredMean {
        mean,
        standard_error: variance.sqrt(),
        cases: values.len(),
        clusters,
        design_effect: (independent > 0.0).then(|| variance / independent),
    })
}

/// 1 + (m − 1)ρ for a mean cluster size m and a correlation ρ within clusters.
///
/// `None` unless m ≥ 1 and ρ lies between 0 and 1.
pub fn design_effect(mean_cluster_size: f64, correlation: f64) -> Option<f64> {
    let valid = mean_cluster_size >= 1.0 && (0.0..=1.0).contains(&correlation);
    valid.then_some(1.0 + (mean_cluster_size - 1.0) * correlation)
}

/// How many independent cases so many clustered ones are worth; `None` unless the design effect is above 0.
pub fn effective_cases(cases: u64, design_effect: f64) -> Option<f64> {
    (design_effect > 0.0).then(|| cases as f64 / design_effect)
}

/// The Clopper–Pearson interval of a rate at an effective number of cases that need not be whole.
///
/// `None` unless the rate lies between 0 and 1 and there are effective cases.
pub fn rate_interval(rate: f64, effective_cases: f64, confidence: Confidence) -> Option<Interval> {
    if !((0.0..=1.0).contains(&rate) && effective_cases > 0.0 && effective_cases.is_finite()) {
        return None;
    }
    let (hits, tail) = (rate * effective_cases, confidence.alpha() / 2.0);
    let misses = effective_cases - hits;
    Some(Interval {
        lower: if hits <= 0.0 { 0.0 } else { beta_quantile(hits, misses + 1.0, tail) },
        upper: if misses <= 0.0 { 1.0 } else { beta_quantile(hits + 1.0, misses, 1.0 - tail) },
    })
}
