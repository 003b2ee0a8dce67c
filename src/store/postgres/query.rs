//! Reading runs.

use sqlx::Postgres;

use super::PostgresStore;
use crate::domain::{RunId, RunRecord};
use crate::store::codec::decode_record;
use crate::store::error::StoreError;
use crate::store::list::{self, Words};
use crate::store::resolve::{LATEST, LOOKED_UP, normalised, pick};
use crate::store::summary::{RunFilter, RunSummary, SummaryRow, legacy_number};

/// When a run began; a macro, so that it can stand in other texts.
macro_rules! began {
    () => {
        "COALESCE(start_time, end_time, 'epoch')"
    };
}

const WORDS: Words = Words { runs: "ash_thrash.test_runs", began: began!() };

/// The summaries of all runs, as [`SummaryRow`] has them; a `WHERE` follows.
macro_rules! summaries {
    ($rest:literal) => {
        concat!(
            "SELECT id::bigint AS id, run_id, kind, COALESCE(suite, test_type) AS suite, selection_hash, target,
                target_version, contract_hash, COALESCE(demo, FALSE) AS demo,
                ", began!(), " AS start_time,
                COALESCE(duration_ms, (EXTRACT(EPOCH FROM end_time - start_time) * 1000)::float8) AS duration_ms,
                status, run_status, conclusion,
                CASE WHEN run_id IS NULL
                    THEN (SELECT avg(is_correct::int)::float8 FROM ash_thrash.test_results WHERE test_run_id = run.id)
                    ELSE accuracy END AS accuracy,
                false_positive_rate, false_negative_rate, severe_miss_rate, unanswered_rate, p50_ms, p95_ms,
                CASE WHEN run_id IS NULL
                    THEN (SELECT count(*) FROM ash_thrash.test_results WHERE test_run_id = run.id)
                    ELSE phrases END AS phrases, part,
                keep, (SELECT hold_reason FROM ash_thrash.retention WHERE retention.run = run.id) AS hold_reason,
                (SELECT answers_removed_at FROM ash_thrash.retention WHERE retention.run = run.id) AS answers_removed_at,
                EXISTS (SELECT 1 FROM ash_thrash.baselines WHERE baselines.run_id = run.run_id) AS baseline
             FROM ash_thrash.test_runs run ",
            $rest
        )
    };
}

pub(super) async fn load(store: &PostgresStore, id: &RunId) -> Result<RunRecord, StoreError> {
    let row: Option<Option<String>> = store
        .database
        .within(&format!("load run `{id}`"), async {
            sqlx::query_scalar(
                "SELECT record::text FROM ash_thrash.test_runs WHERE run_id = $1 OR (run_id IS NULL AND id = $2)",
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

pub(super) async fn resolve(store: &PostgresStore, query: &str) -> Result<RunId, StoreError> {
    let query = normalised(query);
    let search = async {
        if query == LATEST {
            return sqlx::query_scalar(concat!(
                "SELECT run_id FROM ash_thrash.test_runs WHERE run_id IS NOT NULL ORDER BY ",
                began!(),
                " DESC, id DESC LIMIT 1"
            ))
            .fetch_all(&store.pool)
            .await;
        }
        sqlx::query_scalar(
            "SELECT COALESCE(run_id, $1) FROM ash_thrash.test_runs
             WHERE ($1 <> '' AND starts_with(run_id, $1)) OR (run_id IS NULL AND id = $2)
             ORDER BY run_id = $1 DESC NULLS LAST, start_time DESC NULLS LAST, id DESC LIMIT $3",
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

pub(super) async fn list(store: &PostgresStore, filter: &RunFilter) -> Result<Vec<RunSummary>, StoreError> {
    let mut list = list::list::<Postgres>(summaries!(""), WORDS, filter);
    let rows: Vec<SummaryRow> =
        store.database.within("list the runs", list.build_query_as().fetch_all(&store.pool)).await?;
    Ok(rows.into_iter().map(RunSummary::from).collect())
}

pub(super) async fn stored_last(store: &PostgresStore, most: usize) -> Result<Vec<(i64, RunId)>, StoreError> {
    let ids: Vec<(i64, String)> = store
        .database
        .within("look for new runs", async {
            sqlx::query_as(
                "SELECT id::bigint, run_id FROM ash_thrash.test_runs WHERE run_id IS NOT NULL ORDER BY id DESC LIMIT $1",
            )
            .bind(i64::try_from(most).unwrap_or(i64::MAX))
            .fetch_all(&store.pool)
            .await
        })
        .await?;
    Ok(ids.into_iter().map(|(number, id)| (number, RunId::from_stored(id))).collect())
}

pub(super) async fn summary(store: &PostgresStore, id: &RunId) -> Result<RunSummary, StoreError> {
    let row: Option<SummaryRow> = store
        .database
        .within(&format!("look up run `{id}`"), async {
            sqlx::query_as(summaries!("WHERE run_id = $1 OR (run_id IS NULL AND id = $2)"))
                .bind(id.as_str())
                .bind(legacy_number(id.as_str()))
                .fetch_optional(&store.pool)
                .await
        })
        .await?;
    row.map(RunSummary::from).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
}

pub(super) async fn ping(store: &PostgresStore) -> Result<(), StoreError> {
    let look = sqlx::query("SELECT 1").execute(&store.pool);
    store.database.within("look at the database", look).await.map(drop)
}
