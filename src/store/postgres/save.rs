//! Storing a run: one transaction, the results as arrays, a statement for some thousands of them.

use std::borrow::Cow;

use serde_json::Value;
use sqlx::postgres::PgTransaction;

use super::PostgresStore;
use crate::domain::RunRecord;
use crate::store::Saved;
use crate::store::columns::{ResultColumns, RunColumns};
use crate::store::error::StoreError;

/// Results in one statement, at most.
const BATCH: usize = 5_000;

pub(super) async fn save(store: &PostgresStore, record: &RunRecord) -> Result<Saved, StoreError> {
    let run = RunColumns::of(record)
        .map_err(|source| StoreError::Record { of: format!("run `{}`", record.id), source })?;
    let results: Vec<ResultColumns> =
        record.results.iter().map(|result| ResultColumns::of(record, result)).collect();
    store
        .database
        .within(&format!("save run `{}`", record.id), async {
            let mut transaction = store.pool.begin_with(store.begin()).await?;
            let Some(number) = insert_run(&mut transaction, &run).await? else {
                return Ok(Saved::AlreadyStored);
            };
            for batch in results.chunks(BATCH) {
                insert_results(&mut transaction, number, batch).await?;
            }
            transaction.commit().await?;
            Ok(Saved::Stored)
        })
        .await
}

/// The new row's number, or none if the run is there already.
async fn insert_run(transaction: &mut PgTransaction<'_>, run: &RunColumns<'_>) -> sqlx::Result<Option<i32>> {
    sqlx::query_scalar(
        "INSERT INTO ash_thrash.test_runs (run_id, test_type, test_config, start_time, end_time, status,
            results_summary, kind, suite, target, environment, run_status, conclusion, duration_ms, phrases, accuracy,
            false_positive_rate, p95_ms, demo, target_version, contract_hash, selection_hash, false_negative_rate,
            severe_miss_rate, unanswered_rate, p50_ms, part, target_url, schema_version, stored_at, record)
         VALUES ($1, $2, $3::text::jsonb, $4, $5, $6, $7::text::jsonb, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17,
            $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, now(), $30::text::jsonb)
         ON CONFLICT (run_id) DO NOTHING
         RETURNING id",
    )
    .bind(storable(run.run_id))
    .bind(storable(&run.test_type))
    .bind(storable_json(&run.test_config))
    .bind(run.start_time)
    .bind(run.end_time)
    .bind(run.status)
    .bind(storable_json(&run.results_summary))
    .bind(&run.kind)
    .bind(storable(run.suite))
    .bind(storable(run.target))
    .bind(run.environment.map(storable))
    .bind(&run.run_status)
    .bind(&run.conclusion)
    .bind(run.duration_ms)
    .bind(run.phrases)
    .bind(run.accuracy)
    .bind(run.false_positive_rate)
    .bind(run.p95_ms)
    .bind(run.demo)
    .bind(run.target_version.map(storable))
    .bind(storable(run.contract_hash))
    .bind(storable(run.selection_hash))
    .bind(run.false_negative_rate)
    .bind(run.severe_miss_rate)
    .bind(run.unanswered_rate)
    .bind(run.p50_ms)
    .bind(run.part)
    .bind(storable(run.target_url))
    .bind(run.schema_version)
    .bind(storable_json(&run.record))
    .fetch_optional(&mut **transaction)
    .await
}

async fn insert_results(
    transaction: &mut PgTransaction<'_>,
    number: i32,
    results: &[ResultColumns<'_>],
) -> sqlx::Result<()> {
    fn column<'a, T>(results: &'a [ResultColumns<'a>], value: fn(&'a ResultColumns<'a>) -> T) -> Vec<T> {
        results.iter().map(value).collect()
    }

    sqlx::query(
        "INSERT INTO ash_thrash.test_results (test_run_id, phrase_id, input_text, expected_result, actual_result,
            confidence, response_time_ms, is_correct, created_at, text_hash, category, verdict, no_answer, score,
            latency_ms, attempts, repeats)
         SELECT $1, * FROM UNNEST($2::text[], $3::text[], $4::text[], $5::text[], $6::float8[], $7::int4[], $8::bool[],
            $9::timestamp[], $10::text[], $11::text[], $12::text[], $13::text[], $14::float8[], $15::float8[],
            $16::int4[], $17::int4[])",
    )
    .bind(number)
    .bind(column(results, |row| storable(&row.phrase_id)))
    .bind(column(results, |row| row.input_text.map(storable)))
    .bind(column(results, |row| row.expected_result.as_str()))
    .bind(column(results, |row| row.actual_result))
    .bind(column(results, |row| row.confidence))
    .bind(column(results, |row| row.response_time_ms))
    .bind(column(results, |row| row.is_correct))
    .bind(column(results, |row| row.created_at))
    .bind(column(results, |row| storable(row.text_hash)))
    .bind(column(results, |row| storable(row.category)))
    .bind(column(results, |row| row.verdict))
    .bind(column(results, |row| row.no_answer.as_deref()))
    .bind(column(results, |row| row.score))
    .bind(column(results, |row| row.latency_ms))
    .bind(column(results, |row| row.attempts))
    .bind(column(results, |row| row.repeats))
    .execute(&mut **transaction)
    .await
    .map(drop)
}

/// The text without NUL, which PostgreSQL cannot hold (<https://www.postgresql.org/docs/current/datatype-json.html>) and
/// which a phrase or a target's answer may contain. Its place is marked; the run is not lost.
fn storable(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { Cow::Owned(text.replace('\0', "\u{fffd}")) } else { Cow::Borrowed(text) }
}

/// The JSON without NUL in its texts.
fn storable_json(json: &str) -> Cow<'_, str> {
    if !json.contains("\\u0000") {
        return Cow::Borrowed(json);
    }
    match serde_json::from_str::<Value>(json) {
        Ok(mut value) => {
            mark_nul(&mut value);
            Cow::Owned(value.to_string())
        }
        Err(_) => Cow::Borrowed(json),
    }
}

fn mark_nul(value: &mut Value) {
    match value {
        Value::String(text) => *text = storable(text).into_owned(),
        Value::Array(items) => items.iter_mut().for_each(mark_nul),
        Value::Object(fields) => fields.values_mut().for_each(mark_nul),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
