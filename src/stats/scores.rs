//! Scored cases: what a service said the probability was, and whether the case was positive.
//!
//! The measures over them are in `calibration` (is the probability honest?) and `ranking` (does it separate?).

use serde::{Deserialize, Serialize};

use super::Proportion;

/// One case with a score.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ScoredCase {
    /// The probability of "positive" that the service gave, 0 to 1.
    pub score: f64,
    /// Whether the case is positive.
    pub positive: bool,
}

/// Cases whose scores are all probabilities, in ascending order of score.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Vec<ScoredCase>", into = "Vec<ScoredCase>")]
pub struct ScoredCases {
    cases: Vec<ScoredCase>,
}

/// A score that is not a probability.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[error("score `{score}` of case {index} is not between 0 and 1")]
pub struct ScoreError {
    /// The index of the case.
    pub index: usize,
    /// Its score.
    pub score: f64,
}

impl ScoredCases {
    /// Accepts cases in any order.
    ///
    /// # Errors
    /// [`ScoreError`] names the first score that is not between 0 and 1.
    pub fn new(mut cases: Vec<ScoredCase>) -> Result<Self, ScoreError> {
        if let Some(index) = cases.iter().position(|case| !(0.0..=1.0).contains(&case.score)) {
            return Err(ScoreError { index, score: cases[index].score });
        }
        // Ties are ordered too, so that sums never depend on the order the cases came in.
        cases.sort_by(|one, other| one.score.total_cmp(&other.score).then(one.positive.cmp(&other.positive)));
        Ok(Self { cases })
    }

    /// The cases in ascending order of score.
    pub fn as_slice(&self) -> &[ScoredCase] {
        &self.cases
    }

    /// The same cases, to draw other outcomes for; scores stay.
    pub(super) fn cases_mut(&mut self) -> &mut [ScoredCase] {
        &mut self.cases
    }

    /// The share of positive cases.
    pub fn base_rate(&self) -> Proportion {
        self.cases.iter().map(|case| case.positive).collect()
    }

    /// How many different scores there are; below 10 a service that speaks of probability means classes.
    pub fn distinct_scores(&self) -> usize {
        self.cases.chunk_by(|one, other| one.score.total_cmp(&other.score).is_eq()).count()
    }
}

impl TryFrom<Vec<ScoredCase>> for ScoredCases {
    type Error = ScoreError;

    fn try_from(cases: Vec<ScoredCase>) -> Result<Self, ScoreError> {
        Self::new(cases)
    }
}

impl From<ScoredCases> for Vec<ScoredCase> {
    fn from(scored: ScoredCases) -> Self {
        scored.cases
    }
}
