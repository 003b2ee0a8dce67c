//! Several processes that send a load together, and meet in one PostgreSQL.

use std::collections::{BTreeMap, BTreeSet};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::batch::{BY_ID, right_to_all, target};
use super::{counts, ms, place, record_of, right, wait_for_requests};
use crate::store::place::{Place as _, PostgresPlace};
use crate::support::command::{Ended, Place, send};
use crate::support::server::{Reply, Seen, Server};

/// A load that may begin: its folder, its target, its database.
pub(super) struct Field {
    place: Place,
    pub(super) database: PostgresPlace,
    pub(super) url: String,
    /// How many seconds each worker's clock is ahead; nothing where all go right.
    clocks: Vec<i64>,
}

/// Has the programs that it is loaded into see another time of day; how long something takes stays as it is.
const OTHER_CLOCK: &str = r#"
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
int clock_gettime(clockid_t clock, struct timespec *now) {
    int failed = syscall(SYS_clock_gettime, clock, now);
    char *ahead = getenv("CLOCK_AHEAD");
    if (!failed && clock == CLOCK_REALTIME && ahead) now->tv_sec += atol(ahead);
    return failed;
}
"#;

impl Field {
    pub(super) async fn new(scenario: &str, server: &Server) -> Self {
        Self {
            place: place(scenario),
            database: PostgresPlace::fresh().await,
            url: server.url(),
            clocks: Vec::new(),
        }
    }

    fn start(&self, args: &[&str], index: Option<usize>) -> Child {
        let mut command = self.place.command(args);
        command.args(["--target", "plain", "--url", &self.url]).env("DATABASE_URL", self.database.url());
        if let Some(index) = index {
            command.env("JOB_COMPLETION_INDEX", index.to_string());
            if let Some(ahead) = self.clocks.get(index) {
                command.env("LD_PRELOAD", self.place.path().join("clock.so"));
                command.env("CLOCK_AHEAD", ahead.to_string());
            }
        }
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
    }

    /// Has the workers' clocks go wrong by so many seconds.
    fn set_clocks(&mut self, ahead: &[i64]) {
        self.place.library("clock", OTHER_CLOCK);
        self.clocks = ahead.to_vec();
    }

    /// Whoever begins the run.
    pub(super) fn begin(&self, workers: usize, more: &[&str]) -> Child {
        let workers = workers.to_string();
        self.start(&[&["load", "s.yaml", "--workers", &workers, "--wait", "60s"], more].concat(), None)
    }

    pub(super) fn worker(&self, index: usize, of: usize) -> Child {
        self.start(&["load-worker", "--shards", &of.to_string(), "--wait", "60s"], Some(index))
    }

    pub(super) fn workers(&self, of: usize) -> Vec<Child> {
        (0..of).map(|index| self.worker(index, of)).collect()
    }

    /// Waits until one worker has.
    pub(super) async fn first_has_joined(&self) {
        let start = Instant::now();
        loop {
            let taken: i64 = sqlx::query_scalar("SELECT count(*) FROM ash_thrash.load_shards")
                .fetch_one(&mut self.database.connect().await)
                .await
                .unwrap_or(0);
            if taken == 1 {
                return;
            }
            assert!(start.elapsed() < Duration::from_secs(30), "nobody comes");
            std::thread::sleep(ms(50));
        }
    }

    /// A whole run: whoever begins it ends with this code, and each worker has done its part.
    pub(super) fn run(&self, workers: usize, code: i32) -> Ended {
        let run = self.begin(workers, &[]);
        let sent = self.workers(workers);
        let shown = ended(run).exits(code);
        for worker in sent {
            ended(worker).exits(0).complains(&["is ready", "requests"]);
        }
        shown
    }

    pub(super) fn record(&self) -> Value {
        record_of(&self.place, &[("DATABASE_URL", &self.database.url())])
    }
}

pub(super) fn ended(child: Child) -> Ended {
    Ended::of(child.wait_with_output().expect("it ends"))
}

