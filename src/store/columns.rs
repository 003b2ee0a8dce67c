//! A record as the columns of its tables.
//!
//! The columns that an earlier program wrote, and that dashboards read, keep their names and meaning; ours stand beside
//! them. The whole record is a column of its own: the others are for readers who speak SQL.

use chrono::{NaiveDateTime, TimeDelta};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::codec::{RecordError, encode_record};
use crate::domain::{Answer, Level, Observation, PhraseResult, RunRecord, RunStatus};

/// A row of `test_runs`.
pub(super) struct RunColumns<'a> {
    pub(super) run_id: &'a str,
    /// The suite's name, at the old column's length.
    pub(super) test_type: String,
    /// Suite, target, options and program, as JSON.
    pub(super) test_config: String,
    /// UTC.
    pub(super) start_time: NaiveDateTime,
    /// UTC.
    pub(super) end_time: NaiveDateTime,
    /// The old column's words: `completed`, or `failed` for a partial record. Ours is `run_status`.
    pub(super) status: &'static str,
    /// The numbers as JSON; shares in percent, latencies in milliseconds.
    pub(super) results_summary: String,
    pub(super) kind: String,
    pub(super) suite: &'a str,
    pub(super) target: &'a str,
    pub(super) environment: Option<&'a str>,
    pub(super) run_status: String,
    pub(super) conclusion: String,
    pub(super) duration_ms: f64,
    pub(super) phrases: i64,
    /// 0 to 1.
    pub(super) accuracy: Option<f64>,
    /// 0 to 1.
    pub(super) false_positive_rate: Option<f64>,
    pub(super) p95_ms: Option<f64>,
    pub(super) demo: bool,
    pub(super) target_version: Option<&'a str>,
    pub(super) contract_hash: &'a str,
    pub(super) selection_hash: &'a str,
    /// 0 to 1.
    pub(super) false_negative_rate: Option<f64>,
    /// 0 to 1.
    pub(super) severe_miss_rate: Option<f64>,
    /// 0 to 1.
    pub(super) unanswered_rate: Option<f64>,
    pub(super) p50_ms: Option<f64>,
    /// Which part of its suite was sent; none for the whole.
    pub(super) part: Option<i64>,
    pub(super) target_url: &'a str,
    pub(super) schema_version: i64,
    /// The whole record as JSON.
    pub(super) record: String,
}

/// A row of `test_results`: a phrase with the observation that its verdict rests on.
#[derive(Serialize)]
pub(super) struct ResultColumns<'a> {
    pub(super) phrase_id: String,
    /// The text as far as the record holds it.
    pub(super) input_text: Option<&'a str>,
    /// The right levels: `high|critical`.
    pub(super) expected_result: String,
    /// The level that was judged; none for no answer.
    pub(super) actual_result: Option<&'static str>,
    pub(super) confidence: Option<f64>,
    pub(super) response_time_ms: Option<i32>,
    pub(super) is_correct: bool,
    /// When the phrase was sent, UTC.
    pub(super) created_at: NaiveDateTime,
    pub(super) text_hash: &'a str,
    pub(super) category: &'a str,
    pub(super) verdict: &'static str,
    /// Why there is no answer.
    pub(super) no_answer: Option<String>,
    pub(super) score: Option<f64>,
    pub(super) latency_ms: Option<f64>,
    pub(super) attempts: i32,
    /// Times that the phrase was sent.
    pub(super) repeats: i32,
}

impl<'a> RunColumns<'a> {
    pub(super) fn of(record: &'a RunRecord) -> Result<Self, RecordError> {
        Ok(Self {
            run_id: record.id.as_str(),
            test_type: clip(&record.suite.name, 50),
            test_config: json!({
                "suite": record.suite,
                "target": record.target,
                "options": record.options,
                "tool": record.tool,
            })
            .to_string(),
            start_time: record.started_at.naive_utc(),
            end_time: record.finished_at.naive_utc(),
            status: old_status(record.status),
            results_summary: results_summary(record),
            kind: word(&record.kind),
            suite: &record.suite.name,
            target: &record.target.name,
            environment: record.environment.as_deref(),
            run_status: word(&record.status),
            conclusion: word(&record.verdict.conclusion),
            duration_ms: record.duration_ms,
            phrases: i64::try_from(record.metrics.phrases).unwrap_or(i64::MAX),
            accuracy: record.metrics.accuracy.value,
            false_positive_rate: record.metrics.false_positive_rate.value,
            p95_ms: record.latency.p95_ms,
            demo: record.target.demo,
            target_version: record.target.version.as_deref(),
            contract_hash: &record.target.contract_hash,
            selection_hash: &record.suite.selection_hash,
            false_negative_rate: record.metrics.false_negative_rate.value,
            severe_miss_rate: record.metrics.severe_miss_rate.value,
            unanswered_rate: record.metrics.unanswered_rate.value,
            p50_ms: record.latency.p50_ms,
            target_url: &record.target.url,
            part: record.part().map(|part| i64::try_from(part).unwrap_or(i64::MAX)),
            schema_version: i64::from(record.schema_version),
            record: encode_record(record)?,
        })
    }
}

