//! What must never be seen: keys, passwords, and the phrases themselves.

use serde_json::json;
use thrash::target::Target;

use super::scripted::{ask, calm, contract_with, options, phrases, read, run, run_options};
use crate::support::server::{Reply, Server};

const SECRETS: [&str; 5] = ["hunter2", "sesame", "Bearer-in-text", "proxy-pw", "query-key"];

fn contract(url: &str, proxy: &str) -> String {
    let url = url.replace("http://", "http://tester:hunter2@");
    format!(
        r#"
base_url: "{url}/?k=query-key"
health: {{path: "/health?k=query-key", healthy: status == 200}}
request:
  path: /analyze?k=query-key
  headers: {{Authorization: "Bearer-in-text", X-Key: {{env: KEY}}}}
  body: {{message: "${{text}}"}}
response: {{level: body.level, score: body.score}}
connection: {{timeout: 1s{proxy}}}
examples: [{{reads: low, body: {{level: low}}}}]
"#
    )
}

fn connect(yaml: &str) -> Target {
    Target::connect(read(yaml).unwrap(), options(), &|_| Some("sesame".to_owned())).unwrap()
}

fn assert_clean(text: &str) {
    for secret in SECRETS {
        assert!(!text.contains(secret), "`{secret}` is in: {text}");
    }
}

#[tokio::test]
async fn a_secret_is_sent_and_never_shown() {
    let server = Server::start_with_health(|seen| match seen.path.as_str() {
        path if path.starts_with("/health") && seen.number == 0 => Reply::answer(503, &[], ""),
        path if path.starts_with("/health") => calm(),
        _ => Reply::answer(200, &[("content-type", "text/html")], "sesame hunter2"),
    });
    let target = connect(&contract(&server.url(), ""));
    assert_clean(&format!("{target:?} {:#?}", target.contract()));
    let unwell = target.look().await.unwrap_err();
    assert_clean(&format!("{unwell} {unwell:?}"));
    assert!(target.look().await.is_ok());
    assert_clean(&target.contract().shown_url());
    let (record, told) = run(target, phrases(3), run_options(3)).await;
    assert_clean(&format!("{} {told:?}", serde_json::to_string(&record).unwrap()));
    for seen in server.all_requests() {
        assert_eq!(seen.header("x-key"), Some("sesame"));
        assert_eq!(seen.header("authorization"), Some("Bearer-in-text"));
        assert!(seen.path.ends_with("?k=query-key"), "{}", seen.path);
    }
}

#[tokio::test]
async fn a_dead_target_and_a_dead_proxy_are_told_without_their_passwords() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    for proxy in [String::new(), format!(", proxy: 'http://p:proxy-pw@{dead}'")] {
        let target = connect(&contract(&format!("http://{dead}"), &proxy));
        assert_clean(&format!("{target:?}"));
        let error = target.look().await.unwrap_err();
        assert_clean(&format!("{error} {error:?}"));
        assert_clean(&format!("{:?}", ask(&target).await));
    }
    let yaml = contract("http://127.0.0.1:1", ", proxy: 'proxy-pw://[nonsense'");
    let connection = read(&yaml).unwrap().connection.clone();
    assert_clean(&format!("{connection:?}"));
    let error = Target::connect(read(&yaml).unwrap(), options(), &|_| Some("sesame".to_owned())).unwrap_err();
    assert_clean(&format!("{error} {error:?}"));
}

#[test]
fn what_is_wrong_with_a_contract_is_told_without_its_secrets() {
    for yaml in [
        contract("http://127.0.0.1:99999", ""),
        contract("ftp://127.0.0.1", "").replace("ftp://", "ftp://tester:hunter2@"),
        contract("http://127.0.0.1", "").replace("Bearer-in-text", "Bearer-in-text é"),
        contract("http://127.0.0.1", "").replace("Bearer-in-text", "Bearer-in-text ${text}"),
        contract("http://127.0.0.1", "").replace("env: KEY", "envy: KEY, x: sesame"),
        contract("http://127.0.0.1", ", proxy: ['proxy-pw']"),
        contract("http://127.0.0.1", "").replace("base_url:", "base_url: [hunter2]\nx:"),
    ] {
        let Err(error) = read(&yaml) else { panic!("this contract is wrong: {yaml}") };
        assert_clean(&error.to_string());
    }
    for url in
        ["http://tester:hunter2@:99999", "nohttp://tester:hunter2@host", "tester:hunter2@host", "http://"]
    {
        let error = contract_with("http://127.0.0.1:1", "").with_base_url(url).unwrap_err();
        assert_clean(&error);
    }
}

#[tokio::test]
async fn no_failure_repeats_the_phrase() {
    // Every field of the answer is the phrase.
    const TEXT: &str = "the secret words";
    let echoes = [
        json!({"level": TEXT}),
        json!({"level": "low", "score": TEXT}),
        json!({"level": "low", "score": {TEXT: TEXT}}),
        json!({"level": [TEXT]}),
        json!({"level": "low", "failed": TEXT}),
        json!({TEXT: TEXT}),
        json!({"level": "low", "key": TEXT}),
        json!(TEXT),
        json!({"level": "low", "score": 0.5, "name": TEXT}),
    ];
    for echo in echoes {
        let server = Server::start(move |_| Reply::json(200, &echo));
        let yaml = format!(
            r#"
base_url: {}
request: {{path: /a, body: "${{text}}"}}
response:
  level: body.level
  score: "has(body.name) ? body[body.name] : has(body.score) ? body.score * 1.0 : 0.5"
  confidence: "has(body.name) ? body.name + 1 : 0.5"
  fail_open: "(has(body.failed) && (body.failed ? true : false)) || (has(body.key) && body[body.key] == 1)"
examples: [{{reads: low, body: {{level: low}}}}]
"#,
            server.url()
        );
        let target = Target::connect(read(&yaml).unwrap(), options(), &|_| None).unwrap();
        let seen = ask(&target).await;
        assert!(seen.answer.level().is_none(), "{seen:?}");
        assert!(!format!("{seen:?}").contains("secret"), "{seen:?}");
    }
    for reply in [
        Reply::answer(200, &[], TEXT),
        Reply::answer(200, &[("content-type", "application/json")], format!("{{\"level\": \"{TEXT}")),
        Reply::raw(format!("{TEXT}\r\n\r\n")).then_close(),
        Reply::raw(format!("HTTP/1.1 200 {TEXT}\r\n{TEXT}\r\n\r\n")).then_close(),
        Reply::answer(302, &[("location", TEXT)], TEXT),
        Reply::answer(500, &[("retry-after", TEXT)], TEXT),
    ] {
        let seen = super::scripted::ask_for(reply).await;
        assert!(!format!("{seen:?}").contains("secret"), "{seen:?}");
    }
}
