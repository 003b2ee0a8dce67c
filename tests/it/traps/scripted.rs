//! A contract, phrases and a run for a scripted server.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::Utc;
use serde_json::{Value, json};
use thrash::document::{Document, Path};
use thrash::domain::{
    Answer, NoAnswerReason, Observation, Phrase, RunEvent, RunId, RunRecord, Selection, SuiteRecord,
    TextPolicy,
};
use thrash::gate::GateOptions;
use thrash::run::{AccuracyRun, RunControl, RunOptions};
use thrash::suite::{Category, Suite};
use thrash::target::{AskOptions, Contract, ContractError, Target, harmless_phrase};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::support::server::{Reply, Server};

/// Reads a contract.
pub(super) fn read(yaml: &str) -> Result<Contract, ContractError> {
    let document = Document::parse("target.yaml", yaml).expect("the test's YAML is YAML");
    Contract::configured("scripted", &document, &Path::root(), document.value())
}

/// A small contract with more top-level keys. Its deadline is far off: a machine may be busy.
pub(super) fn contract_with(url: &str, more: &str) -> Contract {
    let connection = if more.contains("connection:") { "" } else { "connection: {timeout: 10s}\n" };
    let health = if more.contains("health:") { "" } else { "health: {path: /health}\n" };
    let yaml = format!(
        "base_url: {url}\n{connection}{health}{more}\n{}",
        r#"
request: {path: /analyze, body: {message: "${text}", id: "${id}"}}
response:
  level: body.level
  score: body.score
  confidence: body.confidence
  fail_open: has(body.failed) && body.failed
examples:
  - {reads: low, body: {level: low}}
"#
    );
    read(&yaml).unwrap_or_else(|error| panic!("{error}"))
}

pub(super) fn options() -> AskOptions {
    AskOptions {
        concurrency: 4,
        connections: 4,
        rate: None,
        timeout: Duration::from_secs(1),
        retries: 2,
        patience: Duration::from_secs(10),
        run: "20261120-120000-abcdef".to_owned(),
    }
}

pub(super) fn connect(contract: Contract, options: AskOptions) -> Target {
    Target::connect(contract, options, &|_| None).expect("the connection's settings are right")
}

/// The small contract, connected.
pub(super) fn target(server: &Server) -> Target {
    connect(contract_with(&server.url(), ""), options())
}

pub(super) fn target_with(server: &Server, more: &str) -> Target {
    connect(contract_with(&server.url(), more), options())
}

pub(super) fn phrase(id: &str, text: &str) -> Phrase {
    Phrase { id: id.to_owned(), text: text.to_owned(), category: "calm".to_owned(), ..harmless_phrase() }
}

pub(super) fn phrases(count: usize) -> Vec<Phrase> {
    (0..count).map(|i| phrase(&format!("p{i}"), &format!("phrase number {i}"))).collect()
}

/// Asks about phrases in one request.
pub(super) async fn ask_all(target: &Target, phrases: &[&Phrase]) -> Vec<Observation> {
    target
        .ask(phrases, 0, Instant::now(), &CancellationToken::new(), &|_| {})
        .await
        .expect("nobody has stopped it")
}

/// Asks about one phrase.
pub(super) async fn ask(target: &Target) -> Observation {
    ask_all(target, &[&phrase("p", "the secret words")]).await.remove(0)
}

/// Looks whether a target caches; nobody stops it.
pub(super) async fn caches(target: &Target) -> Option<bool> {
    target.caches(&CancellationToken::new(), &|_| {}).await
}

/// Asks a server that gives the same reply to everything.
pub(super) async fn ask_for(reply: Reply) -> Observation {
    let server = Server::start(move |_| reply.clone());
    ask(&target(&server)).await
}

/// An answer that says `none`.
pub(super) fn calm() -> Reply {
    level("none")
}

pub(super) fn level(word: &str) -> Reply {
    Reply::json(200, &json!({"level": word}))
}

/// Why there is no answer, and in which words; panics for an answer.
pub(super) fn no_answer(observation: &Observation) -> (NoAnswerReason, &str) {
    match &observation.answer {
        Answer::NoAnswer(none) => (none.reason, none.detail.as_str()),
        Answer::Prediction(prediction) => panic!("this was read as an answer: {prediction:?}"),
    }
}

/// The reasons of the attempts that failed, in their order.
pub(super) fn failures(observation: &Observation) -> Vec<Option<NoAnswerReason>> {
    observation.attempts.iter().map(|attempt| attempt.failure).collect()
}

pub(super) fn run_options(phrases: usize) -> RunOptions {
    RunOptions {
        id: RunId::new(Utc::now(), 1),
        started_at: Utc::now(),
        environment: None,
        concurrency: 4,
        rate: None,
        timeout: Duration::from_secs(1),
        retries: 2,
        repeat: 1,
        repeat_doubtful: None,
        batch: 1,
        seed: 7,
        text: TextPolicy::Full,
        give_up_after: phrases.clamp(1, 20),
        gates: GateOptions { gates: Vec::new(), error_budget: 0.05, needs_baseline: false },
        waivers: None,
        demo: false,
        configuration: BTreeMap::new(),
    }
}

pub(super) fn suite(phrases: Vec<Phrase>) -> Suite {
    let record = SuiteRecord {
        name: "scripted".to_owned(),
        hash: "00".to_owned(),
        selection_hash: "00".to_owned(),
        available: phrases.len(),
        selected: phrases.len(),
        left_out: 0,
        left_out_must_pass: 0,
        selection: Selection::default(),
    };
    let calm =
        Category { name: "calm".to_owned(), title: String::new(), target_accuracy: None, critical: false };
    Suite { name: "scripted".to_owned(), title: String::new(), categories: vec![calm], phrases, record }
}

/// Runs phrases against a target, and gives what was told as well.
pub(super) async fn run(
    target: Target,
    phrases: Vec<Phrase>,
    options: RunOptions,
) -> (RunRecord, Vec<RunEvent>) {
    let (events, mut received) = mpsc::channel(10_000);
    let run = AccuracyRun {
        suite: suite(phrases),
        variants: Vec::new(),
        target,
        options,
        reference: None,
        version: None,
    };
    let record = run.execute(RunControl::default(), events).await.conclude(None);
    let mut told = Vec::new();
    while let Ok(event) = received.try_recv() {
        told.push(event);
    }
    (record, told)
}

/// The body of an answer in the words of ash-v5.
pub(super) fn ash_v5(severity: &str, score: f64, request_id: &str) -> Value {
    json!({
        "crisis_detected": severity != "safe", "severity": severity, "confidence": 0.9, "crisis_score": score,
        "requires_intervention": false, "recommended_action": "none", "models_used": ["bart"],
        "processing_time_ms": 12.0, "is_degraded": false, "request_id": request_id,
    })
}
