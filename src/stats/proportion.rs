//! One proportion, its confidence interval and its one-sided bounds.
//!
//! Wilson (1927) is the default: Brown, Cai & DasGupta (2001) recommend it for small n. Clopper–Pearson (1934)
//! never covers less than promised, so assurance gates use it; Thulin (2013, arXiv:1303.1288) shows the price.
//! The Wald interval is left out on purpose: at k = n it claims certainty.

use serde::{Deserialize, Serialize};

use super::Confidence;
use super::special::beta_quantile;

/// So many successes in so many trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "RawProportion")]
pub struct Proportion {
    successes: u64,
    trials: u64,
}

/// More successes than trials.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("`{successes}` successes cannot come from `{trials}` trials")]
pub struct ProportionError {
    /// The successes that were claimed.
    pub successes: u64,
    /// The trials they were claimed from.
    pub trials: u64,
}

/// Two ends of a range that is believed to hold the true value.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    /// The lower end.
    pub lower: f64,
    /// The upper end, never below the lower.
    pub upper: f64,
}

/// How an interval for a proportion is computed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntervalMethod {
    /// Wilson's score interval: right on average, short.
    #[default]
    Wilson,
    /// The exact interval: coverage never below the confidence, a little longer.
    ClopperPearson,
}

#[derive(Clone, Copy)]
enum Side {
    Lower,
    Upper,
}

#[derive(Deserialize)]
struct RawProportion {
    successes: u64,
    trials: u64,
}

impl Proportion {
    /// `successes` out of `trials`.
    ///
    /// # Errors
    /// [`ProportionError`] when there are more successes than trials.
    pub fn new(successes: u64, trials: u64) -> Result<Self, ProportionError> {
        if successes > trials {
            return Err(ProportionError { successes, trials });
        }
        Ok(Self { successes, trials })
    }

    /// So many successes and so many failures.
    pub fn from_counts(successes: u64, failures: u64) -> Self {
        Self { successes, trials: successes + failures }
    }

    /// How often it succeeded.
    pub fn successes(self) -> u64 {
        self.successes
    }

    /// How often it was tried.
    pub fn trials(self) -> u64 {
        self.trials
    }

    /// How often it failed.
    pub fn failures(self) -> u64 {
        self.trials - self.successes
    }

    /// Successes per trial; `None` without trials.
    pub fn rate(self) -> Option<f64> {
        (self.trials > 0).then(|| self.successes as f64 / self.trials as f64)
    }

    /// The same trials with success and failure exchanged.
    #[must_use]
    pub fn complement(self) -> Self {
        Self { successes: self.failures(), trials: self.trials }
    }

    /// The two-sided interval: half of α on each side; `None` without trials.
    pub fn interval(self, method: IntervalMethod, confidence: Confidence) -> Option<Interval> {
        if self.trials == 0 {
            return None;
        }
        let (z, tail) = (confidence.z_two_sided(), confidence.alpha() / 2.0);
        Some(Interval {
            lower: self.limit(Side::Lower, method, z, tail),
            upper: self.limit(Side::Upper, method, z, tail),
        })
    }

    /// The one-sided lower bound, all of α below it; `None` without trials.
    pub fn lower_bound(self, method: IntervalMethod, confidence: Confidence) -> Option<f64> {
        self.one_sided(Side::Lower, method, confidence)
    }

    /// The one-sided upper bound, all of α above it; `None` without trials.
    pub fn upper_bound(self, method: IntervalMethod, confidence: Confidence) -> Option<f64> {
        self.one_sided(Side::Upper, method, confidence)
    }

    fn one_sided(self, side: Side, method: IntervalMethod, confidence: Confidence) -> Option<f64> {
        (self.trials > 0).then(|| self.limit(side, method, confidence.z_one_sided(), confidence.alpha()))
    }

    /// One limit; the ends are exact (0 at k = 0, 1 at k = n) rather than rounded.
    fn limit(self, side: Side, method: IntervalMethod, z: f64, tail: f64) -> f64 {
        let (k, n) = (self.successes as f64, self.trials as f64);
        match (side, method) {
            (Side::Lower, _) if self.successes == 0 => 0.0,
            (Side::Upper, _) if self.successes == self.trials => 1.0,
            (Side::Lower, IntervalMethod::Wilson) => wilson(k, n, -z),
            (Side::Upper, IntervalMethod::Wilson) => wilson(k, n, z),
            (Side::Lower, IntervalMethod::ClopperPearson) => beta_quantile(k, n - k + 1.0, tail),
            (Side::Upper, IntervalMethod::ClopperPearson) => beta_quantile(k + 1.0, n - k, 1.0 - tail),
        }
    }
}

/// The Wilson limit on the side that the sign of z names; neither number need be whole.
pub(super) fn wilson(k: f64, n: f64, z: f64) -> f64 {
    let rate = k / n;
    let shrink = 1.0 + z * z / n;
    let centre = rate + z * z / (2.0 * n);
    let half = z * (rate * (1.0 - rate) / n + z * z / (4.0 * n * n)).sqrt();
    ((centre + half) / shrink).clamp(0.0, 1.0)
}

impl Interval {
    /// Upper minus lower.
    pub fn width(self) -> f64 {
        self.upper - self.lower
    }

    /// Whether the value lies inside, ends included.
    pub fn contains(self, value: f64) -> bool {
        self.lower <= value && value <= self.upper
    }
}

impl FromIterator<bool> for Proportion {
    /// Counts `true` as success.
    fn from_iter<I: IntoIterator<Item = bool>>(outcomes: I) -> Self {
        let mut counted = Self::default();
        for success in outcomes {
            counted.trials += 1;
            counted.successes += u64::from(success);
        }
        counted
    }
}

impl TryFrom<RawProportion> for Proportion {
    type Error = ProportionError;

    fn try_from(raw: RawProportion) -> Result<Self, ProportionError> {
        Self::new(raw.successes, raw.trials)
    }
}
