//! Who may ask, from where, and what is written down of it.

use reqwest::Method;
use reqwest::header::{HOST, ORIGIN};
use serde_json::json;

use super::process::{Serve, quick_place};
use crate::support::command::{Ended, Place};

const KEY: &str = "0123456789abcdef0123456789abcdef";

#[test]
fn without_a_key_it_listens_on_this_machine_alone() {
    let place = Place::new();
    for address in ["0.0.0.0:0", "[::]:0"] {
        let refused = Serve::refused(&place, &[], &["--listen", address]).exits(2);
        refused.complains(&["anybody there could start runs", "INTERNAL_API_KEY"]);
    }
    let off = [("INTERNAL_API_KEY", KEY), ("ENABLE_API_AUTHENTICATION", "false")];
    Serve::refused(&place, &off, &["--listen", "0.0.0.0:0"]).exits(2).complains(&["anybody"]);
    let none = [("ENABLE_API_AUTHENTICATION", "true")];
    Serve::refused(&place, &none, &["--listen", "127.0.0.1:0"]).exits(2).complains(&["there is none"]);
    let short = [("INTERNAL_API_KEY", "short")];
    let refused = Serve::refused(&place, &short, &["--listen", "127.0.0.1:0"]).exits(2);
    assert!(!refused.complains(&["fewer than 16"]).said().contains("`short`"));
    let blanks = [("INTERNAL_API_KEY", "a key with blanks in it")];
    let refused = Serve::refused(&place, &blanks, &["--listen", "127.0.0.1:0"]).exits(2);
    assert!(!refused.complains(&["blanks", "--hash-key"]).said().contains("a key with"));
    // Quotes that a reader of environment files kept are no part of it.
    let quoted = [("INTERNAL_API_KEY", "\"0123456789abcde\"")];
    Serve::refused(&place, &quoted, &["--listen", "127.0.0.1:0"]).exits(2).complains(&["fewer than 16"]);
    // systemd fills in nothing.
    let unfilled = [("INTERNAL_API_KEY", "${INTERNAL_API_KEY}")];
    let refused = Serve::refused(&place, &unfilled, &["--listen", "127.0.0.1:0"]).exits(2);
    refused.complains(&["the name of a variable"]);
    let guessed = place.shell("printf no | \"$THRASH\" serve --hash-key").exits(2);
    guessed.complains(&["fewer than 16 characters"]);
    let no_store = Serve::refused(&place, &[("DATABASE_URL", "none")], &["--listen", "127.0.0.1:0"]);
    no_store.exits(2).complains(&["needs a store"]);
}

#[test]
fn an_address_that_is_taken_is_named() {
    let place = Place::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    Serve::refused(&place, &[], &["--listen", &address]).exits(2).complains(&["cannot listen on", &address]);
}

#[tokio::test]
async fn the_operators_names_in_the_environment_hold() {
    let place = quick_place("");
    let environment = [
        ("INTERNAL_API_KEY", KEY),
        ("API_KEY_HEADER", "X-Ash-Key"),
        ("ENABLE_API_AUTHENTICATION", "true"),
        ("ENABLE_RATE_LIMITING", "true"),
        ("RATE_LIMIT_WINDOW", "900000"),
        ("RATE_LIMIT_MAX", "3"),
        ("THRASH_LISTEN", "0.0.0.0:0"),
    ];
    let serve = Serve::start_with(&place, &environment, &[]);
    let runs = |header: &'static str, value: String| {
        serve.send(serve.request(Method::GET, "/api/test/runs").header(header, value))
    };
    runs("X-API-Key", KEY.to_owned()).await.problem(401);
    for remaining in ["2", "1"] {
        let reply = runs("X-Ash-Key", KEY.to_owned()).await.is(200);
        assert_eq!((reply.header("ratelimit-limit"), reply.header("ratelimit-remaining")), ("3", remaining));
    }
    runs("Authorization", format!("bearer {KEY}")).await.is(200);
    let reply = runs("X-Ash-Key", KEY.to_owned()).await;
    let wait: u64 = reply.header("retry-after").parse().unwrap();
    assert!((1..=900).contains(&wait), "{wait}");
    assert_eq!(reply.header("ratelimit-reset"), reply.header("retry-after"));
    assert!(reply.problem(429).contains("more than 3 requests"));
    // Whoever watches is not held up.
    for _ in 0..5 {
        serve.get("/health").await.is(200);
    }
    assert!(!serve.said().contains(KEY));
}

