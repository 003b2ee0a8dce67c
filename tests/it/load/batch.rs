//! Requests that hold several phrases.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{counts, ms, place, record, run};
use crate::cli::schemas::{accepts, schema};
use crate::support::command::Place;
use crate::support::server::{Reply, Seen, Server};

/// A place whose target takes four phrases at once, and finds their answers so.
fn batched(scenario: &str, answers: &str) -> Place {
    let place = place(scenario);
    place.file("thrash.yaml", target(answers));
    place
}

/// The target, with a batch endpoint that finds its answers so.
pub(super) fn target(answers: &str) -> String {
    let batch = "batch: {path: /many, max: 4, body: {all: '${items}', nonce: '${nonce}'}, item: {id: '${id}', \
                 text: '${text}'}, answers: body.results";
    super::TARGET.replace("response:", &format!("{batch}{answers}}}\n    response:"))
}

pub(super) const BY_ID: &str = ", answer_id: body.id";

/// The ids of a batch.
fn ids(seen: &Seen) -> Vec<String> {
    assert_eq!(seen.path, "/many");
    let body = seen.json();
    let all = body["all"].as_array().expect("a batch").iter();
    all.map(|item| item["id"].as_str().expect("an id").to_owned()).collect()
}

fn right_for(id: &str) -> Value {
    json!({"id": id, "level": if id.starts_with("high") { "high" } else { "none" }})
}

/// The right answer to each phrase.
pub(super) fn right_to_all(seen: &Seen) -> Reply {
    let results: Vec<Value> = ids(seen).iter().map(|id| right_for(id)).collect();
    Reply::json(200, &json!({"results": results}))
}

fn count(record: &Value, pointer: &str) -> u64 {
    let counts = counts(record);
    counts.pointer(pointer).and_then(Value::as_u64).unwrap_or_else(|| panic!("no {pointer} in {counts}"))
}

#[test]
fn requests_hold_batches_and_the_answer_to_each_phrase_is_judged() {
    let server = Server::start(right_to_all);
    let place = batched(
        "batch: 2\nmodel: arrivals\nrate: 20/s\nduration: 1s\nidle_pass: true\nmax_rate: 100/s\ngates: [error_rate <= 1%, accuracy >= 99%]\n",
        BY_ID,
    );
    let shown =
        run(&place, &server, &["--html", "page.html", "--markdown", "m.md", "--csv", "seconds.csv"]).exits(0);
    let seen = server.requests();
    assert_eq!(seen.len(), 2 + 20, "the four phrases when idle, and twenty requests");
    let mut sent: BTreeMap<String, usize> = BTreeMap::new();
    for ids in seen.iter().map(ids) {
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 2, "{ids:?}");
        for id in ids {
            *sent.entry(id).or_default() += 1;
        }
    }
    assert_eq!(sent.into_values().collect::<Vec<_>>(), [11; 4]);
    let nonces: BTreeSet<String> = seen.iter().map(|seen| seen.json()["nonce"].to_string()).collect();
    assert_eq!(nonces.len(), seen.len());

    // Requests and phrases apart: rates and times are of requests, right and wrong of phrases.
    let record = record(&place);
    accepts(&schema("record"), &record, "the record");
    assert_eq!((&record["load"]["scenario"]["batch"], &record["options"]["batch"]), (&json!(2), &json!(2)));
    for (pointer, expected) in
        [("/intended", 20), ("/started", 20), ("/answered", 20), ("/phrases/answered", 40), ("/right", 40)]
    {
        assert_eq!(count(&record, pointer), expected, "{pointer}");
    }
    assert_eq!((&record["latency"]["count"], &record["metrics"]["phrases"]), (&json!(20), &json!(40)));
    assert_eq!(record["load"]["steps"][0]["accuracy"]["of"], 40);
    assert!((record["load"]["steps"][0]["rate"].as_f64().unwrap() - 20.0).abs() < 0.1);
    // Before the load every phrase was asked once, and is held against itself.
    assert_eq!(record["load"]["idle"]["accuracy"]["of"], 4);
    assert_eq!(record["load"]["steps"][0]["lost"]["of"], 40);

    assert!(shown.stdout.contains("2 phrases each: 40 of 40 answered"), "{}", shown.stdout);
    assert!(shown.stdout.contains("40.0/s"), "{}", shown.stdout);
    let read = |name: &str| std::fs::read_to_string(place.path().join(name)).unwrap();
    assert!(read("page.html").contains("Phrases without an answer"));
    assert!(read("m.md").contains("Requests held 2 phrases each: 40 of 40 answered"), "{}", read("m.md"));
    let mut table = csv::Reader::from_path(place.path().join("seconds.csv")).unwrap();
    let head = table.headers().unwrap().clone();
    let place_of = |name: &str| head.iter().position(|column| column == name).unwrap();
    let columns = ["started", "answered", "phrases_answered", "phrases_unanswered"].map(place_of);
    let mut sums = [0; 4];
    for row in table.records().map(|row| row.unwrap()) {
        columns.iter().zip(&mut sums).for_each(|(column, sum)| *sum += row[*column].parse::<u64>().unwrap());
    }
    assert_eq!(sums, [20, 20, 40, 0]);
}

