//! How many errors a gate allows, how many cases it needs, and how often it is right.
//!
//! A bound gate claims "the error rate is at most p₀" only when the one-sided upper bound says so. With the
//! exact method that is P(X ≤ x | n, p₀) ≤ 1 − confidence, the acceptance number of sampling plans (Hahn &
//! Meeker 1991); with no error it is the "rule of three". An accuracy gate at 92 % is an error gate at 8 %.

use serde::{Deserialize, Serialize};

use super::special::binomial_at_most;
use super::{Confidence, IntervalMethod, Proportion};

/// "The error rate is at most this, with this confidence": the rule of a bound gate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BoundRule {
    /// The largest error rate that is acceptable, strictly between 0 and 1.
    pub max_rate: f64,
    /// How sure the claim has to be, one-sided.
    pub confidence: Confidence,
    /// Which upper bound is compared.
    pub method: IntervalMethod,
}

impl BoundRule {
    /// Whether this count of errors proves the rate; `None` without trials.
    pub fn passes(self, errors: Proportion) -> Option<bool> {
        (errors.trials() > 0).then(|| self.proves(errors.successes(), errors.trials()))
    }

    /// The most errors in `trials` with which the gate passes; `None` when even zero errors prove too little.
    pub fn max_errors(self, trials: u64) -> Option<u64> {
        if trials == 0 || !self.proves(0, trials) {
            return None;
        }
        // Fewer errors never prove less, so the last passing count can be bisected.
        let (mut passing, mut failing) = (0, trials);
        while failing - passing > 1 {
            let middle = passing.midpoint(failing);
            if self.proves(middle, trials) {
                passing = middle;
            } else {
                failing = middle;
            }
        }
        Some(passing)
    }

    /// The fewest trials with which `errors` still pass; `None` when the rate is not strictly between 0 and 1.
    pub fn min_trials(self, errors: u64) -> Option<u64> {
        if !(self.max_rate > 0.0 && self.max_rate < 1.0) {
            return None;
        }
        let (mut failing, mut passing) = (errors, errors.checked_add(1)?);
        while !self.proves(errors, passing) {
            failing = passing;
            passing = passing.checked_mul(2)?;
        }
        while passing - failing > 1 {
            let middle = failing.midpoint(passing);
            if self.proves(errors, middle) {
                passing = middle;
            } else {
                failing = middle;
            }
        }
        Some(passing)
    }

    /// The operating characteristic: P(gate passes) when each trial fails with `true_rate`.
    ///
    /// 0 when no count of errors could pass; `None` without trials or when `true_rate` is not a probability.
    pub fn pass_probability(self, trials: u64, true_rate: f64) -> Option<f64> {
        if trials == 0 || !(0.0..=1.0).contains(&true_rate) {
            return None;
        }
        self.max_errors(trials).map_or(Some(0.0), |allowed| pass_probability(allowed, trials, true_rate))
    }

    fn proves(self, errors: u64, trials: u64) -> bool {
        if !(self.max_rate > 0.0 && self.max_rate < 1.0) {
            return false;
        }
        match self.method {
            IntervalMethod::ClopperPearson => {
                binomial_at_most(errors, trials, self.max_rate) <= self.confidence.alpha()
            }
            IntervalMethod::Wilson => Proportion::new(errors, trials)
                .ok()
                .and_then(|observed| observed.upper_bound(self.method, self.confidence))
                .is_some_and(|bound| bound <= self.max_rate),
        }
    }
}

/// The most errors a point gate allows: those with errors ÷ trials ≤ `max_rate`.
///
/// `None` without trials or when the rate is not a probability.
pub fn point_max_errors(max_rate: f64, trials: u64) -> Option<u64> {
    if trials == 0 || !(0.0..=1.0).contains(&max_rate) {
        return None;
    }
    // 1 − 0.92 is a little below 0.08, and 0.08 of 350 must still be 28.
    let slack = 1e-9 + trials as f64 * f64::EPSILON;
    Some(((max_rate * trials as f64 + slack).floor() as u64).min(trials))
}

/// P(at most `max_errors` in `trials`) when each fails with `true_rate`; `None` when that is not a probability.
pub fn pass_probability(max_errors: u64, trials: u64, true_rate: f64) -> Option<f64> {
    (0.0..=1.0).contains(&true_rate).then(|| binomial_at_most(max_errors, trials, true_rate))
}
