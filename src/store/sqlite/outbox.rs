//! Messages on their way.

use chrono::{DateTime, Utc};
use sqlx::{Sqlite, Transaction};

use super::SqliteStore;
use crate::store::outbox::{
    self, AlertChange, AlertNews, AlertRow, Claim, Claimed, ClaimedRow, Outbox, OutboxCounts, Sent,
};
use crate::store::{StoreFuture, time::from_millis};

/// Messages that were over before a time, but for those of a trouble that goes on.
macro_rules! old_messages {
    ($do:literal) => {
        concat!(
            $do,
            " FROM outbox WHERE ended_at < ?1 AND state <> 'waiting'
                AND NOT EXISTS (SELECT 1 FROM alerts
                    WHERE alerts.series = outbox.series AND alerts.episode = outbox.episode)"
        )
    };
}

impl Outbox for SqliteStore {
    fn alert<'a>(&'a self, series: &'a str) -> StoreFuture<'a, Option<AlertRow>> {
        Box::pin(async move {
            let row: Option<(i64, String)> = self
                .database
                .within("look up what people were told", async {
                    sqlx::query_as("SELECT version, state FROM alerts WHERE series = ?1")
                        .bind(series)
                        .fetch_optional(&self.pool)
                        .await
                })
                .await?;
            Ok(row.map(|(version, state)| AlertRow { version, state }))
        })
    }

    fn change_alert<'a>(&'a self, change: &'a AlertChange, now: DateTime<Utc>) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            writing!(self, "write what people are told", |transaction| {
                let version: Option<i64> = sqlx::query_scalar(
                    "INSERT INTO alerts (series, version, state, episode, changed_at)
                 SELECT ?1, 1, ?3, ?4, ?5 WHERE ?2 IS NULL OR EXISTS (SELECT 1 FROM alerts WHERE series = ?1)
                 ON CONFLICT (series) DO UPDATE SET version = version + 1, state = excluded.state,
                    episode = excluded.episode, changed_at = excluded.changed_at
                    WHERE version = ?2
                 RETURNING version",
                )
                .bind(&change.series)
                .bind(change.from)
                .bind(&change.state)
                .bind(&change.episode)
                .bind(now.timestamp_millis())
                .fetch_optional(&mut *transaction)
                .await?;
                if version.is_none() {
                    return Ok(false);
                }
                if let Some(news) = &change.news {
                    write_news(&mut transaction, &change.series, news, now.timestamp_millis()).await?;
                }
                true
            })
        })
    }

    fn claim_message<'a>(&'a self, claim: &'a Claim<'a>) -> StoreFuture<'a, Option<Claimed>> {
        Box::pin(async move {
            let now = claim.now.timestamp_millis();
            let lease = i64::try_from(claim.lease.as_millis()).unwrap_or(i64::MAX);
            let row: Option<ClaimedRow<i64>> =
                writing!(self, "take a message from the outbox", |transaction| {
                    sqlx::query_as(
                        "UPDATE outbox SET attempts = attempts + 1, tried_at = ?2, lease_until = ?3
                         WHERE (SELECT count(*) FROM outbox WHERE channel = ?1 AND tried_at > ?2 - 60000) < ?4
                            AND id = (
                            SELECT id FROM outbox waiting
                            WHERE channel = ?1 AND state = 'waiting' AND due_at <= ?2
                                AND (lease_until IS NULL OR lease_until <= ?2)
                                AND NOT (waiting.good AND EXISTS (SELECT 1 FROM outbox bad
                                    WHERE bad.channel = ?1 AND bad.series = waiting.series AND NOT bad.good
                                        AND CASE WHEN bad.id < waiting.id THEN bad.state = 'waiting'
                                            ELSE bad.state <> 'cancelled' END))
                            ORDER BY urgent DESC, due_at, id LIMIT 1)
                         RETURNING id, key, body, attempts, created_at",
                    )
                    .bind(claim.channel)
                    .bind(now)
                    .bind(now.saturating_add(lease))
                    .bind(claim.per_minute)
                    .fetch_optional(&mut *transaction)
                    .await?
                })?;
            Ok(row.map(|row| outbox::claimed(row, from_millis)))
        })
    }

    fn finish_message<'a>(
        &'a self,
        claimed: &'a Claimed,
        sent: &'a Sent,
        now: DateTime<Utc>,
    ) -> StoreFuture<'a, bool> {
        Box::pin(async move {
            let (state, due_at, error) = outbox::end(sent);
            let done = self
                .database
                .within("say what became of a message", async {
                    sqlx::query(
                        "UPDATE outbox SET state = ?3, due_at = COALESCE(?4, due_at), error = ?5, lease_until = NULL,
                            ended_at = CASE WHEN ?3 = 'waiting' THEN NULL ELSE ?6 END
                         WHERE id = ?1 AND attempts = ?2 AND state = 'waiting'",
                    )
                    .bind(claimed.id)
                    .bind(claimed.attempt)
                    .bind(state)
                    .bind(due_at.map(|at| at.timestamp_millis()))
                    .bind(error)
                    .bind(now.timestamp_millis())
                    .execute(&self.pool)
                    .await
                })
                .await?;
            Ok(done.rows_affected() > 0)
        })
    }

    fn give_up_messages(&self, before: DateTime<Utc>, now: DateTime<Utc>) -> StoreFuture<'_, Vec<String>> {
        Box::pin(async move {
            writing!(self, "give up old messages", |transaction| {
                sqlx::query(
                    "UPDATE outbox AS waiting SET state = 'cancelled', ended_at = ?2, lease_until = NULL
                     WHERE state = 'waiting' AND created_at < ?1 AND (lease_until IS NULL OR lease_until <= ?2)
                        AND good AND EXISTS (SELECT 1 FROM outbox bad
                            WHERE bad.channel = waiting.channel AND bad.series = waiting.series AND NOT bad.good
                                AND bad.id > waiting.id AND bad.state <> 'cancelled')",
                )
                .bind(before.timestamp_millis())
                .bind(now.timestamp_millis())
                .execute(&mut *transaction)
                .await?;
                sqlx::query_scalar(
                    "UPDATE outbox SET state = 'given_up', ended_at = ?2, lease_until = NULL,
                        error = COALESCE(error, 'nobody tried to send it')
                     WHERE state = 'waiting' AND created_at < ?1 AND (lease_until IS NULL OR lease_until <= ?2)
                     RETURNING channel",
                )
                .bind(before.timestamp_millis())
                .bind(now.timestamp_millis())
                .fetch_all(&mut *transaction)
                .await?
            })
        })
    }

    fn outbox_counts(&self) -> StoreFuture<'_, OutboxCounts> {
        Box::pin(async move {
            let rows = self
                .database
                .within("count the messages", async {
                    sqlx::query_as("SELECT state, count(*) FROM outbox GROUP BY state")
                        .fetch_all(&self.pool)
                        .await
                })
                .await?;
            Ok(outbox::counts(&rows))
        })
    }

    fn forget_messages(&self, before: DateTime<Utc>, dry_run: bool) -> StoreFuture<'_, u64> {
        Box::pin(async move {
            let before = before.timestamp_millis();
            if dry_run {
                let counting = sqlx::query_scalar::<_, i64>(old_messages!("SELECT count(*)")).bind(before);
                let count =
                    self.database.within("count old messages", counting.fetch_one(&self.pool)).await?;
                return Ok(count.unsigned_abs());
            }
            let deleting = sqlx::query(old_messages!("DELETE")).bind(before);
            let done = self.database.within("delete old messages", deleting.execute(&self.pool)).await?;
            Ok(done.rows_affected())
        })
    }
}

