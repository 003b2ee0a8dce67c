//! The history of a suite against a target, from the stored runs.

use chrono::{DateTime, Utc};

use crate::domain::{History, HistoryRun};
use crate::judge;
use crate::store::{RunFilter, RunSummary, Store, StoreError};

/// Whose history is asked for, and how much of it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HistoryQuery {
    /// The suite; none is the newest run's.
    pub suite: Option<String>,
    /// The target; none is the newest run's.
    pub target: Option<String>,
    /// The newest so many runs, at most.
    pub limit: Option<usize>,
    /// Only runs that started at this time or later.
    pub since: Option<DateTime<Utc>>,
}

/// Reads the history; none if there is no such run.
///
/// Of a target that is the embedded demo detector and another of the same name, the one that ran last is meant.
///
/// # Errors
/// The store fails.
pub async fn history(store: &dyn Store, query: HistoryQuery) -> Result<Option<History>, StoreError> {
    let HistoryQuery { suite, target, limit, since } = query;
    let newest = RunFilter { suite, target, since, recorded: true, limit: Some(1), ..RunFilter::default() };
    let Some(series) = store.list(&newest).await?.first().and_then(RunSummary::series) else {
        return Ok(None);
    };
    let filter = RunFilter { since, limit, recorded: true, ..RunFilter::of_series(&series) };
    let runs = store.list(&filter).await?;
    Ok(Some(judge::history(series, runs.into_iter().rev().map(point).collect())))
}

fn point(run: RunSummary) -> HistoryRun {
    HistoryRun {
        id: run.id,
        started_at: run.started_at,
        status: run.status,
        conclusion: run.conclusion,
        baseline: run.baseline,
        counted: false,
        selection_hash: run.selection_hash,
        target_version: run.target_version,
        contract_hash: run.contract_hash,
        phrases: run.phrases,
        accuracy: run.accuracy,
        accuracy_interval: None,
        false_positive_rate: run.false_positive_rate,
        false_negative_rate: run.false_negative_rate,
        severe_miss_rate: run.severe_miss_rate,
        unanswered_rate: run.unanswered_rate,
        p50_ms: run.p50_ms,
        p95_ms: run.p95_ms,
    }
}
