//! A database that does not take what is written.

use std::process::Command;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};
use sqlx::{Connection, Executor, SqliteConnection};

use super::alone::{chat, titles};
use super::cut::target;
use super::process::{Serve, plain_place, quick_place};
use crate::support::command::Place;
use crate::support::server::Server;

/// How large a file may become that the process writes; its log stays below this, and its database is above it already.
fn file_limit(serve: &Serve, limit: &str) {
    let mut command = Command::new("prlimit");
    command.args(["--pid", &serve.id().to_string(), &format!("--fsize={limit}:")]);
    assert!(command.status().expect("util-linux").success());
}

async fn ready(serve: &Serve, status: u16) -> serde_json::Value {
    let start = Instant::now();
    loop {
        let reply = serve.get("/ready").await;
        if reply.status == status {
            return reply.json();
        }
        assert!(start.elapsed() < Duration::from_mins(1), "{}\n{}", reply.text, serve.said());
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_full_disk_is_not_ready_and_one_with_room_again_is_used_as_before() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    ready(&serve, 200).await;
    let first = serve.ask().await;
    serve.over(&first).await;

    file_limit(&serve, "65536");
    // On every connection that there is.
    for _ in 0..8 {
        let refused = serve.post("/api/test/run", &json!({"test_type": "quick"})).await;
        assert!(refused.status.is_server_error(), "{}", refused.text);
    }
    let looks = ready(&serve, 503).await;
    assert_eq!(looks["database"]["state"], "failed", "{looks}");
    assert!(looks["database"]["detail"].as_str().unwrap().contains("write to the database"), "{looks}");

    file_limit(&serve, "unlimited");
    ready(&serve, 200).await;
    let second = serve.ask().await;
    let run = serve.over(&second).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("finished"), &json!(1)), "{run}\n{}", serve.said());
    serve.get(&format!("/api/test/results/{second}")).await.is(200);
}

/// A service that has finished a run, and can keep it nowhere.
struct Stuck {
    place: Place,
    target: Server,
    chat: Server,
    serve: Serve,
    id: String,
}

impl Stuck {
    /// `limit` is how large a file may become since the run began.
    async fn start(service: &str, limit: &str) -> Self {
        Self::of(&json!({"test_type": "quick"}), Duration::from_secs(1), service, limit).await
    }

    async fn of(ask: &Value, latency: Duration, service: &str, limit: &str) -> Self {
        let (target, chat) = (target(latency), chat());
        let place = plain_place(&format!("run: {{concurrency: 25}}\nservice: {{{service}}}\n"));
        let serve = Self::serve(&place, &target, &chat);
        ready(&serve, 200).await;
        let asked = serve.post("/api/test/run", ask).await.is(202).json();
        let id = asked["id"].as_str().expect("an id").to_owned();
        let start = Instant::now();
        while target.requests().is_empty() {
            assert!(start.elapsed() < Duration::from_mins(1), "{}", serve.said());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        file_limit(&serve, limit);
        serve.metrics().until("thrash_memory_records", 1.0).await;
        Self { place, target, chat, serve, id }
    }

    fn serve(place: &Place, target: &Server, chat: &Server) -> Serve {
        let environment = [("NLP_SERVER_URL", target.url()), ("DISCORD_WEBHOOK_URL", chat.url())];
        Serve::start(place, &environment.each_ref().map(|(name, value)| (*name, value.as_str())))
    }

    /// How many runs of this outcome were counted.
    async fn counted(&self, outcome: &str) -> Option<f64> {
        self.serve.metrics().number(&counter(outcome)).await
    }
}

fn counter(outcome: &str) -> String {
    let series = r#"kind="accuracy",suite="quick",target="ash-v5",demo="false""#;
    format!("thrash_runs_total{{{series},outcome=\"{outcome}\"}}")
}

const BROKEN: &str = "Critical\\: quick against ash-v5 is broken";

#[tokio::test]
async fn a_run_that_can_be_kept_nowhere_waits_in_memory_until_there_is_room() {
    // Not even the log takes a word.
    let stuck = Stuck::start("lease: 8s, workers: 2", "1").await;
    let Stuck { serve, id, .. } = &stuck;
    let looks = ready(serve, 503).await;
    assert!(looks["database"]["detail"].as_str().unwrap().contains("1 finished run is in memory"), "{looks}");
    let page = serve.send(serve.request(Method::GET, "/").header("accept", "text/html")).await;
    assert!(page.status == 503 || page.text.contains("A finished run is not stored yet"), "{}", page.text);
    // Its lease is over by then.
    tokio::time::sleep(Duration::from_secs(9)).await;
    ready(serve, 503).await;
    let run = serve.get(&format!("/api/test/runs/{id}")).await;
    assert!(run.status == 503 || run.json()["state"] == "running", "{}", run.text);
    assert_eq!((stuck.counted("gate_failed").await, stuck.counted("not_run").await), (None, None));
    assert_eq!(stuck.chat.requests().len(), 0);

    file_limit(serve, "unlimited");
    ready(serve, 200).await;
    let run = serve.over(id).await;
    assert_eq!((&run["state"], &run["conclusion"]), (&json!("finished"), &json!("gate_failed")), "{run}");
    assert_eq!((&run["attempt"], &run["times_lost"]), (&json!(1), &json!(0)), "{run}");
    assert_eq!(run["run"], json!(id));
    let results = serve.get("/api/test/results").await.is(200).json();
    assert_eq!(results["results"].as_array().unwrap().len(), 1, "{results}");
    serve.get(&format!("/api/test/results/{id}")).await.is(200);
    serve.metrics().until("thrash_memory_records", 0.0).await;
    serve.metrics().until(&counter("gate_failed"), 1.0).await;
    assert_eq!(stuck.counted("not_run").await, Some(0.0));
    assert_eq!(titles(&stuck.chat, 1).await, [BROKEN]);
}

#[tokio::test]
async fn a_stop_says_which_run_is_lost_and_the_next_start_runs_it_again() {
    // More than the log, and less than the record.
    let mut stuck = Stuck::start("lease: 8s, stop_within: 1s", "16384").await;
    stuck.serve.signal("TERM");
    assert_eq!(stuck.serve.ended(), Some(5), "{}", stuck.serve.said());
    let said = stuck.serve.said();
    let lost =
        said.lines().find(|line| line.contains("NOT KEPT: a finished run is lost")).expect("it is said");
    assert!(lost.contains("ERROR") && lost.contains(&stuck.id) && lost.contains("gate_failed"), "{said}");
    assert_eq!(stuck.chat.requests().len(), 0);

    let serve = Stuck::serve(&stuck.place, &stuck.target, &stuck.chat);
    let run = serve.over(&stuck.id).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("finished"), &json!(2)), "{run}\n{}", serve.said());
    assert_eq!(titles(&stuck.chat, 1).await, [BROKEN]);
}

