//! When schedules ran.

use chrono::{DateTime, Utc};

use super::PostgresStore;
use crate::store::StoreFuture;
use crate::store::schedules::{ScheduleRow, ScheduleState, Schedules, schedule};
use crate::store::time::to_millis;

impl Schedules for PostgresStore {
    fn schedule_states(&self) -> StoreFuture<'_, Vec<ScheduleState>> {
        Box::pin(async move {
            let rows: Vec<ScheduleRow<DateTime<Utc>>> = self
                .database
                .within("list the schedules", async {
                    sqlx::query_as("SELECT name, line, enabled, seen_at, last_at, changed_at FROM ash_thrash.schedules ORDER BY name")
                        .fetch_all(&self.pool)
                        .await
                })
                .await?;
            Ok(rows.into_iter().map(|row| schedule(row, |at| at)).collect())
        })
    }

    fn begin_schedule<'a>(
        &'a self,
        name: &'a str,
        line: &'a str,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, ScheduleState> {
        Box::pin(async move {
            let row: ScheduleRow<DateTime<Utc>> = writing!(
                self,
                &format!("begin the schedule `{name}`"),
                |transaction| {
                    sqlx::query_as(
                        "INSERT INTO ash_thrash.schedules (name, line, seen_at, changed_at) VALUES ($1, $2, $3, $3)
                         ON CONFLICT (name) DO UPDATE SET
                            seen_at = CASE WHEN schedules.line = excluded.line THEN schedules.seen_at ELSE excluded.seen_at END,
                            changed_at = CASE WHEN schedules.line = excluded.line THEN schedules.changed_at
                                ELSE excluded.changed_at END,
                            line = excluded.line
                         RETURNING name, line, enabled, seen_at, last_at, changed_at",
                    )
                    .bind(name)
                    .bind(line)
                    .bind(to_millis(now))
                    .fetch_one(&mut *transaction)
                    .await?
                }
            )?;
            Ok(schedule(row, |at| at))
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
            let row: ScheduleRow<DateTime<Utc>> = writing!(
                self,
                &format!("switch the schedule `{name}`"),
                |transaction| {
                    sqlx::query_as(
                        "INSERT INTO ash_thrash.schedules (name, line, enabled, seen_at, changed_at)
                         VALUES ($1, $2, $3, $4, $4)
                         ON CONFLICT (name) DO UPDATE SET enabled = excluded.enabled, line = excluded.line,
                            seen_at = GREATEST(schedules.seen_at, excluded.seen_at), changed_at = excluded.changed_at
                         RETURNING name, line, enabled, seen_at, last_at, changed_at",
                    )
                    .bind(name)
                    .bind(line)
                    .bind(enabled)
                    .bind(to_millis(now))
                    .fetch_one(&mut *transaction)
                    .await?
                }
            )?;
            Ok(schedule(row, |at| at))
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
            let done = writing!(self, &format!("note that the schedule `{name}` ran"), |transaction| {
                sqlx::query(
                    "UPDATE ash_thrash.schedules SET seen_at = $2, last_at = COALESCE($3, last_at),
                            changed_at = CASE WHEN $4 THEN $2 ELSE changed_at END
                         WHERE name = $1 AND seen_at < $2",
                )
                .bind(name)
                .bind(to_millis(seen))
                .bind(ran.map(to_millis))
                .bind(gives_up)
                .execute(&mut *transaction)
                .await?
            })?;
            Ok(done.rows_affected() > 0)
        })
    }
}
