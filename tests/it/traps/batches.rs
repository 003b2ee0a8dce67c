//! Many phrases in one request.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use thrash::demo::{Demo, DemoOptions};
use thrash::domain::{Level, NoAnswerReason, Observation, RunStatus};
use thrash::target::{Target, preset};

use super::scripted::{
    ask_all, connect, contract_with, no_answer, options, phrase, phrases, run, run_options, target_with,
};
use crate::support::server::{Reply, Server};

const ORDERED: &str = "batch: {path: /many, max: 10, body: {all: '${items}'}, answers: body.results}";
const BY_ID: &str = "batch: {path: /many, max: 10, body: {all: '${items}'}, \
    item: {id: '${id}', text: '${text}'}, answers: body.results, answer_id: body.id}";

const BY_INDEX: &str =
    "batch: {path: /many, max: 10, body: {all: '${items}'}, answers: body.results, answer_index: body.at}";

async fn asked(target: &Target, count: usize) -> Vec<Observation> {
    let phrases = phrases(count);
    ask_all(target, &phrases.iter().collect::<Vec<_>>()).await
}

async fn answered(contract: &str, count: usize, results: Value) -> Vec<Observation> {
    let server = Server::start(move |_| Reply::json(200, &json!({"results": results})));
    asked(&target_with(&server, contract), count).await
}

fn levels(seen: &[Observation]) -> Vec<Option<Level>> {
    seen.iter().map(|seen| seen.answer.level()).collect()
}

#[tokio::test]
async fn phrases_go_out_in_order_and_answers_are_read_in_order() {
    let server =
        Server::start(|_| Reply::json(200, &json!({"results": [{"level": "low"}, {"level": "high"}]})));
    let seen = asked(&target_with(&server, ORDERED), 2).await;
    assert_eq!(levels(&seen), [Some(Level::Low), Some(Level::High)]);
    let request = &server.requests()[0];
    assert_eq!(
        (request.path.as_str(), request.json()),
        ("/many", json!({"all": ["phrase number 0", "phrase number 1"]}))
    );
}

#[tokio::test]
async fn a_dropped_message_shifts_nothing() {
    // A service that drops blank messages answers fewer, and nobody knows which.
    for results in [json!([{"level": "low"}, {"level": "low"}]), json!([]), json!([1, 2, 3, 4])] {
        let seen = answered(ORDERED, 3, results.clone()).await;
        let sent = format!("3 phrases were sent and {} answers came back", results.as_array().unwrap().len());
        assert!(seen.iter().all(|seen| no_answer(seen) == (NoAnswerReason::Malformed, sent.as_str())));
    }
}

#[tokio::test]
async fn answers_are_found_by_id_whatever_their_order() {
    let results = json!([{"id": "p2", "level": "high"}, {"id": "p0", "level": "none"}, {"id": "other", "level": "low"},
        {"id": "p1", "level": "medium"}]);
    let seen = answered(BY_ID, 3, results).await;
    assert_eq!(levels(&seen), [Some(Level::None), Some(Level::Medium), Some(Level::High)]);
}

#[tokio::test]
async fn answers_are_found_by_their_index_and_a_wrong_one_costs_its_phrase() {
    let results =
        json!([{"at": 2, "level": "high"}, {"at": 0, "level": "none"}, {"at": 1, "level": "medium"}]);
    let seen = answered(BY_INDEX, 3, results).await;
    assert_eq!(levels(&seen), [Some(Level::None), Some(Level::Medium), Some(Level::High)]);

    let results = json!([{"at": 0, "level": "none"}, {"at": 0, "level": "high"}, {"at": 2, "level": "low"}]);
    let seen = answered(BY_INDEX, 3, results).await;
    assert_eq!(levels(&seen), [None, None, Some(Level::Low)]);

    // One was dropped and the rest moved up: no index says which.
    let results = json!([{"at": 0, "level": "none"}, {"at": 1, "level": "high"}]);
    assert_eq!(levels(&answered(BY_INDEX, 3, results).await), [None, None, None]);
}

#[tokio::test]
async fn an_id_that_is_missing_or_there_twice_costs_its_own_phrase_only() {
    let results = json!([{"id": "p0", "level": "none"}, {"id": "p2", "level": "high"}, {"id": "p2", "level": "none"},
        {"level": "low"}, {"id": 1, "level": "low"}]);
    let seen = answered(BY_ID, 3, results).await;
    assert_eq!(levels(&seen), [Some(Level::None), None, None]);
    assert_eq!(no_answer(&seen[1]).1, "the batch answer leaves this phrase out");
    assert_eq!(no_answer(&seen[2]).1, "the batch answer has this phrase more than once");
    let failed: Vec<bool> = seen.iter().map(|seen| seen.attempts[0].failure.is_some()).collect();
    assert_eq!(failed, [false, true, true], "each phrase has a fate of its own");
}

