//! Several processes at one store, and processes that are killed.

use std::process::{Child, Command, Stdio};
use std::time::Duration;

use super::place::{Place, PostgresPlace, SqlitePlace, patient};
use super::sample::{record_at, record_with_phrases};
use sqlx::Connection;
use thrash::store::{self, RunFilter, Spool, StoreLocation};

/// Where a child process finds its store.
const STORE: &str = "THRASH_TEST_CHILD_STORE";
/// Where a child process finds its spool.
const SPOOL: &str = "THRASH_TEST_CHILD_SPOOL";

/// Starts this test binary again, with one of the tests below that are ignored otherwise.
fn child(test: &str, variable: &str, value: &str) -> Child {
    Command::new(std::env::current_exe().expect("this binary"))
        .args([&format!("store::processes::{test}"), "--exact", "--ignored"])
        .env(variable, value)
        .stdout(Stdio::null())
        .spawn()
        .expect("the child starts")
}

#[tokio::test]
#[ignore = "the child process of another test"]
async fn child_that_opens_and_saves_once() {
    let Ok(url) = std::env::var(STORE) else { return };
    let location = StoreLocation::parse(&url).unwrap();
    let store = store::open(&location, &patient()).await.unwrap();
    store.save(&record_at(0)).await.unwrap();
}

#[tokio::test]
#[ignore = "the child process of another test"]
async fn child_that_saves_until_it_is_killed() {
    let Ok(url) = std::env::var(STORE) else { return };
    let location = StoreLocation::parse(&url).unwrap();
    let store = store::open(&location, &patient()).await.unwrap();
    for hour in 0.. {
        store.save(&record_with_phrases(hour, 2_000)).await.unwrap();
    }
}

#[test]
#[ignore = "the child process of another test"]
fn child_that_spools_until_it_is_killed() {
    let Ok(folder) = std::env::var(SPOOL) else { return };
    let spool = Spool::new(folder);
    for hour in 0.. {
        spool.put(&record_with_phrases(hour, 500)).unwrap();
    }
}

async fn processes_that_migrate_at_once_all_succeed(place: &impl Place) {
    let children: Vec<Child> =
        (0..8).map(|_| child("child_that_opens_and_saves_once", STORE, &place.url())).collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    assert_eq!(place.open().await.list(&RunFilter::default()).await.unwrap().len(), 8);
}

#[tokio::test]
async fn processes_that_migrate_a_sqlite_file_at_once_all_succeed() {
    processes_that_migrate_at_once_all_succeed(&SqlitePlace::fresh().await).await;
}

#[tokio::test]
async fn processes_that_migrate_a_postgres_database_at_once_all_succeed() {
    processes_that_migrate_at_once_all_succeed(&PostgresPlace::fresh().await).await;
}

/// Kills a child in the middle of its work, when it has saved something.
async fn kill_a_writer(place: &impl Place) -> usize {
    let store = place.open().await;
    let mut child = child("child_that_saves_until_it_is_killed", STORE, &place.url());
    while store.list(&RunFilter::default()).await.unwrap().is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "the child works on");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    tokio::time::sleep(Duration::from_millis(17)).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let runs = store.list(&RunFilter::default()).await.unwrap();
    for run in &runs {
        assert_eq!(store.load(&run.id).await.unwrap().results.len(), 2_000);
    }
    store.save(&record_with_phrases(-1, 2_000)).await.expect("the store works on");
    runs.len() + 1
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_runs_in_sqlite() {
    let place = SqlitePlace::fresh().await;
    let runs = kill_a_writer(&place).await;
    let mut raw = sqlx::SqliteConnection::connect(&place.url()).await.unwrap();
    let results: i64 =
        sqlx::query_scalar("SELECT count(*) FROM test_results").fetch_one(&mut raw).await.unwrap();
    assert_eq!(usize::try_from(results).unwrap(), runs * 2_000);
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_runs_in_postgres() {
    let place = PostgresPlace::fresh().await;
    let runs = kill_a_writer(&place).await;
    let results: i64 = sqlx::query_scalar("SELECT count(*) FROM ash_thrash.test_results")
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    // The server may still have committed a run after the first count.
    let runs_now: i64 = sqlx::query_scalar("SELECT count(*) FROM ash_thrash.test_runs")
        .fetch_one(&mut place.connect().await)
        .await
        .unwrap();
    assert_eq!(results, runs_now * 2_000);
    assert!(runs_now >= i64::try_from(runs).unwrap());
}

#[tokio::test]
async fn a_killed_writer_leaves_whole_files_in_the_spool() {
    let folder = tempfile::tempdir().unwrap();
    let spool = Spool::new(folder.path());
    let mut child =
        child("child_that_spools_until_it_is_killed", SPOOL, folder.path().to_str().expect("a plain path"));
    while spool.pending().unwrap().len() < 3 {
        assert!(child.try_wait().unwrap().is_none(), "the child works on");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let pending = spool.pending().unwrap().len();
    let place = SqlitePlace::fresh().await;
    let report = spool.deliver(&*place.open().await).await.unwrap();
    assert_eq!(report.delivered.len(), pending);
    assert!(report.set_aside.is_empty());
}
