//! Nothing waits without a deadline.

use std::time::{Duration, Instant};

use thrash::domain::{NoAnswerReason, Phase};
use thrash::target::HealthError;

use super::scripted::{ask, calm, no_answer, target_with};
use crate::support::server::{Reply, Server};

#[tokio::test]
async fn a_header_that_comes_too_late_ends_at_its_own_deadline() {
    let server = Server::start(|_| calm().after(Duration::from_secs(5)));
    let start = Instant::now();
    let seen = ask(&target_with(&server, "connection: {timeout: 10s, headers_timeout: 200ms}")).await;
    assert_eq!(no_answer(&seen), (NoAnswerReason::Timeout, "timed out after 200ms waiting for the answer"));
    assert_eq!((seen.attempts.len(), seen.attempts[0].phase), (1, Some(Phase::Headers)));
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_header_that_drips_ends_at_the_deadline() {
    let drip = Reply::raw("HTTP/1.1 200 OK\r\n").then_for_ever("x-more: 1\r\n", Duration::from_millis(20));
    let server = Server::start(move |_| drip.clone());
    let seen = ask(&target_with(&server, "connection: {timeout: 300ms}")).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::Timeout);
}

#[tokio::test]
async fn a_slow_answer_within_the_deadline_counts() {
    let server = Server::start(|_| calm().after(Duration::from_millis(150)));
    let seen = ask(&target_with(&server, "connection: {timeout: 20s, headers_timeout: 10s}")).await;
    assert!(seen.answer.level().is_some());
    assert!(seen.latency_ms >= 150.0, "{}", seen.latency_ms);
}

#[tokio::test]
async fn a_phrase_that_timed_out_is_not_sent_again() {
    let server = Server::start(|_| Reply::silence());
    let seen = ask(&target_with(&server, "connection: {timeout: 100ms}")).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::Timeout);
    assert_eq!(seen.attempts.len(), 1);
    assert!(server.requests().len() <= 1);
}

#[tokio::test]
async fn a_look_at_a_target_that_accepts_and_never_answers_ends_within_five_seconds() {
    let server = Server::start_with_health(|_| Reply::silence());
    let start = Instant::now();
    let error = target_with(&server, "connection: {timeout: 60s}").look().await.unwrap_err();
    assert!(matches!(error, HealthError::Unreachable { reason: NoAnswerReason::Timeout, .. }), "{error}");
    // Four and a little; a machine may be busy.
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}
