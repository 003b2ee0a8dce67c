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
    /// Answers that differ from their phrase's most frequent one, of all answers to those phrases.
    pub flip_rate: Rate,
    /// Phrases whose answers differ, of those phrases.
    pub flaky_rate: Rate,
    /// Phrases right every time, of those phrases (pass^k).
    pub always_right: Rate,
    /// Sendings beyond the ones that were asked for, because an answer flipped or stood at a boundary.
    pub extra: u64,
    /// The phrases whose answers differ, the least agreeing first.
    pub flaky: Vec<FlakyPhrase>,
}
