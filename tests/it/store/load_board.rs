//! The board where a load run and its workers meet.

use std::time::{Duration, Instant};

use sqlx::{Connection, PgConnection};
use thrash::domain::RunId;
use thrash::store::{Heard, JoinedShard, LoadBoard, PostedJob, Stop, StoreLocation};

use super::place::{Place, PostgresPlace, patient};

/// A board with a job, and a worker who has joined it.
async fn joined(place: &PostgresPlace) -> (LoadBoard, JoinedShard) {
    let StoreLocation::Postgres(at) = place.location() else { panic!("a PostgreSQL") };
    let board = LoadBoard::open(&at, &patient()).await.expect("a board");
    let run = RunId::from_stored("20261122-120000-abcd");
    let posted = PostedJob { run: run.clone(), shards: 1, orders: String::new() };
    assert_eq!(board.post("load", &posted).await.unwrap(), None);
    let joined = JoinedShard { run, shard: 0, worker: "w".to_owned() };
    assert!(board.join(&joined).await.unwrap());
    (board, joined)
}

/// Waits until so many sessions of the database wait for a lock.
async fn wait_for_waiting(connection: &mut PgConnection) {
    let start = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
        )
        .fetch_one(&mut *connection)
        .await
        .unwrap();
        if waiting > 0 {
            return;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nobody waits");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_worker_that_tells_while_the_run_ends_hears_that_it_is_over() {
    let place = PostgresPlace::fresh().await;
    let (board, worker) = joined(&place).await;
    let (mut ending, mut watching) = (place.connect().await, place.connect().await);
    let mut end = ending.begin().await.unwrap();
    sqlx::query("DELETE FROM ash_thrash.load_jobs").execute(&mut *end).await.unwrap();
    let telling = board.tell(&worker, 1, &[]);
    let ending = async {
        wait_for_waiting(&mut watching).await;
        end.commit().await.unwrap();
    };
    let (heard, ()) = tokio::join!(telling, ending);
    assert_eq!(heard.unwrap(), None, "nobody has taken its number");
    board.close().await;
}

#[tokio::test]
async fn a_worker_whose_number_another_has_hears_that_and_tells_nothing() {
    let place = PostgresPlace::fresh().await;
    let (board, worker) = joined(&place).await;
    let other = JoinedShard { worker: "other".to_owned(), ..worker.clone() };
    assert!(!board.join(&other).await.unwrap(), "the first was seen a moment ago");
    for (who, is_ours) in [(&worker, true), (&other, false)] {
        let heard = board.tell(who, 1, std::slice::from_ref(&who.worker)).await.unwrap();
        assert!(matches!(heard, Some(Heard { is_ours: known, .. }) if known == is_ours), "{heard:?}");
    }
    let told: Vec<String> =
        board.read(&worker.run, &[0]).await.unwrap().into_iter().map(|news| news.body).collect();
    assert_eq!(told, ["w"]);
    board.close().await;
}

#[tokio::test]
async fn a_worker_that_was_given_up_hears_that_and_tells_nothing_more() {
    let place = PostgresPlace::fresh().await;
    let (board, worker) = joined(&place).await;
    board.tell(&worker, 1, &["before".to_owned()]).await.unwrap();
    board.take_away(&worker.run, worker.shard).await.unwrap();
    let heard = board.tell(&worker, 2, &["after".to_owned()]).await.unwrap();
    assert!(matches!(heard, Some(Heard { is_ours: false, .. })), "{heard:?}");
    let other = JoinedShard { worker: "other".to_owned(), ..worker.clone() };
    assert!(!board.join(&other).await.unwrap(), "nobody takes its place while it may be there");
    let told: Vec<String> =
        board.read(&worker.run, &[0]).await.unwrap().into_iter().map(|news| news.body).collect();
    assert_eq!(told, ["before"]);
    board.close().await;
}

#[tokio::test]
async fn what_is_said_to_the_board_twice_counts_once() {
    let place = PostgresPlace::fresh().await;
    let (board, worker) = joined(&place).await;
    let run = &worker.run;
    let posted = PostedJob { run: run.clone(), shards: 1, orders: String::new() };
    assert_eq!(board.post("load", &posted).await.unwrap(), None, "it is the run's own");
    let other = PostedJob { run: RunId::from_stored("20261122-120000-efgh"), ..posted };
    assert_eq!(board.post("load", &other).await.unwrap().as_ref(), Some(run));
    assert!(board.join(&worker).await.unwrap(), "it has the number already");

    // Orders that arrive after their load was stopped do not set it going again.
    board.order(run, 1, "first").await.unwrap();
    board.start(run, Duration::from_secs(1)).await.unwrap();
    board.stop(run, Stop::Abort).await.unwrap();
    board.order(run, 1, "first").await.unwrap();
    let heard = board.tell(&worker, 1, &[]).await.unwrap().unwrap();
    assert_eq!((heard.load, heard.stop, heard.starts_at.is_some()), (1, Some(Stop::Abort), true));
    // Those of the next load do, and no older ones.
    board.order(run, 2, "second").await.unwrap();
    assert!(board.order(run, 1, "first").await.is_err());
    let heard = board.tell(&worker, 1, &[]).await.unwrap().unwrap();
    assert_eq!((heard.load, heard.stop, heard.starts_at), (2, None, None));
    assert_eq!(heard.orders.as_deref(), Some("second"));
    board.close().await;
}
