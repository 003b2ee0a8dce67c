//! From the asking to the result, and what a stop in between does.

use serde_json::json;

use super::process::{Serve, plain_place, quick_place};
use crate::support::command::{DemoProcess, Place};

#[tokio::test]
async fn it_serves_with_nothing_configured() {
    let place = Place::new();
    let mut serve = Serve::start(&place, &[]);
    assert_eq!(serve.get("/health").await.is(200).json()["status"], "ok");
    let ready = serve.get("/ready").await.is(200).json();
    assert_eq!(ready["ready"], true, "{ready}");
    for part in ["database", "target", "model"] {
        assert_eq!(ready[part]["state"], "ok", "{ready}");
    }
    serve.get("/api/test/results/latest").await.problem(404);

    let reply = serve.post("/api/test/run", &json!({"test_type": "quick"})).await.is(202);
    let id = reply.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(reply.header("location"), format!("/api/test/runs/{id}"));
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["run"]), (&json!("finished"), &json!(id)));
    assert_eq!((&run["name"], &run["target"], &run["attempt"]), (&json!("quick"), &json!("demo"), &json!(1)));

    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["id"], &latest["phrases"], &latest["demo"]), (&json!(id), &json!(25), &json!(true)));
    // The demo makes honest mistakes.
    assert_eq!((&latest["outcome"], &latest["passed"]), (&json!("gate_failed"), &json!(false)));
    assert_eq!(latest["outcome"], run["conclusion"]);
    let by_id = serve.get(&format!("/api/test/results/{id}")).await.is(200).json();
    assert_eq!(by_id["checks"], latest["checks"]);
    assert!(
        serve.said().contains(&format!("asked for run {id} (`quick` against `demo`)")),
        "{}",
        serve.said()
    );

    // As when a terminal closes.
    serve.signal("HUP");
    assert_eq!(serve.ended(), Some(0));
    // The command line finds what the service found.
    assert_eq!(place.latest()["id"], json!(id));
}

#[tokio::test]
async fn only_what_is_known_here_can_be_run() {
    let place = quick_place("targets: {staging: {extends: ash-v5}}\n");
    let serve = Serve::start(&place, &[]);
    let cases = [
        (json!({"test_type": "easy"}), "no suite `easy`"),
        (json!({"test_type": "easy/calm.yaml"}), "no suite"),
        (json!({"test_type": "http://127.0.0.1:1/x"}), "no suite"),
        (json!({"test_type": "quick", "target": "http://127.0.0.1:1"}), "no target"),
        (json!({"test_type": "quick", "target": "ash-v3"}), "no target `ash-v3` here"),
        (json!({"test_type": "quick", "url": "http://127.0.0.1:1"}), "url"),
        (json!({"scenario": "./thrash.yaml"}), "no scenario"),
        (json!({"test_type": "quick", "scenario": "smoke"}), "name one of them"),
        (json!({}), "say what is to be run"),
        (json!({"test_type": 7}), "test_type"),
        (json!({"test_type": "quick", "priority": 1000}), "priority"),
    ];
    for (body, why) in cases {
        let detail = serve.post("/api/test/run", &body).await.problem(422);
        assert!(detail.contains(why), "{body}: {detail}");
    }
    assert_eq!(serve.get("/api/test/runs").await.is(200).json()["runs"], json!([]));
    let targets = serve.get("/api/test/targets").await.is(200).json();
    let names: Vec<&str> = targets.as_array().unwrap().iter().map(|t| t["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["demo", "staging"]);
}

#[tokio::test]
async fn the_same_key_makes_one_run() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let ask = |key: &str, body: serde_json::Value| {
        serve.send(
            serve.request(reqwest::Method::POST, "/api/test/run").header("Idempotency-Key", key).json(&body),
        )
    };
    let quick = json!({"test_type": "quick"});
    let first = ask("nightly-1", quick.clone()).await.is(202).json();
    let again = ask("nightly-1", quick.clone()).await.is(202).json();
    assert_eq!(first["id"], again["id"]);
    let other = ask("nightly-1", json!({"scenario": "smoke"})).await.problem(409);
    assert!(other.contains(first["id"].as_str().unwrap()), "{other}");
    let second = ask("nightly-2", quick.clone()).await.is(202).json();
    assert_ne!(first["id"], second["id"]);
    ask(&"k".repeat(300), quick).await.problem(422);
    serve.over(second["id"].as_str().unwrap()).await;
    assert_eq!(place.runs().len(), 2);
}

#[tokio::test]
async fn a_running_run_is_cancelled_and_what_it_found_is_kept() {
    let demo = DemoProcess::start(&["--latency", "400ms"]);
    let place = plain_place("run: {concurrency: 2}\n");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let (id, waiting) = (serve.ask().await, serve.ask().await);
    serve.under_way(&id).await;
    let cancel = |id: &str| format!("/api/test/runs/{id}/cancel");
    let stopped = serve.post(&cancel(&waiting), &json!({})).await.is(202).json();
    assert_eq!((&stopped["state"], &stopped["attempt"]), (&json!("cancelled"), &json!(0)), "it only waited");
    serve.post(&cancel(&id), &json!({})).await.is(202);
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["cancelled_by"]), (&json!("cancelled"), &json!("api:anonymous")));
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["id"], &latest["outcome"]), (&json!(id), &json!("interrupted")));
    assert_eq!(latest["passed"], false);
    let phrases = latest["phrases"].as_u64().unwrap();
    assert!((1..25).contains(&phrases), "{phrases}");

    let done = serve.post(&cancel(&id), &json!({})).await;
    assert!(done.status == 202, "to stop a stopped run is no mistake: {}", done.text);
    serve.post(&cancel("20260101-000000-aaaaaa"), &json!({})).await.problem(404);
}

