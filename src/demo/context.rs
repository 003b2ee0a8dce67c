//! The part of an answer that speaks of earlier messages.

use chrono::{DateTime, Datelike, Timelike, Utc, Weekday};
use serde_json::{Value, json};

use super::detector::Analysis;
use super::request::Question;
use super::severity::{Severity, round};

/// A rise or fall of the score that is called a trend.
const TREND: f64 = 0.10;
/// A rise that is called an escalation.
const ESCALATION: f64 = 0.30;

/// The object `context_analysis`. Hours are UTC: the demo knows no time zones.
pub(super) fn context_analysis(question: &Question, found: &Analysis, now: DateTime<Utc>) -> Value {
    let mut scores: Vec<f64> = found.earlier_scores.iter().copied().map(round).collect();
    scores.push(found.score_alone);
    let times: Vec<DateTime<Utc>> = question.history.iter().map(|past| past.timestamp).collect();
    let (oldest, newest) = (times.iter().min().copied(), times.iter().max().copied());
    let hours = oldest.map_or(0.0, |oldest| hours_between(oldest, now));
    let delta = round(found.score_alone - scores[0]);
    let escalated = delta >= ESCALATION;
    let peak = scores.iter().copied().fold(0.0, f64::max);
    let first_high = scores.iter().position(|score| *score >= Severity::High.floor());
    let (hour, recent) = (now.hour(), times.iter().filter(|time| hours_between(**time, now) <= 0.5).count());
    json!({
        "escalation_detected": escalated,
        "escalation_rate": if escalated { rate(hours) } else { "none" },
        "escalation_pattern": null,
        "pattern_confidence": if escalated { 0.8 } else { 0.0 },
        "trend": {
            "direction": if delta >= TREND { "worsening" } else if delta <= -TREND { "improving" } else { "stable" },
            "velocity": if delta.abs() < TREND { "none" } else { velocity(hours) },
            "score_delta": delta,
            "time_span_hours": round(hours),
        },
        "temporal_factors": {
            "late_night_risk": !(4..22).contains(&hour),
            "rapid_posting": recent >= 5,
            "time_risk_modifier": 1.0,
            "hour_of_day": hour,
            "is_weekend": matches!(now.weekday(), Weekday::Sat | Weekday::Sun),
            "user_timezone": question.user_timezone,
            "local_hour": null,
        },
        "trajectory": {
            "start_score": scores[0],
            "end_score": found.score_alone,
            "peak_score": peak,
            "scores": scores,
        },
        "intervention": {
            "urgency": urgency(found.severity),
            "recommended_point": first_high,
            "intervention_delayed": first_high.is_some_and(|index| index + 1 < scores.len()),
            "reason": "the band in which the score of the demo rules lies",
        },
        "history_analyzed": {
            "message_count": times.len(),
            "time_span_hours": round(oldest.zip(newest).map_or(0.0, |(oldest, newest)| hours_between(oldest, newest))),
            "oldest_timestamp": oldest.map(|time| time.to_rfc3339()),
            "newest_timestamp": newest.map(|time| time.to_rfc3339()),
        },
    })
}

fn hours_between(from: DateTime<Utc>, to: DateTime<Utc>) -> f64 {
    (to - from).as_seconds_f64().max(0.0) / 3600.0
}

fn rate(hours: f64) -> &'static str {
    if hours <= 1.0 {
        "sudden"
    } else if hours <= 4.0 {
        "rapid"
    } else {
        "gradual"
    }
}

fn velocity(hours: f64) -> &'static str {
    if hours <= 1.0 {
        "rapid"
    } else if hours <= 4.0 {
        "moderate"
    } else {
        "gradual"
    }
}

fn urgency(severity: Severity) -> &'static str {
    match severity {
        Severity::Safe => "none",
        Severity::Low => "low",
        Severity::Medium => "standard",
        Severity::High => "high",
        Severity::Critical => "immediate",
    }
}