#[tokio::test]
async fn a_load_that_a_stop_loses_is_said_and_is_lost_and_not_begun_again() {
    let ask = json!({"scenario": "smoke"});
    let service = "lease: 8s, stop_within: 1s";
    let mut stuck = Stuck::of(&ask, Duration::from_millis(5), service, "16384").await;
    stuck.serve.signal("TERM");
    assert_eq!(stuck.serve.ended(), Some(5), "{}", stuck.serve.said());
    let said = stuck.serve.said();
    let lost =
        said.lines().find(|line| line.contains("NOT KEPT: a finished run is lost")).expect("it is said");
    assert!(lost.contains("ERROR") && lost.contains(&stuck.id), "{said}");

    let sent = stuck.target.requests().len();
    let serve = Stuck::serve(&stuck.place, &stuck.target, &stuck.chat);
    let run = serve.over(&stuck.id).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("lost"), &json!(1)), "{run}\n{}", serve.said());
    let latest = serve.get("/api/test/results/latest?test_type=load%20smoke").await.is(200).json();
    assert_eq!((&latest["outcome"], &latest["passed"]), (&json!("not_run"), &json!(false)), "{latest}");
    let page = serve.send(serve.request(Method::GET, "/").header("accept", "text/html")).await.is(200);
    assert!(page.text.contains("Lost"), "{}", page.text);
    let load = |seen: &crate::support::server::Seen| seen.header("x-thrash-run").is_some();
    assert_eq!(stuck.target.requests()[sent..].iter().filter(|seen| load(seen)).count(), 0);
}

#[tokio::test]
async fn a_queue_that_cannot_be_used_is_not_ready() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    ready(&serve, 200).await;
    let file = format!("sqlite://{}", place.data().join("thrash.db").display());
    let mut by_hand = SqliteConnection::connect(&file).await.unwrap();
    by_hand.execute("ALTER TABLE jobs RENAME TO gone").await.unwrap();
    let looks = ready(&serve, 503).await;
    assert!(looks["database"]["detail"].as_str().unwrap().contains("queue"), "{looks}");
    by_hand.execute("ALTER TABLE gone RENAME TO jobs").await.unwrap();
    ready(&serve, 200).await;
    let id = serve.ask().await;
    assert_eq!(serve.over(&id).await["state"], "finished");
}
