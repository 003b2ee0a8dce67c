//! A stored run in one line.

use chrono::{DateTime, NaiveDateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use sqlx::{ColumnIndex, Decode, FromRow, Row, Type};

use super::columns::from_word;
use crate::domain::{Conclusion, RunId, RunKind, RunStatus, Series};

/// Which runs are listed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunFilter {
    /// Only runs of this suite.
    pub suite: Option<String>,
    /// Only runs against this target; legacy runs have none.
    pub target: Option<String>,
    /// Only runs against the embedded demo detector, or none of them.
    pub demo: Option<bool>,
    /// Only runs that sent these phrases.
    pub selection_hash: Option<String>,
    /// Only runs that have a record, no legacy ones.
    pub recorded: bool,
    /// At most so many.
    pub limit: Option<usize>,
    /// Only runs that started at this time or later.
    pub since: Option<DateTime<Utc>>,
    /// Only runs that started before this.
    pub before: Option<DateTime<Utc>>,
    /// Only runs that did this.
    pub kind: Option<RunKind>,
    /// Only runs that came out so.
    pub conclusion: Option<Conclusion>,
    /// Only the runs after this one in the list, which may be deleted by now: when it began, and its number.
    pub after: Option<(DateTime<Utc>, i64)>,
    /// Of each suite and target only the newest run that has a record, and is whole if that is asked; the other
    /// conditions are asked of that one.
    pub newest: bool,
    /// Only runs of a whole suite. Of a suite that stands here so many phrases are the whole.
    pub whole: Option<Vec<(String, u64)>>,
    /// Of these targets only runs that asked these places. The embedded demo has none.
    pub places: Vec<(String, String)>,
}

impl RunFilter {
    /// The runs of a series.
    pub fn of_series(series: &Series) -> Self {
        Self {
            suite: Some(series.suite.clone()),
            target: Some(series.target.clone()),
            demo: Some(series.demo),
            ..Self::default()
        }
    }

    /// The runs of a series that asked this place. The embedded demo is in another one each time.
    pub fn of_series_at(series: &Series, url: &str) -> Self {
        let places = if series.demo { Vec::new() } else { vec![(series.target.clone(), url.to_owned())] };
        Self { places, ..Self::of_series(series) }
    }
}

/// A stored run in one line.
#[expect(clippy::struct_excessive_bools, reason = "the columns of a list, not a state")]
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
pub struct RunSummary {
    /// Its name; `legacy-<n>` for a run of an earlier program.
    pub id: RunId,
    /// Its number, by which runs that began at the same time are listed.
    #[serde(skip)]
    pub number: i64,
    /// What it did; none if only a newer program knows.
    pub kind: Option<RunKind>,
    /// Its suite.
    pub suite: String,
    /// Content hash of the phrases that were selected; none for a legacy run.
    pub selection_hash: Option<String>,
    /// Its target; none for a legacy run.
    pub target: Option<String>,
    /// The version that the target reported.
    pub target_version: Option<String>,
    /// Content hash of the target's contract; none for a legacy run.
    pub contract_hash: Option<String>,
    /// Whether the target was the embedded demo detector.
    pub demo: bool,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// From the first phrase's sending to the last one's answer, in milliseconds; of a legacy run all of its time.
    pub duration_ms: Option<f64>,
    /// How far it came; none for a legacy run that never ended.
    pub status: Option<RunStatus>,
    /// Its verdict; none for a legacy run.
    pub conclusion: Option<Conclusion>,
    /// Right answers of all phrases, 0 to 1.
    pub accuracy: Option<f64>,
    /// False alarms of the negatives answered, 0 to 1; none for a legacy run.
    pub false_positive_rate: Option<f64>,
    /// Misses of the positives, 0 to 1; none for a legacy run.
    pub false_negative_rate: Option<f64>,
    /// High and critical phrases answered lower or not at all, 0 to 1; none for a legacy run.
    pub severe_miss_rate: Option<f64>,
    /// Unanswered of all phrases, 0 to 1; none for a legacy run.
    pub unanswered_rate: Option<f64>,
    /// Median of the latency in milliseconds; none for a legacy run.
    pub p50_ms: Option<f64>,
    /// 95th percentile of the latency in milliseconds; none for a legacy run.
    pub p95_ms: Option<f64>,
    /// Phrases judged.
    pub phrases: u64,
    /// Which part of its suite was sent ([`crate::domain::RunRecord::part`]); none for the whole.
    #[serde(skip)]
    pub part: Option<u64>,
    /// Whether pruning passes it by; a baseline is kept.
    pub keep: bool,
    /// Why somebody holds it; then nobody can delete it.
    pub hold: Option<String>,
    /// When the answers of its phrases were removed for their age.
    pub answers_removed_at: Option<DateTime<Utc>>,
    /// Whether it is the baseline of its suite and target.
    pub baseline: bool,
    /// Whether an earlier program stored it, so that there is no record.
    pub legacy: bool,
}