#[test]
fn users_send_batches_too() {
    let server = Server::start(|seen| right_to_all(seen).after(ms(20)));
    let place = batched(
        "batch: 3\nmodel: users\nusers: 2\nduration: 1s\ngates: [error_rate <= 1%, accuracy >= 99%]\n",
        BY_ID,
    );
    run(&place, &server, &[]).exits(0);
    let record = record(&place);
    let requests = server.requests().len() as u64;
    assert!(requests > 20, "{requests} requests");
    assert_eq!(count(&record, "/answered"), requests);
    assert_eq!((count(&record, "/phrases/answered"), count(&record, "/right")), (3 * requests, 3 * requests));
    assert!(server.requests().iter().all(|seen| ids(seen).into_iter().collect::<BTreeSet<_>>().len() == 3));
}

#[test]
fn what_cannot_be_told_of_a_batch_is_no_answer_and_nothing_else_is() {
    let server = Server::start(|seen| {
        let mut results: Vec<Value> = ids(seen).iter().map(|id| right_for(id)).collect();
        match seen.number % 4 {
            0 => return Reply::json(500, &json!({})),
            // The answer to one phrase is missing.
            1 => results.retain(|result| result["id"] != "high-2"),
            // They come in another order.
            2 => results.reverse(),
            _ => {}
        }
        Reply::json(200, &json!({"results": results}))
    });
    let lines = "batch: 4\nmodel: arrivals\nrate: 12/s\nduration: 1s\nabort_when: {error_rate: 100%, unhealthy: false}\ngates: [error_rate <= 1%, accuracy >= 99%]\n";
    let place = batched(lines, BY_ID);
    let shown = run(&place, &server, &[]).exits(1);
    let found = record(&place);
    assert_eq!(count(&found, "/answered"), 9);
    assert_eq!(counts(&found)["no_answer"], json!({"server_error": 3}));
    assert_eq!(count(&found, "/phrases/answered"), 4 * 9 - 3);
    assert_eq!(counts(&found)["phrases"]["no_answer"], json!({"server_error": 12, "malformed": 3}));
    assert_eq!(count(&found, "/right"), 4 * 9 - 3, "in whatever order they come");
    let unanswered = &found["metrics"]["unanswered_rate"];
    assert_eq!((&unanswered["count"], &unanswered["of"]), (&json!(15), &json!(48)));
    // The phrases of a request fail together: there are no more independent cases than requests.
    assert_eq!(unanswered["effective"], 12.0);
    assert!(found["metrics"]["accuracy"]["effective"].as_f64().unwrap() <= 12.0);
    let checks = found["verdict"]["checks"].as_array().expect("checks");
    let accuracy = checks.iter().find(|check| check["metric"] == "accuracy").expect("the gate");
    let reason = accuracy["reason"].as_str().expect("a reason");
    assert!(reason.contains("; 48 phrases worth ") && !reason.contains("families"), "{reason}");
    assert_eq!(found["latency"]["count"], 9, "a refusal is in no percentile");
    assert!(shown.stdout.contains("15 phrases went unanswered"), "{}", shown.stdout);

    // By their order alone nobody can tell which one is missing.
    let server = Server::start(|seen| {
        let mut results: Vec<Value> = ids(seen).iter().map(|id| right_for(id)).collect();
        results.truncate(4 - seen.number % 2);
        Reply::json(200, &json!({"results": results}))
    });
    let place = batched(lines, "");
    run(&place, &server, &[]).exits(1);
    let found = record(&place);
    assert_eq!(counts(&found)["no_answer"], json!({"malformed": 6}));
    assert_eq!(counts(&found)["phrases"], json!({"answered": 24, "no_answer": {"malformed": 24}}));
    assert_eq!(count(&found, "/right"), 24);
}

