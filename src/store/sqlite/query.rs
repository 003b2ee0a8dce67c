//! Reading runs.

use sqlx::Sqlite;

use super::SqliteStore;
use crate::domain::{RunId, RunRecord};
use crate::store::codec::decode_record;
use crate::store::error::StoreError;
use crate::store::list::{self, Words};
use crate::store::resolve::{LATEST, LOOKED_UP, normalised, pick};
use crate::store::summary::{RunFilter, RunSummary, SummaryRow, legacy_number};

/// When a run began; a macro, so that it can stand in other texts.
macro_rules! began {
    () => {
        "COALESCE(start_time, end_time, '1970-01-01 00:00:00')"
    };
}

const WORDS: Words = Words { runs: "test_runs", began: began!() };

/// The summaries of all runs, as [`SummaryRow`] has them; a `WHERE` follows.
macro_rules! summaries {
    ($rest:literal) => {
        concat!(
            "SELECT id, run_id, kind, COALESCE(suite, test_type) AS suite, selection_hash, target, target_version,
                contract_hash, COALESCE(demo, 0) AS demo,
                ", began!(), " AS start_time,
                COALESCE(duration_ms, (julianday(end_time) - julianday(start_time)) * 86400000.0) AS duration_ms,
                status, run_status, conclusion,
                CASE WHEN run_id IS NULL
                    THEN (SELECT avg(is_correct) FROM test_results WHERE test_run_id = run.id)
                    ELSE accuracy END AS accuracy,
                false_positive_rate, false_negative_rate, severe_miss_rate, unanswered_rate, p50_ms, p95_ms,
                CASE WHEN run_id IS NULL
                    THEN (SELECT count(*) FROM test_results WHERE test_run_id = run.id)
                    ELSE phrases END AS phrases, part,
                keep, (SELECT hold_reason FROM retention WHERE retention.run = run.id) AS hold_reason,
                (SELECT answers_removed_at FROM retention WHERE retention.run = run.id) AS answers_removed_at,
                EXISTS (SELECT 1 FROM baselines WHERE baselines.run_id = run.run_id) AS baseline
             FROM test_runs run ",
            $rest
        )
    };
}

pub(super) async fn load(store: &SqliteStore, id: &RunId) -> Result<RunRecord, StoreError> {
    is_there(store)?;
    let row: Option<Option<String>> = store
        .database
        .within(&format!("load run `{id}`"), async {
            sqlx::query_scalar(
                "SELECT record FROM test_runs WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .fetch_optional(&store.pool)
            .await
        })
        .await?;
    let json = row
        .ok_or_else(|| StoreError::NotFound { query: id.to_string() })?
        .ok_or_else(|| StoreError::NoRecord { id: id.clone() })?;
    decode_record(&json).map_err(|source| StoreError::Record { of: format!("run `{id}`"), source })
}

pub(super) async fn resolve(store: &SqliteStore, query: &str) -> Result<RunId, StoreError> {
    is_there(store)?;
    let query = normalised(query);
    let search = async {
        if query == LATEST {
            return sqlx::query_scalar(concat!(
                "SELECT run_id FROM test_runs WHERE run_id IS NOT NULL ORDER BY ",
                began!(),
                " DESC, id DESC LIMIT 1"
            ))
            .fetch_all(&store.pool)
            .await;
        }
        sqlx::query_scalar(
            "SELECT COALESCE(run_id, ?1) FROM test_runs
             WHERE (?1 <> '' AND substr(run_id, 1, length(?1)) = ?1) OR (run_id IS NULL AND id = ?2)
             ORDER BY run_id = ?1 DESC, start_time DESC, id DESC LIMIT ?3",
        )
        .bind(&query)
        .bind(legacy_number(&query))
        .bind(LOOKED_UP)
        .fetch_all(&store.pool)
        .await
    };
    let ids: Vec<String> = store.database.within(&format!("look up run `{query}`"), search).await?;
    pick(&query, ids.into_iter().map(RunId::from_stored).collect())
}

pub(super) async fn list(store: &SqliteStore, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
    is_there(store)?;
    let mut list = list::list::<Sqlite>(summaries!(""), WORDS, filter);
    let rows: Vec<SummaryRow> =
        store.database.within("list the runs", list.build_query_as().fetch_all(&store.pool)).await?;
    Ok(rows.into_iter().map(RunSummary::from).collect())
}

pub(super) async fn stored_last(store: &SqliteStore, most: usize) -> Result<Vec<(i64, RunId)>, StoreError> {
    is_there(store)?;
    let ids: Vec<(i64, String)> = store
        .database
        .within("look for new runs", async {
            sqlx::query_as(
                "SELECT id, run_id FROM test_runs WHERE run_id IS NOT NULL ORDER BY id DESC LIMIT ?1",
            )
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&store.pool)
            .await
        })
        .await?;
    Ok(ids.into_iter().map(|(number, id)| (number, RunId::from_stored(id))).collect())
}

pub(super) async fn summary(store: &SqliteStore, id: &RunId) -> Result<RunSummary, StoreError> {
    is_there(store)?;
    let row: Option<SummaryRow> = store
        .database
        .within(&format!("look up run `{id}`"), async {
            sqlx::query_as(summaries!("WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)"))
                .bind(id.as_str())
                .bind(legacy_number(id.as_str()))
                .fetch_optional(&store.pool)
                .await
        })
        .await?;
    row.map(RunSummary::from).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
}

/// Open connections see a file that was deleted or replaced, and new ones another: neither is the truth.
fn is_there(store: &SqliteStore) -> Result<(), StoreError> {
    if store.file.is_none() || super::file_at(&store.path) == store.file {
        return Ok(());
    }
    let source = std::io::Error::other("it was deleted or replaced while it was in use");
    Err(StoreError::Io { doing: "go on with the database", path: store.path.clone(), source })
}

pub(super) async fn ping(store: &SqliteStore) -> Result<(), StoreError> {
    is_there(store)?;
    let look = sqlx::query("SELECT count(*) FROM sqlite_schema").execute(&store.pool);
    store.database.within("look at the database", look).await.map(drop)
}
