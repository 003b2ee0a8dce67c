//! A load run second by second.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::NoAnswerReason;

/// A second of the run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LoadSecond {
    /// When it began, in seconds after the run's start.
    pub at_s: f64,
    /// Starts that the schedule asked for.
    pub intended: u64,
    /// Requests that started.
    pub started: u64,
    /// Requests that ended with an answer.
    pub answered: u64,
    /// Requests that ended without one.
    pub unanswered: u64,
    /// The same by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub no_answer: BTreeMap<NoAnswerReason, u64>,
    /// Their phrases, where a request holds more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrases: Option<SecondPhrases>,
    /// Answers that passed the judge.
    pub right: u64,
    /// Requests on their way at its end.
    pub in_flight: u64,
    /// Response time of those that ended: median, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p99_ms: Option<f64>,
    /// Processor time of this program's load threads, 1 being a whole core a thread.
    pub cpu: f64,
    /// The longest time that a due start waited for this program, in milliseconds.
    pub lag_ms: f64,
}

/// The phrases of a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct SecondPhrases {
    /// Those with an answer.
    pub answered: u64,
    /// Those without one.
    pub unanswered: u64,
}

impl LoadSecond {
    /// The phrases of the requests that ended.
    pub fn ended_phrases(&self) -> SecondPhrases {
        let alone = SecondPhrases { answered: self.answered, unanswered: self.unanswered };
        self.phrases.unwrap_or(alone)
    }

    /// So many slices at most: of more, neighbours are one, as slow as the slowest and with their mean counts.
    pub fn thinned(seconds: &[Self], most: usize) -> Vec<Self> {
        seconds.chunks(seconds.len().div_ceil(most).max(1)).map(Self::merged).collect()
    }

    fn merged(chunk: &[Self]) -> Self {
        let worst = |of: fn(&Self) -> Option<f64>| chunk.iter().filter_map(of).max_by(f64::total_cmp);
        // Rounded up: one request without an answer must not vanish among seconds without any.
        let mean = |of: fn(&Self) -> u64| chunk.iter().map(of).sum::<u64>().div_ceil(chunk.len() as u64);
        let mut no_answer = BTreeMap::new();
        for (reason, count) in chunk.iter().flat_map(|second| &second.no_answer) {
            *no_answer.entry(*reason).or_default() += count;
        }
        for count in no_answer.values_mut() {
            *count = u64::div_ceil(*count, chunk.len() as u64);
        }
        Self {
            at_s: chunk[0].at_s,
            intended: mean(|second| second.intended),
            started: mean(|second| second.started),
            answered: mean(|second| second.answered),
            unanswered: mean(|second| second.unanswered),
            no_answer,
            phrases: chunk[0].phrases.map(|_| SecondPhrases {
                answered: mean(|second| second.ended_phrases().answered),
                unanswered: mean(|second| second.ended_phrases().unanswered),
            }),
            right: mean(|second| second.right),
            in_flight: chunk.iter().map(|second| second.in_flight).max().unwrap_or_default(),
            p50_ms: worst(|second| second.p50_ms),
            p95_ms: worst(|second| second.p95_ms),
            p99_ms: worst(|second| second.p99_ms),
            cpu: chunk.iter().map(|second| second.cpu).fold(0.0, f64::max),
            lag_ms: chunk.iter().map(|second| second.lag_ms).fold(0.0, f64::max),
        }
    }
}
