//! One attempt at one or more phrases, and what may follow it.

use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::ask::Target;
use super::client::{Failure, exchange};
use super::http_time::retry_after;
use super::reading::{RawAnswer, Reading};
use crate::domain::{Answer, Attempt, NoAnswerReason, Phase, Phrase};

/// What one attempt led to.
pub(super) struct Attempted {
    pub(super) attempt: Attempt,
    /// One reading a phrase.
    pub(super) readings: Vec<Reading>,
    /// What the answer asked us to wait.
    pub(super) retry_after: Option<Duration>,
    pub(super) next: Next,
}

/// What may follow an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// The answer stands, or the phrase may have been processed.
    Stands,
    /// Another attempt: no connection came about, or a proxy had nobody to hand the request to.
    Again,
    /// One more attempt: the connection was closed before the first byte of an answer. Most often that is a pooled
    /// connection which the target closed as idle in the moment when we wrote to it (RFC 9112, section 9.3.1).
    AgainOnce,
    /// The target asked for patience.
    TooMany,
}

impl Target {
    /// Sends the phrases once.
    pub(super) async fn attempt(&self, phrases: &[&Phrase], run_start: Instant) -> Attempted {
        let start = Instant::now();
        let bounds = self.bounds();
        let mut accepted_ms = None;
        let mut exchanged = match self.outgoing(phrases) {
            Ok(outgoing) => exchange(&self.client, outgoing, bounds).await,
            Err(detail) => Err(Failure::new(NoAnswerReason::Malformed, detail, Phase::Headers)),
        };
        if let (Some(poll), Ok(raw)) = (&self.contract.poll, &exchanged)
            && poll.accept.contains(&raw.status)
        {
            accepted_ms = Some(millis(start.elapsed()));
            let held = &mut Duration::default();
            exchanged = self.decision(&self.client, (poll, raw), bounds, &self.pacer, held).await;
        }
        let attempt = |status, failure, phase| Attempt {
            started_ms: millis(start.saturating_duration_since(run_start)),
            latency_ms: millis(start.elapsed()),
            accepted_ms,
            status,
            failure,
            phase,
        };
        match exchanged {
            Ok(raw) => {
                let attempt = attempt(Some(raw.status), None, None);
                let readings = self.read(phrases, &raw);
                let failure = readings.iter().find_map(|reading| match &reading.answer {
                    Answer::NoAnswer(none) => Some(none.reason),
                    Answer::Prediction(_) => None,
                });
                let next = match raw.status {
                    429 => Next::TooMany,
                    // An event that is ingested twice may alert somebody twice; 503 says that it was not.
                    502 | 504 if self.contract.poll.is_some() => Next::Stands,
                    502..=504 => Next::Again,
                    _ => Next::Stands,
                };
                let retry_after = retry_after(&raw.headers, SystemTime::now());
                Attempted { attempt: Attempt { failure, ..attempt }, readings, retry_after, next }
            }
            Err(failure) => {
                let attempt = attempt(None, Some(failure.none.reason), Some(failure.phase));
                let readings = phrases.iter().map(|_| Reading::none(failure.none.clone())).collect();
                Attempted { attempt, readings, retry_after: None, next: self.after(&failure) }
            }
        }
    }

    fn after(&self, failure: &Failure) -> Next {
        match (failure.phase, failure.none.reason) {
            // The certificate will be no better the next time.
            (_, NoAnswerReason::Tls) => Next::Stands,
            (Phase::Connect, _) => Next::Again,
            // Classifying twice does no harm; an event that is ingested twice may alert somebody twice.
            (Phase::Headers, NoAnswerReason::ConnectionLost) if self.contract.poll.is_none() => {
                Next::AgainOnce
            }
            _ => Next::Stands,
        }
    }

    fn read(&self, phrases: &[&Phrase], raw: &RawAnswer) -> Vec<Reading> {
        match (&self.contract.batch, phrases) {
            (Some(batch), [_, _, ..]) => batch.read(&self.contract.response, phrases, raw),
            _ => vec![Reading::of(&self.contract.response, raw)],
        }
    }
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}
