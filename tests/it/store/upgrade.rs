//! Databases that the first version of the tables was written to, brought up to date in place.
//!
//! The fixtures are dumps of databases that the program wrote when it knew migration 1 alone: three runs, one of them
//! kept, and a run of an earlier program.

use std::collections::BTreeSet;

use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{hour, record_at};
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection, Executor, SqliteConnection};
use thrash::domain::{RunId, Series};
use thrash::store::{PrunePolicy, RunFilter, RunSummary, Store, StoreError};

async fn sqlite() -> SqlitePlace {
    let place = SqlitePlace::fresh().await;
    let options = SqliteConnectOptions::new().filename(place.file()).create_if_missing(true);
    // A dump names the tables in any order.
    let mut connection = options.foreign_keys(false).connect().await.unwrap();
    connection.execute(include_str!("../../fixtures/store-0001.sqlite.sql")).await.unwrap();
    connection.close().await.unwrap();
    place
}

async fn postgres() -> PostgresPlace {
    let place = PostgresPlace::fresh().await;
    place.run(include_str!("../../fixtures/store-0001.postgres.sql")).await;
    place
}

async fn everything_is_still_there_and_the_new_columns_are_filled(store: &dyn Store) {
    let status = store.migrations().await.unwrap();
    assert_eq!((status.schema_version(), status.pending.len()), (12, 0));
    let runs = store.list(&RunFilter::default()).await.unwrap();
    assert_eq!(runs.len(), 4);
    for run in &runs[..3] {
        let record = store.load(&run.id).await.unwrap();
        assert_eq!(run.series(), Some(Series::of(&record)));
        assert_eq!(run.selection_hash.as_ref(), Some(&record.suite.selection_hash));
        assert_eq!(run.contract_hash.as_ref(), Some(&record.target.contract_hash));
        assert_eq!(run.target_version, record.target.version);
        assert_eq!(run.accuracy, record.metrics.accuracy.value);
        assert_eq!(run.false_negative_rate, record.metrics.false_negative_rate.value);
        assert_eq!(run.severe_miss_rate, record.metrics.severe_miss_rate.value);
        assert_eq!(run.unanswered_rate, Some(0.0));
        assert_eq!((run.p50_ms, run.p95_ms), (record.latency.p50_ms, record.latency.p95_ms));
        assert!(run.p50_ms.is_some() && run.target_version.is_some());
        assert_eq!((run.keep, run.baseline), (!run.demo, false));
        assert_eq!((run.part, record.part()), (None, None));
    }
    let seen: BTreeSet<Series> = runs.iter().filter_map(RunSummary::series).collect();
    let names: Vec<String> = seen.iter().map(ToString::to_string).collect();
    assert_eq!(
        names,
        [
            "`easy` against `ash-v5`",
            "`easy` against `demo` (the built-in demo)",
            "`easy/calm.yaml` against `demo` (the built-in demo)"
        ]
    );
    // The run with phrases of one kind has no rate of the other.
    let calm = runs.iter().find(|run| run.suite == "easy/calm.yaml").unwrap();
    assert_eq!((calm.false_positive_rate, calm.false_negative_rate), (Some(0.0), None));

    let legacy = &runs[3];
    assert_eq!((legacy.id.as_str(), legacy.legacy, legacy.phrases), ("legacy-4", true, 2));
    assert_eq!((legacy.accuracy, legacy.selection_hash.as_ref(), legacy.demo), (Some(0.5), None, false));
    assert!(matches!(store.load(&legacy.id).await, Err(StoreError::NoRecord { .. })));
    let error = store.set_baseline(&legacy.id, None, hour(0)).await.unwrap_err();
    assert!(matches!(error, StoreError::NoRecord { .. }), "{error}");
}

async fn it_works_on(store: &dyn Store) {
    let runs = store.list(&RunFilter::default()).await.unwrap();
    let new = record_at(0);
    store.save(&new).await.unwrap();
    assert_eq!(store.load(&new.id).await.unwrap(), new);
    let demo = runs.iter().find(|run| run.demo).unwrap();
    let baseline = store.set_baseline(&demo.id, Some("first"), hour(1)).await.unwrap();
    assert_eq!(Some(&baseline.series), demo.series().as_ref());
    store.delete(&RunId::from_stored("legacy-4")).await.unwrap();
    let policy = PrunePolicy { keep_last: Some(0), ..PrunePolicy::default() };
    let report = store.prune(&policy, hour(2)).await.unwrap();
    assert_eq!((report.pruned.len(), report.kept, report.remaining), (2, 2, 2));
}

#[tokio::test]
async fn a_sqlite_file_of_the_first_version_is_upgraded_in_place() {
    let place = sqlite().await;
    let store = place.open().await;
    everything_is_still_there_and_the_new_columns_are_filled(&*store).await;
    let mut raw = SqliteConnection::connect(&place.url()).await.unwrap();
    let results: i64 =
        sqlx::query_scalar("SELECT count(*) FROM test_results JOIN test_runs ON test_runs.id = test_run_id")
            .fetch_one(&mut raw)
            .await
            .unwrap();
    assert_eq!(results, 7);
    it_works_on(&*store).await;
    let broken = sqlx::query("PRAGMA foreign_key_check").fetch_all(&mut raw).await.unwrap();
    assert!(broken.is_empty());
    let last: String =
        sqlx::query_scalar("SELECT name FROM pragma_table_info('test_runs') ORDER BY cid DESC LIMIT 1")
            .fetch_one(&mut raw)
            .await
            .unwrap();
    assert_eq!(last, "record", "nothing stands behind the large column");
}

