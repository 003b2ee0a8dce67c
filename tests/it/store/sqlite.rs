//! What is particular to SQLite.

use std::path::Path;
use std::time::{Duration, Instant};

use super::place::{Place, SqlitePlace};
use super::sample::record_at;
use sqlx::{Connection, Executor, SqliteConnection};
use thrash::store::{self, StoreError, StoreErrorKind, StoreLocation, StoreOptions};

async fn error_of(path: impl AsRef<Path>) -> StoreError {
    let location = StoreLocation::Sqlite(path.as_ref().into());
    store::open(&location, &StoreOptions::default()).await.expect_err("no store")
}

async fn raw(place: &SqlitePlace) -> SqliteConnection {
    SqliteConnection::connect(&place.url()).await.expect("the file opens")
}

#[tokio::test]
async fn a_new_file_is_private_and_its_folders_are_made() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a/b/runs.db");
    let store = store::open(&StoreLocation::Sqlite(file.clone()), &StoreOptions::default()).await.unwrap();
    store.save(&record_at(0)).await.unwrap();
    for name in ["runs.db", "runs.db-wal"] {
        let mode = std::fs::metadata(file.with_file_name(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let mode = std::fs::metadata(folder.path().join("a")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
}

#[tokio::test]
async fn the_file_is_in_write_ahead_mode() {
    let place = SqlitePlace::fresh().await;
    place.open().await;
    let mode: String =
        sqlx::query_scalar("PRAGMA journal_mode").fetch_one(&mut raw(&place).await).await.unwrap();
    assert_eq!(mode, "wal");
}

/// What a reader takes from `test_results`.
type Row = (Option<String>, String, Option<String>, Option<f64>, i64, bool, String, i64, i64, Option<String>);

#[tokio::test]
async fn results_stand_in_their_table() {
    let place = SqlitePlace::fresh().await;
    let mut record = record_at(0);
    record.results[1].text = Some("a\0b".into());
    place.open().await.save(&record).await.unwrap();
    let rows: Vec<Row> = sqlx::query_as(
        "SELECT input_text, expected_result, actual_result, score, response_time_ms, is_correct, created_at, attempts,
            repeats, no_answer
         FROM test_results JOIN test_runs ON test_runs.id = test_run_id WHERE run_id = ?1 ORDER BY test_results.id",
    )
    .bind(record.id.as_str())
    .fetch_all(&mut raw(&place).await)
    .await
    .unwrap();
    let expected = "high|critical".to_owned();
    let sent = "2026-01-01 00:00:00.125456789".to_owned();
    assert_eq!(rows.len(), 3);
    assert_eq!(
        rows[0],
        (
            record.results[0].text.clone(),
            expected.clone(),
            Some("high".into()),
            Some(0.1 + 0.7),
            12,
            true,
            sent.clone(),
            2,
            2,
            None
        )
    );
    assert_eq!(
        rows[2],
        (record.results[2].text.clone(), expected, None, None, 12, false, sent, 2, 2, Some("timeout".into()))
    );
}

#[tokio::test]
async fn a_folder_that_cannot_be_written_is_named() {
    let error = error_of("/proc/thrash/runs.db").await;
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert_eq!(error.to_string(), "cannot create the folder `/proc/thrash`");
    let error = error_of("/proc/runs.db").await;
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert_eq!(error.to_string(), "cannot create the database `/proc/runs.db`");
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(error_of(folder.path()).await.kind(), StoreErrorKind::Io);
}

#[tokio::test]
async fn a_file_that_is_no_database_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.txt");
    let notes = "dear diary\n".repeat(1_000);
    std::fs::write(&file, &notes).unwrap();
    let error = error_of(&file).await;
    assert_eq!(error.kind(), StoreErrorKind::Corrupt);
    assert_eq!(
        error.to_string(),
        format!("cannot open the store: the database `{}` is damaged, or no database", file.display())
    );
    assert_eq!(std::fs::read_to_string(&file).unwrap(), notes);
}

#[tokio::test]
async fn a_missing_file_is_not_created_unless_migrating() {
    let place = SqlitePlace::fresh().await;
    let options = StoreOptions { migrate: false, ..StoreOptions::default() };
    let error = store::open(&place.location(), &options).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(!place.file().exists());
}

#[tokio::test]
async fn an_empty_file_tells_what_is_pending_and_that_it_is_not_migrated() {
    let place = SqlitePlace::fresh().await;
    std::fs::write(place.file(), "").unwrap();
    let options = StoreOptions { migrate: false, ..StoreOptions::default() };
    let store = store::open(&place.location(), &options).await.unwrap();
    let status = store.migrations().await.unwrap();
    assert_eq!((status.schema_version(), status.pending.len()), (0, 12));
    assert_eq!(store.save(&record_at(0)).await.unwrap_err().kind(), StoreErrorKind::NotMigrated);
}

#[tokio::test]
async fn a_newer_schema_is_not_touched() {
    let place = SqlitePlace::fresh().await;
    place.open().await.close().await;
    raw(&place)
        .await
        .execute("INSERT INTO thrash_migrations SELECT 99, 'later', installed_on, 1, x'00', 0 FROM thrash_migrations LIMIT 1")
        .await
        .unwrap();
    let error = error_of(place.file()).await;
    assert_eq!(error.kind(), StoreErrorKind::NewerSchema);
    assert!(
        error.to_string().ends_with("has schema version 99, this program knows versions up to 12"),
        "{error}"
    );
}

#[tokio::test]
async fn a_changed_migration_is_noticed() {
    let place = SqlitePlace::fresh().await;
    place.open().await.close().await;
    raw(&place).await.execute("UPDATE thrash_migrations SET checksum = x'00'").await.unwrap();
    assert!(matches!(error_of(place.file()).await, StoreError::ForeignMigration { version: 1, .. }));
}

#[tokio::test]
async fn a_file_that_another_process_holds_is_busy() {
    let place = SqlitePlace::fresh().await;
    place.open().await.close().await;
    let mut holder = raw(&place).await;
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    let options = StoreOptions { connect_timeout: Duration::from_millis(300), ..StoreOptions::default() };
    let store = store::open(&place.location(), &options).await.unwrap();
    let started = Instant::now();
    let error = store.save(&record_at(0)).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Busy);
    assert!(started.elapsed() < Duration::from_secs(5));
    holder.execute("ROLLBACK").await.unwrap();
    store.save(&record_at(0)).await.unwrap();
}

#[tokio::test]
async fn a_damaged_record_is_an_error_of_that_run_alone() {
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    let (bad, newer, good) = (record_at(0), record_at(1), record_at(2));
    for record in [&bad, &newer, &good] {
        store.save(record).await.unwrap();
    }
    let mut raw = raw(&place).await;
    sqlx::query("UPDATE test_runs SET record = json_remove(record, '$.suite') WHERE run_id = ?1")
        .bind(bad.id.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    sqlx::query("UPDATE test_runs SET record = json_set(record, '$.schema_version', 2) WHERE run_id = ?1")
        .bind(newer.id.as_str())
        .execute(&mut raw)
        .await
        .unwrap();
    assert_eq!(store.load(&bad.id).await.unwrap_err().kind(), StoreErrorKind::Corrupt);
    assert_eq!(store.load(&newer.id).await.unwrap_err().kind(), StoreErrorKind::NewerSchema);
    assert_eq!(store.load(&good.id).await.unwrap(), good);
    assert_eq!(store.list(&store::RunFilter::default()).await.unwrap().len(), 3);
}

#[tokio::test]
async fn a_file_that_somebody_holds_is_read_and_takes_nothing() {
    let place = SqlitePlace::fresh().await;
    let options = StoreOptions { connect_timeout: Duration::from_millis(200), ..StoreOptions::default() };
    let store = store::open(&place.location(), &options).await.unwrap();
    let mut holder = raw(&place).await;
    holder.execute("BEGIN IMMEDIATE").await.unwrap();
    store.ping().await.unwrap();
    assert_eq!(store.beat().await.unwrap_err().kind(), StoreErrorKind::Busy);
    holder.execute("ROLLBACK").await.unwrap();
    store.beat().await.unwrap();
}