#[test]
fn one_batch_that_fails_is_one_request_and_no_reason_to_end_a_run() {
    let server =
        Server::start(|seen| if seen.number < 3 { Reply::json(500, &json!({})) } else { right_to_all(seen) });
    let place =
        batched("batch: 4\nmodel: arrivals\nrate: 20/s\nduration: 1s\ngates: [error_rate <= 50%]\n", BY_ID);
    run(&place, &server, &[]).exits(0);
    assert_eq!(server.requests().len(), 20);

    let server = Server::start(|_| Reply::json(500, &json!({})));
    place.file("s.yaml", "title: x\nphrases: {suite: words}\nbatch: 4\nmodel: arrivals\nrate: 20/s\nduration: 20s\ngates: [error_rate <= 50%]\n");
    run(&place, &server, &[]).exits(3);
    let seen = &record(&place)["load"]["abort"]["seen"];
    assert!(seen.as_str().unwrap().ends_with("phrases have no answer"), "{seen}");
    assert!(server.requests().len() < 40, "{} requests", server.requests().len());
}

#[test]
fn a_batch_that_the_target_does_not_take_is_refused_at_its_place() {
    let server = Server::start(right_to_all);
    let lines = "target: plain\nmodel: arrivals\nrate: 5/s\nduration: 1s\ngates: [error_rate <= 1%]\n";
    let refused = |place: &Place, words: &[&str]| {
        place.thrash(["scenarios", "check", "s.yaml"]).exits(2).complains(words);
        run(place, &server, &[]).exits(2).complains(words);
    };
    refused(&place(&format!("batch: 2\n{lines}")), &["s.yaml:3:8", "`plain` has no batch endpoint"]);
    let large = batched(&format!("batch: 5\n{lines}"), BY_ID);
    refused(&large, &["s.yaml:3:8", "at most 4 phrases", "`batch: 4` or less"]);
    refused(&batched(&format!("batch: 0\n{lines}"), BY_ID), &["s.yaml:3:8", "1 to 10000 phrases"]);

    let few = batched(&format!("batch: 3\n{lines}"), BY_ID);
    few.file(
        "s.yaml",
        format!("title: x\nphrases: {{suite: words, weights: {{calm: 0}}}}\nbatch: 3\n{lines}"),
    );
    refused(&few, &["holds 3 different phrases, and there are 2"]);
    few.file("s.yaml", format!("title: x\nbody: {{a: 1}}\nbatch: 2\n{lines}"));
    few.thrash(["scenarios", "check", "s.yaml"])
        .exits(2)
        .complains(&["s.yaml:3:8", "`batch` has no meaning"]);
    assert!(server.all_requests().is_empty());
}

#[test]
fn the_shipped_batches_run_against_the_embedded_demo() {
    let place = Place::new();
    let shown = place.thrash(["load", "batches", "--scale-time", "0.2"]).exits(0);
    for word in ["PASSED", "16 phrases each", "160.0/s"] {
        assert!(shown.stdout.contains(word), "no `{word}` in\n{}", shown.stdout);
    }
    assert!(shown.stdout.lines().all(|line| line.chars().count() <= 80), "{}", shown.stdout);
    assert_eq!(counts(&record(&place))["phrases"]["no_answer"], json!({}));
}
