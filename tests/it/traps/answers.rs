//! Bytes that are no answer.

use std::time::{Duration, Instant};

use serde_json::json;
use thrash::domain::{Level, NoAnswerReason, Phase};

use super::scripted::{ask, ask_for, failures, no_answer, target, target_with};
use crate::support::server::{Reply, Server};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

async fn malformed(reply: Reply) -> String {
    let seen = ask_for(reply).await;
    let (reason, detail) = no_answer(&seen);
    assert_eq!(reason, NoAnswerReason::Malformed);
    assert_eq!(failures(&seen), [Some(NoAnswerReason::Malformed)], "an answer is not asked for again");
    assert_eq!(seen.attempts[0].status, Some(200));
    detail.to_owned()
}

#[tokio::test]
async fn a_plain_answer_is_read() {
    let seen = ask_for(Reply::json(200, &json!({"level": "high", "score": 0.75, "confidence": 1}))).await;
    let prediction = seen.answer.prediction().expect("an answer");
    assert_eq!(
        (prediction.level, prediction.score, prediction.confidence),
        (Level::High, Some(0.75), Some(1.0))
    );
    assert_eq!(failures(&seen), [None]);
}

#[tokio::test]
async fn an_html_error_page_with_status_200_is_no_answer() {
    let page = "<!DOCTYPE html><title>none</title><h1>Service unavailable</h1>";
    let html = |kind| Reply::answer(200, &[("content-type", kind)], page);
    assert_eq!(
        malformed(html("text/html; charset=utf-8")).await,
        "the answer says it is `text/html`, not JSON"
    );
    assert_eq!(malformed(html("application/json")).await, "the answer is not JSON (line 1, column 1)");
    assert_eq!(malformed(Reply::answer(200, &[], page)).await, "the answer is not JSON (line 1, column 1)");
}

#[tokio::test]
async fn json_under_another_content_type_is_no_answer_unless_the_contract_allows_it() {
    let reply = Reply::answer(200, &[("content-type", "text/plain")], r#"{"level": "low"}"#);
    assert_eq!(malformed(reply.clone()).await, "the answer says it is `text/plain`, not JSON");
    let server = Server::start(move |_| reply.clone());
    let lenient = super::scripted::read(&format!(
        "base_url: {}\nrequest: {{path: /a, body: '${{text}}'}}\nresponse: {{level: body.level, any_content_type: true}}\n\
         examples: [{{reads: low, body: {{level: low}}}}]",
        server.url()
    ));
    let target = super::scripted::connect(lenient.unwrap(), super::scripted::options());
    assert_eq!(ask(&target).await.answer.level(), Some(Level::Low));
}

#[tokio::test]
async fn json_that_is_cut_within_its_length_is_no_answer() {
    for cut in [r#"{"level": "no"#, r#"{"level": "none""#, "{", r#"{"level":"#] {
        let detail = malformed(Reply::answer(200, JSON, cut)).await;
        assert!(detail.starts_with("the JSON ends too early"), "{cut}: {detail}");
    }
}

#[tokio::test]
async fn json_that_is_shorter_than_its_length_is_a_lost_connection_even_if_it_could_be_read() {
    let body = r#"{"level": "none"}"#;
    let cut = Reply::raw(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 90\r\n\r\n{body}"
    ));
    let seen = ask_for(cut.then_close()).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::ConnectionLost);
    assert_eq!((seen.attempts.len(), seen.attempts[0].phase), (1, Some(Phase::Body)));

    let cut = Reply::raw(format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n{:x}\r\n{body}\r\n",
        body.len()
    ));
    let seen = ask_for(cut.then_close()).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::ConnectionLost, "the last chunk is missing");
}