#[tokio::test]
async fn a_stop_waits_for_a_run_that_ends_in_time() {
    let demo = DemoProcess::start(&["--latency", "200ms"]);
    let place = plain_place("run: {concurrency: 5}\nservice: {stop_within: 1m}\n");
    let mut serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let id = serve.ask().await;
    serve.under_way(&id).await;
    serve.signal("TERM");
    // A signal arrives a moment after it was sent.
    let mut ready = serve.get("/ready").await;
    for _ in 0..200 {
        if ready.json()["stopping"] == json!(true) {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
        ready = serve.get("/ready").await;
    }
    assert_eq!((ready.status.as_u16(), &ready.json()["stopping"]), (503, &json!(true)));
    let refused = serve.post("/api/test/run", &json!({"test_type": "quick"})).await.problem(503);
    assert!(refused.contains("about to stop"), "{refused}");
    assert_eq!(serve.ended(), Some(0));
    let stored = place.latest();
    assert_eq!((&stored["id"], &stored["status"]), (&json!(id), &json!("completed")));
}

#[tokio::test]
async fn a_run_that_does_not_end_in_time_goes_back_to_the_queue() {
    let demo = DemoProcess::start(&["--latency", "1s"]);
    let place = plain_place("run: {concurrency: 2}\nservice: {stop_within: 300ms}\n");
    let environment = [("NLP_SERVER_URL", demo.url.as_str())];
    let mut serve = Serve::start(&place, &environment);
    let id = serve.ask().await;
    serve.under_way(&id).await;
    serve.signal("INT");
    assert_eq!(serve.ended(), Some(0), "{}", serve.said());
    assert_eq!(place.runs().len(), 0, "nothing half-done is stored");
    assert_eq!(std::fs::read_dir(place.data().join("spool")).map_or(0, Iterator::count), 0);

    let faster = DemoProcess::start(&[]);
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &faster.url)]);
    let run = serve.over(&id).await;
    assert_eq!(
        (&run["state"], &run["attempt"], &run["times_lost"]),
        (&json!("finished"), &json!(2), &json!(0))
    );
    assert_ne!(run["run"], json!(id), "another run, with a name of its own");
    let result = serve.get(&format!("/api/test/results/{id}")).await.is(200).json();
    assert_eq!((&result["id"], &result["status"]), (&run["run"], &json!("completed")));
    assert_eq!(place.runs().len(), 1);
}

