//! HTTP/2 without TLS, where both sides know of it beforehand.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::Request;
use axum::http::Version;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use thrash::domain::{Level, NoAnswerReason};

use super::scripted::{ask, calm, connect, contract_with, no_answer, options, phrases, run, run_options};
use crate::support::server::Server;

const HTTP2: &str = "connection: {timeout: 2s, http: '2'}";

#[derive(Default)]
struct Counted {
    now: AtomicUsize,
    most: AtomicUsize,
    http2: AtomicUsize,
}

/// A server that speaks both versions; gives its URL.
async fn start(counted: Arc<Counted>) -> String {
    let analyze = move |request: Request| async move {
        if request.version() == Version::HTTP_2 {
            counted.http2.fetch_add(1, Ordering::SeqCst);
        }
        let now = counted.now.fetch_add(1, Ordering::SeqCst) + 1;
        counted.most.fetch_max(now, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(30)).await;
        counted.now.fetch_sub(1, Ordering::SeqCst);
        Json(json!({"level": "medium"}))
    };
    let app = Router::new().route("/analyze", post(analyze)).route("/health", get(|| async { "well" }));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, app).await });
    url
}

#[tokio::test]
async fn http_2_is_spoken_where_the_contract_says_so_and_keeps_to_the_concurrency() {
    let counted = Arc::new(Counted::default());
    let url = start(Arc::clone(&counted)).await;
    let target = connect(contract_with(&url, HTTP2), options());
    target.look().await.unwrap();
    let mut run_options = run_options(24);
    run_options.concurrency = 8;
    let (record, _) = run(target, phrases(24), run_options).await;
    assert_eq!(record.metrics.unanswered_rate.count, 0, "{:?}", record.results[0].observations);
    assert_eq!(record.results[0].level, Some(Level::Medium));
    assert_eq!(counted.http2.load(Ordering::SeqCst), 24);
    assert_eq!(counted.most.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn http_1_is_spoken_without_tls_where_nothing_is_said() {
    let counted = Arc::new(Counted::default());
    let url = start(Arc::clone(&counted)).await;
    assert_eq!(ask(&connect(contract_with(&url, ""), options())).await.answer.level(), Some(Level::Medium));
    assert_eq!(counted.http2.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_server_that_knows_no_http_2_gives_no_answer() {
    let server = Server::start(|_| calm());
    let seen = ask(&connect(contract_with(&server.url(), HTTP2), options())).await;
    let (reason, _) = no_answer(&seen);
    assert!(matches!(reason, NoAnswerReason::ConnectionLost | NoAnswerReason::Timeout), "{reason:?}");
}
