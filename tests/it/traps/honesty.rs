//! Answers that arrive whole and cannot be trusted.

use serde_json::json;
use thrash::demo::{Behaviour, Demo, DemoOptions};
use thrash::domain::{Level, NoAnswerReason, RunStatus, Verdict};
use thrash::target::preset;

use super::scripted::{
    ash_v5, ask, caches, connect, no_answer, options, phrases, run, run_options, target, target_with,
};
use crate::support::server::{Reply, Server};

fn preset_at(name: &str, server: &Server) -> thrash::target::Target {
    connect(preset(name).unwrap().with_base_url(&server.url()).unwrap(), options())
}

#[tokio::test]
async fn an_engine_error_behind_status_200_is_no_answer() {
    let mut v5 = ash_v5("safe", 0.0, "req_1");
    v5["recommended_action"] = json!("error");
    v5["models_used"] = json!([]);
    let mut v5_half = ash_v5("safe", 0.0, "req_1");
    v5_half["models_used"] = json!([]);
    let v3 = json!({"needs_response": false, "crisis_level": "none", "confidence_score": 0.0,
        "method": "error_clean_architecture"});
    let guide = json!({"level": "none", "error": "models are not loaded"});
    let vigil = json!({"risk_score": 0.0, "risk_label": "unknown", "confidence": 0.0});
    for (name, body) in
        [("ash-v5", v5), ("ash-v5", v5_half), ("ash-v3", v3), ("ash-guide", guide), ("ash-vigil", vigil)]
    {
        let server = Server::start(move |_| Reply::json(200, &body));
        let seen = ask(&preset_at(name, &server)).await;
        assert_eq!(no_answer(&seen).0, NoAnswerReason::FailOpen, "{name}");
        assert_eq!(server.requests().len(), 1, "{name}");
    }
}

#[tokio::test]
async fn a_run_of_engine_errors_is_never_a_run_of_nones() {
    let behaviour = Behaviour { fail_open_rate: "100%".parse().unwrap(), ..Behaviour::default() };
    let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
    let target = connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let (record, _) = run(target, phrases(30), run_options(10)).await;
    assert_eq!(record.status, RunStatus::Aborted);
    assert_eq!(record.metrics.accuracy.count, 0);
    assert_eq!(record.integrity.fail_open.len() as u64, record.metrics.phrases);
    assert!(record.results.iter().all(|result| result.verdict == Verdict::Unanswered));
}

#[tokio::test]
async fn an_engine_error_within_a_batch_is_no_answer_either() {
    for (share, unanswered) in [("0%", 0), ("100%", 6)] {
        let behaviour = Behaviour { fail_open_rate: share.parse().unwrap(), ..Behaviour::default() };
        let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
        let target = connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
        let mut run_options = run_options(20);
        run_options.batch = 3;
        let (record, _) = run(target, phrases(6), run_options).await;
        assert_eq!(record.metrics.verdicts.unanswered, unanswered);
        assert_eq!(record.integrity.fail_open.len() as u64, unanswered);
        assert_eq!(demo.requests().batch, 2);
    }
}

#[tokio::test]
async fn a_rule_that_cannot_tell_lets_nothing_through() {
    let mut odd = ash_v5("safe", 0.0, "req_1");
    odd["models_used"] = json!(null);
    let server = Server::start(move |_| Reply::json(200, &odd));
    let seen = ask(&preset_at("ash-v5", &server)).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::Malformed);
}

#[tokio::test]
async fn fields_that_contradict_each_other_are_listed() {
    let server = Server::start(|seen| {
        // By the phrase, for looks at a cache go on beside the phrases.
        let message = seen.json()["message"].as_str().unwrap().to_owned();
        let is_odd =
            ["1", "3", "5", "7", "9"].iter().any(|digit| message == format!("phrase number {digit}"));
        let score = if is_odd { 0.95 } else { 0.05 };
        Reply::json(200, &ash_v5("safe", score, &format!("req_{}", seen.number)))
    });
    let mut run_options = run_options(10);
    run_options.concurrency = 1;
    let (record, _) = run(preset_at("ash-v5", &server), phrases(10), run_options).await;
    assert_eq!(record.metrics.accuracy.count, 10, "the severity is what was asked for");
    assert_eq!(record.integrity.violations.len(), 5);
    assert!(
        record.integrity.violations.iter().all(|violation| violation.invariant == "severity_matches_score")
    );
}

