//! The runs that later ones are held against.

use chrono::{DateTime, Utc};

use super::PostgresStore;
use super::query::summary;
use crate::domain::{Baseline, RunId, Series};
use crate::store::baseline::{BaselineRow, baseline};
use crate::store::error::StoreError;

pub(super) async fn set(
    store: &PostgresStore,
    id: &RunId,
    note: Option<&str>,
    now: DateTime<Utc>,
) -> Result<Baseline, StoreError> {
    let row: Option<BaselineRow> = writing!(
        store,
        &format!("make run `{id}` the baseline"),
        |transaction| {
            sqlx::query_as(
                "INSERT INTO ash_thrash.baselines (suite, target, demo, run_id, set_at, note)
                 SELECT suite, target, COALESCE(demo, FALSE), run_id, $2, $3 FROM ash_thrash.test_runs WHERE run_id = $1
                 ON CONFLICT (suite, target, demo)
                    DO UPDATE SET run_id = excluded.run_id, set_at = excluded.set_at, note = excluded.note
                 RETURNING suite, target, demo, run_id, set_at, note",
            )
            .bind(id.as_str())
            .bind(now)
            .bind(note)
            .fetch_optional(&mut *transaction)
            .await?
        }
    )?;
    match row {
        Some(row) => Ok(baseline(row)),
        // Either there is no such run, or an earlier program stored it.
        None => summary(store, id).await.and(Err(StoreError::NoRecord { id: id.clone() })),
    }
}

pub(super) async fn find(store: &PostgresStore, series: &Series) -> Result<Option<Baseline>, StoreError> {
    let row: Option<BaselineRow> = store
        .database
        .within("look up the baseline", async {
            sqlx::query_as(
                "SELECT suite, target, demo, run_id, set_at, note FROM ash_thrash.baselines
                 WHERE suite = $1 AND target = $2 AND demo = $3",
            )
            .bind(&series.suite)
            .bind(&series.target)
            .bind(series.demo)
            .fetch_optional(&store.pool)
            .await
        })
        .await?;
    Ok(row.map(baseline))
}

pub(super) async fn list(store: &PostgresStore) -> Result<Vec<Baseline>, StoreError> {
    let rows: Vec<BaselineRow> = store
        .database
        .within("list the baselines", async {
            sqlx::query_as(
                "SELECT suite, target, demo, run_id, set_at, note FROM ash_thrash.baselines ORDER BY suite, target, demo",
            )
            .fetch_all(&store.pool)
            .await
        })
        .await?;
    Ok(rows.into_iter().map(baseline).collect())
}

pub(super) async fn clear(store: &PostgresStore, id: &RunId) -> Result<bool, StoreError> {
    let gone = writing!(store, &format!("clear the baseline `{id}`"), |transaction| {
        sqlx::query("DELETE FROM ash_thrash.baselines WHERE run_id = $1")
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?
    })?;
    Ok(gone.rows_affected() > 0)
}