#[tokio::test]
async fn a_key_does_what_its_scopes_say() {
    let place = Place::new();
    let made = place.thrash(["serve", "--hash-key"]).exits(0).stdout;
    let word = |name: &str| {
        let line = made.lines().find(|line| line.starts_with(name)).expect("a line");
        line.split_whitespace().nth(1).expect("a word").to_owned()
    };
    let hashed =
        place.shell(&format!("printf %s {} | \"$THRASH\" serve --hash-key", word("key"))).exits(0).stdout;
    assert_eq!(hashed.trim(), word("hash"), "the same key has the same hash");
    let hash = |key: &str| {
        let ended: Ended = place.shell(&format!("printf %s {key} | \"$THRASH\" serve --hash-key"));
        ended.exits(0).stdout.trim().to_owned()
    };
    let place = quick_place(&format!(
        "service:\n  keys:\n    - {{name: look, hash: '{}', scopes: [read]}}\n    - {{name: ci, hash: '{}', scopes: [run]}}\n    \
         - {{name: ops, hash: '{}', scopes: [read, admin]}}\n",
        hash("look-look-look-look"),
        hash("ci-ci-ci-ci-ci-ci-ci"),
        word("hash"),
    ));
    let serve = Serve::start(&place, &[]);
    let with = |key: &str, method: Method, path: &str, body: serde_json::Value| {
        serve.send(serve.request(method, path).header("X-API-Key", key).json(&body))
    };
    let quick = json!({"test_type": "quick"});
    for key in ["", "nope", "look-look-look-looK", &hash("look-look-look-look")] {
        with(key, Method::GET, "/api/test/runs", json!({})).await.problem(401);
    }
    let nobody = serve.get("/api/test/runs").await;
    assert_eq!(nobody.header("www-authenticate"), "Bearer");
    assert_eq!(nobody.problem(401), "this needs a key");
    with("look-look-look-look", Method::GET, "/api/test/runs", json!({})).await.is(200);
    let refused =
        with("look-look-look-look", Method::POST, "/api/test/run", quick.clone()).await.problem(403);
    assert!(refused.contains("`run`") && refused.contains("`look`"), "{refused}");
    let run = with("ci-ci-ci-ci-ci-ci-ci", Method::POST, "/api/test/run", quick).await.is(202).json();
    assert_eq!(run["requester"], "api:ci");
    let id = run["id"].as_str().unwrap();
    let baseline = format!("/api/test/baselines/{id}");
    with("ci-ci-ci-ci-ci-ci-ci", Method::PUT, &baseline, json!({})).await.problem(403);
    let ops = serve.with_key(&word("key"));
    ops.over(id).await;
    ops.send(ops.request(Method::PUT, &baseline).json(&json!({"note": "good"}))).await.is(200);
    let log = ops.said();
    assert!(log.contains("api:ci") && log.contains(&format!("made run {id} the baseline")), "{log}");
    assert!(log.contains("api:ops") && !log.contains(&word("key")), "{log}");
    // Details of what is wrong are for those with a key.
    assert_eq!(
        ops.get("/ready").await.is(200).json()["target"]["detail"].as_str().map(|d| d.starts_with("demo")),
        Some(true)
    );
}

#[tokio::test]
async fn no_page_of_somebody_else_gets_anything() {
    let place = quick_place("");
    let serve = Serve::start(&place, &[]);
    let port = serve.address().port();
    let ask = |host: String| serve.send(serve.request(Method::GET, "/api/test/runs").header(HOST, host));
    for host in
        ["evil.example".to_owned(), format!("evil.example:{port}"), "127.0.0.1.evil.example".to_owned()]
    {
        assert!(ask(host).await.problem(421).contains("evil.example"));
    }
    for host in
        ["localhost".to_owned(), format!("LOCALHOST:{port}"), format!("[::1]:{port}"), "127.0.0.1".to_owned()]
    {
        ask(host).await.is(200);
    }
    let change = |name: reqwest::header::HeaderName, value: String| {
        let request = serve.request(Method::POST, "/api/test/run").header(name, value);
        serve.send(request.json(&json!({"test_type": "quick"})))
    };
    let site = reqwest::header::HeaderName::from_static("sec-fetch-site");
    for origin in
        ["http://evil.example".to_owned(), "null".to_owned(), format!("http://127.0.0.1:{}", port ^ 1)]
    {
        change(ORIGIN, origin).await.problem(403);
    }
    change(site.clone(), "cross-site".to_owned()).await.problem(403);
    change(ORIGIN, format!("http://127.0.0.1:{port}")).await.is(202);
    let reply = change(site, "same-origin".to_owned()).await.is(202);
    assert_eq!(reply.header("access-control-allow-origin"), "");
    // A form, the one body that a page may send anywhere unasked, starts nothing.
    let form = serve.request(Method::POST, "/api/test/run").header("content-type", "text/plain");
    serve.send(form.body("{\"test_type\": \"quick\"}")).await.problem(415);
}

