//! Deleting runs or their answers, and holding them so that nobody can.

use chrono::{DateTime, Utc};
use sqlx::sqlite::SqliteTransaction;

use super::{BEGIN, SqliteStore, query};
use crate::domain::RunId;
use crate::store::baseline::{self, BaselineRow};
use crate::store::error::StoreError;
use crate::store::jobs::DELETED;
use crate::store::prune::{BATCH, PrunePlan, PrunePolicy, PruneReport, PruneRow, Prunes, Thinned, thinned};
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
            let found: Option<(i64, bool, Option<String>)> = sqlx::query_as(
                "SELECT id, keep, hold_reason FROM test_runs LEFT JOIN retention ON run = id
                 WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .fetch_optional(&mut *transaction)
            .await?;
            if let (Some((number, false, _)), None) = (&found, &baseline) {
                delete_rows(&mut transaction, &[*number]).await?;
                transaction.commit().await?;
            }
            Ok((found, baseline))
        })
        .await?;
    match (found, baseline.map(baseline::baseline)) {
        (_, Some(baseline)) => Err(StoreError::IsBaseline { id: id.clone(), series: baseline.series }),
        (Some((_, true, reason)), None) => Err(StoreError::OnHold { id: id.clone(), reason }),
        (Some(_), None) => Ok(()),
        (None, None) => Err(StoreError::NotFound { query: id.to_string() }),
    }
}

pub(super) async fn hold(store: &SqliteStore, id: &RunId, reason: Option<&str>) -> Result<(), StoreError> {
    let held = store
        .database
        .within(&format!("hold run `{id}`"), async {
            let mut transaction = store.pool.begin_with(BEGIN).await?;
            let number: Option<i64> = sqlx::query_scalar(
                "UPDATE test_runs SET keep = ?3 WHERE run_id = ?1 OR (run_id IS NULL AND id = ?2)
                 RETURNING id",
            )
            .bind(id.as_str())
            .bind(legacy_number(id.as_str()))
            .bind(reason.is_some())
            .fetch_optional(&mut *transaction)
            .await?;
            if let Some(number) = number {
                sqlx::query(
                    "INSERT INTO retention (run, hold_reason) VALUES (?1, ?2)
                     ON CONFLICT (run) DO UPDATE SET hold_reason = excluded.hold_reason",
                )
                .bind(number)
                .bind(reason)
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            Ok(number.is_some())
        })
        .await?;
    held.then_some(()).ok_or_else(|| StoreError::NotFound { query: id.to_string() })
}

pub(super) async fn beat(store: &SqliteStore) -> Result<(), StoreError> {
    query::ping(store).await?;
    writing!(store, "write to the database", |transaction| {
        // What does not change is not written.
        sqlx::query(
            "INSERT INTO heartbeat (one, beats) VALUES (1, 0) ON CONFLICT (one) DO UPDATE SET beats = beats + 1",
        )
        .execute(&mut *transaction)
        .await?;
    })
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
                    keep OR EXISTS (SELECT 1 FROM baselines WHERE baselines.run_id = test_runs.run_id),
                    answers_removed_at IS NOT NULL
                 FROM test_runs LEFT JOIN retention ON run = id ORDER BY start_time DESC, id DESC",
            )
            .fetch_all(&store.pool)
            .await
        })
        .await?;
    let plan = PrunePlan::of(runs, policy, now);
    let doomed: Vec<i64> = plan.doomed.iter().map(|(number, _)| *number).collect();
    let (mut gone, mut unreadable) = (Vec::with_capacity(doomed.len()), Vec::new());
    match policy.what {
        Prunes::Run if policy.dry_run => gone = doomed,
        Prunes::Run => {
            for batch in doomed.chunks(BATCH) {
                gone.extend(store.database.within("delete old runs", delete_batch(store, batch)).await?);
            }
        }
        Prunes::Answers => {
            for number in doomed {
                let thin = thin(store, number, now, policy.dry_run);
                match store.database.within("remove old answers", thin).await? {
                    Thinned::Gone => gone.push(number),
                    Thinned::Kept => {}
                    Thinned::Unreadable => unreadable.push(number),
                }
            }
        }
    }
    Ok(plan.report(&gone, &unreadable, policy))
}

/// Removes the answers of a run that nobody has kept since; a dry run looks whether that can be done.
async fn thin(store: &SqliteStore, number: i64, now: DateTime<Utc>, dry_run: bool) -> sqlx::Result<Thinned> {
    let mut transaction = store.pool.begin_with(BEGIN).await?;
    let record: Option<Option<String>> = sqlx::query_scalar(
        "SELECT record FROM test_runs WHERE id = ?1 AND NOT keep
            AND NOT EXISTS (SELECT 1 FROM baselines WHERE baselines.run_id = test_runs.run_id)",
    )
    .bind(number)
    .fetch_optional(&mut *transaction)
    .await?;
    let Some(record) = record else { return Ok(Thinned::Kept) };
    let record = match thinned(&record.unwrap_or_default(), now) {
        Ok(record) => record,
        Err(why) => return Ok(why),
    };
    if dry_run {
        return Ok(Thinned::Gone);
    }
    sqlx::query("UPDATE test_runs SET record = ?2 WHERE id = ?1")
        .bind(number)
        .bind(record)
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO retention (run, answers_removed_at) VALUES (?1, ?2)
         ON CONFLICT (run) DO UPDATE SET answers_removed_at = excluded.answers_removed_at",
    )
    .bind(number)
    .bind(now)
    .execute(&mut *transaction)
    .await?;
    sqlx::query("DELETE FROM test_results WHERE test_run_id = ?1")
        .bind(number)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    Ok(Thinned::Gone)
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
    delete_rows(&mut transaction, &free).await?;
    transaction.commit().await?;
    Ok(free)
}

async fn delete_rows(transaction: &mut SqliteTransaction<'_>, numbers: &[i64]) -> sqlx::Result<()> {
    let numbers = serde_json::to_string(numbers).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "UPDATE jobs SET message = ?2 WHERE ended_at IS NOT NULL
            AND run_id IN (SELECT run_id FROM test_runs WHERE id IN (SELECT value FROM json_each(?1)))",
    )
    .bind(&numbers)
    .bind(DELETED)
    .execute(&mut **transaction)
    .await?;
    for rows in [
        "DELETE FROM test_results WHERE test_run_id IN (SELECT value FROM json_each(?1))",
        "DELETE FROM test_runs WHERE id IN (SELECT value FROM json_each(?1))",
    ] {
        sqlx::query(rows).bind(&numbers).execute(&mut **transaction).await?;
    }
    Ok(())
}
