//! What is typed beside a service: one queue for both.

use std::fs::File;
use std::process::Child;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::cut::{waiting, wire_to};
use super::process::{Serve, plain_place};
use crate::store::place::{Place as _, PostgresPlace};
use crate::support::command::{DemoProcess, Ended, Place, send};

/// How long a test waits for what should come.
const PATIENCE: Duration = Duration::from_mins(1);
/// A load that goes on until somebody stops it.
const LONG: &str =
    "title: long\nphrases: {suite: quick}\nmodel: arrivals\nrate: 5/s\nduration: 10m\nmax_in_flight: 8\n";
/// A load that is soon over.
const SHORT: &str = "title: short\nphrases: {suite: quick}\nmodel: arrivals\nrate: 5/s\nduration: 2s\nmax_in_flight: 8\ngates: [error_rate <= 5%]\n";

/// A command that somebody typed and that goes on; it ends with the value.
struct Typed {
    child: Child,
    log: std::path::PathBuf,
}

impl Typed {
    fn start(place: &Place, environment: &[(&str, &str)], args: &[&str]) -> Self {
        let log = place.path().join(format!("typed-{:08x}.log", rand::random::<u32>()));
        let mut command = place.command(args);
        let file = File::create(&log).expect("a log");
        command.env("USER", "ada").envs(environment.iter().copied());
        command.stdout(file.try_clone().expect("a file")).stderr(file);
        let child = command.spawn().expect("the program starts");
        Self { child, log }
    }

    /// What it said, on stdout and on stderr.
    fn said(&self) -> String {
        std::fs::read_to_string(&self.log).expect("its log")
    }

