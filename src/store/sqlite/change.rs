//! Deleting runs and keeping them from being deleted.

use chrono::{DateTime, Utc};

use super::{BEGIN, SqliteStore};
use crate::domain::RunId;
use crate::store::baseline::{self, BaselineRow};
use crate::store::error::StoreError;
use crate::store::prune::{BATCH, PrunePlan, PrunePolicy, PruneReport, PruneRow};
use crate::store::summary::legacy_number;

pub(super) async fn delete(store: &SqliteStore, id: &RunId) -> Result<(), StoreError> {
    let (found, baseline) = store
        .database
        .within(&format!("delete run `{id}`"), async {
            let mut transaction = store.pool.begin_with(BEGIN).await?;
            let baseline: Option<BaselineRow> = sqlx::query_as(
                "SELECT suite, target, demo, run_id, set_at, note FROM baselines WHERE run_id = ?1",
            )
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
            if baseline.is_some() {
                return Ok((true, baseline));
            }
            let number: Option<i64> = sqlx::query_scalar(
                "SELECT id FROM test_runs WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .fetch_optional(&mut *transaction)
            .await?;
            sqlx::query("DELETE FROM test_results WHERE test_run_id = ?1")
                .bind(number)
                .execute(&mut *transaction)
                .await?;
            sqlx::query("DELETE FROM test_runs WHERE id = ?1")
                .bind(number)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            Ok((number.is_some(), None))
        })
        .await?;
    match baseline.map(baseline::baseline) {
        Some(baseline) => Err(StoreError::IsBaseline { id: id.clone(), series: baseline.series }),
        None if found => Ok(()),
        None => Err(StoreError::NotFound { query: id.to_string() }),
    }
}

pub(super) async fn set_keep(store: &SqliteStore, id: &RunId, keep: bool) -> Result<(), StoreError> {
    let changed = store
        .database
        .within(&format!("mark run `{id}`"), async {
            sqlx::query("UPDATE test_runs SET keep = ?3 WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)")
                .bind(id.as_str())
                .bind(legacy_number(id.as_str()))
                .bind(keep)
                .execute(&store.pool)
                .await
        })
        .await?;
    (changed.rows_affected() > 0).then_some(()).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
}

pub(super) async fn prune(
    store: &SqliteStore,
    policy: &PrunePolicy,
    now: DateTime<Utc>,
) -> Result<PruneReport, StoreError> {
    let runs: Vec<PruneRow> = store
        .database
        .within("list the runs", async {
            sqlx::query_as(
                "SELECT id, run_id, COALESCE(suite, test_type), target,
                    COALESCE(start_time, end_time, '1970-01-01 00:00:00'),
                    keep OR EXISTS (SELECT 1 FROM baselines WHERE baselines.run_id = test_runs.run_id)
                 FROM test_runs ORDER BY start_time DESC, id DESC",
            )
            .fetch_all(&store.pool)
            .await
        })
        .await?;
    let plan = PrunePlan::of(runs, policy, now);
    let doomed: Vec<i64> = plan.doomed.iter().map(|(number, _)| *number).collect();
    if policy.dry_run {
        return Ok(plan.report(&doomed, true));
    }
    let mut gone = Vec::with_capacity(doomed.len());
    for batch in doomed.chunks(BATCH) {
        gone.extend(store.database.within("delete old runs", delete_batch(store, batch)).await?);
    }
    Ok(plan.report(&gone, false))
}

/// Deletes the runs of these numbers that nobody has kept since, and gives the numbers of those that went.
async fn delete_batch(store: &SqliteStore, numbers: &[i64]) -> sqlx::Result<Vec<i64>> {
    let numbers = serde_json::to_string(numbers).map_err(|error| sqlx::Error::Encode(error.into()))?;
    let mut transaction = store.pool.begin_with(BEGIN).await?;
    let free: Vec<i64> = sqlx::query_scalar(
        "SELECT id FROM test_runs WHERE id IN (SELECT value FROM json_each(?1)) AND NOT keep
            AND NOT EXISTS (SELECT 1 FROM baselines WHERE baselines.run_id = test_runs.run_id)",
    )
    .bind(&numbers)
    .fetch_all(&mut *transaction)
    .await?;
    let gone = serde_json::to_string(&free).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query("DELETE FROM test_results WHERE test_run_id IN (SELECT value FROM json_each(?1))")
        .bind(&gone)
        .execute(&mut *transaction)
        .await?;
    sqlx::query("DELETE FROM test_runs WHERE id IN (SELECT value FROM json_each(?1))")
        .bind(&gone)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(free)
}
