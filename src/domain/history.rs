//! How the runs of a suite against a target went over time.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Conclusion, RunId, RunStatus, Series};

/// A run, as a point of a history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HistoryRun {
    /// Its name.
    pub id: RunId,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How far it came; none if only a newer program knows.
    pub status: Option<RunStatus>,
    /// Its verdict; none if only a newer program knows.
    pub conclusion: Option<Conclusion>,
    /// Whether it is the baseline of its suite and target.
    pub baseline: bool,
    /// Whether the trends count it: it is complete, its target did not fail, and it sent the same phrases as the others
    /// that count. Those are the newest phrases that at least two such runs sent.
    pub counted: bool,
    /// Content hash of the phrases that it sent.
    pub selection_hash: Option<String>,
    /// The version that the target reported.
    pub target_version: Option<String>,
    /// Content hash of the target's contract; where it changes, answers may be read in another way.
    pub contract_hash: Option<String>,
    /// Phrases judged.
    pub phrases: u64,
    /// Right answers of all phrases, 0 to 1.
    pub accuracy: Option<f64>,
    /// Its 95 % Wilson interval: what other phrases of the kind might have given.
    pub accuracy_interval: Option<[f64; 2]>,
    /// False alarms of the negatives answered, 0 to 1.
    pub false_positive_rate: Option<f64>,
    /// Misses of the positives, 0 to 1.
    pub false_negative_rate: Option<f64>,
    /// High and critical phrases answered lower or not at all, 0 to 1.
    pub severe_miss_rate: Option<f64>,
    /// Unanswered of all phrases, 0 to 1.
    pub unanswered_rate: Option<f64>,
    /// Median of the latency in milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile of the latency in milliseconds.
    pub p95_ms: Option<f64>,
}

/// Where a metric most likely shifted.
///
/// The test is the largest standardised CUSUM, by permutation; it takes the runs as independent of one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ShiftTest {
    /// The first run after the shift.
    pub from: RunId,
    /// Runs before it.
    pub runs_before: u64,
    /// Runs from it on.
    pub runs_after: u64,
    /// The metric's mean before it.
    pub mean_before: f64,
    /// The metric's mean from it on.
    pub mean_after: f64,
    /// The largest standardised CUSUM, of logarithms for a latency.
    pub statistic: f64,
    /// The share of orders of the runs that do as much.
    pub p: f64,
    /// The same after Holm's correction over the metrics of the history.
    pub p_holm: f64,
    /// Orders drawn.
    pub permutations: u64,
    /// Their seed.
    pub seed: u64,
    /// Whether that is less than chance is given: [`p_holm`](Self::p_holm) is below 5 %.
    pub significant: bool,
}

/// Whether a metric shifted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Shift {
    /// There are too few runs to tell.
    TooFew {
        /// So many would do.
        needed: u64,
    },
    /// It is the same in every run.
    Constant,
    /// It was looked for.
    Tested(ShiftTest),
}

/// The newest run, beside what the ones before it predict.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NewestRun {
    /// The run.
    pub id: RunId,
    /// Its value.
    pub value: f64,
    /// The mean of the runs before it.
    pub mean_before: f64,
    /// Where one more run like those falls in 95 of 100 cases; none where those do not vary.
    pub predicted: Option<[f64; 2]>,
    /// Whether it falls elsewhere; with runs that do not vary, whether it differs from them at all.
    pub differs: bool,
}

/// One metric over the counted runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Trend {
    /// The metric's name, as gates write it.
    pub metric: String,
    /// Runs that have it.
    pub runs: u64,
    /// Whether it shifted.
    pub shift: Shift,
    /// The newest run, where there are enough before it.
    pub newest: Option<NewestRun>,
}

/// The runs of a series, and what they show together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "thrash history")]
pub struct History {
    /// Whose runs they are.
    pub series: Series,
    /// The runs, oldest first.
    pub runs: Vec<HistoryRun>,
    /// Runs of this suite and this target's name that asked another URL than the configured one, and are left out.
    #[serde(default)]
    pub elsewhere: u64,
    /// Accuracy, then the 95th percentile of the latency.
    pub trends: Vec<Trend>,
}

impl History {
    /// The runs that the trends count, oldest first.
    pub fn counted(&self) -> impl Iterator<Item = &HistoryRun> {
        self.runs.iter().filter(|run| run.counted)
    }
}
