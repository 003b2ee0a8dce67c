//! Stopping before all cases were asked, without fooling oneself.
//!
//! Looking at a fixed-n bound after every answer inflates α and is not offered. Curtailment spends no α: it stops when the
//! final decision can no longer change. Wald's sequential test (1945) suits runs without a planned end. MLPerf's
//! rule says how many queries a latency percentile needs, given how many were too slow.

use serde::{Deserialize, Serialize};

use super::special::beta_cdf;
use super::{Confidence, Proportion};

/// What a look at the answers so far allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Decision {
    /// Stop: the gate passes.
    Pass,
    /// Stop: the gate fails.
    Fail,
    /// Go on: it is still open.
    Continue,
}

/// A planned number of cases and the errors that the gate allows in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Curtailment {
    /// How many cases will be asked.
    pub planned: u64,
    /// How many errors among them still pass; see [`BoundRule::max_errors`](super::BoundRule::max_errors).
    pub max_errors: u64,
}

impl Curtailment {
    /// Decides as soon as the remaining cases cannot change the outcome.
    ///
    /// `errors` counts the errors among the cases seen. The order of the cases must be random (seeded), or the
    /// cases seen are no fair part of the plan.
    pub fn decide(self, errors: Proportion) -> Decision {
        let remaining = self.planned.saturating_sub(errors.trials());
        if errors.successes() > self.max_errors {
            Decision::Fail
        } else if remaining <= self.max_errors - errors.successes() {
            Decision::Pass
        } else {
            Decision::Continue
        }
    }
}

/// Wald's sequential probability ratio test of "the error rate is `acceptable`" against "it is `unacceptable`".
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sprt {
    per_error: f64,
    per_success: f64,
    pass_at: f64,
    fail_at: f64,
}

impl Sprt {
    /// A test that wrongly fails an acceptable service with probability `false_fail`, and wrongly passes an
    /// unacceptable one with probability `false_pass`.
    ///
    /// `None` unless 0 < acceptable < unacceptable < 1 and both error probabilities lie strictly between 0 and ½.
    pub fn new(acceptable: f64, unacceptable: f64, false_fail: f64, false_pass: f64) -> Option<Self> {
        let rates = acceptable > 0.0 && acceptable < unacceptable && unacceptable < 1.0;
        let risk = |value: f64| value > 0.0 && value < 0.5;
        (rates && risk(false_fail) && risk(false_pass)).then(|| Self {
            per_error: (unacceptable / acceptable).ln(),
            per_success: ((1.0 - unacceptable) / (1.0 - acceptable)).ln(),
            pass_at: (false_pass / (1.0 - false_fail)).ln(),
            fail_at: ((1.0 - false_pass) / false_fail).ln(),
        })
    }

    /// What one error adds to the log-likelihood ratio.
    pub fn per_error(self) -> f64 {
        self.per_error
    }

    /// What one success adds to the log-likelihood ratio; below 0.
    pub fn per_success(self) -> f64 {
        self.per_success
    }

    /// The log-likelihood ratio at or below which the test passes.
    pub fn pass_at(self) -> f64 {
        self.pass_at
    }

    /// The log-likelihood ratio at or above which the test fails.
    pub fn fail_at(self) -> f64 {
        self.fail_at
    }

    /// The log-likelihood ratio of the answers so far.
    pub fn log_likelihood_ratio(self, errors: Proportion) -> f64 {
        errors.successes() as f64 * self.per_error + errors.failures() as f64 * self.per_success
    }

    /// Decides once the ratio leaves its bounds; may be asked after every answer.
    pub fn decide(self, errors: Proportion) -> Decision {
        let ratio = self.log_likelihood_ratio(errors);
        if ratio <= self.pass_at {
            Decision::Pass
        } else if ratio >= self.fail_at {
            Decision::Fail
        } else {
            Decision::Continue
        }
    }
}

/// The fewest queries that prove a latency percentile when `too_slow` of them missed the limit.
///
/// MLPerf Inference's early stopping: the smallest n = h + t with `I_{p−d}(h, t + 1)` ≤ 1 − confidence, for
/// percentile p (0.99 is p99) and tolerance d. `None` unless 0 < p − d and p < 1, with d ≥ 0.
pub fn min_queries(percentile: f64, tolerance: f64, confidence: Confidence, too_slow: u64) -> Option<u64> {
    let share = percentile - tolerance;
    if !(percentile < 1.0 && tolerance >= 0.0 && share > 0.0) {
        return None;
    }
    let proves = |fast: u64| beta_cdf(fast as f64, too_slow as f64 + 1.0, share) <= confidence.alpha();
    let (mut too_few, mut enough) = (0_u64, 1_u64);
    while !proves(enough) {
        (too_few, enough) = (enough, enough.checked_mul(2)?);
    }
    while enough - too_few > 1 {
        let middle = too_few.midpoint(enough);
        if proves(middle) {
            enough = middle;
        } else {
            too_few = middle;
        }
    }
    enough.checked_add(too_slow)
}
