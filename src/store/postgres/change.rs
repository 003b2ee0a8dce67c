//! Deleting runs and keeping them from being deleted.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgTransaction;

use super::PostgresStore;
use crate::domain::RunId;
use crate::store::baseline::{self, BaselineRow};
use crate::store::error::StoreError;
use crate::store::prune::{BATCH, PrunePlan, PrunePolicy, PruneReport, PruneRow};
use crate::store::summary::legacy_number;

pub(super) async fn delete(store: &PostgresStore, id: &RunId) -> Result<(), StoreError> {
    let (found, baseline) = store
        .database
        .within(&format!("delete run `{id}`"), async {
            let mut transaction = store.pool.begin_with(store.begin()).await?;
            let numbers: Vec<i32> = sqlx::query_scalar(
                "SELECT id FROM ash_thrash.test_runs WHERE run_id = $1 OR (run_id IS NULL AND id = $2) FOR UPDATE",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .fetch_all(&mut *transaction)
            .await?;
            // Nobody makes it a baseline from here on: that would have to wait for the row's lock.
            let baseline: Option<BaselineRow> = sqlx::query_as(
                "SELECT suite, target, demo, run_id, set_at, note FROM ash_thrash.baselines WHERE run_id = $1",
            )
            .bind(id.as_str())
            .fetch_optional(&mut *transaction)
            .await?;
            if baseline.is_none() {
                delete_rows(&mut transaction, &numbers).await?;
                transaction.commit().await?;
            }
            Ok((!numbers.is_empty(), baseline))
        })
        .await?;
    match baseline.map(baseline::baseline) {
        Some(baseline) => Err(StoreError::IsBaseline { id: id.clone(), series: baseline.series }),
        None if found => Ok(()),
        None => Err(StoreError::NotFound { query: id.to_string() }),
    }
}

pub(super) async fn set_keep(store: &PostgresStore, id: &RunId, keep: bool) -> Result<(), StoreError> {
    let changed = store
        .database
        .within(&format!("mark run `{id}`"), async {
            let mut transaction = store.pool.begin_with(store.begin()).await?;
            let changed = sqlx::query(
                "UPDATE ash_thrash.test_runs SET keep = $3 WHERE run_id = $1 OR (run_id IS NULL AND id = $2)",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .bind(keep)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok(changed)
        })
        .await?;
    (changed.rows_affected() > 0).then_some(()).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
}

pub(super) async fn prune(
    store: &PostgresStore,
    policy: &PrunePolicy,
    now: DateTime<Utc>,
) -> Result<PruneReport, StoreError> {
    let runs: Vec<PruneRow> = store
        .database
        .within("list the runs", async {
            sqlx::query_as(
                "SELECT id::bigint, run_id, COALESCE(suite, test_type), target,
                    COALESCE(start_time, end_time, 'epoch'),
                    keep OR EXISTS (SELECT 1 FROM ash_thrash.baselines WHERE baselines.run_id = run.run_id)
                 FROM ash_thrash.test_runs run ORDER BY start_time DESC NULLS LAST, id DESC",
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
async fn delete_batch(store: &PostgresStore, numbers: &[i64]) -> sqlx::Result<Vec<i64>> {
    let mut transaction = store.pool.begin_with(store.begin()).await?;
    let locked: Vec<i32> = sqlx::query_scalar(
        "SELECT id FROM ash_thrash.test_runs WHERE id = ANY($1) AND NOT keep ORDER BY id FOR UPDATE",
    )
    .bind(numbers)
    .fetch_all(&mut *transaction)
    .await?;
    // A statement of its own: the one above may have waited for somebody who made one of them a baseline.
    let free: Vec<i32> = sqlx::query_scalar(
        "SELECT id FROM ash_thrash.test_runs run WHERE id = ANY($1)
            AND NOT EXISTS (SELECT 1 FROM ash_thrash.baselines WHERE baselines.run_id = run.run_id)",
    )
    .bind(locked)
    .fetch_all(&mut *transaction)
    .await?;
    delete_rows(&mut transaction, &free).await?;
    transaction.commit().await?;
    Ok(free.into_iter().map(i64::from).collect())
}

async fn delete_rows(transaction: &mut PgTransaction<'_>, numbers: &[i32]) -> sqlx::Result<()> {
    sqlx::query("DELETE FROM ash_thrash.test_results WHERE test_run_id = ANY($1)")
        .bind(numbers)
        .execute(&mut **transaction)
        .await?;
    sqlx::query("DELETE FROM ash_thrash.test_runs WHERE id = ANY($1)")
        .bind(numbers)
        .execute(&mut **transaction)
        .await?;
    Ok(())
}
