//! Workers whose database keeps them waiting: each of their statements may take a second.

use std::time::{Duration, Instant};

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::workers::{Field, ended};
use super::{ms, right, wait_for_requests};
use crate::support::server::Server;

const SHORT: &str = "model: arrivals\nrate: 20/s\nduration: 1s\ngates: [error_rate <= 1%]\n";

/// Locks something until the connection is closed.
async fn hold(field: &Field, lock: &str) -> PgConnection {
    let mut connection = field.database.connect().await;
    connection.execute(AssertSqlSafe(format!("BEGIN; {lock}"))).await.expect("the lock");
    connection
}

/// Keeps whoever comes with such statements waiting for longer than one statement may take, so many of them.
async fn keep_waiting(field: &Field, statement: &str, sessions: i64) {
    let mut watching = field.database.connect().await;
    let start = Instant::now();
    loop {
        let waiting: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_stat_activity
             WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1",
        )
        .bind(statement)
        .fetch_one(&mut watching)
        .await
        .unwrap();
        if waiting >= sessions {
            break;
        }
        assert!(start.elapsed() < Duration::from_secs(30), "nobody waits with `{statement}`");
        tokio::time::sleep(ms(20)).await;
    }
    tokio::time::sleep(ms(2500)).await;
}

#[tokio::test]
async fn two_that_open_a_fresh_database_wait_for_whoever_brings_it_up_to_date() {
    let server = Server::start(right);
    let field = Field::new(SHORT, &server).await;
    // The lock that a migrating process holds: `thrash` in ASCII.
    let lock = format!("SELECT pg_advisory_xact_lock({})", 0x7468_7261_7368_i64);
    let migrating = hold(&field, &lock).await;
    let (run, worker) = (field.begin(1, &[]), field.worker(0, 1));
    keep_waiting(&field, "SELECT pg_advisory_xact_lock%", 2).await;
    migrating.close().await.unwrap();
    for child in [run, worker] {
        ended(child).exits(0);
    }
    assert_eq!(server.requests().len(), 20);
}

#[tokio::test]
async fn a_database_that_is_slow_for_a_moment_sends_nobody_home() {
    let server = Server::start(right);
    let field = Field::new(SHORT, &server).await;
    let run = field.begin(2, &[]);
    let first = field.worker(0, 2);
    field.first_has_joined().await;
    let all = "LOCK TABLE ash_thrash.load_jobs, ash_thrash.load_shards IN ACCESS EXCLUSIVE MODE";
    let slow = hold(&field, all).await;
    // One waits for the other worker, and that one for the run.
    let second = field.worker(1, 2);
    keep_waiting(&field, "%ash_thrash.load_jobs%WHERE job = $1%", 1).await;
    slow.close().await.unwrap();
    for child in [run, first, second] {
        ended(child).exits(0);
    }
    assert_eq!(server.requests().len(), 20);
}

#[tokio::test]
async fn nor_does_one_that_is_slow_when_they_join_are_given_the_load_or_ask_for_the_time() {
    let server = Server::start(right);
    let field = Field::new(SHORT, &server).await;
    field
        .database
        .run(
            "CREATE TABLE public.slow_clock ();
             CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE plpgsql VOLATILE AS $$ BEGIN
                IF current_query() = 'SELECT clock_timestamp()' THEN PERFORM FROM public.slow_clock; END IF;
                RETURN pg_catalog.clock_timestamp();
             END $$;
             DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
        )
        .await;
    let run = field.begin(2, &[]);
    let first = field.worker(0, 2);
    field.first_has_joined().await;
    let clock = hold(&field, "LOCK TABLE public.slow_clock").await;
    let shards = hold(&field, "LOCK TABLE ash_thrash.load_shards").await;
    let second = field.worker(1, 2);
    keep_waiting(&field, "INSERT INTO ash_thrash.load_shards%", 1).await;
    // It can be read, and not written.
    let jobs = hold(&field, "LOCK TABLE ash_thrash.load_jobs IN SHARE MODE").await;
    shards.close().await.unwrap();
    keep_waiting(&field, "UPDATE ash_thrash.load_jobs SET load%", 1).await;
    jobs.close().await.unwrap();
    keep_waiting(&field, "SELECT clock_timestamp()", 2).await;
    clock.close().await.unwrap();
    for child in [run, first, second] {
        ended(child).exits(0);
    }
    assert_eq!(server.requests().len(), 20);
}

#[tokio::test]
async fn a_worker_whose_last_word_nobody_took_says_that_it_cannot_tell() {
    let server = Server::start(right);
    let field = Field::new(SHORT, &server).await;
    let run = field.begin(2, &[]);
    let first = field.worker(0, 2);
    field.first_has_joined().await;
    // What the second one counted does not get there; and that it was given up does not either.
    field
        .database
        .run(
            "CREATE FUNCTION public.refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                RAISE EXCEPTION 'away' USING ERRCODE = 'lock_not_available';
             END $$;
             CREATE TRIGGER refuse BEFORE INSERT ON ash_thrash.load_news FOR EACH ROW
                WHEN (NEW.shard = 1 AND NEW.body LIKE '%tally%') EXECUTE FUNCTION public.refuse();
             CREATE FUNCTION public.keep() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
             CREATE TRIGGER keep BEFORE UPDATE ON ash_thrash.load_shards
                FOR EACH ROW WHEN (NEW.worker = '') EXECUTE FUNCTION public.keep();",
        )
        .await;
    let second = field.worker(1, 2);
    let shown = ended(run).exits(4);
    assert!(shown.stdout.contains("worker 1 was not heard of for 4 s"), "{}", shown.stdout);
    ended(first).exits(0);
    ended(second).exits(4).complains(&["cannot tell whether what worker 1 sent was counted"]);
}

#[tokio::test]
async fn workers_that_send_and_hear_nothing_of_the_database_stop_after_two_seconds() {
    let server = Server::start(right);
    let field =
        Field::new("model: arrivals\nrate: 40/s\nduration: 120s\ngates: [error_rate <= 1%]\n", &server).await;
    let run = field.begin(2, &[]);
    let workers = field.workers(2);
    wait_for_requests(&server, 20);
    let away = hold(&field, "LOCK TABLE ash_thrash.load_jobs, ash_thrash.load_shards").await;
    let since = Instant::now();
    for worker in workers {
        ended(worker).exits(4).complains(&["did not answer for 2 s: stopped sending"]);
    }
    let last = server.requests().iter().map(|seen| seen.at).max().unwrap();
    let took = last.saturating_duration_since(since);
    assert!(took < ms(3000), "the last request {took:?} after the last word");
    ended(run).exits(4);
    away.close().await.unwrap();
}