#[tokio::test]
async fn the_results_table_still_refers_to_the_runs_after_the_upgrade() {
    let place = sqlite().await;
    let store = place.open().await;
    let mut raw = SqliteConnection::connect(&place.url()).await.unwrap();
    raw.execute("PRAGMA foreign_keys = ON").await.unwrap();
    raw.execute("INSERT INTO test_results (test_run_id) VALUES (99)").await.unwrap_err();
    store.ping().await.unwrap();
}

#[tokio::test]
async fn a_postgres_database_of_the_first_version_is_upgraded_in_place() {
    let place = postgres().await;
    let store = place.open().await;
    everything_is_still_there_and_the_new_columns_are_filled(&*store).await;
    let results: i64 = sqlx::query_scalar("SELECT count(*) FROM ash_thrash.test_results")
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    assert_eq!(results, 7);
    it_works_on(&*store).await;
}

/// How the runs of the fixture selected their phrases, if it was otherwise than it says, and which part that is.
const PARTS: [(&str, Option<u64>); 8] = [
    (r#""selected": 5, "available": 25, "selection": {"categories": [], "tags": [], "limit": 5}"#, Some(5)),
    (r#""selected": 25, "available": 25, "selection": {"categories": [], "tags": [], "limit": 30}"#, None),
    (
        r#""selected": 5, "available": 25, "selection": {"categories": ["x"], "tags": [], "limit": null}"#,
        Some(0),
    ),
    (
        r#""selected": 5, "available": 25, "selection": {"categories": [], "tags": ["x"], "limit": 7}"#,
        Some(0),
    ),
    (r#""selected": 5, "available": 25, "selection": {"split": "held"}"#, Some(0)),
    (r#""selected": 5, "available": 25, "selection": {"limit": null}"#, None),
    (
        r#""selected": 24, "available": 25, "selection": {"limit": 18446744073709551615}"#,
        Some(i64::MAX as u64),
    ),
    (r#""selection": 7"#, None),
];

#[tokio::test]
async fn which_part_of_a_suite_was_sent_is_known_after_the_upgrade() {
    for (selected, part) in PARTS {
        let config = format!("{{\"suite\": {{{selected}}}, \"target\": {{\"url\": \"http://a\"}}}}");
        let (sqlite, postgres) = (sqlite().await, postgres().await);
        let mut raw = SqliteConnection::connect(&sqlite.url()).await.unwrap();
        let update = sqlx::query("UPDATE test_runs SET test_config = ?1 WHERE id = 1").bind(&config);
        update.execute(&mut raw).await.unwrap();
        raw.close().await.unwrap();
        postgres.run(format!("UPDATE ash_thrash.test_runs SET test_config = '{config}' WHERE id = 1")).await;
        for store in [sqlite.open().await, postgres.open().await] {
            let runs = store.list(&RunFilter::default()).await.unwrap();
            let parts: Vec<Option<u64>> = runs.iter().filter_map(|run| run.part.map(Some)).collect();
            assert_eq!(parts, Vec::from_iter(part.map(Some)), "{selected}");
        }
    }
}

/// What may have become of a record: no JSON, no object, parts of another kind.
const DAMAGES: [&str; 4] = [
    "{\"suite\":",
    "[1]",
    "{\"suite\": 7, \"target\": \"x\", \"metrics\": [], \"latency\": null}",
    "{\"metrics\": {\"severe_miss_rate\": {\"value\": {\"a\": 1}}}}",
];

#[tokio::test]
async fn a_damaged_record_does_not_stop_the_upgrade_of_a_sqlite_file() {
    for damage in DAMAGES {
        let place = sqlite().await;
        let mut raw = SqliteConnection::connect(&place.url()).await.unwrap();
        sqlx::query("UPDATE test_runs SET record = ?1 WHERE id = 1")
            .bind(damage)
            .execute(&mut raw)
            .await
            .unwrap();
        raw.close().await.unwrap();
        one_run_is_damaged(&*place.open().await, damage).await;
    }
}

#[tokio::test]
async fn a_damaged_record_does_not_stop_the_upgrade_of_a_postgres_database() {
    // The first damage is no JSON, which PostgreSQL would not have taken.
    for damage in &DAMAGES[1..] {
        let place = postgres().await;
        place.run(format!("UPDATE ash_thrash.test_runs SET record = '{damage}' WHERE id = 1")).await;
        one_run_is_damaged(&*place.open().await, damage).await;
    }
}

async fn one_run_is_damaged(store: &dyn Store, damage: &str) {
    let runs = store.list(&RunFilter::default()).await.unwrap_or_else(|error| panic!("{damage}: {error:?}"));
    assert_eq!(runs.len(), 4, "{damage}");
    let known = runs.iter().filter(|run| run.selection_hash.is_some()).count();
    assert_eq!(known, 2, "{damage}");
}
