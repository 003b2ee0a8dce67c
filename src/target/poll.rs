//! Targets that accept a phrase now and decide later.

use std::time::Duration;

use reqwest::{Method, Url};
use serde_json::Value as Json;
use tokio::time::{Instant, sleep, timeout_at};

use super::ask::Target;
use super::client::{Bounds, Failure, Outgoing, exchange};
use super::contract::Poll;
use super::expression::{Expression, Scope};
use super::reading::RawAnswer;
use crate::domain::{NoAnswerReason, Phase};

impl Target {
    /// Asks for the decision until it is there.
    ///
    /// `accepted` is the answer that accepted the phrase; the decision is the answer that comes back.
    pub(super) async fn decision(
        &self,
        poll: &Poll,
        accepted: &RawAnswer,
        bounds: Bounds,
    ) -> Result<RawAnswer, Failure> {
        let url = self.poll_url(poll, accepted)?;
        let deadline = Instant::now() + poll.deadline.0;
        let longest = poll.interval.0 * 10;
        let mut wait = poll.interval.0;
        loop {
            if timeout_at(deadline, sleep(wait)).await.is_err() {
                return Err(Failure::timeout(poll.deadline.0, Phase::Poll));
            }
            wait = wait.mul_f64(1.5).min(longest);
            let outgoing = Outgoing {
                method: Method::GET,
                url: url.clone(),
                headers: self.headers("poll", ""),
                body: None,
            };
            let left = deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            let bounds =
                Bounds { headers: bounds.headers.min(left), total: bounds.total.min(left), ..bounds };
            let raw = match exchange(self.client(), outgoing, bounds).await {
                Ok(raw) => raw,
                // A lost poll costs nothing: the decision is still there at the next one.
                Err(failure) if Instant::now() < deadline && passes(failure.none.reason) => continue,
                Err(failure) if failure.none.reason == NoAnswerReason::Timeout => {
                    return Err(Failure::timeout(poll.deadline.0, Phase::Poll));
                }
                Err(failure) => return Err(Failure { phase: Phase::Poll, ..failure }),
            };
            match raw.status {
                // Not there yet, too many, or a moment of trouble; the deadline is what ends the waiting.
                404 | 425 | 429 | 500..=599 => continue,
                200..=299 => {}
                _ => return Err(Failure { none: raw.refusal(), phase: Phase::Poll }),
            }
            let scope = scope(&raw).map_err(|none| Failure { none, phase: Phase::Poll })?;
            if holds(poll.failed.as_ref(), &scope)? {
                let detail = "the target says that it could not process the phrase";
                return Err(Failure::new(NoAnswerReason::ServerError, detail, Phase::Poll));
            }
            if holds(Some(&poll.done), &scope)? {
                return Ok(raw);
            }
        }
    }

    /// The URL to ask again. It must be the target's own: an answer cannot send us anywhere else.
    fn poll_url(&self, poll: &Poll, accepted: &RawAnswer) -> Result<Url, Failure> {
        let malformed = |detail: String| Failure::new(NoAnswerReason::Malformed, detail, Phase::Poll);
        let scope = scope(accepted).map_err(|none| Failure { none, phase: Phase::Poll })?;
        let text = match poll.url.find(&scope).map_err(malformed)? {
            Some(Json::String(text)) => text,
            _ => return Err(malformed(format!("the accepting answer has no `{}`", poll.url.source()))),
        };
        let base = &self.contract().base_url;
        if !text.contains("://") {
            return self.contract().url(&text).map_err(malformed);
        }
        match Url::parse(&text) {
            Ok(url) if url.origin() == base.origin() => Ok(url),
            Ok(_) => Err(malformed("the URL to ask again is on another host".to_owned())),
            Err(_) => Err(malformed("the URL to ask again is no URL".to_owned())),
        }
    }
}

/// Whether waiting a little may be enough.
const fn passes(reason: NoAnswerReason) -> bool {
    matches!(reason, NoAnswerReason::Unreachable | NoAnswerReason::ConnectionLost)
}

fn scope(raw: &RawAnswer) -> Result<Scope, crate::domain::NoAnswer> {
    Ok(Scope::new(raw.status, &raw.headers, raw.json(false)?))
}

fn holds(rule: Option<&Expression>, scope: &Scope) -> Result<bool, Failure> {
    rule.map_or(Ok(false), |rule| rule.holds(scope))
        .map_err(|message| Failure::new(NoAnswerReason::Malformed, message, Phase::Poll))
}
