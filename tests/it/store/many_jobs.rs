//! Many jobs, and many who hand them in at once.

use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use sqlx::PgConnection;
use thrash::domain::{JobState, NewJob, RunId, RunKind};
use thrash::store::{JobFilter, Store, Submitted};

use super::place::{Place, PostgresPlace, SqlitePlace};

/// Hands in fifty jobs at once by two stores of a place, where ten have room.
async fn fifty_into_ten(place: &impl Place) {
    let (one, other) = (place.open().await, place.open().await);
    let jobs: Vec<NewJob> = (0..50)
        .map(|n| NewJob {
            id: RunId::new(Utc::now(), rand::random()),
            kind: RunKind::Accuracy,
            name: "quick".into(),
            target: format!("t{n}"),
            priority: 0,
            requester: "api:test".into(),
            idempotency_key: None,
        })
        .collect();
    let submits = jobs.iter().enumerate().map(|(n, job)| {
        let store: &dyn Store = if n % 2 == 0 { &*one } else { &*other };
        store.submit_job(job, 10)
    });
    let done = join_all(submits).await;
    let taken = done.iter().filter(|done| matches!(done, Ok(Some(Submitted::New(_))))).count();
    assert_eq!(taken, 10);
    assert!(done.iter().all(Result::is_ok), "{done:?}");
    assert_eq!(one.count_jobs().await.unwrap().queued, 10);
}

#[tokio::test]
async fn nobody_passes_the_limit_of_a_queue_in_a_file() {
    fifty_into_ten(&SqlitePlace::fresh().await).await;
}

#[tokio::test]
async fn nobody_passes_the_limit_of_a_queue_in_postgres() {
    fifty_into_ten(&PostgresPlace::fresh().await).await;
}

/// Ten thousand jobs of some weeks: one in a hundred did not finish, and a few wait.
const MANY: &str = "
    INSERT INTO ash_thrash.jobs
        (id, kind, name, target, priority, requester, state, submitted_at, started_at, ended_at, attempt, run_id)
    SELECT 'job-' || n, 'accuracy', 'quick', CASE WHEN n % 1000 = 0 THEN 'rare' ELSE 't' || n % 3 END, 0,
        CASE WHEN n % 500 = 0 THEN 'schedule:rare' ELSE 'schedule:' || n % 2 END,
        CASE WHEN n > 9997 THEN 'queued' WHEN n % 200 = 0 THEN 'failed' WHEN n % 200 = 1 THEN 'lost' ELSE 'finished' END,
        now() - (10000 - n) * interval '5 minutes', now(), now(), 1, 'job-' || n
    FROM generate_series(1, 10000) n;
    ANALYZE ash_thrash.jobs";

/// How often the table was looked at, and how many of its rows were read.
async fn looked_at(database: &mut PgConnection) -> (i64, i64) {
    sqlx::query_as(
        "SELECT seq_scan + COALESCE(idx_scan, 0), seq_tup_read + COALESCE(idx_tup_fetch, 0)
         FROM pg_stat_user_tables WHERE schemaname = 'ash_thrash' AND relname = 'jobs'",
    )
    .fetch_one(database)
    .await
    .expect("the statistics")
}

#[tokio::test]
async fn the_usual_lists_of_jobs_read_few_rows_of_many() {
    let place = PostgresPlace::fresh().await;
    place.open().await.close().await;
    place.run(MANY).await;
    let mut database = place.connect().await;
    let failed = [JobState::Failed, JobState::Lost];
    let all = |limit| JobFilter { limit: Some(limit), ..JobFilter::default() };
    let requester = |name: &str, limit| JobFilter { requester: Some(name.into()), ..all(limit) };
    let over = JobState::ALL.into_iter().filter(|state| state.is_over()).collect();
    let ended = [&failed[..], &[JobState::Finished]].concat();
    let after = Some((Utc::now() - chrono::TimeDelta::days(10), RunId::from_stored("x")));
    for (name, filter, found) in [
        ("the newest", all(21), 21),
        ("the next page", JobFilter { after, ..all(21) }, 21),
        ("those that failed", JobFilter { states: failed.to_vec(), ..all(200) }, 99),
        ("those under way", JobFilter { states: vec![JobState::Queued, JobState::Running], ..all(200) }, 3),
        ("a schedule's newest", requester("schedule:1", 20), 20),
        ("a rare schedule's", requester("schedule:rare", 50), 20),
        ("a schedule's last", JobFilter { states: over, ..requester("schedule:rare", 1) }, 1),
        ("a target's", JobFilter { states: ended, target: Some("rare".into()), ..all(200) }, 9),
    ] {
        let (looks, rows) = looked_at(&mut database).await;
        // More often than the database makes a plan for the values at hand.
        let store = place.open().await;
        for _ in 0..8 {
            assert_eq!(store.jobs(&filter).await.unwrap().len(), found, "{name}");
        }
        store.close().await;
        // A connection says what it did when it ends.
        let mut now = looked_at(&mut database).await;
        while now.0 < looks + 8 {
            tokio::time::sleep(Duration::from_millis(20)).await;
            now = looked_at(&mut database).await;
        }
        assert!(now.1 - rows <= 8 * 220, "{name}: {} rows for {found}, eight times", now.1 - rows);
    }
}
