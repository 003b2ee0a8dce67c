//! What repeating phrases showed about the steadiness of the answers.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, Rate};

/// One answer to a phrase, and how often it came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerCount {
    /// The level; none for no answer.
    pub level: Option<Level>,
    /// How often.
    pub count: u64,
}

/// A phrase whose answers were not all the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FlakyPhrase {
    /// The phrase's id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// Its answers, the most frequent first.
    pub answers: Vec<AnswerCount>,
    /// The share of its answers that are its most frequent one, 0 to 1.
    pub agreement: f64,
    /// Of its answers those that pass.
    pub passing: Rate,
}

/// What repeating phrases showed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct RepeatReport {
    /// Phrases that were sent more than once.
    pub phrases: u64,
    /// Answers that differ from their phrase's most frequent one, of all answers in the passes over the suite; where
    /// there was one pass, of all answers to the phrases that were sent again.
    pub flip_rate: Rate,
    /// Phrases whose answers differ, of those phrases.
    pub flaky_rate: Rate,
    /// Phrases right every time, of those phrases (pass^k).
    pub always_right: Rate,
    /// Sendings beyond the passes, because an answer flipped, stood at a boundary or was wrong.
    pub extra: u64,
    /// The phrases whose answers differ, the least agreeing first.
    pub flaky: Vec<FlakyPhrase>,
}
