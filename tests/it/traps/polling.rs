//! Targets that accept now and decide later.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use thrash::domain::{Level, NoAnswerReason, Phase};
use thrash::target::preset;

use super::scripted::{
    ask, connect, contract_with, no_answer, options, phrases, run, run_options, target_with,
};
use crate::support::server::{Reply, Seen, Server};

const POLL: &str = "poll: {url: body.url, done: body.done, failed: has(body.failed) && body.failed, interval: 10ms, \
    deadline: 10s}";

/// A server that accepts every POST with this body, and gives the other requests to the script.
fn accepting(accepted: Value, script: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Server {
    Server::start(move |seen| if seen.method == "POST" { Reply::json(202, &accepted) } else { script(seen) })
}

fn done(level: &str) -> Reply {
    Reply::json(200, &json!({"done": true, "level": level}))
}

fn not_yet() -> Reply {
    Reply::json(200, &json!({"done": false}))
}

#[tokio::test]
async fn a_decision_is_asked_for_until_it_is_there() {
    let server =
        accepting(json!({"url": "/events/1"}), |seen| if seen.number < 4 { not_yet() } else { done("high") });
    let seen = ask(&target_with(&server, POLL)).await;
    assert_eq!(seen.answer.level(), Some(Level::High));
    let paths: Vec<String> =
        server.requests().into_iter().map(|seen| format!("{} {}", seen.method, seen.path)).collect();
    assert_eq!(paths[0], "POST /analyze");
    assert!(paths[1..].iter().all(|path| path == "GET /events/1"), "{paths:?}");
    assert_eq!((paths.len(), seen.attempts.len()), (5, 1), "asking again is no new attempt");
}

#[tokio::test]
async fn the_time_to_accept_and_the_time_to_decide_are_measured_apart() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.number) {
        ("POST", _) => Reply::json(202, &json!({"url": "/events/1"})).after(Duration::from_millis(30)),
        (_, 0..3) => not_yet().after(Duration::from_millis(60)),
        _ => done("none"),
    });
    let (record, _) = run(target_with(&server, POLL), phrases(1), run_options(1)).await;
    let attempt = &record.results[0].observations[0].attempts[0];
    let accepted = attempt.accepted_ms.unwrap();
    assert!(accepted >= 30.0 && attempt.latency_ms >= accepted + 120.0, "{attempt:?}");
    assert_eq!(record.accept_latency.unwrap().count, 1);
    assert!(record.latency.min_ms.unwrap() >= 150.0);
}

#[tokio::test]
async fn a_target_that_says_it_failed_has_failed() {
    let server = accepting(json!({"url": "/e"}), |_| {
        Reply::json(200, &json!({"done": true, "failed": true, "level": "none"}))
    });
    let seen = ask(&target_with(&server, POLL)).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::ServerError);
    assert_eq!(seen.attempts[0].phase, Some(Phase::Poll));
}

#[tokio::test]
async fn a_decision_that_never_comes_ends_at_the_deadline() {
    let still = Reply::silence();
    let missing = Reply::answer(404, &[], "");
    let busy = Reply::answer(429, &[("retry-after", "3600")], "");
    for reply in [not_yet(), still, missing, busy, Reply::default().then_reset()] {
        let text = format!("{reply:?}");
        let server = accepting(json!({"url": "/e"}), move |_| reply.clone());
        let start = Instant::now();
        let seen = ask(&target_with(&server, &POLL.replace("10s", "400ms"))).await;
        assert_eq!(
            no_answer(&seen),
            (NoAnswerReason::Timeout, "timed out after 400ms waiting for the decision"),
            "{text}"
        );
        assert_eq!(seen.attempts[0].phase, Some(Phase::Poll));
        assert!((0.4..3.0).contains(&start.elapsed().as_secs_f64()), "{text} {:?}", start.elapsed());
        assert!(seen.attempts[0].accepted_ms.is_some());
    }
}

#[tokio::test]
async fn no_target_is_too_late_that_was_not_asked() {
    // Two requests a second, and a decision within 200 ms: nothing may be sent until that is over.
    let mut options = options();
    options.rate = Some(2.0);
    for (reply, level) in [(done("high"), Some(Level::High)), (not_yet(), None)] {
        let server = accepting(json!({"url": "/e"}), move |_| reply.clone());
        let contract = contract_with(&server.url(), &POLL.replace("10s", "200ms"));
        let seen = ask(&connect(contract, options.clone())).await;
        assert_eq!(seen.answer.level(), level);
        assert_eq!(server.requests().len(), 2, "it is asked once more, and no oftener");
        if level.is_none() {
            assert_eq!(no_answer(&seen).0, NoAnswerReason::Timeout);
        }
    }
}

#[tokio::test]
async fn a_look_that_fails_on_the_way_is_repeated() {
    let server = accepting(json!({"url": "/e"}), |seen| match seen.number {
        1 => Reply::answer(404, &[], ""),
        2 => Reply::answer(500, &[], ""),
        3 => Reply::default().then_reset(),
        4 => Reply::silence(),
        _ => done("medium"),
    });
    let more = format!("{POLL}\nconnection: {{timeout: 2s}}");
    assert_eq!(ask(&target_with(&server, &more)).await.answer.level(), Some(Level::Medium));
}

