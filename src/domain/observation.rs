//! What came back when a phrase was sent.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Level;

/// What a target says of a phrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Prediction {
    /// The level that the target's word stands for.
    pub level: Level,
    /// The target's own word.
    pub label: String,
    /// The target's score, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// How sure the target says it is, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The time that the target says it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_latency_ms: Option<f64>,
    /// The model or service version that the answer names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// Why there is no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NoAnswerReason {
    /// No connection: refused, no route, no such host.
    Unreachable,
    /// The TLS handshake failed.
    Tls,
    /// A deadline passed.
    Timeout,
    /// The connection broke before the answer was whole.
    ConnectionLost,
    /// 429, also after waiting.
    RateLimited,
    /// A status of 500 or above.
    ServerError,
    /// A status from 400 to 499 other than 429: the target refused the phrase.
    Rejected,
    /// A redirect; they are never followed.
    Redirected,
    /// A status that the contract does not know.
    UnexpectedStatus,
    /// An answer that could not be read: no JSON, a missing field, an unknown level, a number that is none.
    Malformed,
    /// An answer larger than the cap.
    TooLarge,
    /// An answer that says "I could not analyse this" with a status of success.
    FailOpen,
}

impl NoAnswerReason {
    /// The reason in a few words, for people.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::Tls => "TLS failed",
            Self::Timeout => "timed out",
            Self::ConnectionLost => "connection lost",
            Self::RateLimited => "rate limited",
            Self::ServerError => "server error",
            Self::Rejected => "rejected",
            Self::Redirected => "redirected",
            Self::UnexpectedStatus => "unexpected status",
            Self::Malformed => "malformed answer",
            Self::TooLarge => "answer too large",
            Self::FailOpen => "fail-open",
        }
    }
}

/// A phrase that got no answer. That is data: for the person who wrote it, nobody came.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NoAnswer {
    /// The kind of failure.
    pub reason: NoAnswerReason,
    /// What was found, without any text of the phrase.
    pub detail: String,
}

/// What came back in the end.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// The target's prediction.
    Prediction(Prediction),
    /// None.
    NoAnswer(NoAnswer),
}

impl Answer {
    /// The prediction, if there is one.
    pub const fn prediction(&self) -> Option<&Prediction> {
        match self {
            Self::Prediction(prediction) => Some(prediction),
            Self::NoAnswer(_) => None,
        }
    }

    /// The predicted level, if there is one.
    pub fn level(&self) -> Option<Level> {
        self.prediction().map(|prediction| prediction.level)
    }
}

/// The part of an exchange that a deadline or a failure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Making the connection, TLS included.
    Connect,
    /// From the request to the answer's header.
    Headers,
    /// Reading the answer's body.
    Body,
    /// Waiting for an asynchronous decision.
    Poll,
}

/// One try at sending one phrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Attempt {
    /// When it started, in milliseconds after the run's start.
    pub started_ms: f64,
    /// From its start until the answer was whole or the failure known, in milliseconds; for an asynchronous target
    /// until the decision.
    pub latency_ms: f64,
    /// For an asynchronous target: until it had accepted the phrase, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accepted_ms: Option<f64>,
    /// The HTTP status, if one came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// Why this attempt failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<NoAnswerReason>,
    /// In which part it failed, if it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
}

/// One phrase sent once (with its retries) to one target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Observation {
    /// Which pass over the suite it belongs to, from 0.
    pub repeat: u32,
    /// When its first attempt started, in milliseconds after the run's start.
    pub started_ms: f64,
    /// End to end in milliseconds: from the first attempt's start to the end, retries and waits included.
    pub latency_ms: f64,
    /// Every attempt, in order; at least one.
    pub attempts: Vec<Attempt>,
    /// What came back.
    pub answer: Answer,
    /// Names of the contract's invariants that the answer breaks.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<String>,
    /// Whether the answer was seen to come from a cache.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub cached: bool,
}