#[tokio::test]
async fn one_bad_answer_costs_one_phrase() {
    let seen = answered(
        ORDERED,
        3,
        json!([{"level": "low"}, {"level": "dunno"}, {"failed": true, "level": "none"}]),
    )
    .await;
    assert_eq!(levels(&seen), [Some(Level::Low), None, None]);
    assert_eq!(no_answer(&seen[1]).0, NoAnswerReason::Malformed);
    assert_eq!(no_answer(&seen[2]).0, NoAnswerReason::FailOpen);
}

#[tokio::test]
async fn a_batch_that_fails_as_a_whole_leaves_all_of_it_unanswered() {
    for (reply, reason) in [
        (Reply::answer(413, &[], ""), NoAnswerReason::Rejected),
        (Reply::answer(500, &[], ""), NoAnswerReason::ServerError),
        (Reply::json(200, &json!({"answers": []})), NoAnswerReason::Malformed),
        (Reply::json(200, &json!({"results": {"p0": {"level": "none"}}})), NoAnswerReason::Malformed),
        (Reply::answer(200, &[("content-type", "text/html")], "<p>"), NoAnswerReason::Malformed),
    ] {
        let server = Server::start(move |_| reply.clone());
        let seen = asked(&target_with(&server, BY_ID), 3).await;
        assert!(seen.iter().all(|seen| no_answer(seen).0 == reason));
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn a_phrase_alone_goes_to_the_endpoint_for_one() {
    let server = Server::start(|_| super::scripted::calm());
    asked(&target_with(&server, BY_ID), 1).await;
    assert_eq!(server.requests()[0].path, "/analyze");
}

#[tokio::test]
async fn many_phrases_without_a_batch_endpoint_are_not_sent() {
    let server = Server::start(|_| super::scripted::calm());
    let seen = asked(&target_with(&server, ""), 2).await;
    assert!(seen.iter().all(|seen| no_answer(seen).1 == "the contract has no batch endpoint"));
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn a_run_in_batches_answers_every_phrase_and_no_fresh_answer_looks_cached() {
    let demo = Demo::start(DemoOptions::default()).unwrap();
    let target = connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let mut run_options = run_options(20);
    run_options.batch = 7;
    let (record, _) = run(target, phrases(23), run_options).await;
    assert_eq!(record.status, RunStatus::Completed);
    assert_eq!(record.metrics.unanswered_rate.count, 0, "{:?}", record.integrity);
    assert_eq!(record.integrity.cached, 0);
    assert_eq!(demo.requests().batch, 4);
}

#[tokio::test]
async fn a_phrase_whose_earlier_messages_a_batch_would_lose_goes_alone() {
    let server = Server::start(|seen| {
        let body: Value = seen.json();
        match body["all"].as_array() {
            Some(all) => Reply::json(200, &json!({"results": vec![json!({"level": "none"}); all.len()]})),
            None => super::scripted::level("low"),
        }
    });
    let contract = contract_with(&server.url(), ORDERED);
    assert!(!contract.batch_sends_history());
    let mut some = phrases(9);
    for index in [2, 5] {
        some[index].history = vec!["earlier".to_owned()];
    }
    let mut run_options = run_options(9);
    run_options.batch = 4;
    let (record, _) = run(connect(contract, options()), some, run_options).await;
    let alone: Vec<&str> = record
        .results
        .iter()
        .filter(|result| result.level == Some(Level::Low))
        .map(|result| result.id.as_str())
        .collect();
    assert_eq!(alone, ["p2", "p5"]);
    let mut paths: BTreeMap<String, usize> = BTreeMap::new();
    for seen in server.requests() {
        *paths.entry(seen.path).or_default() += 1;
    }
    assert_eq!(paths, BTreeMap::from([("/analyze".to_owned(), 2), ("/many".to_owned(), 2)]));
}

#[tokio::test]
async fn one_lost_batch_is_not_yet_a_dead_target() {
    let server = Server::start(|seen| {
        let count = seen.json()["all"].as_array().map_or(1, Vec::len);
        if seen.number == 0 {
            Reply::answer(500, &[], "")
        } else {
            Reply::json(200, &json!({"results": vec![json!({"level": "none"}); count]}))
        }
    });
    let mut run_options = run_options(5);
    (run_options.batch, run_options.concurrency) = (10, 1);
    let (record, _) = run(target_with(&server, ORDERED), phrases(30), run_options).await;
    assert_eq!((record.status, record.metrics.verdicts.unanswered), (RunStatus::Completed, 10));
}

#[tokio::test]
async fn a_batch_carries_texts_that_are_hard_to_write() {
    let server =
        Server::start(|_| Reply::json(200, &json!({"results": [{"level": "none"}, {"level": "none"}]})));
    let odd = [phrase("a", "\"${items}\" \\ \n"), phrase("b", "${text} 🥀")];
    ask_all(&target_with(&server, ORDERED), &odd.iter().collect::<Vec<_>>()).await;
    assert_eq!(server.requests()[0].json(), json!({"all": [odd[0].text, odd[1].text]}));
}