#[tokio::test]
async fn an_invariant_that_cannot_be_evaluated_is_broken() {
    let server = Server::start(|_| Reply::json(200, &json!({"level": "low"})));
    let more =
        "invariants: [{name: has_reason, rule: size(body.reasons) > 0}, {name: level, rule: level == 'low'}]";
    let with_breaks = format!(
        "base_url: {}\nrequest: {{path: /a, body: '${{text}}'}}\nresponse: {{level: body.level}}\n{more}\n\
         examples: [{{reads: low, breaks: [has_reason], body: {{level: low}}}}]",
        server.url()
    );
    let target = connect(super::scripted::read(&with_breaks).unwrap(), options());
    assert_eq!(ask(&target).await.violations, ["has_reason"]);
}

#[tokio::test]
async fn an_answer_id_that_comes_again_is_an_answer_from_a_cache() {
    let phrases_seen = std::sync::atomic::AtomicUsize::new(0);
    let server = Server::start(move |seen| {
        // Two looks at a cache go on beside the phrases.
        let is_look = !seen.json()["message"].as_str().unwrap().starts_with("phrase");
        let id = if is_look {
            format!("look_{}", seen.number)
        } else {
            phrases_seen.fetch_add(1, std::sync::atomic::Ordering::SeqCst).min(4).to_string()
        };
        Reply::json(200, &ash_v5("safe", 0.0, &format!("req_{}{id}", "x".repeat(120))))
    });
    let mut run_options = run_options(8);
    run_options.concurrency = 1;
    let (record, _) = run(preset_at("ash-v5", &server), phrases(8), run_options).await;
    assert_eq!(record.integrity.target_caches, Some(false));
    assert_eq!(record.integrity.cached, 3, "the fifth id, and three times again");
}

#[tokio::test]
async fn a_header_may_say_that_an_answer_is_from_a_cache() {
    let server = Server::start(|seen| {
        let hit = if seen.number % 2 == 1 { "HIT" } else { "MISS" };
        let headers = [("X-Cache", hit), ("content-type", "application/json")];
        let headers = if seen.number < 6 { &headers[..] } else { &headers[1..] };
        Reply::answer(200, headers, r#"{"level": "none"}"#)
    });
    let target = target_with(&server, "cache: {hit: \"headers['x-cache'] == 'HIT'\"}");
    assert_eq!(caches(&target).await, Some(true));
    let cached: Vec<bool> =
        [ask(&target).await, ask(&target).await, ask(&target).await, ask(&target).await, ask(&target).await]
            .map(|seen| seen.cached)
            .to_vec();
    assert_eq!(cached, [false, true, false, true, false], "an answer without the header is a fresh one");
}

#[tokio::test]
async fn a_target_that_caches_is_seen_beside_the_run() {
    let behaviour = Behaviour { cache_seconds: Some(300), ..Behaviour::default() };
    let demo = Demo::start(DemoOptions { behaviour, ..DemoOptions::default() }).unwrap();
    let connected = || connect(preset("demo").unwrap().with_base_url(&demo.url()).unwrap(), options());
    let mut run_options = run_options(10);
    run_options.repeat = 2;
    let (record, _) = run(connected(), phrases(10), run_options.clone()).await;
    assert_eq!(record.integrity.target_caches, Some(true));
    assert_eq!(record.integrity.cached, 10, "the second pass measures the cache");

    let honest = Demo::start(DemoOptions::default()).unwrap();
    let target = connect(preset("demo").unwrap().with_base_url(&honest.url()).unwrap(), options());
    let (record, _) = run(target, phrases(10), run_options).await;
    assert_eq!((record.integrity.target_caches, record.integrity.cached), (Some(false), 0));
}

#[tokio::test]
async fn whether_a_silent_target_caches_is_not_known() {
    let server = Server::start(|_| Reply::answer(500, &[], ""));
    assert_eq!(caches(&target_with(&server, "cache: {answer_id: body.id}")).await, None);
    assert_eq!(server.requests().len(), 1, "one look that fails is enough");
    assert_eq!(caches(&target(&server)).await, None);
    assert_eq!(server.requests().len(), 1, "and without a sign of a cache none is needed");
}

#[tokio::test]
async fn a_word_of_ours_that_means_something_else_there_is_read_as_it_is_meant() {
    let server =
        Server::start(|_| Reply::json(200, &json!({"risk_label": "moderate_risk", "risk_score": 0.5})));
    assert_eq!(ask(&preset_at("ash-vigil", &server)).await.answer.level(), Some(Level::Medium));
}