#[tokio::test]
async fn a_second_signal_stops_at_once() {
    let demo = DemoProcess::start(&["--latency", "20s"]);
    let place = plain_place("service: {stop_within: 10m}\n");
    let mut serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let id = serve.ask().await;
    serve.until(&id, |run| run["state"] == "running").await;
    serve.signal("TERM");
    tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    serve.signal("TERM");
    let start = std::time::Instant::now();
    assert_eq!(serve.ended(), Some(0), "{}", serve.said());
    assert!(start.elapsed().as_secs() < 15, "{:?}", start.elapsed());
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    assert_eq!(serve.run(&id).await["attempt"].as_u64().map(|attempt| attempt <= 2), Some(true));
}

#[tokio::test]
async fn a_second_service_on_a_sqlite_file_says_who_holds_it() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let second = Serve::refused(&place, &[], &["--listen", "127.0.0.1:0"]).exits(5);
    let second = second.complains(&["another `thrash serve` works on the database", "process "]);
    assert_eq!(second.stdout, "");
    drop(serve);
    // It died without a word, and the lock with it.
    Serve::start(&place, &[]);
}

#[tokio::test]
async fn an_old_pass_does_not_hide_a_target_that_is_gone() {
    let demo = DemoProcess::start(&[]);
    let place = quick_place("");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let first = serve.ask().await;
    serve.over(&first).await;
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!(
        (&latest["id"], &latest["outcome"], &latest["passed"]),
        (&json!(first), &json!("passed"), &json!(true))
    );

    drop(demo);
    let second = serve.ask().await;
    let run = serve.over(&second).await;
    assert_eq!((&run["state"], &run["conclusion"]), (&json!("failed"), &json!("target_failed")));
    let latest = serve.get("/api/test/results/latest?test_type=quick").await.is(200).json();
    assert_eq!((&latest["id"], &latest["outcome"]), (&json!(second), &json!("target_failed")));
    assert_eq!(latest["passed"], false);
    assert!(latest["sentence"].as_str().unwrap().contains("cannot be reached"), "{latest}");
    // What was seen counts for ten seconds.
    let start = std::time::Instant::now();
    while serve.get("/ready").await.status == 200 {
        assert!(start.elapsed().as_secs() < 30, "a target that is gone is still called ready");
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
    let ready = serve.get("/ready").await.is(503).json();
    assert_eq!((&ready["ready"], &ready["target"]["state"]), (&json!(false), &json!("failed")), "{ready}");
    assert_eq!(ready["database"]["state"], "ok");
}

#[tokio::test]
async fn a_run_that_could_not_tell_says_so() {
    let place = quick_place("gates: ['accuracy no_regression']\nbaseline: latest\n");
    let serve = Serve::start(&place, &[]);
    let id = serve.ask().await;
    assert_eq!(serve.over(&id).await["conclusion"], "inconclusive");
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["outcome"], &latest["passed"]), (&json!("inconclusive"), &json!(false)));
}

