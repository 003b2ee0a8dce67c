//! The rates that two runs are compared by, phrase by phrase.

use super::{AnswerBrief, Level, LevelSet, Polarity, Verdict};

/// A rate of which every phrase says whether it was kept good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairedRate {
    /// Exact or tolerated.
    Accuracy,
    /// Exact.
    ExactAccuracy,
    /// False alarms of the negatives answered.
    FalsePositiveRate,
    /// Misses of the positives.
    FalseNegativeRate,
    /// High and critical phrases answered lower, or not.
    SevereMissRate,
    /// No answer.
    UnansweredRate,
}

impl PairedRate {
    /// Every rate.
    pub const ALL: [Self; 6] = [
        Self::Accuracy,
        Self::FalsePositiveRate,
        Self::FalseNegativeRate,
        Self::SevereMissRate,
        Self::ExactAccuracy,
        Self::UnansweredRate,
    ];

    /// The metric's name, as gates write it.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::ExactAccuracy => "exact_accuracy",
            Self::FalsePositiveRate => "false_positive_rate",
            Self::FalseNegativeRate => "false_negative_rate",
            Self::SevereMissRate => "severe_miss_rate",
            Self::UnansweredRate => "unanswered_rate",
        }
    }

    /// Whether the rate counts what went wrong, so that less is better.
    pub const fn counts_errors(self) -> bool {
        match self {
            Self::Accuracy | Self::ExactAccuracy => false,
            Self::FalsePositiveRate
            | Self::FalseNegativeRate
            | Self::SevereMissRate
            | Self::UnansweredRate => true,
        }
    }

    /// Whether what was found for a phrase keeps the rate good; none where the phrase does not count for it.
    pub fn is_right(self, expected: LevelSet, alert_level: Level, found: &AnswerBrief) -> Option<bool> {
        let from = |limit: Level| found.level.is_some_and(|level| level >= limit);
        let polarity = expected.polarity(alert_level);
        match self {
            Self::Accuracy => Some(found.verdict.passes()),
            Self::ExactAccuracy => Some(found.verdict == Verdict::Exact),
            Self::FalsePositiveRate => {
                (polarity == Polarity::Negative && found.level.is_some()).then(|| !from(alert_level))
            }
            Self::FalseNegativeRate => (polarity == Polarity::Positive).then(|| from(alert_level)),
            Self::SevereMissRate => (expected.min() >= Level::High).then(|| from(Level::High)),
            Self::UnansweredRate => Some(found.level.is_some()),
        }
    }
}
