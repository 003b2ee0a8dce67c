//! Load runs through the front door, against servers that remember what they saw.

mod baseline;
mod batch;
mod compare;
mod connections;
mod content;
mod format;
mod kubernetes;
mod live;
mod open;
mod overrides;
mod own_limits;
mod polled;
mod rails;
mod search;
mod senders;
mod slow_database;
mod standstill;
mod users;
mod wire;
mod workers;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::command::{Ended, Place};
use crate::support::server::{Reply, Seen, Server};

/// A target with nothing around it: the level, and a score that nothing is made of.
const TARGET: &str = r#"
targets:
  plain:
    base_url: http://127.0.0.1:1
    connection: {timeout: 5s}
    health: {path: /health}
    request: {path: /analyze, body: {message: "${text}", id: "${id}", nonce: "${nonce}"}}
    response: {level: body.level}
    examples: [{reads: low, body: {level: low}}]
"#;

/// Two harmless phrases and two desperate ones.
const CALM: &str = "category: calm\nexpected: [none]\nphrases:\n  - {id: calm-1, text: Good morning}\n  - {id: calm-2, text: Nice weather}\n";
const DESPERATE: &str = "category: desperate\nexpected: [high]\nphrases:\n  - {id: high-1, text: I cannot go on}\n  - {id: high-2, text: It hurts so much}\n";

/// A folder with the target, the phrases, and a scenario of these lines.
fn place(scenario: &str) -> Place {
    let place = Place::new();
    place.file("thrash.yaml", TARGET);
    place.file("words/calm.yaml", CALM);
    place.file("words/desperate.yaml", DESPERATE);
    place.file("s.yaml", format!("title: A test\nphrases: {{suite: words}}\n{scenario}"));
    place
}

fn run(place: &Place, server: &Server, more: &[&str]) -> Ended {
    let url = server.url();
    let args = ["load", "s.yaml", "--target", "plain", "--url", &url];
    place.thrash(args.iter().chain(more))
}

/// The right answer to a phrase.
fn right(seen: &Seen) -> Reply {
    let level =
        if seen.json()["id"].as_str().is_some_and(|id| id.starts_with("high")) { "high" } else { "none" };
    Reply::json(200, &json!({ "level": level }))
}

fn record(place: &Place) -> Value {
    place.latest()
}

/// The newest record of a store that this environment names.
fn record_of(place: &Place, environment: &[(&str, &str)]) -> Value {
    let shown = place.thrash_with(environment, ["report", "latest", "--json", "-"]).exits(0);
    serde_json::from_str(&shown.stdout).expect("a record")
}

fn counts(record: &Value) -> &Value {
    &record["load"]["counts"]
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

fn wait_for_requests(server: &Server, count: usize) {
    let start = Instant::now();
    while server.requests().len() < count {
        assert!(start.elapsed() < Duration::from_mins(1), "{} requests", server.requests().len());
        std::thread::sleep(ms(20));
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
