//! Shares of the same cases in two runs: how sure is their change?
//!
//! One estimate and one standard error make both the interval and the test, so that they cannot contradict each other.
//! The standard error is the clustered one ([`cluster`](super::cluster)), with two clusters added of which one fell and one
//! rose by as much as the one that changed most, or from all to nothing where none did. On cases that are simply right or
//! wrong that is the interval of Bonett & Price (2012, after Agresti & Min 2005), but for the factor C/(C − 1): that few
//! cases did not change does not show that none like them would.

use super::special::normal_cdf;
use super::{Confidence, Interval};

/// How much shares changed in the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredChange {
    /// The middle of its interval: the mean change, drawn a little towards none.
    pub middle: f64,
    /// Its standard error.
    pub standard_error: f64,
}

impl ClusteredChange {
    /// From clusters of cases, each with its weight and the sum of its cases' changes by their weights. `None` without
    /// any weight.
    pub fn new(clusters: &[(f64, f64)]) -> Option<Self> {
        let weight: f64 = clusters.iter().map(|(weight, _)| weight).sum();
        if !(weight > 0.0 && weight.is_finite()) {
            return None;
        }
        let mean = weight / clusters.len() as f64;
        let shares =
            clusters.iter().filter(|(weight, _)| *weight > 0.0).map(|(weight, sum)| (sum / weight).abs());
        let most = mean * Some(shares.fold(0.0, f64::max)).filter(|most| *most > 0.0).unwrap_or(1.0);
        let all = || clusters.iter().copied().chain([(mean, most), (mean, -most)]);
        let (count, weight) = (clusters.len() as f64 + 2.0, weight + 2.0 * mean);
        let middle = all().map(|(_, change)| change).sum::<f64>() / weight;
        let squares: f64 = all().map(|(weight, change)| (change - weight * middle).powi(2)).sum();
        Some(Self { middle, standard_error: (count / (count - 1.0) * squares).sqrt() / weight })
    }

    /// The interval, half of α on each side: [`p_changed`](Self::p_changed) is below α where it does not hold 0.
    pub fn interval(self, confidence: Confidence) -> Interval {
        self.within(confidence.z_two_sided())
    }

    /// The two one-sided bounds, each with all of α: [`p_fell`](Self::p_fell) is below α where the upper one is below 0.
    pub fn bounds(self, confidence: Confidence) -> Interval {
        self.within(confidence.z_one_sided())
    }

    fn within(self, z: f64) -> Interval {
        let reach = z * self.standard_error;
        Interval { lower: (self.middle - reach).max(-1.0), upper: (self.middle + reach).min(1.0) }
    }

    /// The one-sided p-value: did they fall?
    pub fn p_fell(self) -> f64 {
        normal_cdf(self.middle / self.standard_error)
    }

    /// The two-sided one.
    pub fn p_changed(self) -> f64 {
        2.0 * normal_cdf(-(self.middle / self.standard_error).abs())
    }
}