    /// Waits until it has said this.
    async fn says(&self, words: &str) {
        let start = Instant::now();
        while !self.said().contains(words) {
            assert!(start.elapsed() < PATIENCE, "no `{words}` in:\n{}", self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until it has ended.
    async fn exits(&mut self, code: i32) {
        let ended = self.ended().await;
        assert_eq!(ended, Some(code), "{}", self.said());
    }

    /// Its exit code, once it has ended.
    async fn ended(&mut self) -> Option<i32> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().expect("it can be asked") {
                return status.code();
            }
            assert!(start.elapsed() < PATIENCE, "it does not end: {}", self.said());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until ada's newest run is in this state.
async fn typed(serve: &Serve, state: &str) -> Value {
    let start = Instant::now();
    loop {
        let page = serve.get("/api/test/runs?requester=cli:ada&limit=1").await;
        assert_eq!(page.status, 200, "{}\n{}", page.text, serve.said());
        let page = page.json();
        if page["runs"][0]["state"] == state {
            return page["runs"][0].clone();
        }
        assert!(start.elapsed() < PATIENCE, "not {state}: {page}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

async fn load_of(serve: &Serve) -> String {
    let asked = serve.post("/api/test/run", &json!({"scenario": "soak"})).await.is(202).json();
    asked["id"].as_str().expect("an id").to_owned()
}

async fn cancel(serve: &Serve, id: &str) {
    serve.post(&format!("/api/test/runs/{id}/cancel"), &json!({})).await.is(202);
}

fn id_of(job: &Value) -> &str {
    job["id"].as_str().expect("an id")
}

#[tokio::test]
async fn a_load_that_is_typed_waits_for_a_services_and_is_not_measured_with_it() {
    let database = PostgresPlace::fresh().await;
    let url = database.url();
    let (place, environment) = (plain_place(""), [("DATABASE_URL", url.as_str())]);
    place.file("short.yaml", SHORT);
    let serve = Serve::start(&place, &environment);
    let before = load_of(&serve).await;
    serve.until(&before, |run| run["state"] == "running").await;

    let mut refused = Typed::start(&place, &environment, &["load", "short.yaml", "--no-wait"]);
    refused.exits(4).await;
    assert!(
        refused.said().contains(&before) && refused.said().contains("nothing was sent"),
        "{}",
        refused.said()
    );
    let mut load = Typed::start(&place, &environment, &["load", "short.yaml"]);
    load.says("Ctrl-C leaves the queue").await;
    assert!(load.said().contains(&before) && load.said().contains("api:anonymous"), "{}", load.said());
    let waits = typed(&serve, "queued").await;
    assert_eq!(
        (&waits["typed"], &waits["kind"], &waits["attempt"]),
        (&json!(true), &json!("load"), &json!(0))
    );
    // A load of the service's own comes behind it, though its worker is the first to know that the other one is over.
    let after = load_of(&serve).await;

    cancel(&serve, &before).await;
    let ended = serve.over(&before).await;
    let begun = serve.until(id_of(&waits), |run| run["state"] != "queued").await;
    load.says("its turn has come").await;
    // Where this machine is busy with other things it could not tell.
    assert!(matches!(load.ended().await, Some(0 | 4)), "{}", load.said());
    let over = serve.over(id_of(&waits)).await;
    assert_eq!(over["state"], "finished", "{over}");
    assert!(over["conclusion"] == "passed" || over["conclusion"] == "inconclusive", "{over}");
    assert_eq!((&over["run"], &over["attempt"]), (&waits["id"], &json!(1)));
    assert!(begun["started_at"].as_str() >= ended["ended_at"].as_str(), "{begun}\n{ended}");
    let result = serve.get(&format!("/api/test/runs/{}/report.json", id_of(&waits))).await.is(200).json();
    assert!(result["started_at"].as_str() >= ended["ended_at"].as_str(), "{result}");
    assert!(result["duration_ms"].as_f64().unwrap() < 60_000.0, "{result}");
    let next = serve.until(&after, |run| run["state"] == "running").await;
    assert!(next["started_at"].as_str() >= over["ended_at"].as_str(), "{next}\n{over}");
    cancel(&serve, &after).await;
}

#[tokio::test]
async fn a_services_load_waits_for_one_that_is_typed_and_whoever_may_stops_that() {
    let database = PostgresPlace::fresh().await;
    let url = database.url();
    let (place, environment) = (plain_place(""), [("DATABASE_URL", url.as_str())]);
    place.file("long.yaml", LONG);
    let serve = Serve::start(&place, &environment);
    let mut load = Typed::start(&place, &environment, &["load", "long.yaml"]);
    let runs = typed(&serve, "running").await;
    assert!(runs["instance"].as_str().unwrap().ends_with(&format!("-{}", load.child.id())), "{runs}");
    let waits = load_of(&serve).await;
    // A suite of the service does not wait, and shows that the worker looked.
    let suite = serve.ask().await;
    serve.over(&suite).await;
    assert_eq!(serve.run(&waits).await["state"], "queued");
    // There is something to be kept of it by now.
    load.says(" on their way").await;

    cancel(&serve, id_of(&runs)).await;
    load.exits(130).await;
    assert!(load.said().contains("stopped by api:anonymous"), "{}", load.said());
    let over = serve.over(id_of(&runs)).await;
    assert_eq!((&over["state"], &over["cancelled_by"]), (&json!("cancelled"), &json!("api:anonymous")));
    let result = serve.get(&format!("/api/test/results/{}", id_of(&runs))).await.is(200).json();
    assert_eq!((&result["status"], &result["outcome"]), (&json!("interrupted"), &json!("interrupted")));
    let begun = serve.until(&waits, |run| run["state"] == "running").await;
    assert!(begun["started_at"].as_str() >= over["ended_at"].as_str(), "{begun}\n{over}");
    cancel(&serve, &waits).await;
}

#[tokio::test]
async fn who_leaves_the_queue_has_sent_nothing() {
    let place = plain_place("service: {lease: 4s}\n");
    place.file("short.yaml", SHORT);
    let serve = Serve::start(&place, &[]);
    let before = load_of(&serve).await;
    serve.until(&before, |run| run["state"] == "running").await;
    // What is wrong anyway is said at once.
    let wrong = place.thrash(["load", "short.yaml", "--baseline", "20200101-000000-aaaaaa"]);
    wrong.exits(2).complains(&["cannot use the baseline `20200101-000000-aaaaaa`"]);
    place.thrash(["load", "short.yaml", "--workers", "2"]).exits(2).complains(&["workers are others"]);
    let mut load = Typed::start(&place, &[], &["load", "short.yaml"]);
    load.says("Ctrl-C leaves the queue").await;
    send("INT", &load.child);
    load.exits(130).await;
    assert!(load.said().contains("nothing was sent"), "{}", load.said());
    let left = typed(&serve, "cancelled").await;
    assert_eq!((&left["attempt"], &left["cancelled_by"]), (&json!(0), &json!("cli:ada")));

    // One that somebody else stops is told who it was.
    let mut load = Typed::start(&place, &[], &["load", "short.yaml"]);
    let waits = typed(&serve, "queued").await;
    cancel(&serve, id_of(&waits)).await;
    load.exits(130).await;
    assert!(load.said().contains("cancelled by api:anonymous while it waited"), "{}", load.said());
    // Who waits and dies is lost, and nobody runs it.
    let load = Typed::start(&place, &[("LOGNAME", "x")], &["load", "short.yaml"]);
    typed(&serve, "queued").await;
    drop(load);
    cancel(&serve, &before).await;
    serve.over(&before).await;
    let lost = typed(&serve, "lost").await;
    assert_eq!((&lost["attempt"], &lost["run"]), (&json!(0), &Value::Null), "{lost}");
    assert_eq!(place.runs().len(), 1, "the service's own");
}

#[tokio::test]
async fn a_run_beside_a_service_on_one_file_is_seen_and_stopped() {
    let demo = DemoProcess::start(&["--latency", "1500ms"]);
    let place = plain_place("run: {concurrency: 2}\nservice: {lease: 2s}\n");
    let target = ["quick", "--target", "ash-v5", "--url", &demo.url];
    // The service begins in the middle of it, and looks for lost runs.
    let mut quick = Typed::start(&place, &[], &target);
    let start = Instant::now();
    let queue = loop {
        let queue = place.thrash(["runs", "queue", "--json"]).exits(0);
        let queue: Value = serde_json::from_str(&queue.stdout).expect("a list");
        if queue[0]["state"] == "running" {
            break queue;
        }
        assert!(start.elapsed() < PATIENCE, "{queue}");
    };
    let id = id_of(&queue[0]).to_owned();
    let serve = Serve::start(&place, &[]);
    serve.over(&serve.ask().await).await;
    let run = serve.run(&id).await;
    assert_eq!(
        (&run["state"], &run["attempt"], &run["name"]),
        (&json!("running"), &json!(1), &json!("quick"))
    );
    let page = serve.get("/").await.is(200).text;
    assert!(page.contains("cli:ada") && page.contains(&format!("/runs/{id}/cancel")), "{page}");
    let listed = place.thrash(["runs", "queue"]).exits(0).stdout;
    for words in [id.as_str(), "runs: quick against ash-v5", "cli:ada", "on ", "since "] {
        assert!(listed.contains(words), "{listed}");
    }

    let stop = |run: &str| place.thrash_with(&[("USER", "e\u{202e}ve;")], ["runs", "cancel", run]);
    stop(&id[..id.len() - 1]).exits(0).complains(&["is cancelled; what it found until then is kept"]);
    quick.exits(130).await;
    assert!(quick.said().contains("stopped by cli:eve"), "{}", quick.said());
    assert_eq!(serve.run(&id).await["cancelled_by"], "cli:eve");
    let record = place.thrash(["report", &id, "--json", "-"]).exits(0).stdout;
    assert_eq!(serde_json::from_str::<Value>(&record).expect("a record")["status"], "interrupted");
    stop(&id).exits(0).complains(&["was cancelled before"]);
    stop("2").exits(2).complains(&["`2` is too little of an id", "8 characters"]);
    stop("20260101-000000-aaaaaa").exits(2).complains(&["no run that waits or runs", "runs queue"]);
    let done = serve.ask().await;
    serve.over(&done).await;
    stop(&done).exits(2).complains(&["is over: it is finished"]);
    place.thrash(["runs", "queue"]).exits(0).complains(&["nothing runs, and nothing waits"]);
}

#[tokio::test]
async fn the_command_line_stops_what_a_service_runs() {
    let demo = DemoProcess::start(&["--latency", "400ms"]);
    let place = plain_place("run: {concurrency: 2}\n");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let (id, waits) = (serve.ask().await, serve.ask().await);
    serve.under_way(&id).await;
    let stop = |run: &str| place.thrash(["runs", "cancel", run]);
    stop(&waits).exits(0).complains(&["is cancelled; there is no record of it"]);
    stop(&id).exits(0).complains(&["is cancelled; what it found until then is kept"]);
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["cancelled_by"]), (&json!("cancelled"), &json!("cli")));
}

#[tokio::test]
async fn a_typed_run_that_is_killed_is_lost_and_nobody_runs_it() {
    let demo = DemoProcess::start(&["--latency", "2s"]);
    let database = PostgresPlace::fresh().await;
    let url = database.url();
    let place = plain_place("run: {concurrency: 1}\nservice: {lease: 2s}\n");
    let environment = [("DATABASE_URL", url.as_str()), ("NLP_SERVER_URL", &demo.url)];
    let serve = Serve::start(&place, &environment);
    let quick = Typed::start(&place, &environment, &["quick"]);
    let runs = typed(&serve, "running").await;
    send("KILL", &quick.child);
    let lost = typed(&serve, "lost").await;
    assert_eq!((&lost["id"], &lost["attempt"]), (&runs["id"], &json!(1)));
    assert!(lost["message"].as_str().unwrap().contains("in a terminal was lost"), "{lost}");
    // What the service runs next shows that it was looking.
    let suite = serve.ask().await;
    serve.until(&suite, |run| run["state"] == "running").await;
    assert_eq!(serve.run(id_of(&runs)).await["state"], "lost");
    // Its numbers are read every few seconds.
    let start = Instant::now();
    while !serve.metrics().page().await.contains("thrash_queue_jobs{state=\"running\"} 1") {
        assert!(start.elapsed() < PATIENCE, "{}", serve.metrics().page().await);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    // It says nothing of what the service is there for.
    serve.get("/api/test/results/latest").await.problem(404);
    let page = serve.get("/").await.is(200).text;
    assert!(page.contains("There is no result yet."), "{page}");
    let metrics = serve.metrics().page().await;
    assert!(!metrics.lines().any(|line| line.contains("not_run") && !line.ends_with(" 0")), "{metrics}");
}

#[tokio::test]
async fn a_load_that_was_frozen_while_another_one_began_could_not_tell() {
    let database = PostgresPlace::fresh().await;
    let url = database.url();
    let (place, environment) = (plain_place("service: {lease: 2s}\n"), [("DATABASE_URL", url.as_str())]);
    place.file("long.yaml", LONG);
    let serve = Serve::start(&place, &environment);
    let mut load = Typed::start(&place, &environment, &["load", "long.yaml", "--json", "found.json"]);
    load.says(" on their way").await;
    let runs = typed(&serve, "running").await;
    send("STOP", &load.child);
    let other = load_of(&serve).await;
    serve.until(&other, |run| run["state"] == "running").await;
    assert_eq!(serve.run(id_of(&runs)).await["state"], "lost");
    send("CONT", &load.child);
    load.exits(4).await;
    assert!(load.said().contains("another load may have"), "{}", load.said());
    let found = std::fs::read_to_string(place.path().join("found.json")).expect("a record");
    let found: Value = serde_json::from_str(&found).expect("a record");
    assert_eq!(
        (&found["verdict"]["conclusion"], &found["load"]["beside"]["place_lost"]),
        (&json!("inconclusive"), &json!(true)),
        "{}",
        load.said()
    );
    // It ended by itself, long before its time, and is kept.
    assert!(found["duration_ms"].as_f64().unwrap() < 300_000.0, "{}", found["duration_ms"]);
    let kept = serve.get(&format!("/api/test/results/{}", id_of(&runs))).await.is(200).json();
    assert_eq!((&kept["status"], &kept["passed"]), (&json!("aborted"), &json!(false)), "{kept}");
    cancel(&serve, &other).await;
}

#[tokio::test]
async fn a_store_that_dies_in_the_middle_of_a_typed_run_costs_no_record() {
    let demo = DemoProcess::start(&["--latency", "150ms"]);
    let database = PostgresPlace::fresh().await;
    let url = database.url();
    let (wire, through) = wire_to(&url);
    let place = plain_place("run: {concurrency: 1}\nservice: {lease: 2s}\n");
    let serve = Serve::start(&place, &[("DATABASE_URL", url.as_str())]);
    let environment = [("DATABASE_URL", through.as_str()), ("NLP_SERVER_URL", &demo.url)];
    let mut quick = Typed::start(&place, &environment, &["quick"]);
    let runs = typed(&serve, "running").await;
    wire.cut();
    // Nobody hears of it any more, and it goes on.
    typed(&serve, "lost").await;
    wire.mend();
    let code = quick.ended().await;
    let said = quick.said();
    let result = serve.get(&format!("/api/test/results/{}", id_of(&runs))).await;
    // With the wire mended in time the record is in the database, and its job is no longer lost.
    let result = result.is(200).json();
    assert_eq!(
        (&result["status"], code),
        (&json!("completed"), Some(i32::from(result["passed"] == false))),
        "{said}"
    );
    assert!(waiting(&place, "json").is_empty(), "{said}");
    let over = serve.until(id_of(&runs), |run| run["state"] == "finished").await;
    assert_eq!((&over["attempt"], &over["run"]), (&json!(1), &runs["id"]), "{over}");

    // One that stays away: the record waits, and so does the word that it is there.
    let mut quick = Typed::start(&place, &environment, &["quick"]);
    let runs = typed(&serve, "running").await;
    drop(wire);
    let code = quick.ended().await;
    assert!(matches!(code, Some(1 | 5)), "{code:?}: {}", quick.said());
    assert!(quick.said().contains("NOT in the database"), "{}", quick.said());
    assert!(!quick.said().contains("warning: the queue"), "once is enough: {}", quick.said());
    // The service on the same spool delivers it, or the next command.
    let over = serve.until(id_of(&runs), |run| run["state"] == "finished").await;
    assert_eq!(over["attempt"], json!(1), "{over}");
    serve.get(&format!("/api/test/results/{}", id_of(&runs))).await.is(200);
}

#[tokio::test]
async fn without_a_store_a_load_says_that_it_may_not_be_alone() {
    let place = plain_place("");
    place.file("short.yaml", SHORT);
    let alone: Ended = place.thrash(["load", "short.yaml", "--database-url", "none"]);
    alone.complains(&["whether another load runs is not known: no database is configured"]);
    let away =
        ["load", "short.yaml", "--database-url", "postgres://a:b@127.0.0.1:9/c", "--json", "away.json"];
    let refused = place.thrash(away.into_iter().chain(["--no-wait"]));
    refused.exits(4).complains(&["whether another load runs is not known", "nothing was sent"]);
    assert_eq!(waiting(&place, "json").len(), 0);
    let said = place.thrash(away).exits(5).complains(&["whether another load runs is not known"]).said();
    let found = std::fs::read_to_string(place.path().join("away.json")).expect("a record");
    let found: Value = serde_json::from_str(&found).expect("a record");
    assert_eq!(found["load"]["beside"]["place_lost"], false, "{}", found["load"]["beside"]);
    assert!(said.contains("NOT in the database") && !said.contains("warning: the queue"), "{said}");
    // The next command brings it to the database there is, where no queue knows of it.
    place.thrash(["quick", "-q"]);
    assert_eq!(place.thrash(["runs", "queue", "--json"]).exits(0).stdout.trim(), "[]");
    assert_eq!(place.runs().len(), 2);
}

#[tokio::test]
async fn who_leaves_while_the_database_is_silent_has_sent_nothing() {
    let place = plain_place("");
    place.file("short.yaml", SHORT);
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("postgres://a:b@{}/c", silent.local_addr().expect("an address"));
    let load = ["load", "short.yaml", "--database-url", &url, "--json", "none.json"];
    let mut load = Typed::start(&place, &[], &load);
    let _taken = tokio::time::timeout(PATIENCE, silent.accept()).await.expect("it connects");
    send("INT", &load.child);
    load.exits(130).await;
    assert!(load.said().contains("nothing was sent"), "{}", load.said());
    assert!(!place.path().join("none.json").exists() && waiting(&place, "json").is_empty());
}

#[tokio::test]
async fn a_suite_says_that_a_load_runs_against_its_target() {
    let demo = DemoProcess::start(&[]);
    let place = plain_place("service: {lease: 1s}\n");
    place.file("long.yaml", LONG);
    let url = demo.url.as_str();
    let at = |words: &[&'static str]| [words, &["--target", "ash-v5", "--url", url]].concat();
    let words = ["the load `long", "what this run sees may be its doing"];
    let load = Typed::start(&place, &[], &at(&["load", "long.yaml"]));
    let start = Instant::now();
    while !place.thrash(["runs", "queue"]).stdout.contains("runs: load long against ash-v5") {
        assert!(start.elapsed() < PATIENCE, "{}", load.said());
    }
    place.thrash(at(&["quick"])).complains(&words);
    let elsewhere = place.thrash(["quick"]).said();
    assert!(!elsewhere.contains(words[1]), "that was another target: {elsewhere}");
    // One that is gone is nobody's excuse.
    drop(load);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    let alone = place.thrash(at(&["quick"])).said();
    assert!(!alone.contains(words[1]), "{alone}");
}
