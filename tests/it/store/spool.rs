//! Records that wait for their database.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, SystemTime};

use super::place::{Place, PostgresPlace, SqlitePlace};
use super::sample::{PRIVATE_TEXT, record_at};
use thrash::domain::RunRecord;
use thrash::store::{self, RunFilter, Spool, Store, StoreError, StoreErrorKind, StoreLocation, StoreOptions};

fn spool() -> (tempfile::TempDir, Spool) {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path().join("spool"));
    (folder, spool)
}

fn names(spool: &Spool) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(spool.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_spool_that_does_not_exist_is_empty() {
    let (_folder, spool) = spool();
    assert!(spool.pending().unwrap().is_empty());
}

#[test]
fn a_spooled_record_is_private_and_named_after_its_run() {
    let (_folder, spool) = spool();
    let (a, b) = (record_at(0), record_at(0));
    let path = spool.put(&a).unwrap();
    spool.put(&b).unwrap();
    assert_eq!(path.file_name().unwrap().to_str().unwrap(), format!("{}.json", a.id));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(spool.folder()).unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(spool.pending().unwrap().len(), 2, "two runs of the same second");
    assert_eq!(names(&spool).len(), 2, "no temporary file is left");
}

#[test]
fn a_spool_that_cannot_be_written_is_named() {
    let error = Spool::new("/proc/thrash").put(&record_at(0)).unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Io);
    assert!(error.to_string().starts_with("cannot write the record to `/proc/thrash/2026"), "{error}");
}

#[tokio::test]
async fn a_record_waits_while_the_database_is_away_and_is_delivered_once_it_is_back() {
    let (_folder, spool) = spool();
    let records: Vec<RunRecord> = (0..3).map(record_at).collect();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let away = StoreLocation::parse(&format!("postgres://ash:s3cret@127.0.0.1:{port}/ash")).unwrap();
    let error = store::open(&away, &StoreOptions::default()).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unreachable);
    for record in &records {
        spool.put(record).unwrap();
    }

    let place = PostgresPlace::fresh().await;
    let store = place.open().await;
    store.save(&records[1]).await.unwrap();
    let report = spool.deliver(&*store).await.unwrap();
    assert_eq!(report.delivered, [records[0].id.clone(), records[2].id.clone()]);
    assert_eq!(report.already_stored, [records[1].id.clone()]);
    assert!(report.failed.is_empty() && report.set_aside.is_empty());
    assert!(spool.pending().unwrap().is_empty());
    for record in &records {
        assert_eq!(store.load(&record.id).await.unwrap(), *record);
    }
}

#[tokio::test]
async fn a_database_that_goes_away_leaves_the_rest_waiting() {
    let (_folder, spool) = spool();
    for hour in 0..3 {
        spool.put(&record_at(hour)).unwrap();
    }
    let place = SqlitePlace::fresh().await;
    std::fs::write(place.file(), "").unwrap();
    let options = StoreOptions { migrate: false, ..StoreOptions::default() };
    let store = store::open(&place.location(), &options).await.unwrap();
    let report = spool.deliver(&*store).await.unwrap();
    assert_eq!((report.failed.len(), report.waiting), (1, 2));
    let (runs, _) = report.unsettled.expect("nobody was told that the jobs are over");
    assert_eq!(runs, spool.runs().unwrap());
    assert_eq!(spool.pending().unwrap().len(), 3);
}

#[tokio::test]
async fn a_damaged_file_is_set_aside_and_the_others_are_delivered() {
    let (_folder, spool) = spool();
    let good = record_at(1);
    let path = spool.put(&record_at(0)).unwrap();
    let name = path.file_name().unwrap().to_str().unwrap().to_owned();
    let half = std::fs::read(&path).unwrap()[..900].to_vec();
    spool.put(&good).unwrap();
    let place = SqlitePlace::fresh().await;
    let store = place.open().await;
    for round in 0..2 {
        std::fs::write(&path, &half).unwrap();
        let report = spool.deliver(&*store).await.unwrap();
        assert_eq!(report.delivered.len(), 1 - round, "the good one, the first time");
        let (bad, reason) = &report.set_aside[0];
        assert_eq!(std::fs::read(bad).unwrap(), half);
        assert!(!format!("{reason} {reason:?}").contains(PRIVATE_TEXT));
    }
    assert_eq!(names(&spool), [format!("{name}.1.bad"), format!("{name}.bad")]);
}

#[tokio::test]
async fn a_damaged_file_is_as_old_as_its_setting_aside() {
    let (_folder, spool) = spool();
    let path = spool.put(&record_at(0)).unwrap();
    std::fs::write(&path, "half").unwrap();
    let (now, day) = (SystemTime::now(), Duration::from_hours(24));
    std::fs::File::open(&path).unwrap().set_modified(now - 100 * day).unwrap();
    let place = SqlitePlace::fresh().await;
    let report = spool.deliver(&*place.open().await).await.unwrap();
    let [(bad, _)] = &report.set_aside[..] else { panic!("{report:?}") };
    assert!(spool.forget_damaged(Some(now - day), None, false).unwrap().is_empty() && bad.exists());
    assert_eq!(spool.forget_damaged(Some(now + day), None, false).unwrap(), std::slice::from_ref(bad));
}

#[tokio::test]
async fn a_newer_programs_record_stays() {
    let (_folder, spool) = spool();
    let path = spool.put(&record_at(0)).unwrap();
    std::fs::write(&path, r#"{"schema_version": 99}"#).unwrap();
    let place = SqlitePlace::fresh().await;
    let report = spool.deliver(&*place.open().await).await.unwrap();
    assert!(matches!(&report.failed[..], [(_, StoreError::Record { .. })]));
    assert_eq!(spool.pending().unwrap(), [path]);
}

async fn delivered_once_by_many(store: &dyn Store) {
    let (_folder, spool) = spool();
    for hour in 0..20 {
        spool.put(&record_at(hour)).unwrap();
    }
    let reports = tokio::join!(spool.deliver(store), spool.deliver(store), spool.deliver(store));
    let delivered: usize =
        [reports.0, reports.1, reports.2].iter().map(|report| report.as_ref().unwrap().delivered.len()).sum();
    assert_eq!(delivered, 20);
    assert!(spool.pending().unwrap().is_empty());
    assert_eq!(store.list(&RunFilter::default()).await.unwrap().len(), 20);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deliverers_store_each_run_once_in_sqlite() {
    delivered_once_by_many(&*SqlitePlace::fresh().await.open().await).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_deliverers_store_each_run_once_in_postgres() {
    let place = PostgresPlace::fresh().await;
    delivered_once_by_many(&*place.open().await).await;
}