#[tokio::test]
async fn a_decision_that_cannot_be_read_is_no_answer() {
    for reply in [
        Reply::answer(200, &[("content-type", "text/html")], "<p>none</p>"),
        Reply::answer(200, &[], "{\"done\": tr"),
        Reply::json(200, &json!({"level": "none"})),
        Reply::json(200, &json!({"done": "yes", "level": "none"})),
        Reply::json(200, &json!({"done": true})),
        Reply::json(200, &json!({"done": true, "level": "dunno"})),
        Reply::json(200, &json!({"done": true, "level": "none", "score": 7})),
    ] {
        let text = format!("{reply:?}");
        let server = accepting(json!({"url": "/e"}), move |_| reply.clone());
        assert_eq!(no_answer(&ask(&target_with(&server, POLL)).await).0, NoAnswerReason::Malformed, "{text}");
    }
    let server = accepting(json!({"url": "/e"}), |_| Reply::answer(403, &[], ""));
    assert_eq!(no_answer(&ask(&target_with(&server, POLL)).await).0, NoAnswerReason::Rejected);
}

#[tokio::test]
async fn an_acceptance_without_a_place_to_ask_is_no_answer() {
    for accepted in [json!({}), json!({"url": null}), json!({"url": 7}), json!([])] {
        let server = accepting(accepted, |_| done("none"));
        assert_eq!(no_answer(&ask(&target_with(&server, POLL)).await).0, NoAnswerReason::Malformed);
        assert_eq!(server.requests().len(), 1);
    }
}

#[tokio::test]
async fn an_answer_cannot_send_us_to_another_host() {
    let elsewhere = Server::start(|_| done("none"));
    for url in [
        elsewhere.url(),
        format!("{}/e", elsewhere.url().replace("127.0.0.1", "localhost")),
        format!("http://127.0.0.1@{}", elsewhere.url().trim_start_matches("http://")),
        "ftp://127.0.0.1/e".to_owned(),
        "http://[".to_owned(),
    ] {
        let server = accepting(json!({"url": url}), |_| done("none"));
        let seen = ask(&target_with(&server, POLL)).await;
        assert_eq!(no_answer(&seen).0, NoAnswerReason::Malformed);
        assert_eq!(server.requests().len(), 1);
    }
    // Without a scheme it is a path of the target's own.
    let host = elsewhere.url().trim_start_matches("http:").to_owned();
    let server = accepting(json!({"url": host}), |_| done("low"));
    assert_eq!(ask(&target_with(&server, POLL)).await.answer.level(), Some(Level::Low));
    assert!(elsewhere.all_requests().is_empty());
}

#[tokio::test]
async fn a_whole_url_of_the_target_itself_is_asked_with_its_password() {
    let server = Server::start(|seen| {
        if seen.method == "POST" {
            let url = format!("http://{}/e?x=1", seen.header("host").unwrap());
            Reply::json(202, &json!({"url": url}))
        } else {
            done("low")
        }
    });
    let url = server.url().replace("http://", "http://tester:pass%20word@");
    let target = connect(contract_with(&url, POLL), options());
    assert_eq!(ask(&target).await.answer.level(), Some(Level::Low));
    let requests = server.requests();
    assert_eq!(requests[1].path, "/e?x=1");
    assert!(requests[0].header("authorization").is_some_and(|value| value.starts_with("Basic ")));
    assert_eq!(requests[0].header("authorization"), requests[1].header("authorization"));
}

#[tokio::test]
async fn the_safety_system_is_asked_for_its_decision() {
    let server = Server::start(|seen| match (seen.method.as_str(), seen.number) {
        ("POST", _) => Reply::json(
            202,
            &json!({"event_id": "evt_1", "status": "queued", "processing_url": "/v1/events/evt_1/status"}),
        ),
        (_, 1) => Reply::json(200, &json!({"event_id": "evt_1", "status": "queued"})),
        _ => Reply::json(
            200,
            &json!({"status": "completed", "result": {"risk_level": "high", "risk_score": 0.8}}),
        ),
    });
    let contract = preset("safety-system").unwrap().with_base_url(&server.url()).unwrap();
    let target = thrash::target::Target::connect(contract, options(), &|name| {
        (name == "SAFETY_SYSTEM_API_KEY").then(|| "key-1".to_owned())
    })
    .unwrap();
    assert_eq!(ask(&target).await.answer.level(), Some(Level::High));
    let requests = server.requests();
    assert!(requests.iter().all(|seen| seen.header("x-api-key") == Some("key-1")));
    assert_eq!(requests[0].json()["content"], "the secret words");
    assert_eq!(requests[1].path, "/v1/events/evt_1/status");
}

#[tokio::test]
async fn an_answer_that_comes_at_once_needs_no_second_question() {
    let server = Server::start(|_| Reply::json(200, &json!({"level": "low"})));
    let seen = ask(&target_with(&server, POLL)).await;
    assert_eq!((seen.answer.level(), seen.attempts[0].accepted_ms), (Some(Level::Low), None));
}
