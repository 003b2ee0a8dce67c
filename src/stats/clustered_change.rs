//! Shares of the same cases in two runs: how sure is their change?
//!
//! One estimate and one formula make both the interval and the test, so that they cannot contradict each other: the
//! clustered standard error ([`cluster`](super::cluster)), with two clusters added of which one fell and one rose. Where the
//! question is how much cases like these change, they fall and rise from all to nothing: that few cases did not change, or
//! little, does not show that none like them would be lost. On cases that are simply right or wrong that is the interval of
//! Bonett & Price (2012, after Agresti & Min 2005), but for the factor C/(C − 1). Where the question is whether anything
//! changed, each change is as likely to have the other sign, and they change by as much as the one that changed most: small
//! losses of all are seen. An interval without 0 ends there, on the side of 0, where the test does.

use super::special::normal_cdf;
use super::{Confidence, Interval};

/// How much shares changed in the mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredChange {
    /// The middle of its interval: the mean change, drawn a little towards none.
    pub middle: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The same by changes like those that were seen alone: that of the test, and never more.
    pub test_error: f64,
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
        let most = Some(shares.fold(0.0, f64::max)).filter(|most| *most > 0.0).unwrap_or(1.0);
        let (count, weight) = (clusters.len() as f64 + 2.0, weight + 2.0 * mean);
        let middle = clusters.iter().map(|(_, change)| change).sum::<f64>() / weight;
        let error = |added: f64| {
            let added = [(mean, mean * added), (mean, -mean * added)];
            let all = clusters.iter().copied().chain(added);
            let squares: f64 = all.map(|(weight, change)| (change - weight * middle).powi(2)).sum();
            (count / (count - 1.0) * squares).sqrt() / weight
        };
        Some(Self { middle, standard_error: error(1.0), test_error: error(most) })
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
        let (reach, seen) = (z * self.standard_error, z * self.test_error);
        let fell = self.middle + seen < 0.0;
        let rose = self.middle - seen > 0.0;
        Interval {
            lower: (self.middle - if rose { seen } else { reach }).max(-1.0),
            upper: (self.middle + if fell { seen } else { reach }).min(1.0),
        }
    }

    /// The one-sided p-value: did they fall?
    pub fn p_fell(self) -> f64 {
        normal_cdf(self.middle / self.test_error)
    }

    /// The two-sided one.
    pub fn p_changed(self) -> f64 {
        2.0 * normal_cdf(-(self.middle / self.test_error).abs())
    }
}
