//! The five words with which the ash-v5 contract grades a message, and the bands of score behind them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How grave a message is, in the words of the ash-v5 contract.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// No sign of distress.
    Safe,
    /// Everyday stress or sadness.
    Low,
    /// Distress that a person should look at.
    Medium,
    /// Someone should answer soon.
    High,
    /// Someone should answer now.
    Critical,
}

impl Severity {
    /// Every severity, from the mildest to the gravest.
    pub const ALL: [Self; 5] = [Self::Safe, Self::Low, Self::Medium, Self::High, Self::Critical];

    /// The severity of the band in which `score` (0..1) lies.
    pub fn of_score(score: f64) -> Self {
        Self::ALL.into_iter().rev().find(|severity| score >= severity.floor()).unwrap_or(Self::Safe)
    }

    /// The lowest score of the band.
    pub fn floor(self) -> f64 {
        match self {
            Self::Safe => 0.0,
            Self::Low => 0.30,
            Self::Medium => 0.50,
            Self::High => 0.70,
            Self::Critical => 0.85,
        }
    }

    /// The score just above the band; 1 for the gravest, which the band includes.
    pub fn ceiling(self) -> f64 {
        self.graver().map_or(1.0, Self::floor)
    }

    /// The next graver severity.
    pub fn graver(self) -> Option<Self> {
        Self::ALL.into_iter().find(|other| *other > self)
    }

    /// The next milder severity.
    pub fn milder(self) -> Option<Self> {
        Self::ALL.into_iter().rev().find(|other| *other < self)
    }

    /// The word that stands in the answer.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Safe => "safe",
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }

    /// What the contract advises for this severity.
    pub(super) fn recommended_action(self) -> &'static str {
        match self {
            Self::Safe => "none",
            Self::Low => "passive_monitoring",
            Self::Medium => "standard_monitoring",
            Self::High => "priority_response",
            Self::Critical => "immediate_outreach",
        }
    }
}

/// A score as it is banded and printed: four decimals, so that a reader's band is ours.
pub(super) fn round(score: f64) -> f64 {
    (score * 1e4).round() / 1e4
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A word that is none of the five severities.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("severity `{0}` is not one of safe, low, medium, high, critical")]
pub struct SeverityError(String);

impl FromStr for Severity {
    type Err = SeverityError;

    fn from_str(text: &str) -> Result<Self, SeverityError> {
        Self::ALL
            .into_iter()
            .find(|severity| severity.as_str().eq_ignore_ascii_case(text.trim()))
            .ok_or_else(|| SeverityError(text.to_owned()))
    }
}
