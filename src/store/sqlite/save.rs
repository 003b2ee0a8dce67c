//! Storing a run: two statements in one transaction, however many phrases it has.

use chrono::Utc;
use sqlx::SqliteTransaction;

use super::{BEGIN, SqliteStore};
use crate::domain::RunRecord;
use crate::store::Saved;
use crate::store::columns::{ResultColumns, RunColumns};
use crate::store::error::StoreError;

/// Results in one statement, at most; it keeps the JSON that carries them small.
const BATCH: usize = 5_000;

pub(super) async fn save(store: &SqliteStore, record: &RunRecord) -> Result<Saved, StoreError> {
    let run = RunColumns::of(record)
        .map_err(|source| StoreError::Record { of: format!("run `{}`", record.id), source })?;
    let results: Vec<ResultColumns> =
        record.results.iter().map(|result| ResultColumns::of(record, result)).collect();
    store
        .database
        .within(&format!("save run `{}`", record.id), async {
            let mut transaction = store.pool.begin_with(BEGIN).await?;
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
async fn insert_run(
    transaction: &mut SqliteTransaction<'_>,
    run: &RunColumns<'_>,
) -> sqlx::Result<Option<i64>> {
    sqlx::query_scalar(
        "INSERT INTO test_runs (run_id, test_type, test_config, start_time, end_time, status, results_summary, kind,
            suite, target, environment, run_status, conclusion, duration_ms, phrases, accuracy, false_positive_rate,
            p95_ms, demo, target_version, contract_hash, selection_hash, false_negative_rate, severe_miss_rate,
            unanswered_rate, p50_ms, part, target_url, schema_version, stored_at, record)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22,
            ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31)
         ON CONFLICT (run_id) DO NOTHING
         RETURNING id",
    )
    .bind(run.run_id)
    .bind(&run.test_type)
    .bind(&run.test_config)
    .bind(run.start_time)
    .bind(run.end_time)
    .bind(run.status)
    .bind(&run.results_summary)
    .bind(&run.kind)
    .bind(run.suite)
    .bind(run.target)
    .bind(run.environment)
    .bind(&run.run_status)
    .bind(&run.conclusion)
    .bind(run.duration_ms)
    .bind(run.phrases)
    .bind(run.accuracy)
    .bind(run.false_positive_rate)
    .bind(run.p95_ms)
    .bind(run.demo)
    .bind(run.target_version)
    .bind(run.contract_hash)
    .bind(run.selection_hash)
    .bind(run.false_negative_rate)
    .bind(run.severe_miss_rate)
    .bind(run.unanswered_rate)
    .bind(run.p50_ms)
    .bind(run.part)
    .bind(run.target_url)
    .bind(run.schema_version)
    .bind(Utc::now().naive_utc())
    .bind(&run.record)
    .fetch_optional(&mut **transaction)
    .await
}

async fn insert_results(
    transaction: &mut SqliteTransaction<'_>,
    number: i64,
    results: &[ResultColumns<'_>],
) -> sqlx::Result<()> {
    let rows = serde_json::to_string(results).map_err(|error| sqlx::Error::Encode(error.into()))?;
    sqlx::query(
        "INSERT INTO test_results (test_run_id, phrase_id, input_text, expected_result, actual_result, confidence,
            response_time_ms, is_correct, created_at, text_hash, category, verdict, no_answer, score, latency_ms,
            attempts, repeats)
         SELECT ?1, value ->> 'phrase_id', value ->> 'input_text', value ->> 'expected_result',
            value ->> 'actual_result', value ->> 'confidence', value ->> 'response_time_ms', value ->> 'is_correct',
            replace(value ->> 'created_at', 'T', ' '), value ->> 'text_hash', value ->> 'category',
            value ->> 'verdict', value ->> 'no_answer', value ->> 'score', value ->> 'latency_ms',
            value ->> 'attempts', value ->> 'repeats'
         FROM json_each(?2)",
    )
    .bind(number)
    .bind(rows)
    .execute(&mut **transaction)
    .await
    .map(drop)
}
