//! Bodies of answers, with every field of the ash-v5 contract.

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};

use super::context::context_analysis;
use super::detector::{Analysis, Cue, GRAVE, Signal};
use super::request::{Batch, Question, Verbosity};
use super::severity::{Severity, round};
use super::verdict::Verdict;

/// What the demo calls its only model.
pub(super) const MODEL: &str = "demo-rules";

/// What the demo calls itself.
pub(super) const VERSION: &str = concat!("demo-", env!("CARGO_PKG_VERSION"));

/// Who asked, when, and how long it took.
pub(super) struct Stamp<'a> {
    pub(super) request_id: &'a str,
    pub(super) now: DateTime<Utc>,
    pub(super) processing_time_ms: f64,
}

impl Stamp<'_> {
    fn timestamp(&self) -> String {
        self.now.to_rfc3339_opts(SecondsFormat::Micros, true)
    }
}

/// The answer to `POST /analyze`.
pub(super) fn analysis(question: &Question, found: &Analysis, verdict: Verdict, stamp: &Stamp<'_>) -> Value {
    let conflicted = found.is_doubtful() || (verdict.score - verdict.original_score).abs() > 0.0;
    json!({
        "crisis_detected": verdict.is_crisis(),
        "severity": verdict.severity,
        "confidence": found.confidence,
        "crisis_score": verdict.score,
        "requires_intervention": verdict.requires_intervention(),
        "recommended_action": verdict.severity.recommended_action(),
        "signals": signals(found, verdict),
        "processing_time_ms": round(stamp.processing_time_ms),
        "models_used": [MODEL],
        "is_degraded": false,
        "request_id": stamp.request_id,
        "timestamp": stamp.timestamp(),
        "vigil": vigil(),
        "requires_review": conflicted,
        "explanation": question.include_explanation.then(|| explanation(question.verbosity, found, verdict)),
        "conflict_analysis": conflict_analysis(found, verdict, conflicted),
        "consensus": consensus(question.consensus_algorithm, found, verdict, conflicted),
        "context_analysis": question.include_context_analysis.then(|| context_analysis(question, found, stamp.now)),
    })
}

/// The answer of a service whose engine failed and which says so with 200 and `safe`.
pub(super) fn fail_open(stamp: &Stamp<'_>) -> Value {
    json!({
        "crisis_detected": false,
        "severity": Severity::Safe,
        "confidence": 0.0,
        "crisis_score": 0.0,
        "requires_intervention": false,
        "recommended_action": "error",
        "signals": {},
        "processing_time_ms": round(stamp.processing_time_ms),
        "models_used": [],
        "is_degraded": true,
        "request_id": stamp.request_id,
        "timestamp": stamp.timestamp(),
        "vigil": null,
        "requires_review": false,
        "explanation": null,
        "conflict_analysis": null,
        "consensus": null,
        "context_analysis": null,
    })
}

/// The answer to `POST /analyze/batch`.
pub(super) fn batch(batch: &Batch, judged: &[(Analysis, Verdict)], stamp: &Stamp<'_>) -> Value {
    let count = |is: fn(Verdict) -> bool| judged.iter().filter(|(_, verdict)| is(*verdict)).count();
    let results: Vec<Value> = batch
        .messages
        .iter()
        .zip(judged)
        .enumerate()
        .map(|(index, (message, (found, verdict)))| {
            let mut item = json!({
                "index": index,
                "message_preview": preview(message),
                "crisis_detected": verdict.is_crisis(),
                "severity": verdict.severity,
                "crisis_score": verdict.score,
                "requires_intervention": verdict.requires_intervention(),
                "explanation_summary": batch.include_explanation.then(|| summary(found, *verdict)),
            });
            if batch.include_details {
                item["signals"] = signals(found, *verdict);
            }
            item
        })
        .collect();
    json!({
        "total_messages": judged.len(),
        "crisis_count": count(Verdict::is_crisis),
        "critical_count": count(|verdict| verdict.severity == Severity::Critical),
        "high_count": count(|verdict| verdict.severity == Severity::High),
        "results": results,
        "processing_time_ms": round(stamp.processing_time_ms),
        "request_id": stamp.request_id,
        "timestamp": stamp.timestamp(),
    })
}

