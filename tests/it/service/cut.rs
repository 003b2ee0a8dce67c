//! Two services on one PostgreSQL, and a wire to it that is cut.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use super::alone::{chat, titles};
use super::process::{Serve, plain_place, quick_place};
use crate::store::place::{Place as _, PostgresPlace};
use crate::support::command::{DemoProcess, Place};
use crate::support::relay::Relay;
use crate::support::server::{Reply, Server};

/// A target that answers after a while, and calls everything safe.
pub(super) fn target(latency: Duration) -> Server {
    Server::start(move |_| {
        let answer = json!({
            "crisis_detected": false, "severity": "safe", "confidence": 0.9, "crisis_score": 0.1,
            "requires_intervention": false, "recommended_action": "none", "models_used": ["bart"],
            "processing_time_ms": 12.0, "is_degraded": false,
        });
        Reply::json(200, &answer).after(latency)
    })
}

/// A wire to the database at that URL, and the URL through it.
pub(super) fn wire_to(url: &str) -> (Relay, String) {
    let (_, host) = url.rsplit_once('@').expect("a user");
    let host = host.split('/').next().expect("a host");
    let to: SocketAddr = host.to_socket_addrs().expect("an address").next().expect("an address");
    let wire = Relay::start(to);
    let through = url.replace(host, &wire.addr().to_string());
    (wire, through)
}

/// The files in the spool that end so.
pub(super) fn waiting(place: &Place, ending: &str) -> Vec<PathBuf> {
    let files = std::fs::read_dir(place.data().join("spool")).into_iter().flatten();
    let paths = files.map(|file| file.expect("a file").path());
    paths.filter(|path| path.extension().is_some_and(|extension| extension == ending)).collect()
}

/// Two services, the first of which is behind the wire.
struct Two {
    wire: Relay,
    target: Server,
    /// Whom the first one tells.
    chat: Server,
    place: Place,
    /// The URL of the database without the wire.
    url: String,
    first: Serve,
    _database: PostgresPlace,
}

impl Two {
    async fn start(latency: Duration) -> Self {
        Self::with_lease("4s", latency).await
    }

    async fn with_lease(lease: &str, latency: Duration) -> Self {
        let (target, chat) = (target(latency), chat());
        let database = PostgresPlace::fresh().await;
        let url = database.url();
        let (wire, through) = wire_to(&url);
        let place = plain_place(&format!(
            "run: {{concurrency: 1}}\nservice: {{lease: {lease}}}\ntargets:\n  a: {{extends: ash-v5, base_url: '{0}'}}\n  \
             b: {{extends: ash-v5, base_url: '{0}'}}\ntarget: a\n",
            target.url()
        ));
        let environment = [("DATABASE_URL", through.as_str()), ("DISCORD_WEBHOOK_URL", &chat.url())];
        let first = Serve::start(&place, &environment);
        Self { wire, target, chat, place, url, first, _database: database }
    }

    /// The second one, once the first has its work.
    fn second(&self) -> Serve {
        Serve::start(&self.place, &[("DATABASE_URL", &self.url)])
    }

    async fn ask(&self, body: Value) -> String {
        let asked = self.first.post("/api/test/run", &body).await.is(202).json();
        asked["id"].as_str().expect("an id").to_owned()
    }

    /// When each request of a run arrived.
    fn arrivals(&self, run: &str) -> Vec<Instant> {
        let requests = self.target.requests();
        requests.iter().filter(|seen| seen.header("x-thrash-run") == Some(run)).map(|seen| seen.at).collect()
    }

