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
    /// Of these targets only runs that asked these places.
    pub places: Vec<(String, String)>,
}

/// What the store holds of it.
#[derive(Debug, Clone, PartialEq)]
pub enum FoundHistory {
    /// The runs.
    Runs(History),
    /// None but those that asked other places, if any.
    Elsewhere(u64),
}

/// Reads the history.
///
/// Of a target that is the embedded demo detector and another of the same name, the one that ran last is meant.
///
/// # Errors
/// The store fails.
pub async fn history(store: &dyn Store, query: HistoryQuery) -> Result<FoundHistory, StoreError> {
    let HistoryQuery { suite, target, limit, since, places } = query;
    let wanted = RunFilter { suite, target, since, recorded: true, places, ..RunFilter::default() };
    let newest = store.list(&RunFilter { limit: Some(1), ..wanted.clone() }).await?;
    let Some(series) = newest.first().and_then(RunSummary::series) else {
        let elsewhere = store.list(&RunFilter { limit, places: Vec::new(), ..wanted }).await?;
        return Ok(FoundHistory::Elsewhere(elsewhere.len() as u64));
    };
    let RunFilter { places, .. } = wanted;
    let all = RunFilter { since, limit, recorded: true, ..RunFilter::of_series(&series) };
    let mut elsewhere = store.list(&all).await?;
    let runs = store.list(&RunFilter { places, ..all }).await?;
    elsewhere.retain(|run| !runs.iter().any(|told| told.id == run.id));
    let history = judge::history(series, runs.into_iter().rev().map(point).collect());
    Ok(FoundHistory::Runs(History { elsewhere: elsewhere.len() as u64, ..history }))
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