async fn write_news(
    transaction: &mut Transaction<'_, Sqlite>,
    series: &str,
    news: &AlertNews,
    now: i64,
) -> sqlx::Result<()> {
    sqlx::query(
        "UPDATE outbox SET state = 'cancelled', ended_at = ?2
         WHERE series = ?1 AND state = 'waiting' AND (lease_until IS NULL OR lease_until <= ?2)
            AND (good OR (episode = ?3 AND (attempts = 0 OR NOT ?4)))",
    )
    .bind(series)
    .bind(now)
    .bind(&news.episode)
    .bind(news.good)
    .execute(&mut **transaction)
    .await?;
    for message in &news.messages {
        sqlx::query(
            "INSERT INTO outbox (key, channel, series, episode, urgent, body, state, created_at, due_at, good)
             SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'waiting', ?7, ?8, ?9
             WHERE NOT ?9 OR (SELECT NOT heard.good FROM outbox heard
                WHERE heard.series = ?3 AND heard.channel = ?2
                    AND (heard.state = 'sent' OR (heard.state = 'waiting' AND heard.attempts > 0))
                ORDER BY heard.id DESC LIMIT 1)
             ON CONFLICT (key) DO NOTHING",
        )
        .bind(&message.key)
        .bind(&message.channel)
        .bind(series)
        .bind(&news.episode)
        .bind(message.urgent)
        .bind(&message.body)
        .bind(now)
        .bind(message.due_at.timestamp_millis())
        .bind(news.good)
        .execute(&mut **transaction)
        .await?;
    }
    Ok(())
}