    async fn has_sent(&self, run: &str, least: usize) {
        let start = Instant::now();
        while self.arrivals(run).len() < least {
            assert!(start.elapsed() < Duration::from_mins(1), "{run}\n{}", self.first.said());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Checks that nothing of the first run arrived once something of the second one had.
    fn follows(&self, first: &str, second: &str) {
        let last = *self.arrivals(first).last().expect("the first run had begun");
        let next = *self.arrivals(second).first().expect("the second run has begun");
        assert!(last < next, "both sent for {:?}\n{}", last - next, self.first.said());
    }
}

#[tokio::test]
async fn who_is_cut_off_from_the_database_stops_before_another_one_begins() {
    let two = Two::start(Duration::from_millis(600)).await;
    let id = two.ask(json!({"test_type": "quick"})).await;
    two.has_sent(&id, 2).await;
    let second = two.second();
    two.wire.cut();
    let again = second.until(&id, |run| run["attempt"] == 2).await;
    let run = again["run"].as_str().expect("a run").to_owned();
    two.has_sent(&run, 3).await;
    // Long enough for the first one to have sent more, had it gone on: it was not half done.
    assert!(two.arrivals(&id).len() < 20, "the run was too short for this test");
    two.follows(&id, &run);
    let over = second.over(&id).await;
    assert_eq!((&over["state"], &over["attempt"]), (&json!("finished"), &json!(2)), "{over}");
    two.follows(&id, &run);
    assert!(two.first.said().contains("the run stops before others may take it"), "{}", two.first.said());
    assert_eq!(two.first.get("/ready").await.is(503).json()["database"]["state"], "failed");

    two.wire.mend();
    let start = Instant::now();
    while two.first.get("/ready").await.status != 200 {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", two.first.said());
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert_eq!(second.run(&id).await, over, "whoever was cut off says nothing of it any more");
    assert_eq!(two.chat.requests().len(), 0);
}

#[tokio::test]
async fn a_run_whose_lease_can_be_held_again_goes_back_at_once_and_is_told_once() {
    let two = Two::with_lease("6s", Duration::from_millis(400)).await;
    let id = two.ask(json!({"test_type": "quick"})).await;
    two.has_sent(&id, 2).await;
    two.wire.cut();
    let start = Instant::now();
    while !two.first.said().contains("the run stops before others may take it") {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", two.first.said());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    two.wire.mend();
    let over = two.first.over(&id).await;
    assert_eq!((&over["state"], &over["attempt"]), (&json!("finished"), &json!(2)), "{over}");
    assert_eq!(over["times_lost"], 0, "nobody had to find out that it was given up: {over}");
    two.follows(&id, over["run"].as_str().expect("a run"));
    let results = two.first.get("/api/test/results").await.is(200).json();
    assert_eq!(results["results"].as_array().expect("a list").len(), 1, "{results}");
    assert_eq!(titles(&two.chat, 1).await, ["Critical\\: quick against a is broken"]);
    // Longer than the outbox is left alone.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(two.chat.requests().len(), 1);
}

#[tokio::test]
async fn a_record_that_is_damaged_while_it_waits_is_told_and_is_no_pass() {
    let (demo, chat, database) =
        (DemoProcess::start(&["--latency", "2s"]), chat(), PostgresPlace::fresh().await);
    let (wire, through) = wire_to(&database.url());
    let place = quick_place("run: {concurrency: 1}\nnotify: {warning_after: 0s}\n");
    let environment = [
        ("DATABASE_URL", through.as_str()),
        ("DISCORD_WEBHOOK_URL", &chat.url()),
        ("NLP_SERVER_URL", demo.url.as_str()),
    ];
    let serve = Serve::start(&place, &environment);
    let id = serve.ask().await;
    serve.under_way(&id).await;
    wire.cut();
    let start = Instant::now();
    while waiting(&place, "json").is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", serve.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    std::fs::write(&waiting(&place, "json")[0], "{").unwrap();
    // The next look at it needs no database.
    while waiting(&place, "bad").is_empty() {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", serve.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    wire.mend();

    let run = serve.over(&id).await;
    assert_eq!(run["state"], "failed", "{run}");
    let message = run["message"].as_str().expect("a reason");
    assert!(message.contains("the record that waited was damaged") && message.contains(".bad"), "{run}");
    assert_eq!(titles(&chat, 1).await, ["Warning\\: quick against ash-v5 came to nothing"]);
    assert!(chat.requests()[0].json().to_string().contains("NOT KEPT"), "{}", chat.requests()[0].json());
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["outcome"], &latest["passed"]), (&json!("not_run"), &json!(false)), "{latest}");
    let page = serve.send(serve.request(Method::GET, "/").header("accept", "text/html")).await.is(200);
    assert!(page.text.contains("Not run") && page.text.contains("damaged"), "{}", page.text);
    assert!(serve.said().contains("a record that waited is damaged"), "{}", serve.said());
}

#[tokio::test]
async fn a_record_that_is_damaged_after_its_job_had_finished_is_told_and_is_no_pass() {
    let (chat, place) = (chat(), quick_place("notify: {warning_after: 0s}\n"));
    place.thrash(["db", "migrate"]).exits(0);
    // It takes everything but runs.
    place.sql(
        "CREATE TRIGGER no_runs BEFORE INSERT ON test_runs BEGIN SELECT RAISE(ABORT, 'none of it'); END",
    );
    let environment = [("DISCORD_WEBHOOK_URL", chat.url())];
    let environment = environment.each_ref().map(|(name, value)| (*name, value.as_str()));
    let mut serve = Serve::start(&place, &environment);
    let id = serve.ask().await;
    let run = serve.over(&id).await;
    assert_eq!((&run["state"], &run["conclusion"]), (&json!("finished"), &json!("passed")), "{run}");
    assert!(run["message"].as_str().is_some_and(|why| why.contains("waits in the spool")), "{run}");
    serve.signal("TERM");
    serve.ended();
    std::fs::write(&waiting(&place, "json")[0], "{").unwrap();

    let serve = Serve::start(&place, &environment);
    let run = serve.until(&id, |run| run["state"] == "failed").await;
    let message = run["message"].as_str().expect("a reason");
    assert!(message.contains("the record that waited was damaged") && message.contains(".bad"), "{run}");
    assert_eq!(run["conclusion"], json!(null));
    assert_eq!(
        titles(&chat, 1).await,
        ["Warning\\: quick against demo \\(the built-in demo\\) came to nothing"]
    );
    let latest = serve.get("/api/test/results/latest").await.is(200).json();
    assert_eq!((&latest["outcome"], &latest["passed"]), (&json!("not_run"), &json!(false)), "{latest}");
}

#[tokio::test]
async fn a_scrape_is_answered_soon_and_says_that_the_database_hangs() {
    let two = Two::start(Duration::ZERO).await;
    let metrics = two.first.metrics();
    metrics.until("thrash_store_up", 1.0).await;
    two.wire.cut();
    // What was seen within a second counts.
    tokio::time::sleep(Duration::from_millis(1100)).await;
    for _ in 0..3 {
        let start = Instant::now();
        assert_eq!(metrics.number("thrash_store_up").await, Some(0.0));
        assert!(start.elapsed() < Duration::from_millis(2500), "{:?}", start.elapsed());
    }
    two.wire.mend();
    metrics.until("thrash_store_up", 1.0).await;
}

#[tokio::test]
async fn a_load_that_is_cut_off_ends_before_the_next_one_begins_and_its_record_is_found() {
    let two = Two::start(Duration::from_millis(5)).await;
    let id = two.ask(json!({"scenario": "spike", "target": "a"})).await;
    let next = two.ask(json!({"scenario": "spike", "target": "b"})).await;
    // More than the idle pass.
    two.has_sent(&id, 40).await;
    let second = two.second();
    two.wire.cut();
    assert_eq!(second.over(&id).await["state"], "lost");
    two.has_sent(&next, 3).await;
    two.follows(&id, &next);
    second.post(&format!("/api/test/runs/{next}/cancel"), &json!({})).await.is(202);
    second.over(&next).await;
    two.follows(&id, &next);

    two.wire.mend();
    let run = second.until(&id, |run| run["state"] != "lost").await;
    assert_eq!((&run["state"], &run["conclusion"]), (&json!("finished"), &json!("interrupted")), "{run}");
    let found = second.get(&format!("/api/test/results/{id}")).await.is(200).json();
    assert_eq!((&found["id"], &found["status"]), (&json!(id), &json!("interrupted")));
}

#[tokio::test]
async fn what_another_process_delivers_is_told_once_by_who_ran_it() {
    let two = Two::start(Duration::from_millis(300)).await;
    let id = two.ask(json!({"test_type": "quick"})).await;
    // It ends before its lease does, and nobody else knows.
    two.has_sent(&id, 24).await;
    two.wire.cut();
    let start = Instant::now();
    while waiting(&two.place, "json").is_empty() || start.elapsed() < Duration::from_secs(5) {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", two.first.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let listed = two.place.thrash_with(&[("DATABASE_URL", &two.url)], ["runs", "list", "--json"]).exits(0);
    assert!(listed.stdout.contains(&id) && waiting(&two.place, "json").is_empty(), "{}", listed.said());
    assert_eq!(two.chat.requests().len(), 0);

    two.wire.mend();
    assert_eq!(titles(&two.chat, 1).await, ["Critical\\: quick against a is broken"]);
    let run = two.first.run(&id).await;
    assert_eq!((&run["state"], &run["attempt"]), (&json!("finished"), &json!(1)), "{run}");
    assert_eq!((&run["conclusion"], &run["message"]), (&json!("gate_failed"), &Value::Null), "{run}");
    // Longer than the outbox is left alone.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(two.chat.requests().len(), 1);
}
