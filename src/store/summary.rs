//! A stored run in one line.

use chrono::{DateTime, NaiveDateTime, Utc};
use serde::Serialize;

use super::columns::from_word;
use crate::domain::{Conclusion, RunId, RunKind, RunStatus};

/// Which runs are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    /// Only runs of this suite.
    pub suite: Option<String>,
    /// Only runs against this target; legacy runs have none.
    pub target: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only runs that started before this.
    pub before: Option<DateTime<Utc>>,
}

/// A stored run in one line.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RunSummary {
    /// Its name; `legacy-<n>` for a run of an earlier program.
    pub id: RunId,
    /// What it did; none if only a newer program knows.
    pub kind: Option<RunKind>,
    /// Its suite.
    pub suite: String,
    /// Its target; none for a legacy run.
    pub target: Option<String>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// How long it took, in milliseconds.
    pub duration_ms: Option<f64>,
    /// How far it came; none for a legacy run that never ended.
    pub status: Option<RunStatus>,
    /// Its verdict; none for a legacy run.
    pub conclusion: Option<Conclusion>,
    /// Right answers of all phrases, 0 to 1.
    pub accuracy: Option<f64>,
    /// False alarms of the negatives answered, 0 to 1; none for a legacy run.
    pub false_positive_rate: Option<f64>,
    /// 95th percentile of the latency in milliseconds; none for a legacy run.
    pub p95_ms: Option<f64>,
    /// Phrases judged.
    pub phrases: u64,
    /// Whether pruning passes it by.
    pub keep: bool,
    /// Whether an earlier program stored it, so that there is no record.
    pub legacy: bool,
}

/// The columns of a summary, as both databases select them, in this order: `id`, `run_id`, `kind`, `suite`, `target`,
/// `start_time`, `duration_ms`, `status`, `run_status`, `conclusion`, `accuracy`, `false_positive_rate`, `p95_ms`,
/// `phrases`, `keep`.
pub(super) type SummaryRow = (
    i64,
    Option<String>,
    Option<String>,
    String,
    Option<String>,
    NaiveDateTime,
    Option<f64>,
    Option<String>,
    Option<String>,
    Option<String>,
    Option<f64>,
    Option<f64>,
    Option<f64>,
    i64,
    bool,
);

impl From<SummaryRow> for RunSummary {
    fn from(row: SummaryRow) -> Self {
        let (number, run_id, kind, suite, target, start, duration_ms, old_status, run_status, conclusion, ..) =
            &row;
        let (.., accuracy, false_positive_rate, p95_ms, phrases, keep) = &row;
        let legacy = run_id.is_none();
        Self {
            id: stored_id(*number, run_id.clone()),
            kind: if legacy { Some(RunKind::Accuracy) } else { kind.as_deref().and_then(from_word) },
            suite: suite.clone(),
            target: target.clone(),
            started_at: start.and_utc(),
            duration_ms: *duration_ms,
            status: match (run_status.as_deref(), old_status.as_deref()) {
                (Some(ours), _) => from_word(ours),
                (None, Some("completed")) => Some(RunStatus::Completed),
                (None, Some("failed")) => Some(RunStatus::Aborted),
                (None, _) => None,
            },
            conclusion: conclusion.as_deref().and_then(from_word),
            accuracy: *accuracy,
            false_positive_rate: *false_positive_rate,
            p95_ms: *p95_ms,
            phrases: u64::try_from(*phrases).unwrap_or_default(),
            keep: *keep,
            legacy,
        }
    }
}

/// The prefix of the ids that legacy runs go by.
const LEGACY: &str = "legacy-";

/// The id of a row: its own, or for a legacy run one made of the row's number.
pub(super) fn stored_id(number: i64, run_id: Option<String>) -> RunId {
    RunId::from_stored(run_id.unwrap_or_else(|| format!("{LEGACY}{number}")))
}

/// The row's number, if the id is a legacy run's.
pub(super) fn legacy_number(id: &str) -> Option<i64> {
    id.strip_prefix(LEGACY)?.parse().ok()
}