#[tokio::test]
async fn runs_of_other_targets_are_not_the_latest() {
    let place = quick_place("");
    place.thrash(["quick", "--quiet"]);
    let demo = DemoProcess::start(&[]);
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    serve.get("/api/test/results/latest").await.problem(404);
    assert_eq!(serve.get("/api/test/results").await.is(200).json()["results"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_load_runs_alone_and_is_a_result() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let asked = serve.post("/api/test/run", &json!({"scenario": "smoke"})).await.is(202).json();
    let id = asked["id"].as_str().unwrap();
    serve.until(id, |run| run["state"] == "running").await;
    // One that is typed does not run beside it.
    place.file(
        "one.yaml",
        "title: one\nphrases: {suite: quick}\nmodel: arrivals\nrate: 5/s\nduration: 200ms\n",
    );
    let refused = place.thrash(["load", "one.yaml", "--no-wait"]).exits(4);
    refused.complains(&[id, "nothing was sent", "leave `--no-wait` out"]);
    serve.post(&format!("/api/test/runs/{id}/cancel"), &json!({})).await.is(202);
    let run = serve.over(id).await;
    assert_eq!(run["kind"], "load");
    assert!(run["state"] == "cancelled" || run["state"] == "finished", "{run}");
}

#[tokio::test]
async fn a_run_of_a_part_of_the_suite_does_not_stand_for_the_whole() {
    let place = plain_place("");
    let serve = Serve::start(&place, &[]);
    place.thrash(["quick", "--limit", "5", "-q"]);
    let part = serve.get("/api/test/results").await.is(200).json()["results"][0]["id"].clone();
    let path = format!("/api/test/results/{}", part.as_str().expect("an id"));
    assert_eq!(serve.get(&path).await.is(200).json()["partial"], json!(true));
    let none = serve.get("/api/test/results/latest?test_type=quick").await.problem(404);
    assert_eq!(none, "no run of `quick` against `demo` has ended yet");
    for (query, unknown) in [
        ("test_type=quack", "there is no suite `quack` here"),
        ("test_type=load%20smok", "there is no scenario `smok` here"),
        ("test_type=quick&target=nosuch", "there is no target `nosuch` here"),
    ] {
        let said = serve.get(&format!("/api/test/results/latest?{query}")).await.problem(404);
        assert_eq!(said, unknown);
    }
    place.thrash(["quick", "-q"]);
    place.thrash(["quick", "--category", "definite_none", "-q"]);
    let latest = serve.get("/api/test/results/latest?test_type=quick").await.is(200).json();
    assert_eq!((&latest["phrases"], &latest["partial"]), (&json!(25), &json!(false)));
}

#[tokio::test]
async fn a_database_that_was_deleted_is_not_well() {
    let place = quick_place("");
    place.thrash(["quick", "-q"]);
    let serve = Serve::start(&place, &[]);
    serve.get("/api/test/results/latest").await.is(200);
    for name in ["thrash.db", "thrash.db-wal", "thrash.db-shm"] {
        let _ = std::fs::remove_file(place.data().join(name));
    }
    serve.get("/api/test/results/latest").await.problem(503);
    serve.get("/api/test/results").await.problem(503);
    // What was seen a moment ago counts for ten seconds.
    let begun = std::time::Instant::now();
    while serve.get("/ready").await.json()["ready"] == json!(true) {
        assert!(begun.elapsed() < std::time::Duration::from_mins(1), "it still says that it is ready");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
    }
}

#[tokio::test]
async fn a_full_queue_says_when_to_ask_again() {
    let demo = DemoProcess::start(&["--latency", "2s"]);
    let place = plain_place("service: {queue_limit: 1}\n");
    let serve = Serve::start(&place, &[("NLP_SERVER_URL", &demo.url)]);
    let first = serve.ask().await;
    serve.until(&first, |run| run["state"] == "running").await;
    let waiting = serve.ask().await;
    let refused = serve.post("/api/test/run", &json!({"test_type": "quick"})).await;
    assert_eq!(refused.header("retry-after"), "60");
    assert_eq!(refused.problem(503), "the queue is full: `service.queue_limit` is 1");
    let run = serve.post("/api/schedules/quick/run", &json!({})).await.problem(503);
    assert!(run.contains("the queue is full"), "{run}");
    let document = serve.get("/api/openapi.json").await.is(200).json();
    let described = &document["paths"]["/api/test/run"]["post"]["responses"]["503"]["headers"];
    assert!(described["Retry-After"]["description"].is_string(), "{described}");
    serve.post(&format!("/api/test/runs/{waiting}/cancel"), &json!({})).await.is(202);
    serve.post("/api/test/run", &json!({"test_type": "quick"})).await.is(202);
}
