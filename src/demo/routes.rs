//! The endpoints: who is let in, what is checked, what goes wrong on purpose, what is answered.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{ConnectInfo, DefaultBodyLimit, State};
use axum::http::header::{CONTENT_TYPE, RETRY_AFTER};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use chrono::Utc;
use serde_json::{Value, json};

use super::answer::{self, Stamp};
use super::behaviour::Fault;
use super::detector::{Analysis, Earlier, analyse};
use super::request::{self, Question};
use super::service::{Answering, Service};
use super::verdict::Verdict;

/// Room for a full batch of the longest messages, written in escapes.
const LARGEST_BODY: usize = 16 * 1024 * 1024;

/// What a broken proxy shows. The real ones do not say that they are a demo.
const PAGE: &str = "<!DOCTYPE html>\n<html><head><title>Service temporarily unavailable</title></head>\
<body><h1>Service temporarily unavailable</h1><p>This page was sent by the thrash demo on purpose.</p></body></html>\n";

/// All endpoints.
pub(super) fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/analyze", post(analyze))
        .route("/analyze/batch", post(batch))
        .route("/health", get(health))
        .fallback(unknown_path)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(LARGEST_BODY))
        .with_state(service)
}

async fn analyze(
    State(service): State<Arc<Service>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    service.count(|counts| counts.analyze += 1);
    let entry = match Entry::pass(&service, client, &headers).await {
        Ok(entry) => entry,
        Err(refusal) => return refusal,
    };
    let question = match read(&service, body, |body| request::question(&headers, body)) {
        Ok(question) => question,
        Err((status, problems)) => return entry.sign(json_response(status, &problems)),
    };
    if let Some(cached) = service.cached(&question, Instant::now()) {
        return entry.sign(json_bytes(StatusCode::OK, cached));
    }

    let behaviour = service.behaviour();
    let number = service.next_analysis();
    if let Some(response) = entry.suffer(number, answer::fail_open).await {
        return response;
    }
    let found = judge(&question);
    let verdict = Verdict::reach(&found, behaviour, behaviour.for_message(number, 0));
    let body = Bytes::from(answer::analysis(&question, &found, verdict, &entry.stamp()).to_string());
    service.count(|counts| counts.messages += 1);
    service.keep(question, body.clone(), Instant::now());
    entry.sign(json_bytes(StatusCode::OK, body))
}

async fn batch(
    State(service): State<Arc<Service>>,
    ConnectInfo(client): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    service.count(|counts| counts.batch += 1);
    let entry = match Entry::pass(&service, client, &headers).await {
        Ok(entry) => entry,
        Err(refusal) => return refusal,
    };
    let batch = match read(&service, body, |body| request::batch(&headers, body)) {
        Ok(batch) => batch,
        Err((status, problems)) => return entry.sign(json_response(status, &problems)),
    };

    let behaviour = service.behaviour();
    let number = service.next_analysis();
    if let Some(response) = entry.suffer(number, |stamp| answer::batch_fail_open(&batch, stamp)).await {
        return response;
    }
    let judged: Vec<(Analysis, Verdict)> = batch
        .messages
        .iter()
        .enumerate()
        .map(|(index, message)| {
            let found = analyse(message, &[]);
            let verdict = Verdict::reach(&found, behaviour, behaviour.for_message(number, index));
            (found, verdict)
        })
        .collect();
    service.count(|counts| counts.messages += judged.len() as u64);
    entry.sign(json_response(StatusCode::OK, &answer::batch(&batch, &judged, &entry.stamp())))
}

async fn health(State(service): State<Arc<Service>>) -> Response {
    service.count(|counts| counts.health += 1);
    let healthy = !service.behaviour().unhealthy;
    let status = if healthy { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    json_response(status, &answer::health(healthy, service.uptime().as_secs_f64(), Utc::now()))
}

async fn unknown_path(State(service): State<Arc<Service>>) -> Response {
    service.count(|counts| counts.elsewhere += 1);
    json_response(StatusCode::NOT_FOUND, &json!({"detail": "Not Found"}))
}

async fn wrong_method(State(service): State<Arc<Service>>) -> Response {
    service.count(|counts| counts.elsewhere += 1);
    json_response(StatusCode::METHOD_NOT_ALLOWED, &json!({"detail": "Method Not Allowed"}))
}

/// A request that was let in.
struct Entry<'a> {
    service: &'a Service,
    request_id: String,
    arrived: Instant,
    /// Counts the request as answered, whatever becomes of it.
    _answering: Answering<'a>,
}