impl<'a> ResultColumns<'a> {
    pub(super) fn of(record: &'a RunRecord, result: &'a PhraseResult) -> Self {
        let observation = judged(result);
        let prediction = observation.and_then(|observation| observation.answer.prediction());
        let latency_ms = observation.map(|observation| observation.latency_ms);
        Self {
            phrase_id: clip(&result.id, 255),
            input_text: result.text.as_deref(),
            expected_result: result.expected.to_string(),
            actual_result: result.level.map(Level::as_str),
            confidence: prediction.and_then(|prediction| prediction.confidence),
            response_time_ms: latency_ms.map(whole_ms),
            is_correct: result.verdict.passes(),
            created_at: sent_at(record, observation),
            text_hash: &result.text_hash,
            category: &result.category,
            verdict: result.verdict.as_str(),
            no_answer: observation.and_then(|observation| match &observation.answer {
                Answer::NoAnswer(no_answer) => Some(word(&no_answer.reason)),
                Answer::Prediction(_) => None,
            }),
            score: prediction.and_then(|prediction| prediction.score),
            latency_ms,
            attempts: count(observation.map_or(0, |observation| observation.attempts.len())),
            repeats: count(result.observations.len()),
        }
    }
}

/// The first observation that says what was judged.
fn judged(result: &PhraseResult) -> Option<&Observation> {
    let mut observations = result.observations.iter();
    observations
        .find(|observation| observation.answer.level() == result.level)
        .or(result.observations.first())
}

fn old_status(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Completed => "completed",
        RunStatus::Interrupted | RunStatus::Aborted => "failed",
    }
}

fn results_summary(record: &RunRecord) -> String {
    let metrics = &record.metrics;
    let passed = metrics.verdicts.exact + metrics.verdicts.tolerated;
    let percent = |share: Option<f64>| share.map(|share| share * 100.0);
    json!({
        "total_tests": metrics.phrases,
        "passed": passed,
        "failed": metrics.phrases.saturating_sub(passed),
        "unanswered": metrics.verdicts.unanswered,
        "accuracy": percent(metrics.accuracy.value),
        "false_positive_rate": percent(metrics.false_positive_rate.value),
        "false_negative_rate": percent(metrics.false_negative_rate.value),
        "latency_p50_ms": record.latency.p50_ms,
        "latency_p95_ms": record.latency.p95_ms,
        "latency_p99_ms": record.latency.p99_ms,
        "conclusion": record.verdict.conclusion,
        "run_id": record.id,
    })
    .to_string()
}

fn sent_at(record: &RunRecord, observation: Option<&Observation>) -> NaiveDateTime {
    let started_ms = observation.map_or(0.0, |observation| observation.started_ms);
    let after = TimeDelta::milliseconds(i64::from(whole_ms(started_ms)));
    (record.started_at + after).naive_utc()
}

/// Whole milliseconds; what does not fit the old column (24 days) stops at its end.
#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` from float stops at the type's ends, NaN becomes 0"
)]
fn whole_ms(ms: f64) -> i32 {
    ms.round() as i32
}

fn count(n: usize) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// The first `length` signs, for a column that holds no more.
fn clip(text: &str, length: usize) -> String {
    text.chars().take(length).collect()
}

/// The name of a plain enum's value, as the record spells it.
pub(super) fn word<T: Serialize>(value: &T) -> String {
    match serde_json::to_value(value) {
        Ok(serde_json::Value::String(word)) => word,
        _ => String::new(),
    }
}

/// The plain enum's value of this name, if this program knows it.
pub(super) fn from_word<T: DeserializeOwned>(word: &str) -> Option<T> {
    serde_json::from_value(word.into()).ok()
}
