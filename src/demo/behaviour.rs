//! The switches that make the demo slow, wrong or dishonest on purpose, so that a harness can be seen to notice.
//!
//! Every choice left to chance is drawn from `ChaCha8` by the seed and the number of the analysis (and, within a batch, of the
//! message), never by the clock: a run that sends the same requests in the same order meets the same faults.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::latency::Latency;
use super::severity::Severity;

/// How the demo misbehaves. Everything is off by default.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// What all chance below is drawn from.
    pub seed: u64,
    /// How long an analysis takes; cached answers and refusals take no time.
    pub latency: Option<Latency>,
    /// The share of analyses that end in `error_status`.
    pub error_rate: Share,
    /// The status of an injected error; 500 by default.
    pub error_status: ErrorStatus,
    /// The share of analyses answered with an HTML page and status 200, as a proxy in front of a dead service does.
    pub html_rate: Share,
    /// The share of analyses that fail inside and yet answer 200, `safe`, `recommended_action: error`, no models used.
    pub fail_open_rate: Share,
    /// The share of messages whose `crisis_score` lies in another band than `severity` says.
    pub contradict_rate: Share,
    /// The share of messages answered one level off the rules; a repeat of the same message draws anew.
    pub flaky_rate: Share,
    /// Answer every message with this severity and a score in its band.
    pub constant: Option<Severity>,
    /// Answer the same question within so many seconds with the very same body, `request_id` included, at once.
    pub cache_seconds: Option<u64>,
    /// How many requests a minute a client may send before it is answered 429.
    pub rate_limit: Option<u32>,
    /// Answer `GET /health` with 503.
    pub unhealthy: bool,
    /// Answer so many `POST` requests, then close the listener and every connection.
    pub die_after: Option<u64>,
}

impl Behaviour {
    /// The id of the request with this number, in the form that the real service gives its own.
    pub(super) fn request_id(&self, request: u64) -> String {
        format!("req_{:012x}", self.rng(request, 127).random::<u64>() >> 16)
    }

    /// What happens to the analysis with this number (from 0).
    pub(super) fn for_analysis(&self, analysis: u64) -> AnalysisPlan {
        let mut rng = self.rng(analysis, 0);
        // Every value is drawn whether it is used or not: turning one switch on moves no other switch's choices.
        let roll = rng.random::<f64>();
        let (error, html) = (self.error_rate.0, self.error_rate.0 + self.html_rate.0);
        let fault = if roll < error {
            Some(Fault::Error)
        } else if roll < html {
            Some(Fault::Html)
        } else if roll < html + self.fail_open_rate.0 {
            Some(Fault::FailOpen)
        } else {
            None
        };
        AnalysisPlan { fault, delay: self.latency.map_or(Duration::ZERO, |latency| latency.draw(&mut rng)) }
    }

    /// What happens to the message at this index of the analysis with this number.
    pub(super) fn for_message(&self, analysis: u64, index: usize) -> MessagePlan {
        if self.flaky_rate.0 == 0.0 && self.contradict_rate.0 == 0.0 {
            return MessagePlan::default();
        }
        let mut rng = self.rng(analysis, 1 + index as u64);
        let (flaky, up, contradict) = (rng.random::<f64>(), rng.random::<bool>(), rng.random::<f64>());
        let drift = match (flaky < self.flaky_rate.0, up) {
            (false, _) => None,
            (true, true) => Some(Drift::Graver),
            (true, false) => Some(Drift::Milder),
        };
        MessagePlan { drift, contradict: contradict < self.contradict_rate.0 }
    }

    fn rng(&self, number: u64, purpose: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        // A batch has at most 100 messages, so two numbers never share a stream.
        rng.set_stream(number.wrapping_mul(128).wrapping_add(purpose));
        rng
    }
}

/// What chance has in store for one analysis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct AnalysisPlan {
    /// How long the analysis takes.
    pub(super) delay: Duration,
    /// What goes wrong, if anything. The rates are shares of all analyses: their sum is the share that goes wrong.
    pub(super) fault: Option<Fault>,
}

/// What can go wrong with a whole analysis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    Error,
    Html,
    FailOpen,
}

/// What chance has in store for one message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct MessagePlan {
    /// Answer one level off.
    pub(super) drift: Option<Drift>,
    /// Let the score lie in another band than the severity says.
    pub(super) contradict: bool,
}

/// Which way a flaky answer strays.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Drift {
    Graver,
    Milder,
}

/// A share from 0 to 1. As text: `0.1` or `10%`.
#[derive(Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize)]
#[serde(try_from = "f64", into = "f64")]
pub struct Share(f64);

/// A share that is not one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("share `{0}` is not between 0 and 1 (or 0% and 100%)")]
pub struct ShareError(String);

impl Share {
    /// The share as a number from 0 to 1.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl TryFrom<f64> for Share {
    type Error = ShareError;

    fn try_from(share: f64) -> Result<Self, ShareError> {
        if (0.0..=1.0).contains(&share) { Ok(Self(share)) } else { Err(ShareError(share.to_string())) }
    }
}

impl From<Share> for f64 {
    fn from(share: Share) -> Self {
        share.0
    }
}

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let (number, whole) = match text.trim().strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 100.0),
            None => (text.trim(), 1.0),
        };
        let number: f64 = number.parse().map_err(|_| ShareError(text.to_owned()))?;
        Self::try_from(number / whole).map_err(|_| ShareError(text.to_owned()))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The status of an injected error: 400 to 599.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u16", into = "u16")]
pub struct ErrorStatus(u16);

/// A status that no error has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("status `{0}` is not one of 400 to 599")]
pub struct ErrorStatusError(String);

impl Default for ErrorStatus {
    fn default() -> Self {
        Self(500)
    }
}

impl ErrorStatus {
    /// The status as a number.
    pub fn get(self) -> u16 {
        self.0
    }
}

impl TryFrom<u16> for ErrorStatus {
    type Error = ErrorStatusError;

    fn try_from(status: u16) -> Result<Self, ErrorStatusError> {
        if (400..600).contains(&status) {
            Ok(Self(status))
        } else {
            Err(ErrorStatusError(status.to_string()))
        }
    }
}

impl From<ErrorStatus> for u16 {
    fn from(status: ErrorStatus) -> Self {
        status.0
    }
}

impl FromStr for ErrorStatus {
    type Err = ErrorStatusError;

    fn from_str(text: &str) -> Result<Self, ErrorStatusError> {
        let status: u16 = text.trim().parse().map_err(|_| ErrorStatusError(text.to_owned()))?;
        Self::try_from(status)
    }
}

impl fmt::Display for ErrorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