/// The batch answer of a service whose engine failed: every message `safe`, as if it had been looked at.
pub(super) fn batch_fail_open(batch: &Batch, stamp: &Stamp<'_>) -> Value {
    let item = |(index, message): (usize, &String)| {
        json!({
            "index": index,
            "message_preview": preview(message),
            "crisis_detected": false,
            "severity": Severity::Safe,
            "crisis_score": 0.0,
            "requires_intervention": false,
            "explanation_summary": null,
        })
    };
    json!({
        "total_messages": batch.messages.len(),
        "crisis_count": 0,
        "critical_count": 0,
        "high_count": 0,
        "results": batch.messages.iter().enumerate().map(item).collect::<Vec<_>>(),
        "processing_time_ms": round(stamp.processing_time_ms),
        "request_id": stamp.request_id,
        "timestamp": stamp.timestamp(),
    })
}

/// The answer to `GET /health`.
pub(super) fn health(healthy: bool, uptime_seconds: f64, now: DateTime<Utc>) -> Value {
    json!({
        "status": if healthy { "healthy" } else { "unhealthy" },
        "ready": healthy,
        "degraded": false,
        "models_loaded": u8::from(healthy),
        "total_models": 1,
        "uptime_seconds": round(uptime_seconds),
        "version": VERSION,
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}

/// The body of a 429.
pub(super) fn rate_limited(limit: u32, request_id: &str, now: DateTime<Utc>) -> Value {
    json!({
        "error": "rate_limit_exceeded",
        "message": format!("Rate limit exceeded. Max {limit} requests per minute."),
        "request_id": request_id,
        "timestamp": now.to_rfc3339_opts(SecondsFormat::Micros, true),
    })
}

fn preview(message: &str) -> String {
    match message.char_indices().nth(50) {
        Some((end, _)) => format!("{}...", &message[..end]),
        None => message.to_owned(),
    }
}

/// The four signals of the contract, filled from the rules.
fn signals(found: &Analysis, verdict: Verdict) -> Value {
    let strongest = found.signals.first().map(|(signal, _)| *signal);
    let is_joyful = found.cues.contains(&Cue::Positive);
    let is_ironic = [Cue::Joking, Cue::Gaming, Cue::Fiction].iter().any(|cue| found.cues.contains(cue));
    let topic = match strongest {
        Some(Signal::Plan | Signal::Ideation | Signal::Goodbye) => "suicide ideation",
        Some(Signal::SelfHarm) => "self-harm",
        Some(Signal::Hopelessness) => "hopelessness",
        Some(Signal::Abuse) => "domestic violence",
        Some(Signal::Panic) => "panic attack",
        Some(Signal::Grief | Signal::Threat | Signal::Stress) => "emotional distress",
        None if is_joyful => "positive sharing",
        None => "casual conversation",
    };
    let sentiment = match strongest {
        Some(_) => "negative",
        None if is_joyful => "positive",
        None => "neutral",
    };
    let emotion = match strongest {
        Some(Signal::Grief) => "grief",
        Some(Signal::Panic | Signal::Abuse) => "fear",
        Some(Signal::Threat) => "anger",
        Some(Signal::Stress) => "nervousness",
        Some(Signal::Plan | Signal::Ideation | Signal::SelfHarm | Signal::Goodbye | Signal::Hopelessness) => {
            "sadness"
        }
        None if is_joyful => "joy",
        None => "neutral",
    };
    let scores = individual_scores(found, verdict);
    json!({
        "bart": {"label": topic, "score": found.confidence, "crisis_signal": scores["bart"]},
        "sentiment": {"label": sentiment, "score": found.confidence, "crisis_signal": scores["sentiment"]},
        "irony": {"label": if is_ironic { "irony" } else { "non_irony" }, "score": 0.9, "crisis_signal": scores["irony"]},
        "emotions": {"label": emotion, "score": found.confidence, "crisis_signal": scores["emotions"]},
    })
}

fn individual_scores(found: &Analysis, verdict: Verdict) -> Value {
    let mood = found.signals.iter().map(|(_, weight)| *weight).fold(0.05, f64::max);
    json!({
        "bart": verdict.original_score,
        "sentiment": round(mood),
        "irony": if found.is_doubtful() { 0.3 } else { 0.95 },
        "emotions": round(found.strongest(&[Signal::Panic, Signal::Grief, Signal::Abuse, Signal::Hopelessness, Signal::Stress])),
    })
}

/// The second opinion of the real service, which the demo does not have.
fn vigil() -> Value {
    json!({
        "status": "disabled",
        "risk_score": null,
        "risk_label": null,
        "amplification_applied": false,
        "base_score": null,
        "amplified_score": null,
    })
}

fn factors(found: &Analysis) -> Vec<&'static str> {
    let name = |signal: &Signal| match signal {
        Signal::Plan => "suicide plan",
        Signal::Ideation => "suicide ideation",
        Signal::SelfHarm => "self-harm",
        Signal::Goodbye => "taking leave",
        Signal::Hopelessness => "hopelessness",
        Signal::Panic => "panic",
        Signal::Grief => "grief",
        Signal::Abuse => "harm suffered",
        Signal::Threat => "threat to others",
        Signal::Stress => "stress",
    };
    found.signals.iter().map(|(signal, _)| name(signal)).collect()
}

fn summary(found: &Analysis, verdict: Verdict) -> String {
    let concern = match verdict.severity {
        Severity::Critical => "CRITICAL CONCERN",
        Severity::High => "HIGH CONCERN",
        Severity::Medium => "MODERATE CONCERN",
        Severity::Low => "LOW CONCERN",
        Severity::Safe => "NO CONCERN",
    };
    let factors = factors(found);
    let found_what = if factors.is_empty() { "no sign of distress".to_owned() } else { factors.join(", ") };
    format!("{concern}: the demo rules found {found_what} with {:.0}% confidence.", found.confidence * 100.0)
}

fn explanation(verbosity: Verbosity, found: &Analysis, verdict: Verdict) -> Value {
    let summary = summary(found, verdict);
    let action = verdict.severity.recommended_action();
    let plain_text = match verbosity {
        Verbosity::Minimal => summary.clone(),
        Verbosity::Standard | Verbosity::Detailed => {
            format!("DECISION SUMMARY:\n{summary}\n\nRECOMMENDED ACTION:\n{action}")
        }
    };
    let says_more = verbosity != Verbosity::Minimal;
    let says_all = verbosity == Verbosity::Detailed;
    json!({
        "verbosity": verbosity.as_str(),
        "decision_summary": summary,
        "key_factors": if says_more { factors(found) } else { Vec::new() },
        "recommended_action": says_more.then(|| json!({
            "priority": verdict.severity.as_str().to_uppercase(),
            "action": action,
            "escalation": if verdict.requires_intervention() { "tell the crisis team" } else { "none" },
            "rationale": "the band in which the score of the demo rules lies",
        })),
        "plain_text": plain_text,
        "confidence_summary": says_all.then(|| format!("{:.0}%, from one set of rules", found.confidence * 100.0)),
        "model_contributions": says_all.then(|| json!([{"model": MODEL, "weight": 1.0, "score": verdict.original_score}])),
        "conflict_summary": (says_all && found.is_doubtful()).then_some("the context speaks against the words"),
    })
}

fn conflict_analysis(found: &Analysis, verdict: Verdict, conflicted: bool) -> Value {
    let conflict = || {
        json!({
            "conflict_type": if found.is_doubtful() { "irony_sentiment_conflict" } else { "score_disagreement" },
            "severity": "medium",
            "description": "the rules for words and the rules for context disagree",
            "involved_models": [MODEL],
            "details": {"strongest_signal": round(found.strongest(&GRAVE))},
        })
    };
    json!({
        "has_conflicts": conflicted,
        "conflict_count": u8::from(conflicted),
        "conflicts": if conflicted { vec![conflict()] } else { Vec::new() },
        "highest_severity": conflicted.then_some("medium"),
        "requires_review": conflicted,
        "summary": if conflicted { "1 conflict" } else { "no conflicts" },
        "resolution_strategy": conflicted.then_some("conservative"),
        "original_score": verdict.original_score,
        "resolved_score": verdict.score,
    })
}

fn consensus(algorithm: &str, found: &Analysis, verdict: Verdict, conflicted: bool) -> Value {
    json!({
        "algorithm": algorithm,
        "crisis_score": verdict.original_score,
        "confidence": found.confidence,
        "agreement_level": if conflicted { "weak_agreement" } else { "strong_agreement" },
        "is_crisis": verdict.is_crisis(),
        "requires_review": conflicted,
        "has_conflict": conflicted,
        "individual_scores": individual_scores(found, verdict),
        "vote_breakdown": null,
    })
}
