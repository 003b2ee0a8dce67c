//! How sure a statement has to be: the confidence level of an interval, a bound or a test.

use serde::{Deserialize, Serialize};

use super::special;

/// A confidence level strictly between 0 and 1; its complement α is the error it allows.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Confidence(f64);

/// A confidence level that is not strictly between 0 and 1.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("confidence `{0}` is not strictly between 0 and 1")]
pub struct ConfidenceError(pub f64);

impl Confidence {
    /// 90 %.
    pub const PERCENT_90: Self = Self(0.90);
    /// 95 %, the default everywhere.
    pub const PERCENT_95: Self = Self(0.95);
    /// 99 %.
    pub const PERCENT_99: Self = Self(0.99);

    /// Accepts a level strictly between 0 and 1 (0.95, not 95).
    ///
    /// # Errors
    /// [`ConfidenceError`] for anything else, `NaN` included.
    pub fn new(level: f64) -> Result<Self, ConfidenceError> {
        if level > 0.0 && level < 1.0 { Ok(Self(level)) } else { Err(ConfidenceError(level)) }
    }

    /// The level as a fraction.
    pub fn level(self) -> f64 {
        self.0
    }

    /// The error allowed: 1 − level.
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// The normal quantile with half of α in each tail.
    pub(super) fn z_two_sided(self) -> f64 {
        special::normal_quantile(1.0 - self.alpha() / 2.0)
    }

    /// The normal quantile with all of α in one tail.
    pub(super) fn z_one_sided(self) -> f64 {
        special::normal_quantile(self.0)
    }
}

impl Default for Confidence {
    fn default() -> Self {
        Self::PERCENT_95
    }
}

impl TryFrom<f64> for Confidence {
    type Error = ConfidenceError;

    fn try_from(level: f64) -> Result<Self, ConfidenceError> {
        Self::new(level)
    }
}

impl From<Confidence> for f64 {
    fn from(confidence: Confidence) -> Self {
        confidence.0
    }
}
