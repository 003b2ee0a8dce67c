//! What is particular to PostgreSQL.

use std::error::Error;
use std::net::{SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use super::place::{Place, PostgresPlace, patient};
use super::sample::{PRIVATE_TEXT, hour, record_at};
use crate::support::relay::Relay;
use chrono::NaiveDateTime;
use sqlx::Executor;
use thrash::domain::{RunId, RunStatus};
use thrash::store::{self, PrunePolicy, RunFilter, StoreError, StoreErrorKind, StoreLocation, StoreOptions};

/// The tables as the Python suite made them, with runs in them.
const LEGACY: &str = "
    CREATE SCHEMA ash_thrash;
    CREATE TABLE ash_thrash.test_runs (
        id SERIAL PRIMARY KEY, test_type VARCHAR(50) NOT NULL, test_config JSONB,
        start_time TIMESTAMP DEFAULT CURRENT_TIMESTAMP, end_time TIMESTAMP, status VARCHAR(50), results_summary JSONB);
    CREATE TABLE ash_thrash.test_results (
        id SERIAL PRIMARY KEY, test_run_id INTEGER REFERENCES ash_thrash.test_runs(id), phrase_id VARCHAR(255),
        input_text TEXT, expected_result VARCHAR(100), actual_result VARCHAR(100), confidence FLOAT,
        response_time_ms INTEGER, is_correct BOOLEAN, created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP);
    CREATE INDEX idx_test_results_test_run_id ON ash_thrash.test_results(test_run_id);
    INSERT INTO ash_thrash.test_runs (test_type, test_config, start_time, end_time, status, results_summary) VALUES
        ('comprehensive', '{\"n\": 2}', '2025-06-01 06:00:00', '2025-06-01 06:00:30', 'completed', '{\"accuracy\": 50.0}'),
        ('quick', NULL, '2025-06-02 06:00:00', NULL, 'running', NULL),
        ('quick', NULL, NULL, NULL, NULL, NULL);
    INSERT INTO ash_thrash.test_results
        (test_run_id, phrase_id, input_text, expected_result, actual_result, confidence, response_time_ms, is_correct)
        VALUES (1, 'a', 'x', 'high', 'high', 0.9, 180, true), (1, 'b', 'y', 'none', 'low', 0.4, 195, false);";

/// What a dashboard asks of the old tables.
const DASHBOARD: &str = "
    SELECT r.id, r.test_type, r.status, (r.results_summary->>'accuracy')::float8, count(t.id),
        avg(t.response_time_ms)::float8, sum(CASE WHEN t.is_correct THEN 1 ELSE 0 END), min(t.expected_result), r.start_time
    FROM ash_thrash.test_runs r LEFT JOIN ash_thrash.test_results t ON t.test_run_id = r.id
    GROUP BY r.id ORDER BY r.id";

type DashboardRow =
    (i32, String, Option<String>, Option<f64>, i64, Option<f64>, i64, Option<String>, Option<NaiveDateTime>);

async fn dashboard(place: &PostgresPlace) -> Vec<DashboardRow> {
    sqlx::query_as(DASHBOARD).fetch_all(&mut place.connect().await).await.expect("the old query runs")
}

async fn legacy_place() -> PostgresPlace {
    let place = PostgresPlace::fresh().await;
    place.run(LEGACY).await;
    place
}

fn legacy(n: u32) -> RunId {
    RunId::from_stored(format!("legacy-{n}"))
}

async fn error_of(url: &str, options: &StoreOptions) -> StoreError {
    store::open(&StoreLocation::parse(url).unwrap(), options).await.expect_err("no store")
}

/// An error as a person sees it, causes included, and as a log might show it.
fn whole_text(error: &StoreError) -> String {
    let mut text = format!("{error:?} {error}");
    let mut cause: Option<&dyn Error> = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

#[tokio::test]
async fn an_existing_installation_is_upgraded_in_place() {
    let place = legacy_place().await;
    let before = dashboard(&place).await;
    let store = place.open().await;
    assert_eq!(dashboard(&place).await, before, "old rows are as they were");

    let record = record_at(0);
    store.save(&record).await.unwrap();
    let after = dashboard(&place).await;
    assert_eq!(after[..3], before);
    let (_, suite, status, accuracy, results, response, correct, expected, start) = after[3].clone();
    assert_eq!((suite.as_str(), status.as_deref()), ("quick", Some("completed")));
    assert!((accuracy.unwrap() - 200.0 / 3.0).abs() < 1e-9, "percent, as before");
    assert_eq!((results, correct, expected.as_deref()), (3, 2, Some("high|critical")));
    assert_eq!(response, Some(12.0));
    assert_eq!(start.unwrap().to_string(), "2026-01-01 00:00:00.123456", "UTC");
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

#[tokio::test]
async fn a_program_that_knows_only_the_old_columns_still_writes() {
    let place = legacy_place().await;
    let store = place.open().await;
    place.run("INSERT INTO ash_thrash.test_runs (test_type, status) VALUES ('quick', 'running')").await;
    assert_eq!(store.list(&RunFilter::default()).await.unwrap()[0].id, legacy(4));
}

#[tokio::test]
async fn old_runs_are_listed_and_have_a_summary_but_no_record() {
    let place = legacy_place().await;
    let store = place.open().await;
    let record = record_at(0);
    store.save(&record).await.unwrap();
    let runs = store.list(&RunFilter::default()).await.unwrap();
    let ids: Vec<&RunId> = runs.iter().map(|run| &run.id).collect();
    assert_eq!(ids, [&record.id, &legacy(2), &legacy(1), &legacy(3)]);
    // Page by page too, though it is not known when the last one began.
    for pair in runs.windows(2) {
        let after = Some((pair[0].started_at, pair[0].number));
        let next = RunFilter { after, limit: Some(1), ..RunFilter::default() };
        assert_eq!(store.list(&next).await.unwrap(), pair[1..]);
    }
    let old = &runs[2];
    assert_eq!((old.suite.as_str(), old.target.as_deref(), old.legacy), ("comprehensive", None, true));
    assert_eq!((old.phrases, old.accuracy, old.duration_ms), (2, Some(0.5), Some(30_000.0)));
    assert_eq!(old.status, Some(RunStatus::Completed));
    assert_eq!(old.started_at.to_rfc3339(), "2025-06-01T06:00:00+00:00");
    assert_eq!(runs[1].status, None, "it never ended");
    assert_eq!(store.summary(&legacy(1)).await.unwrap(), *old);
    assert_eq!(store.resolve("legacy-1").await.unwrap(), legacy(1));
    assert_eq!(store.resolve("latest").await.unwrap(), record.id);
    assert!(matches!(store.load(&legacy(1)).await, Err(StoreError::NoRecord { .. })));
    assert_eq!(store.load(&legacy(9)).await.unwrap_err().kind(), StoreErrorKind::NotFound);
}

#[tokio::test]
async fn old_runs_are_pruned_only_when_asked() {
    let place = legacy_place().await;
    let store = place.open().await;
    store.hold(&legacy(2), Some("kept")).await.unwrap();
    let policy = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    assert_eq!(store.prune(&policy, hour(0)).await.unwrap().pruned, []);
    let policy = PrunePolicy { legacy: true, ..policy };
    assert_eq!(store.prune(&policy, hour(0)).await.unwrap().pruned, [legacy(1), legacy(3)]);
    store.hold(&legacy(2), None).await.unwrap();
    store.delete(&legacy(2)).await.unwrap();
    assert_eq!(dashboard(&place).await, []);
}

#[tokio::test]
async fn a_user_who_may_not_create_schemas_can_use_what_is_there() {
    let place = legacy_place().await;
    let user = format!("thrash_user_{}", place.url().rsplit('/').next().unwrap());
    place
        .run(format!(
            "CREATE ROLE {user} LOGIN PASSWORD 'right';
             ALTER SCHEMA ash_thrash OWNER TO {user};
             ALTER TABLE ash_thrash.test_runs OWNER TO {user};
             ALTER TABLE ash_thrash.test_results OWNER TO {user}"
        ))
        .await;
    let location = StoreLocation::parse(&place.url_as(&user, "right")).unwrap();
    let store = store::open(&location, &patient()).await.unwrap();
    store.save(&record_at(0)).await.unwrap();
    store.close().await;
    place.run(format!("DROP OWNED BY {user} CASCADE; DROP ROLE {user}")).await;
}

#[tokio::test]
async fn a_user_without_rights_is_refused() {
    let place = legacy_place().await;
    let user = format!("thrash_guest_{}", place.url().rsplit('/').next().unwrap());
    place.run(format!("CREATE ROLE {user} LOGIN PASSWORD 'right'")).await;
    let error = error_of(&place.url_as(&user, "right"), &patient()).await;
    assert_eq!(error.kind(), StoreErrorKind::Refused, "{}", whole_text(&error));
    place.run(format!("DROP ROLE {user}")).await;
}

#[tokio::test]
async fn a_wrong_password_is_refused_and_not_shown() {
    let place = PostgresPlace::fresh().await;
    let error = error_of(&place.url_as("postgres", "s3cret"), &patient()).await;
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    let text = whole_text(&error);
    assert!(!text.contains("s3cret"), "{text}");
    assert!(
        error.to_string().starts_with("cannot open the store: the database `postgres://postgres@"),
        "{text}"
    );
    assert!(text.ends_with(": password authentication failed for user \"postgres\" (code 28P01)"), "{text}");
}

#[tokio::test]
async fn a_missing_database_is_refused() {
    let place = PostgresPlace::fresh().await;
    let error = error_of(&format!("{}_not", place.url()), &patient()).await;
    assert_eq!(error.kind(), StoreErrorKind::Refused);
    assert!(whole_text(&error).contains("does not exist"));
}

#[tokio::test]
async fn nobody_listening_is_known_at_once() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let started = Instant::now();
    let error = error_of(&format!("postgres://a:s3cret@127.0.0.1:{port}/b"), &patient()).await;
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    let text = whole_text(&error);
    assert!(text.contains("Connection refused") && !text.contains("s3cret"), "{text}");
}

#[tokio::test]
async fn a_server_that_accepts_and_never_answers_is_given_up() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("postgres://a:s3cret@{}/b", listener.local_addr().unwrap());
    let options = StoreOptions { connect_timeout: Duration::from_millis(200), ..patient() };
    let started = Instant::now();
    let error = error_of(&url, &options).await;
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    assert!(error.to_string().ends_with("did not answer within 200ms"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_locked_table_is_waited_for_and_then_given_up() {
    let place = PostgresPlace::fresh().await;
    let options = StoreOptions { operation_timeout: Duration::from_secs(3), ..patient() };
    let store = store::open(&place.location(), &options).await.unwrap();
    store.ping().await.unwrap(); // connected, so that only the lock is waited for
    let mut holder = place.connect().await;
    holder.execute("BEGIN; LOCK TABLE ash_thrash.test_runs").await.unwrap();
    let record = record_at(0);
    assert_eq!(store.save(&record).await.unwrap_err().kind(), StoreErrorKind::Busy);
    assert_eq!(store.load(&record.id).await.unwrap_err().kind(), StoreErrorKind::Unreachable);
    holder.execute("ROLLBACK").await.unwrap();
    store.save(&record).await.unwrap();
    assert_eq!(store.load(&record.id).await.unwrap(), record);
}

#[tokio::test]
async fn a_store_survives_that_its_connections_are_cut() {
    let place = PostgresPlace::fresh().await;
    let store = place.open().await;
    store.save(&record_at(0)).await.unwrap();
    place
        .run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )
        .await;
    store.save(&record_at(1)).await.unwrap();
}

#[tokio::test]
async fn what_the_database_rejects_is_rolled_back_and_not_repeated() {
    let place = PostgresPlace::fresh().await;
    let store = place.open().await;
    place.run("ALTER TABLE ash_thrash.test_results ADD CHECK (phrase_id <> 'p2')").await;
    let record = record_at(0);
    let error = store.save(&record).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Failed);
    assert!(!whole_text(&error).contains(PRIVATE_TEXT), "{error}");
    assert_eq!(dashboard(&place).await, [], "whole or not at all");
}

#[tokio::test]
async fn tables_that_were_not_migrated_are_named_as_the_reason() {
    let place = legacy_place().await;
    let options = StoreOptions { migrate: false, ..patient() };
    let store = store::open(&place.location(), &options).await.unwrap();
    assert_eq!(store.migrations().await.unwrap().pending.len(), 12);
    assert_eq!(store.save(&record_at(0)).await.unwrap_err().kind(), StoreErrorKind::NotMigrated);
    assert_eq!(store.list(&RunFilter::default()).await.unwrap_err().kind(), StoreErrorKind::NotMigrated);
}

#[tokio::test]
async fn a_newer_schema_is_not_touched() {
    let place = PostgresPlace::fresh().await;
    place.open().await.close().await;
    place.run("INSERT INTO ash_thrash.thrash_migrations VALUES (99, 'later', now(), true, '', 0)").await;
    assert_eq!(error_of(&place.url(), &patient()).await.kind(), StoreErrorKind::NewerSchema);
}

#[tokio::test]
async fn a_database_that_only_reads_is_read_and_takes_nothing() {
    let place = PostgresPlace::fresh().await;
    place.open().await.close().await;
    place
        .run(format!(
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            place.url().rsplit('/').next().unwrap()
        ))
        .await;
    let store = place.open().await;
    store.ping().await.unwrap();
    assert_eq!(store.beat().await.unwrap_err().kind(), StoreErrorKind::Refused);
}

#[tokio::test]
async fn locks_of_a_client_that_is_cut_off_end_before_others_give_up() {
    let place = PostgresPlace::fresh().await;
    let options = StoreOptions { operation_timeout: Duration::from_secs(6), ..patient() };
    let store = store::open(&place.location(), &options).await.unwrap();
    store.beat().await.unwrap();
    let to: SocketAddr = place.url().rsplit_once('@').unwrap().1.split('/').next().unwrap().parse().unwrap();
    let wire = Relay::start(to);
    let behind = place.url().replace(&to.to_string(), &wire.addr().to_string());
    let behind = store::open(&StoreLocation::parse(&behind).unwrap(), &options).await.unwrap();
    behind.beat().await.unwrap();
    wire.cut_before("COMMIT");
    let cut_off = tokio::time::timeout(Duration::from_millis(500), behind.beat()).await;
    assert!(cut_off.is_err(), "{cut_off:?}");
    store.beat().await.unwrap();
}