impl<'a> Entry<'a> {
    /// Lets a request in, unless the demo is dead by then (no answer, ever) or the client's minute is used up (429).
    async fn pass(service: &'a Service, client: SocketAddr, headers: &HeaderMap) -> Result<Self, Response> {
        let arrived = Instant::now();
        let (number, answering) = service.arrive();
        let Some(answering) = answering else {
            // The runtime, and this connection with it, is dropped soon.
            return std::future::pending().await;
        };
        let own_id = headers.get("x-request-id").and_then(|id| id.to_str().ok()).filter(|id| is_valid_id(id));
        let request_id = own_id.map_or_else(|| service.behaviour().request_id(number), str::to_owned);
        let entry = Self { service, request_id, arrived, _answering: answering };
        match service.admit(client.ip(), headers, arrived) {
            Ok(()) => Ok(entry),
            Err((limit, wait)) => {
                let body = answer::rate_limited(limit, &entry.request_id, Utc::now());
                let mut refusal = json_response(StatusCode::TOO_MANY_REQUESTS, &body);
                refusal.headers_mut().insert(RETRY_AFTER, HeaderValue::from(whole_seconds(wait)));
                Err(entry.sign(refusal))
            }
        }
    }

    /// Waits out the latency and answers with the fault that chance has in store, if it has one.
    async fn suffer(&self, number: u64, fail_open: impl FnOnce(&Stamp<'_>) -> Value) -> Option<Response> {
        let behaviour = self.service.behaviour();
        let plan = behaviour.for_analysis(number);
        if !plan.delay.is_zero() {
            tokio::time::sleep(plan.delay).await;
        }
        let response = match plan.fault? {
            Fault::Error => {
                self.service.count(|counts| counts.failed += 1);
                let status = StatusCode::from_u16(behaviour.error_status.get());
                let body = json!({"detail": "Analysis failed: the demo was told to fail"});
                json_response(status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), &body)
            }
            Fault::Html => {
                self.service.count(|counts| counts.html += 1);
                (StatusCode::OK, [(CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
            }
            Fault::FailOpen => {
                self.service.count(|counts| counts.failed_open += 1);
                json_response(StatusCode::OK, &fail_open(&self.stamp()))
            }
        };
        Some(self.sign(response))
    }

    fn stamp(&self) -> Stamp<'_> {
        let processing_time_ms = self.arrived.elapsed().as_secs_f64() * 1e3;
        Stamp { request_id: &self.request_id, now: Utc::now(), processing_time_ms }
    }

    /// Puts the request's id on the response, as the real service's middleware does.
    fn sign(&self, mut response: Response) -> Response {
        if let Ok(id) = HeaderValue::from_str(&self.request_id) {
            response.headers_mut().insert("x-request-id", id);
        }
        response
    }
}

/// Reads a body, or says with which status and body to refuse it.
fn read<T>(
    service: &Service,
    body: Result<Bytes, BytesRejection>,
    parse: impl FnOnce(&[u8]) -> Result<T, Vec<request::Problem>>,
) -> Result<T, (StatusCode, Value)> {
    let refusal = match body.map(|body| parse(&body)) {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(problems)) => (StatusCode::UNPROCESSABLE_ENTITY, request::unprocessable(&problems)),
        Err(rejection) => (rejection.status(), json!({"detail": rejection.body_text()})),
    };
    service.count(|counts| counts.refused += 1);
    Err(refusal)
}

fn judge(question: &Question) -> Analysis {
    let history: Vec<Earlier<'_>> = question
        .history
        .iter()
        .map(|past| Earlier { text: &past.message, score: past.crisis_score })
        .collect();
    analyse(&question.message, &history)
}

fn is_valid_id(id: &str) -> bool {
    (1..=64).contains(&id.len())
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// At least one: `Retry-After: 0` would invite a storm.
fn whole_seconds(wait: Duration) -> u64 {
    wait.as_millis().div_ceil(1000).max(1).try_into().unwrap_or(u64::MAX)
}

fn json_response(status: StatusCode, body: &Value) -> Response {
    json_bytes(status, Bytes::from(body.to_string()))
}

fn json_bytes(status: StatusCode, body: Bytes) -> Response {
    (status, [(CONTENT_TYPE, "application/json")], body).into_response()
}
