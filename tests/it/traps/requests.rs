//! What a target is sent.

use serde_json::json;
use thrash::suite::Suite;
use thrash::target::{Target, preset};

use super::scripted::{
    ask_all, caches, calm, connect, contract_with, options, phrase, phrases, read, suite, target,
};
use crate::support::server::Server;

#[tokio::test]
async fn every_request_says_that_it_is_a_test() {
    let server = Server::start(|seen| {
        if seen.method == "POST" {
            crate::support::server::Reply::json(202, &json!({"url": "/e"}))
        } else {
            crate::support::server::Reply::json(200, &json!({"done": true, "level": "low"}))
        }
    });
    let more =
        "cache: {answer_id: body.id}\npoll: {url: body.url, done: body.done, interval: 5ms, deadline: 1s}";
    let target = connect(contract_with(&server.url(), more), options());
    target.look().await.unwrap();
    caches(&target).await;
    ask_all(&target, &[&phrase("p", "text")]).await;
    let requests = server.all_requests();
    assert!(requests.len() >= 7, "a look, two looks at a cache and a phrase, each with its decision");
    for seen in requests {
        assert_eq!(seen.header("x-thrash-run"), Some("20261120-120000-abcdef"), "{}", seen.path);
        let agent = seen.header("user-agent").unwrap();
        assert!(agent.starts_with("thrash/") && agent.contains("synthetic test traffic"), "{agent}");
    }
}

#[tokio::test]
async fn a_text_arrives_exactly_as_it_was_written() {
    let long: String = "öß🥀x".chars().cycle().take(100_000).collect();
    let texts = [
        "plain",
        "\"quotes\" 'and' `ticks` \\ / </script>",
        "line\nline\r\n\ttab \u{8}\u{c}\0\u{1f}\u{7f}",
        "🥀 👩‍👩‍👧 e\u{301} \u{feff}\u{200d}\u{200b}",
        "أريد \u{202e}reversed\u{202c} עברית",
        "${text} ${history} ${nonce} ${{}}",
        "{\"level\": \"none\"}",
        "\u{fffd}\u{ffff}\u{10ffff}",
        "   ",
        long.as_str(),
    ];
    let server = Server::start(|_| calm());
    let target = target(&server);
    for text in texts {
        ask_all(&target, &[&phrase("p", text)]).await;
    }
    let requests = server.requests();
    assert_eq!(requests.len(), texts.len());
    for (seen, text) in requests.iter().zip(texts) {
        assert_eq!(seen.json()["message"], text);
        assert_eq!(seen.header("content-type"), Some("application/json"));
    }
}

#[tokio::test]
async fn places_are_filled_wherever_they_stand() {
    let server = Server::start(|_| calm());
    let contract = read(&format!(
        r#"
base_url: {}
request:
  path: /analyze
  headers: {{X-Case: "case ${{id}} of ${{run}}", X-Fixed: "yes"}}
  body: {{a: ["${{text}}!", {{b: "${{id}}/${{run}}"}}], nonce: "${{nonce}}", when: "${{timestamp}}", c: [1, null, 0.5, true]}}
response: {{level: body.level}}
examples: [{{reads: low, body: {{level: low}}}}]
"#,
        server.url()
    ));
    let target = connect(contract.unwrap(), options());
    ask_all(&target, &[&phrase("p1", "hello")]).await;
    ask_all(&target, &[&phrase("p2", "hello")]).await;
    let requests = server.requests();
    let body = requests[0].json();
    assert_eq!(body["a"], json!(["hello!", {"b": "p1/20261120-120000-abcdef"}]));
    assert_eq!(body["c"], json!([1, null, 0.5, true]));
    assert_ne!(body["nonce"], requests[1].json()["nonce"], "no two requests are the same");
    assert!(chrono::DateTime::parse_from_rfc3339(body["when"].as_str().unwrap()).is_ok());
    assert_eq!(requests[0].header("x-case"), Some("case p1 of 20261120-120000-abcdef"));
    assert_eq!(requests[0].header("x-fixed"), Some("yes"));
}

#[tokio::test]
async fn earlier_messages_are_sent_as_the_contract_writes_them() {
    let server = Server::start(|_| {
        crate::support::server::Reply::json(200, &super::scripted::ash_v5("safe", 0.0, "r"))
    });
    let target = connect(preset("ash-v5").unwrap().with_base_url(&server.url()).unwrap(), options());
    let mut with_history = phrase("p", "now");
    with_history.history = vec!["first \"one\"".to_owned(), "${text}".to_owned()];
    ask_all(&target, &[&with_history]).await;
    ask_all(&target, &[&phrase("q", "alone")]).await;
    let requests = server.requests();
    let history = &requests[0].json()["message_history"];
    assert_eq!(history[0]["message"], "first \"one\"");
    assert_eq!(history[1]["message"], "${text}");
    assert!(history[0]["timestamp"].is_string());
    assert_eq!(requests[0].json()["message"], "now");
    assert_eq!(requests[1].json()["message_history"], json!([]));
}

#[test]
fn phrases_that_need_earlier_messages_are_left_out_and_counted_where_none_can_be_sent() {
    assert!(preset("ash-v5").unwrap().sends_history());
    assert!(!preset("ash-vigil").unwrap().sends_history());
    let mut some = phrases(5);
    some[1].history = vec!["earlier".to_owned()];
    some[4].history = vec!["earlier".to_owned()];
    let left: Suite = suite(some).without_history().unwrap();
    assert_eq!(left.phrases.iter().map(|phrase| phrase.id.as_str()).collect::<Vec<_>>(), ["p0", "p2", "p3"]);
    assert_eq!((left.record.selected, left.record.left_out), (5, 2));
    let mut all = phrases(1);
    all[0].history = vec!["earlier".to_owned()];
    assert!(suite(all).without_history().is_err(), "a run of nothing is no run");
}

#[test]
fn a_header_from_the_environment_must_be_there_unless_it_is_optional() {
    let contract = |optional| {
        read(&format!(
            "base_url: http://127.0.0.1:1\nrequest: {{path: /a, body: '${{text}}', headers: {{X-Key: {{env: THE_KEY, \
             optional: {optional}}}}}}}\nresponse: {{level: body.level}}\nexamples: [{{reads: low, body: {{level: low}}}}]"
        ))
        .unwrap()
    };
    let connect = |optional, value: Option<&'static str>| {
        Target::connect(contract(optional), options(), &move |name| {
            assert_eq!(name, "THE_KEY");
            value.map(str::to_owned)
        })
    };
    assert!(connect(true, None).is_ok());
    assert!(connect(false, Some("k")).is_ok());
    let missing = connect(false, None).unwrap_err().to_string();
    assert_eq!(missing, "target `scripted` needs the environment variable `THE_KEY` for the header `x-key`");
    let bad = connect(false, Some("sesame\nopen")).unwrap_err().to_string();
    assert_eq!(bad, "the environment variable `THE_KEY` of target `scripted` does not hold a header value");
}
