//! Two services on one PostgreSQL, and a wire to it that is cut.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::alone::{chat, titles};
use super::process::{Serve, plain_place};
use crate::store::place::{Place as _, PostgresPlace};
use crate::support::command::Place;
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
        let (target, chat) = (target(latency), chat());
        let database = PostgresPlace::fresh().await;
        let url = database.url();
        let (_, host) = url.rsplit_once('@').expect("a user");
        let host = host.split('/').next().expect("a host");
        let to: SocketAddr = host.to_socket_addrs().expect("an address").next().expect("an address");
        let wire = Relay::start(to);
        let place = plain_place(&format!(
            "run: {{concurrency: 1}}\nservice: {{lease: 4s}}\ntargets:\n  a: {{extends: ash-v5, base_url: '{0}'}}\n  \
             b: {{extends: ash-v5, base_url: '{0}'}}\ntarget: a\n",
            target.url()
        ));
        let through = url.replace(host, &wire.addr().to_string());
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
    let (start, spool) = (Instant::now(), two.place.data().join("spool"));
    let waits = || {
        std::fs::read_dir(&spool).is_ok_and(|mut files| {
            files.any(|file| {
                file.is_ok_and(|file| file.path().extension().is_some_and(|extension| extension == "json"))
            })
        })
    };
    while !waits() || start.elapsed() < Duration::from_secs(5) {
        assert!(start.elapsed() < Duration::from_mins(1), "{}", two.first.said());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let listed = two.place.thrash_with(&[("DATABASE_URL", &two.url)], ["runs", "list", "--json"]).exits(0);
    assert!(listed.stdout.contains(&id) && !waits(), "{}", listed.said());
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
