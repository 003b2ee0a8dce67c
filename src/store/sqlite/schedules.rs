//! When schedules ran.

use chrono::{DateTime, Utc};

use super::SqliteStore;
use crate::store::StoreFuture;
use crate::store::schedules::{ScheduleRow, ScheduleState, Schedules, schedule};
use crate::store::time::from_millis;

impl Schedules for SqliteStore {
    fn schedule_states(&self) -> StoreFuture<'_, Vec<ScheduleState>> {
        Box::pin(async move {
            let rows: Vec<ScheduleRow<i64>> = self
                .database
                .within("list the schedules", async {
                    sqlx::query_as(
                        "SELECT name, line, enabled, seen_at, last_at, changed_at FROM schedules ORDER BY name",
                    )
                    .fetch_all(&self.pool)
                    .await
                })
                .await?;
            Ok(rows.into_iter().map(|row| schedule(row, from_millis)).collect())
        })
    }

    fn begin_schedule<'a>(
        &'a self,
        name: &'a str,
        line: &'a str,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, ScheduleState> {
        Box::pin(async move {
            let row: ScheduleRow<i64> = self
                .database
                .within(&format!("begin the schedule `{name}`"), async {
                    sqlx::query_as(
                        "INSERT INTO schedules (name, line, seen_at, changed_at) VALUES (?1, ?2, ?3, ?3)
                         ON CONFLICT (name) DO UPDATE SET
                            seen_at = CASE WHEN line = excluded.line THEN seen_at ELSE excluded.seen_at END,
                            changed_at = CASE WHEN line = excluded.line THEN changed_at ELSE excluded.changed_at END,
                            line = excluded.line
                         RETURNING name, line, enabled, seen_at, last_at, changed_at",
                    )
                    .bind(name)
                    .bind(line)
                    .bind(now.timestamp_millis())
                    .fetch_one(&self.pool)
                    .await
                })
                .await?;
            Ok(schedule(row, from_millis))
        })
    }

    fn switch_schedule<'a>(
        &'a self,
        name: &'a str,
        line: &'a str,
        enabled: Option<bool>,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, ScheduleState> {
        Box::pin(async move {
            let row: ScheduleRow<i64> = self
                .database
                .within(&format!("switch the schedule `{name}`"), async {
                    sqlx::query_as(
                        "INSERT INTO schedules (name, line, enabled, seen_at, changed_at)
                         VALUES (?1, ?2, ?3, ?4, ?4)
                         ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, line = excluded.line,
                            seen_at = max(seen_at, excluded.seen_at), changed_at = excluded.changed_at
                         RETURNING name, line, enabled, seen_at, last_at, changed_at",
                    )
                    .bind(name)
                    .bind(line)
                    .bind(enabled)
                    .bind(now.timestamp_millis())
                    .fetch_one(&self.pool)
                    .await
                })
                .await?;
            Ok(schedule(row, from_millis))
        })
    }

    fn advance_schedule<'a>(
        &'a self,
        name: &'a str,
        seen: DateTime<Utc>,
        ran: Option<DateTime<Utc>>,
        gives_up: bool,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let done = self
                .database
                .within(&format!("note that the schedule `{name}` ran"), async {
                    sqlx::query(
                        "UPDATE schedules SET seen_at = ?2, last_at = COALESCE(?3, last_at),
                            changed_at = CASE WHEN ?4 THEN ?2 ELSE changed_at END
                         WHERE name = ?1 AND seen_at < ?2",
                    )
                    .bind(name)
                    .bind(seen.timestamp_millis())
                    .bind(ran.map(|at| at.timestamp_millis()))
                    .bind(gives_up)
                    .execute(&self.pool)
                    .await
                })
                .await?;
            Ok(done.rows_affected() > 0)
        })
    }
}