impl RunSummary {
    /// The series that it belongs to; none for a legacy run.
    pub fn series(&self) -> Option<Series> {
        Some(Series { suite: self.suite.clone(), target: self.target.clone()?, demo: self.demo })
    }
}

/// A summary, as both databases select it.
pub(super) struct SummaryRow(RunSummary);

impl<'r, R: Row> FromRow<'r, R> for SummaryRow
where
    &'static str: ColumnIndex<R>,
    bool: Decode<'r, R::Database> + Type<R::Database>,
    i64: Decode<'r, R::Database> + Type<R::Database>,
    f64: Decode<'r, R::Database> + Type<R::Database>,
    String: Decode<'r, R::Database> + Type<R::Database>,
    NaiveDateTime: Decode<'r, R::Database> + Type<R::Database>,
    DateTime<Utc>: Decode<'r, R::Database> + Type<R::Database>,
{
    fn from_row(row: &'r R) -> sqlx::Result<Self> {
        let text = |column: &'static str| row.try_get::<Option<String>, _>(column);
        let figure = |column: &'static str| row.try_get::<Option<f64>, _>(column);
        let run_id = text("run_id")?;
        let legacy = run_id.is_none();
        let number: i64 = row.try_get("id")?;
        let baseline: bool = row.try_get("baseline")?;
        let status = match (text("run_status")?.as_deref(), text("status")?.as_deref()) {
            (Some(ours), _) => from_word(ours),
            (None, Some("completed")) => Some(RunStatus::Completed),
            (None, Some("failed")) => Some(RunStatus::Aborted),
            (None, _) => None,
        };
        Ok(Self(RunSummary {
            id: stored_id(number, run_id),
            number,
            kind: if legacy { Some(RunKind::Accuracy) } else { text("kind")?.as_deref().and_then(from_word) },
            suite: row.try_get("suite")?,
            selection_hash: text("selection_hash")?,
            target: text("target")?,
            target_version: text("target_version")?,
            contract_hash: text("contract_hash")?,
            demo: row.try_get("demo")?,
            started_at: row.try_get::<NaiveDateTime, _>("start_time")?.and_utc(),
            duration_ms: figure("duration_ms")?,
            status,
            conclusion: text("conclusion")?.as_deref().and_then(from_word),
            accuracy: figure("accuracy")?,
            false_positive_rate: figure("false_positive_rate")?,
            false_negative_rate: figure("false_negative_rate")?,
            severe_miss_rate: figure("severe_miss_rate")?,
            unanswered_rate: figure("unanswered_rate")?,
            p50_ms: figure("p50_ms")?,
            p95_ms: figure("p95_ms")?,
            phrases: u64::try_from(row.try_get::<i64, _>("phrases")?).unwrap_or_default(),
            part: row.try_get::<Option<i64>, _>("part")?.and_then(|part| u64::try_from(part).ok()),
            keep: baseline || row.try_get("keep")?,
            hold: text("hold_reason")?,
            answers_removed_at: row.try_get("answers_removed_at")?,
            baseline,
            legacy,
        }))
    }
}

impl From<SummaryRow> for RunSummary {
    fn from(row: SummaryRow) -> Self {
        row.0
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