#[tokio::test]
async fn more_than_one_json_value_is_no_answer() {
    malformed(Reply::answer(200, JSON, r#"{"level": "none"}{"level": "high"}"#)).await;
}

#[tokio::test]
async fn an_empty_answer_is_no_answer() {
    assert_eq!(malformed(Reply::answer(200, JSON, " \r\n ")).await, "the answer is empty");
    assert_eq!(malformed(Reply::answer(200, JSON, "")).await, "the answer is empty");
}

#[tokio::test]
async fn bytes_that_are_no_utf_8_are_no_answer() {
    let latin = [br#"{"level": "none", "note": ""#.as_slice(), &[0xe9, 0xff], br#""}"#].concat();
    assert_eq!(malformed(Reply::answer(200, JSON, latin)).await, "the answer is not UTF-8");
}

#[tokio::test]
async fn a_word_that_is_no_level_is_no_answer() {
    for (word, shown) in
        [("severe", "`severe`"), ("None", "`None`"), ("", "``"), (" none", "(a text of 5 characters)")]
    {
        let detail = malformed(Reply::json(200, &json!({"level": word}))).await;
        assert_eq!(detail, format!("the level {shown} is not known to the contract"));
    }
    assert_eq!(malformed(Reply::json(200, &json!({"level": 3}))).await, "`body.level` is no text");
    assert_eq!(malformed(Reply::json(200, &json!({"level": null}))).await, "the answer has no `body.level`");
    assert_eq!(malformed(Reply::json(200, &json!({"lvl": "none"}))).await, "the answer has no `body.level`");
    malformed(Reply::json(200, &json!(["none"]))).await;
    malformed(Reply::json(200, &json!("none"))).await;
}

#[tokio::test]
async fn a_level_that_repeats_the_phrase_is_not_repeated_by_us() {
    let detail = malformed(Reply::json(200, &json!({"level": "the secret words"}))).await;
    assert_eq!(detail, "the level (a text of 16 characters) is not known to the contract");
}

#[tokio::test]
async fn numbers_that_are_no_share_are_no_answer() {
    for number in [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e999",
        "\"NaN\"",
        "\"0.5\"",
        "1.0000001",
        "-0.01",
        "95",
        "true",
        "[0.5]",
    ] {
        for field in ["score", "confidence"] {
            let body = format!(r#"{{"level": "none", "{field}": {number}}}"#);
            malformed(Reply::answer(200, JSON, body)).await;
        }
    }
}

#[tokio::test]
async fn an_answer_of_fifty_megabytes_is_dropped_at_the_cap() {
    let body = vec![b' '; 50 << 20];
    let server =
        Server::start(move |_| Reply::answer(200, JSON, &body).then(br#"{"level": "none"}"#.as_slice()));
    let seen = ask(&target(&server)).await;
    assert_eq!(no_answer(&seen), (NoAnswerReason::TooLarge, "the answer is larger than 1048576 bytes"));
    assert_eq!(seen.attempts.len(), 1);
    // What left the server beyond the cap fits into the buffers of two sockets.
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(server.bytes_sent() < 20 << 20, "{} bytes were taken", server.bytes_sent());
}

#[tokio::test]
async fn the_cap_is_the_contracts() {
    let body = |length: usize| format!("{{\"level\": \"none\"{}}}", " ".repeat(length - 17));
    for (length, fits) in [(100, true), (101, false)] {
        let reply = Reply::answer(200, JSON, body(length));
        let server = Server::start(move |_| reply.clone());
        let seen = ask(&target_with(&server, "connection: {timeout: 1s, max_body: 100}")).await;
        assert_eq!(seen.answer.level().is_some(), fits, "{length}");
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_ends_at_the_deadline() {
    let chunked = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n";
    let drip = Reply::raw(chunked).then_for_ever("1\r\n \r\n", Duration::from_millis(20));
    let server = Server::start(move |_| drip.clone());
    let start = Instant::now();
    let seen = ask(&target_with(&server, "connection: {timeout: 300ms}")).await;
    assert_eq!(no_answer(&seen), (NoAnswerReason::Timeout, "timed out after 300ms reading the answer"));
    assert_eq!((seen.attempts.len(), seen.attempts[0].phase), (1, Some(Phase::Body)));
    assert!((0.3..5.0).contains(&start.elapsed().as_secs_f64()), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_redirect_is_never_followed() {
    let server =
        Server::start(|seen| Reply::answer(302, &[("location", "/analyze/there")], seen.path.clone()));
    for status in [301, 302, 303, 307, 308] {
        let here = server.url();
        let to = format!("{here}/analyze");
        let hop = Server::start(move |_| Reply::answer(status, &[("location", to.as_str())], ""));
        let seen = ask(&target(&hop)).await;
        assert_eq!(no_answer(&seen).0, NoAnswerReason::Redirected);
        assert_eq!(hop.requests().len(), 1);
    }
    assert!(server.all_requests().is_empty());
}

#[tokio::test]
async fn every_other_status_is_no_answer_either() {
    let body = json!({"level": "none", "score": 0.0});
    for (status, reason) in [
        (201, NoAnswerReason::UnexpectedStatus),
        (204, NoAnswerReason::UnexpectedStatus),
        (400, NoAnswerReason::Rejected),
        (401, NoAnswerReason::Rejected),
        (422, NoAnswerReason::Rejected),
        (500, NoAnswerReason::ServerError),
        (599, NoAnswerReason::ServerError),
    ] {
        let reply = if status == 204 {
            Reply::raw("HTTP/1.1 204 No Content\r\n\r\n")
        } else {
            Reply::json(status, &body)
        };
        let seen = ask_for(reply).await;
        assert_eq!(no_answer(&seen), (reason, format!("HTTP {status}").as_str()));
        assert_eq!(seen.attempts.len(), 1, "{status}");
    }
}

#[tokio::test]
async fn an_answer_that_is_no_http_is_no_answer() {
    let seen = ask_for(Reply::raw("SSH-2.0-OpenSSH_9.6\r\n").then_close()).await;
    assert_eq!(no_answer(&seen).0, NoAnswerReason::ConnectionLost);
}

#[tokio::test]
async fn an_answer_that_says_two_things_of_one_key_is_no_answer() {
    let contradiction =
        "the answer contradicts itself: a key stands twice, with different values (line 1, column";
    for body in [
        r#"{"level": "high", "level": "none"}"#,
        r#"{"level": "none", "score": 0.1, "level": "critical"}"#,
        r#"{"level": "high", "more": [{"deep": {"a": 1, "a": 2}}]}"#,
        r#"{"level": "high", "leve\u006c": "none"}"#,
    ] {
        let detail = malformed(Reply::answer(200, JSON, body)).await;
        assert!(detail.starts_with(contradiction), "{body}: {detail}");
    }
    // The same thing twice is clumsy, and clear.
    let twice =
        ask_for(Reply::answer(200, JSON, r#"{"level": "high", "level": "high", "a": {"a": 1}}"#)).await;
    assert_eq!(twice.answer.level(), Some(Level::High));
}