fn how_often(requests: &[Seen]) -> BTreeMap<String, usize> {
    let mut ids = BTreeMap::new();
    for seen in requests {
        *ids.entry(seen.json()["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    ids
}

#[tokio::test]
async fn what_four_workers_send_is_what_one_process_would_have_sent() {
    let lines = "model: arrivals\nstages: [{duration: 2s, target: 150}, {duration: 1s, target: 150}]\nspacing: poisson\nseed: 5\nwarm_up: 500ms\nidle_pass: true\nphrases: {suite: words, weights: {desperate: 2}}\ngates: [error_rate <= 1%, accuracy >= 99%]\n";
    let scenario = |field: &Field| {
        field.place.file("s.yaml", format!("title: Together\n{lines}"));
    };
    let (server, other) = (Server::start(right), Server::start(right));
    let field = Field::new("", &server).await;
    scenario(&field);
    let shown = field.run(4, 0);
    assert!(shown.stdout.contains("4 workers"), "{}", shown.stdout);
    let together = field.record();

    let alone = Field::new("", &other).await;
    scenario(&alone);
    ended(alone.start(&["load", "s.yaml"], None)).exits(0);
    let alone = alone.record();

    // The same starts in the same steps, with the same phrases.
    assert_eq!(counts(&together)["intended"], counts(&alone)["intended"]);
    assert_eq!(together["load"]["warm_up"], alone["load"]["warm_up"]);
    let steps = |record: &Value| -> Vec<Value> {
        let steps = record["load"]["steps"].as_array().unwrap().iter();
        steps.map(|step| step["counts"]["intended"].clone()).collect()
    };
    assert_eq!(steps(&together), steps(&alone));
    assert_eq!(how_often(&server.requests()), how_often(&other.requests()));

    // All that the target saw is in the numbers, and no request is like another.
    let count = |name: &str| counts(&together)[name].as_u64().unwrap();
    let warm_up = together["load"]["warm_up"].as_u64().unwrap();
    let seen = server.requests();
    assert_eq!(seen.len() as u64, 4 + warm_up + count("started"), "the idle pass asks each phrase once");
    assert_eq!((count("answered"), count("right")), (count("started"), count("started")));
    let nonces: BTreeSet<String> =
        seen.iter().map(|seen| seen.json()["nonce"].as_str().unwrap().to_owned()).collect();
    assert_eq!(nonces.len(), seen.len());
    assert!(seen.iter().all(|seen| seen.header("x-thrash-run") == together["id"].as_str()));
    let answers: u64 = together["load"]["phrases"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|phrase| phrase["answers"].as_array().unwrap())
        .map(|count| count.as_u64().unwrap())
        .sum();
    assert_eq!(answers, count("answered"));
    assert_eq!(together["latency"]["count"], count("answered"));
    // Second by second, too.
    let seconds = together["load"]["seconds"].as_array().unwrap();
    let started: u64 = seconds.iter().map(|second| second["started"].as_u64().unwrap()).sum();
    assert_eq!(started, warm_up + count("started"));
    assert!(seconds.len() <= 5, "{seconds:#?}");

    let shards = together["load"]["shards"].as_array().unwrap();
    assert_eq!(shards.len(), 4);
    let parts: Vec<u64> = shards.iter().map(|shard| shard["started"].as_u64().unwrap()).collect();
    assert_eq!(parts.iter().sum::<u64>(), count("started"));
    assert!(parts.iter().all(|part| part.abs_diff(count("started") / 4) <= 1), "{parts:?}");
    assert!(shards.iter().all(|shard| shard["trouble"].is_null()), "{shards:?}");
    // Nothing of it stays on the board.
    let left: i64 = sqlx::query_scalar("SELECT count(*) FROM ash_thrash.load_jobs")
        .fetch_one(&mut field.database.connect().await)
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn a_worker_that_is_killed_makes_the_run_inconclusive_and_the_others_are_shown() {
    let server = Server::start(right);
    let field = Field::new(
        "model: arrivals\nrate: 80/s\nduration: 60s\ngates: [error_rate <= 1%, latency_p95 <= 5s, achieved_rate >= 99%]\n",
        &server,
    )
    .await;
    let run = field.begin(4, &[]);
    let mut workers = field.workers(4);
    wait_for_requests(&server, 100);
    let mut killed = workers.remove(2);
    killed.kill().expect("it dies");
    killed.wait().expect("it is dead");
    let start = Instant::now();
    let shown = ended(run).exits(4);
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    assert!(shown.stdout.contains("worker 2 was not heard of"), "{}", shown.stdout);
    for worker in workers {
        ended(worker).exits(0);
    }
    let record = field.record();
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    assert_eq!(record["load"]["abort"]["rule"], "workers: 4");
    let shards = record["load"]["shards"].as_array().unwrap();
    let started: Vec<u64> = shards.iter().map(|shard| shard["started"].as_u64().unwrap()).collect();
    assert_eq!(started[2], 0);
    assert!(shards[2]["trouble"].as_str().unwrap().contains("in no number"), "{}", shards[2]);
    // The rest is whole: what is missing is what the dead one sent.
    let sum = counts(&record)["started"].as_u64().unwrap();
    assert_eq!(started.iter().sum::<u64>(), sum);
    assert_eq!(counts(&record)["answered"], sum);
    assert!(started.iter().filter(|started| **started > 25).count() == 3, "{started:?}");
    assert!((server.requests().len() as u64) > sum);
    // What it should have sent was asked for all the same: a quarter, give or take a second of the load.
    let intended = counts(&record)["intended"].as_u64().unwrap();
    assert!(intended.abs_diff(sum * 4 / 3) < 80, "{sum} of {intended}");
    let steps = record["load"]["steps"].as_array().unwrap().iter();
    assert_eq!(steps.map(|step| step["counts"]["intended"].as_u64().unwrap()).sum::<u64>(), intended);
    let mut checks = record["verdict"]["checks"].as_array().unwrap().iter();
    let achieved = checks.find(|check| check["metric"] == "achieved_rate").unwrap();
    assert_eq!(achieved["outcome"], "inconclusive", "{achieved}");
}

#[tokio::test]
async fn a_worker_that_is_lost_after_the_target_failed_did_not_end_the_run() {
    let wrong = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let is_wrong = std::sync::Arc::clone(&wrong);
    let server = Server::start(move |seen| {
        if is_wrong.load(std::sync::atomic::Ordering::SeqCst) {
            return Reply::json(500, &json!({}));
        }
        right(seen)
    });
    let field =
        Field::new("model: arrivals\nrate: 60/s\nduration: 60s\ngates: [error_rate <= 1%]\n", &server).await;
    let run = field.begin(2, &[]);
    let mut workers = field.workers(2);
    wait_for_requests(&server, 60);
    let mut killed = workers.remove(1);
    wrong.store(true, std::sync::atomic::Ordering::SeqCst);
    killed.kill().expect("it dies");
    killed.wait().expect("it is dead");
    ended(run).exits(4);
    let record = field.record();
    assert_eq!(record["load"]["abort"]["rule"], "error_rate: 50%");
    assert_eq!(record["load"]["ended_by"], "unknown");
    assert_eq!(record["verdict"]["conclusion"], "inconclusive");
    assert!(record["load"]["shards"][1]["trouble"].is_string(), "{}", record["load"]["shards"]);
    for worker in workers {
        ended(worker).exits(0);
    }
}

#[tokio::test]
async fn errors_stop_all_workers_within_two_seconds() {
    let began = Instant::now();
    let wrong = std::sync::Arc::new(std::sync::OnceLock::new());
    let since = std::sync::Arc::clone(&wrong);
    let server = Server::start(move |seen| {
        if seen.number < 150 {
            return right(seen);
        }
        since.get_or_init(|| seen.at);
        Reply::json(500, &json!({}))
    });
    let field =
        Field::new("model: arrivals\nrate: 60/s\nduration: 60s\ngates: [error_rate <= 1%]\n", &server).await;
    field.run(3, 3);
    let record = field.record();
    assert_eq!(record["load"]["abort"]["rule"], "error_rate: 50%", "after {:?}", began.elapsed());
    let last = server.requests().iter().map(|seen| seen.at).max().unwrap();
    let took = last - *wrong.get().unwrap();
    // Half a second until half of the last second's answers are errors, and two until all have stopped.
    assert!(took < ms(2500), "the last request {took:?} after the first error");
    assert_eq!(counts(&record)["started"], server.requests().len(), "to the last one");
}

#[tokio::test]
async fn the_sum_of_all_workers_stays_below_every_limit() {
    // Each worker's first request holds up what comes after it, all of them until the same moment; then all catch up.
    let first = std::sync::OnceLock::new();
    let server = Server::start(move |seen| {
        let held = ms(2500).saturating_sub(seen.at.duration_since(*first.get_or_init(|| seen.at)));
        right(seen).after(if seen.number < 4 { held } else { ms(5) })
    });
    let field = Field::new(
        "model: arrivals\nrate: 6/s\nduration: 6s\nmax_in_flight: 4\nmax_rate: 10/s\nmax_requests: 33\nabort_when: {unhealthy: false}\ngates: [error_rate <= 1%]\n",
        &server,
    )
    .await;
    // The limit of requests ended it: not the load that was asked for.
    field.run(4, 4);
    assert!(server.most_in_flight() <= 4, "{} at once", server.most_in_flight());
    assert_eq!(server.requests().len(), 33);
    // A second, less what the network and this machine push together; each by itself would send ten.
    let most = server.most_within(ms(950));
    assert!((8..=13).contains(&most), "{most} requests within a second, of ten");
}

#[tokio::test]
async fn machines_whose_clocks_are_minutes_apart_begin_together() {
    let server = Server::start(|seen| right(seen).after(ms(20)));
    for load in ["model: arrivals\nrate: 40/s", "model: users\nusers: 4"] {
        let before = server.requests().len();
        let lines = format!("{load}\nduration: 1s\ngates: [error_rate <= 1%]\n");
        let mut field = Field::new(&lines, &server).await;
        field.set_clocks(&[300, -120]);
        // Seen from the database, whose clock is the one that counts, every machine here is seven minutes slower still.
        let mut database = field.database.connect().await;
        for statement in [
            "CREATE FUNCTION public.clock_timestamp() RETURNS timestamptz LANGUAGE sql VOLATILE
             AS $$ SELECT pg_catalog.clock_timestamp() + interval '7 minutes' $$",
            "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$",
        ] {
            sqlx::query(statement).execute(&mut database).await.expect("another clock");
        }
        field.run(2, 0);
        let record = field.record();
        let shards = record["load"]["shards"].as_array().unwrap();
        let ahead: Vec<f64> = shards.iter().map(|shard| shard["clock_ms"].as_f64().unwrap()).collect();
        assert!((ahead[0] + 120_000.0).abs() < 5000.0 && (ahead[1] + 540_000.0).abs() < 5000.0, "{ahead:?}");
        let sent: Vec<u64> = shards.iter().map(|shard| shard["started"].as_u64().unwrap()).collect();
        assert!(sent.iter().all(|sent| *sent >= 20), "{sent:?}");
        assert_eq!(counts(&record)["answered"], sent.iter().sum::<u64>());
        // Both began by the same clock: what one sends lies between what the other sends.
        let mut seen: Vec<Instant> = server.requests()[before..].iter().map(|seen| seen.at).collect();
        seen.sort_unstable();
        let took = *seen.last().unwrap() - seen[0];
        assert!(took < ms(1900), "{load}: {took:?}");
    }
}

#[tokio::test]
async fn workers_send_batches_that_sum_to_those_of_one_process() {
    let lines = "batch: 3\nmodel: arrivals\nrate: 40/s\nduration: 1s\nseed: 3\nidle_pass: true\ngates: [error_rate <= 1%, accuracy >= 99%]\n";
    let (server, other) = (Server::start(right_to_all), Server::start(right_to_all));
    let batches = |server: &Server| {
        let mut batches: Vec<String> =
            server.requests().iter().map(|seen| seen.json()["all"].to_string()).collect();
        batches.sort_unstable();
        batches
    };
    let mut records = Vec::new();
    for (server, workers) in [(&server, 3), (&other, 0)] {
        let field = Field::new(lines, server).await;
        field.place.file("thrash.yaml", target(BY_ID));
        if workers > 0 {
            field.run(workers, 0);
        } else {
            ended(field.start(&["load", "s.yaml"], None)).exits(0);
        }
        records.push(field.record());
    }
    assert_eq!(batches(&server), batches(&other));
    for record in records {
        let counts = counts(&record);
        assert_eq!((&counts["started"], &counts["phrases"]["answered"]), (&json!(40), &json!(120)));
        assert_eq!((&counts["right"], &record["metrics"]["phrases"]), (&json!(120), &json!(120)));
    }
}

#[tokio::test]
async fn users_are_shared_too() {
    let server = Server::start(|seen| right(seen).after(ms(20)));
    let field = Field::new(
        "model: users\nusers: 5\nduration: 60s\niterations: 7\ngates: [error_rate <= 1%, accuracy >= 99%]\n",
        &server,
    )
    .await;
    field.run(2, 0);
    let record = field.record();
    assert_eq!(server.requests().len(), 35);
    assert_eq!(counts(&record)["answered"], 35);
    let parts: Vec<&Value> =
        record["load"]["shards"].as_array().unwrap().iter().map(|shard| &shard["started"]).collect();
    assert_eq!(parts, [21, 14]);
    assert!(server.most_in_flight() <= 5);
}

#[tokio::test]
async fn a_search_is_made_by_workers_load_by_load() {
    let server = Server::start(|seen| {
        // Two of three loads are fine.
        right(seen).after(if seen.number < 90 { ms(5) } else { ms(400) })
    });
    let field = Field::new(
        "model: arrivals\nsearch: {from: 20/s, to: 80/s, factor: 2, hold: 1500ms}\nabort_when: {unhealthy: false}\ngates: [latency_p95 <= 200ms]\n",
        &server,
    )
    .await;
    field.run(2, 0);
    let record = field.record();
    let search = &record["load"]["search"];
    assert_eq!((&search["sustained"], &search["broken"]), (&json!(40.0), &json!(80.0)), "{search}");
    assert_eq!(counts(&record)["started"], server.requests().len());
}

#[tokio::test]
async fn workers_that_do_not_come_are_named_and_nothing_is_sent() {
    let server = Server::start(right);
    let lines = "model: arrivals\nrate: 20/s\nduration: 1s\ngates: [error_rate <= 1%]\n";
    let field = Field::new(lines, &server).await;
    let worker = field.worker(0, 3);
    let run = field.start(&["load", "s.yaml", "--workers", "3", "--wait", "4s"], None);
    ended(run).exits(4).complains(&["of 3 workers came within 4s", "1, 2", "load-worker"]);
    // It learns that the run is over; nothing was sent.
    ended(worker).exits(0);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn whoever_would_send_something_else_is_refused() {
    let server = Server::start(right);
    let lines = "model: arrivals\nrate: 20/s\nduration: 1s\ngates: [error_rate <= 1%]\n";
    let field = Field::new(lines, &server).await;
    let run = field.begin(2, &[]);
    let first = field.worker(0, 2);
    field.first_has_joined().await;
    ended(field.worker(0, 2)).exits(2).complains(&["another worker has number 0"]);
    ended(field.worker(1, 3)).exits(2).complains(&["wants 2 workers", "one of 3"]);
    let url = field.url.replace("127.0.0.1", "localhost");
    let place = super::place(lines);
    let database = field.database.url();
    let environment: Vec<(&str, &str)> =
        vec![("DATABASE_URL", &database), ("JOB_COMPLETION_INDEX", "1"), ("THRASH_SHARDS", "2")];
    place
        .thrash_with(&environment, ["load-worker", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["the run is about", "localhost"]);
    place.file("words/calm.yaml", super::CALM.replace("Nice weather", "Bad weather"));
    place
        .thrash_with(&environment, ["load-worker", "--target", "plain", "--url", &field.url])
        .exits(2)
        .complains(&["phrases of `words`"]);
    // A second load has to wait for its turn.
    ended(field.begin(2, &["--no-wait"]))
        .exits(4)
        .complains(&["the load `s` against `plain`", "nothing was sent"]);
    assert!(server.requests().is_empty());
    let second = field.worker(1, 2);
    ended(run).exits(0);
    ended(first).exits(0);
    ended(second).exits(0);
}

#[tokio::test]
async fn workers_stop_when_whoever_began_the_run_is_gone_and_the_run_when_it_is_stopped() {
    let server = Server::start(right);
    let lines = "model: arrivals\nrate: 40/s\nduration: 120s\ngates: [error_rate <= 1%]\n";
    let field = Field::new(lines, &server).await;
    let mut run = field.begin(2, &["--job", "one"]);
    let worker =
        |index: &str| field.start(&["load-worker", "--job", "one", "--shard", index, "--shards", "2"], None);
    let workers = [worker("0"), worker("1")];
    wait_for_requests(&server, 20);
    run.kill().expect("it dies");
    run.wait().expect("it is dead");
    let start = Instant::now();
    for worker in workers {
        ended(worker).exits(4).complains(&["whoever began the run is gone"]);
    }
    assert!(start.elapsed() < Duration::from_secs(15), "{:?}", start.elapsed());
    let sent = server.requests().len();
    std::thread::sleep(ms(300));
    assert_eq!(server.requests().len(), sent, "nobody sends any more");

    // By another name, so that nobody has to wait until the first is forgotten. A worker that is asked to go says so.
    let run = field.begin(2, &["--job", "two"]);
    let worker =
        |index: &str| field.start(&["load-worker", "--job", "two", "--shard", index, "--shards", "2"], None);
    let [stays, goes] = [worker("0"), worker("1")];
    wait_for_requests(&server, sent + 20);
    send("TERM", &goes);
    let shown = ended(run).exits(4);
    assert!(shown.stdout.contains("worker 1 was stopped by hand"), "{}", shown.stdout);
    ended(goes).exits(130);
    ended(stays).exits(0);
    let record = field.record();
    assert_eq!(counts(&record)["started"], server.requests().len() - sent, "with what it sent until then");
}

#[test]
fn workers_need_postgresql_a_number_and_a_target() {
    let place = place("model: arrivals\nrate: 20/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    place
        .thrash(["load", "s.yaml", "--workers", "2"])
        .exits(2)
        .complains(&["demo is inside this process", "--target"]);
    let server = Server::start(right);
    let url = server.url();
    place
        .thrash(["load", "s.yaml", "--workers", "2", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["workers meet in PostgreSQL", "thrash.db", "DATABASE_URL"]);
    place
        .thrash(["load-worker", "--shard", "0", "--shards", "2", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["workers meet in PostgreSQL"]);
    place.thrash(["load-worker", "--shards", "2"]).exits(2).complains(&["--shard", "JOB_COMPLETION_INDEX"]);
    place.thrash(["load-worker", "--shard", "2", "--shards", "2"]).exits(2).complains(&["no worker 2 of 2"]);
    place.file("s.yaml", "title: x\nphrases: {suite: words}\nmodel: arrivals\nrate: 20/s\nduration: 1s\nmax_in_flight: 3\ngates: [error_rate <= 1%]\n");
    place
        .thrash(["load", "s.yaml", "--workers", "4", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["4 workers cannot share 3 requests"]);
    place.file("s.yaml", "title: x\nphrases: {suite: words}\nmodel: arrivals\nrate: 20/s\nmax_rate: 20/s\nduration: 1s\ngates: [error_rate <= 1%]\n");
    place
        .thrash(["load", "s.yaml", "--workers", "3", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["cannot share `max_rate: 20/s`", "one would get 6/s", "each has to send 6.667/s"]);
    place.file("s.yaml", "title: x\nphrases: {suite: words}\nmodel: arrivals\nrate: 20/s\nduration: 1s\nconnections: {http: \"2\", count: 2}\ngates: [error_rate <= 1%]\n");
    place
        .thrash(["load", "s.yaml", "--workers", "3", "--target", "plain", "--url", &url])
        .exits(2)
        .complains(&["3 workers cannot share 2 connections", "`connections.count`"]);
    assert!(server.requests().is_empty());
}
