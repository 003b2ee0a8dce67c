//! What is tried again, how often, and when.

use std::time::{Duration, Instant};

use serde_json::json;
use thrash::domain::{Level, NoAnswerReason};
use tokio_util::sync::CancellationToken;

use super::scripted::{
    ask, calm, connect, contract_with, failures, level, no_answer, options, phrase, target,
};
use crate::support::server::{Reply, Server};

#[tokio::test]
async fn what_a_proxy_could_not_hand_on_is_tried_again_with_growing_waits() {
    for status in [502, 503, 504] {
        let server = Server::start(move |_| Reply::json(status, &json!({"level": "none"})));
        let seen = ask(&target(&server)).await;
        assert_eq!(failures(&seen), [Some(NoAnswerReason::ServerError); 3]);
        assert_eq!(no_answer(&seen).1, format!("HTTP {status}"));
        let requests = server.requests();
        let waits: Vec<Duration> = requests.windows(2).map(|two| two[1].at - two[0].at).collect();
        assert!(waits[0] >= Duration::from_millis(100), "{waits:?}");
        assert!(waits[1] >= Duration::from_millis(200), "{waits:?}");
    }
}

#[tokio::test]
async fn an_answer_after_a_failure_counts_and_the_failure_is_recorded() {
    let server =
        Server::start(|seen| if seen.number < 2 { Reply::answer(503, &[], "") } else { level("high") });
    let seen = ask(&target(&server)).await;
    assert_eq!(seen.answer.level(), Some(Level::High));
    assert_eq!(failures(&seen), [Some(NoAnswerReason::ServerError), Some(NoAnswerReason::ServerError), None]);
    assert_eq!(seen.attempts.iter().map(|a| a.status).collect::<Vec<_>>(), [Some(503), Some(503), Some(200)]);
    assert!(seen.latency_ms >= 300.0, "waits are part of the latency: {}", seen.latency_ms);
    assert!(seen.attempts[2].latency_ms < 300.0, "and no part of the attempt's");
}

#[tokio::test]
async fn what_the_target_itself_failed_at_is_not_tried_again() {
    for status in [400, 422, 500, 501] {
        let server = Server::start(move |_| Reply::answer(status, &[], ""));
        ask(&target(&server)).await;
        assert_eq!(server.requests().len(), 1, "{status}");
    }
}

#[tokio::test]
async fn a_503_that_names_its_wait_gets_it_within_bounds() {
    let server = Server::start(|seen| match seen.number {
        0 => Reply::answer(503, &[("retry-after", "1")], ""),
        _ => calm(),
    });
    ask(&target(&server)).await;
    let requests = server.requests();
    let wait = requests[1].at - requests[0].at;
    assert!((1.0..4.0).contains(&wait.as_secs_f64()), "{wait:?}");
}

#[tokio::test]
async fn a_stop_while_a_phrase_waits_for_its_next_attempt_leaves_it_open() {
    let server = Server::start(|_| Reply::answer(503, &[("retry-after", "5")], ""));
    let (target, stop) = (target(&server), CancellationToken::new());
    let open = phrase("p", "text");
    let phrases = [&open];
    let start = Instant::now();
    let asked = target.ask(&phrases, 0, tokio::time::Instant::now(), &stop, &|_| {});
    let stopping = async {
        while server.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let (asked, ()) = tokio::join!(asked, stopping);
    assert!(asked.is_none(), "it might have been answered: it is not unanswered");
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_stop_lets_a_phrase_on_its_way_arrive() {
    let server = Server::start(|_| level("high").after(Duration::from_millis(200)));
    let (target, stop) = (target(&server), CancellationToken::new());
    let one = phrase("p", "text");
    let phrases = [&one];
    let asked = target.ask(&phrases, 0, tokio::time::Instant::now(), &stop, &|_| {});
    let stopping = async {
        while server.requests().is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        stop.cancel();
    };
    let (asked, ()) = tokio::join!(asked, stopping);
    assert_eq!(asked.unwrap()[0].answer.level(), Some(Level::High));
}

#[tokio::test]
async fn a_stop_before_the_first_attempt_sends_nothing() {
    let server = Server::start(|_| calm());
    let (target, stop) = (target(&server), CancellationToken::new());
    stop.cancel();
    assert!(
        target.ask(&[&phrase("p", "text")], 0, tokio::time::Instant::now(), &stop, &|_| {}).await.is_none()
    );
    assert_eq!(server.connections(), 0);
}

#[tokio::test]
async fn retries_are_the_callers_to_choose() {
    for retries in [0, 1] {
        let server = Server::start(|_| Reply::answer(502, &[], ""));
        let mut options = options();
        options.retries = retries;
        ask(&connect(contract_with(&server.url(), ""), options)).await;
        assert_eq!(server.requests().len(), 1 + retries as usize);
    }
}