#[tokio::test]
async fn a_page_of_an_origin_that_is_named_may_call() {
    let place = quick_place("service: {cors_origins: ['https://status.example']}\n");
    let serve = Serve::start(&place, &[]);
    let preflight = |origin: &'static str| {
        let request = serve.request(Method::OPTIONS, "/api/test/run").header(ORIGIN, origin);
        serve.send(request.header("access-control-request-method", "POST"))
    };
    let allowed = preflight("https://status.example").await.is(204);
    assert_eq!(allowed.header("access-control-allow-origin"), "https://status.example");
    assert!(allowed.header("access-control-allow-headers").contains("X-API-Key"));
    let other = preflight("https://evil.example").await;
    assert_eq!((other.status.as_u16(), other.header("access-control-allow-origin")), (405, ""));
    let request = serve.request(Method::POST, "/api/test/run").header(ORIGIN, "https://status.example");
    let reply = serve.send(request.json(&json!({"test_type": "quick"}))).await.is(202);
    assert_eq!(reply.header("access-control-allow-origin"), "https://status.example");
}

#[tokio::test]
async fn behind_a_proxy_everything_is_below_its_path() {
    let place = quick_place("service: {base_path: /thrash, hosts: [thrash.example]}\n");
    let serve = Serve::start(&place, &[]);
    assert!(serve.url.ends_with("/thrash"), "{}", serve.url);
    serve.get("/health").await.is(200);
    let request = serve.request(Method::POST, "/api/test/run").header(HOST, "thrash.example");
    let reply = serve.send(request.json(&json!({"test_type": "quick"}))).await.is(202);
    assert!(reply.header("location").starts_with("/thrash/api/test/runs/"), "{}", reply.header("location"));
    let outside = reqwest::get(format!("http://{}/health", serve.address())).await.unwrap();
    assert_eq!(outside.status(), 404);
}

#[tokio::test]
async fn with_a_certificate_it_is_called_over_https() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned(), "127.0.0.1".to_owned()]).unwrap();
    let place = quick_place("service: {tls: {certificate: own.pem, key: own.key}}\n");
    place.file("own.pem", own.cert.pem());
    place.file("own.key", own.signing_key.serialize_pem());
    let serve = Serve::start(&place, &[]);
    assert!(serve.url.starts_with("https://"), "{}", serve.url);
    let root = reqwest::Certificate::from_pem(own.cert.pem().as_bytes()).unwrap();
    let client = reqwest::Client::builder().tls_certs_only([root]).build().unwrap();
    let health = client.get(format!("{}/health", serve.url)).send().await.unwrap();
    assert_eq!(health.status(), 200);
    let plain = reqwest::get(format!("http://{}/health", serve.address())).await;
    assert!(plain.is_err(), "{plain:?}");

    let address = serve.address().to_string();
    let asks = ["serve", "--is-healthy", "--listen", address.as_str()];
    place.thrash(asks).exits(0);
    let another = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    place.file("own.pem", another.cert.pem());
    place.thrash(asks).exits(3).complains(&["another certificate than the configured one"]);
    place.file("own.pem", "nothing");
    place.thrash(asks).exits(2).complains(&["own.pem"]);
    place.file("own.pem", own.cert.pem());
    drop(serve);
    place.thrash(asks).exits(3).complains(&["nothing answers"]);

    place.file("own.key", "nothing");
    let refused = Serve::refused(&place, &[], &["--listen", "127.0.0.1:0"]).exits(2);
    refused.complains(&["own.key", "cannot be used"]);
}
