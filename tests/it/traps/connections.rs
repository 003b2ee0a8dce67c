//! Connections that are refused, broken, stale, or lead elsewhere.

use std::net::TcpListener;
use std::time::Duration;

use thrash::domain::{Level, NoAnswerReason, Phase};
use thrash::target::HealthError;

use super::scripted::{
    ask, ask_for, calm, connect, contract_with, failures, level, no_answer, options, phrases, run,
    run_options, target, target_with,
};
use crate::support::server::{Reply, Server};

/// A loopback address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

#[tokio::test]
async fn a_refused_connection_is_tried_again_and_every_attempt_is_recorded() {
    for retries in [0, 2] {
        let mut options = options();
        options.retries = retries;
        let seen = ask(&connect(contract_with(&nobody(), ""), options)).await;
        let (reason, detail) = no_answer(&seen);
        assert_eq!(reason, NoAnswerReason::Unreachable);
        assert!(detail.contains("refused"), "{detail}");
        assert_eq!(seen.attempts.len(), 1 + retries as usize);
        assert!(seen.attempts.iter().all(|attempt| attempt.phase == Some(Phase::Connect)));
        let ended = seen.attempts.last().map(|last| last.started_ms + last.latency_ms).unwrap();
        assert!((seen.started_ms + seen.latency_ms - ended).abs() < 1e-6, "waits are part of the latency");
    }
}

#[tokio::test]
async fn a_host_that_does_not_exist_is_unreachable() {
    let mut options = options();
    options.retries = 0;
    let seen = ask(&connect(contract_with("http://no-such-host.invalid:1", ""), options)).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::Unreachable);
}

#[tokio::test]
async fn a_connection_that_breaks_within_the_answer_is_not_tried_again() {
    let half = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 17\r\n\r\n{\"level\"";
    for end in [Reply::then_reset, Reply::then_close] {
        let reply = end(Reply::raw(half).then_wait(Duration::from_millis(20)));
        let server = Server::start(move |_| reply.clone());
        let seen = ask(&target(&server)).await;
        assert_eq!(no_answer(&seen).0, NoAnswerReason::ConnectionLost);
        assert_eq!(seen.attempts[0].phase, Some(Phase::Body));
        assert_eq!(server.requests().len(), 1, "the phrase may have been processed");
    }
}

#[tokio::test]
async fn a_connection_that_closes_without_a_byte_is_tried_once_more_and_no_more() {
    let server = Server::start(|_| Reply::default().then_reset());
    let seen = ask(&target(&server)).await;
    assert_eq!(failures(&seen), [Some(NoAnswerReason::ConnectionLost); 2]);
    assert_eq!(server.requests().len(), 2);

    let server = Server::start(|seen| if seen.number == 0 { Reply::default().then_close() } else { calm() });
    let seen = ask(&target(&server)).await;
    assert_eq!(failures(&seen), [Some(NoAnswerReason::ConnectionLost), None]);
    assert_eq!(seen.answer.level(), Some(Level::None));

    let server = Server::start(|_| Reply::default().then_close());
    let mut careful = options();
    careful.retries = 0;
    ask(&connect(contract_with(&server.url(), ""), careful)).await;
    assert_eq!(server.requests().len(), 1, "`retries: 0` sends nothing twice");
}

#[tokio::test]
async fn an_event_that_may_have_been_accepted_is_never_sent_twice() {
    let server = Server::start(|_| Reply::default().then_reset());
    let poll = "poll: {url: body.url, done: body.done, interval: 10ms, deadline: 1s}";
    let seen = ask(&target_with(&server, poll)).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::ConnectionLost);
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_target_that_closes_every_connection_after_its_answer_costs_no_answer() {
    // Without `connection: close`: the client believes that it can use the connection again.
    let server = Server::start(|_| calm().then_close());
    let (record, _) = run(target(&server), phrases(100), run_options(100)).await;
    assert_eq!(record.metrics.unanswered_rate.count, 0, "{:?}", record.integrity.no_answer);
    assert_eq!(record.metrics.phrases, 100);
}

#[tokio::test]
async fn a_connection_that_idled_is_not_used_again() {
    // A service that closes what idles for two seconds, at the very moment when the next phrase comes.
    let server = Server::start(|_| calm());
    let target = target(&server);
    ask(&target).await;
    ask(&target).await;
    assert_eq!(server.connections(), 1, "a busy one is");
    tokio::time::sleep(Duration::from_millis(1_300)).await;
    ask(&target).await;
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn an_address_of_ipv6_is_reached() {
    let server = Server::start_on("[::1]:0", |_| calm());
    let target = target(&server);
    assert!(target.look().await.is_ok());
    assert_eq!(ask(&target).await.answer.level(), Some(Level::None));
    assert_eq!(target.contract().shown_url(), format!("http://[::1]:{}", server.port()));
}

#[tokio::test]
async fn a_base_url_with_a_path_keeps_it() {
    let server = Server::start(|_| calm());
    let target = connect(contract_with(&format!("{}/behind/a/proxy/", server.url()), ""), options());
    ask(&target).await;
    assert_eq!(server.requests()[0].path, "/behind/a/proxy/analyze");
}

#[tokio::test]
async fn a_proxy_is_used_where_it_is_configured() {
    let proxy =
        Server::start(
            |seen| {
                if seen.path == "http://target.invalid:99/analyze" { level("medium") } else { calm() }
            },
        );
    let more = format!("connection: {{timeout: 1s, proxy: '{}'}}", proxy.url());
    let target = connect(contract_with("http://target.invalid:99", &more), options());
    assert_eq!(ask(&target).await.answer.level(), Some(Level::Medium));
}

#[tokio::test]
async fn a_proxy_that_is_dead_makes_the_target_unreachable() {
    let more = format!("connection: {{timeout: 1s, proxy: '{}'}}", nobody());
    let mut options = options();
    options.retries = 0;
    let server = Server::start(|_| calm());
    let seen = ask(&connect(contract_with(&server.url(), &more), options)).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::Unreachable);
    assert!(server.requests().is_empty(), "the phrase did not go around the proxy");
}

#[tokio::test]
async fn a_look_tells_dead_unwell_and_well_apart() {
    let dead = connect(contract_with(&nobody(), ""), options()).look().await.unwrap_err();
    assert!(matches!(dead, HealthError::Unreachable { reason: NoAnswerReason::Unreachable, .. }), "{dead}");

    for status in [301, 404, 500, 503] {
        let server = Server::start_with_health(move |_| Reply::answer(status, &[], ""));
        let unwell = target(&server).look().await.unwrap_err();
        assert!(matches!(unwell, HealthError::Unhealthy { .. }), "{unwell}");
        assert!(unwell.to_string().contains(&format!("/health answered HTTP {status}")), "{unwell}");
    }

    let server = Server::start(|_| calm());
    let with_version = "health: {path: /health, healthy: body.status == 'ok', version: body.version}";
    let health = target_with(&server, with_version).look().await.unwrap();
    assert_eq!(health.version.as_deref(), Some("7.1"));
    let unwell =
        target_with(&server, "health: {path: /health, healthy: body.status == 'ready'}").look().await;
    assert!(matches!(unwell, Err(HealthError::Unhealthy { .. })));
    let no_rule = target_with(&server, "health: {path: /health, healthy: body.ready}").look().await;
    assert!(
        matches!(no_rule, Err(HealthError::Unhealthy { .. })),
        "a rule that cannot tell is not fulfilled"
    );
}

#[tokio::test]
async fn a_version_cannot_move_the_cursor_of_a_terminal() {
    let server =
        Server::start_with_health(|_| Reply::json(200, &serde_json::json!({"v": "1\u{1b}[2J\u{7}.2\n"})));
    let health = target_with(&server, "health: {path: /health, version: body.v}").look().await.unwrap();
    assert_eq!(health.version.as_deref(), Some("1[2J.2"));
}

#[tokio::test]
async fn an_answer_without_an_end_of_its_own_is_read_to_the_end_of_the_connection() {
    let seen = ask_for(
        Reply::raw("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n{\"level\": \"low\"}")
            .then_close(),
    );
    assert_eq!(seen.await.answer.level(), Some(Level::Low));
}
