//! Targets that accept a phrase now and decide later.

use std::fmt;
use std::pin::Pin;
use std::time::{Duration, SystemTime};

use reqwest::{Client, Url};
use serde_json::Value as Json;
use tokio::time::{Instant, sleep, timeout_at};

use super::ask::Target;
use super::client::{Bounds, Failure, exchange};
use super::contract::Poll;
use super::expression::{Expression, Scope};
use super::http_time::retry_after;
use super::pace::Pacer;
use super::reading::RawAnswer;
use crate::domain::{NoAnswer, NoAnswerReason, Phase};

/// Who waited less has not waited for a turn.
const AT_ONCE: Duration = Duration::from_millis(1);

/// Who says when one more request may be sent.
pub trait Turnstile: Send + Sync {
    /// Waits until it may.
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

impl fmt::Debug for dyn Turnstile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Turnstile")
    }
}

impl Turnstile for Pacer {
    fn turn(&self) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.turn())
    }
}

impl Target {
    /// Asks for the decision until it is there, each time when `turns` says so; adds to `held` what was waited for that.
    ///
    /// `accepted` is the answer that accepted the phrase; the decision is the answer that comes back. No target is too
    /// late that was not asked: a look that waited for its turn has as long as any request, whatever is left.
    pub(super) async fn decision(
        &self,
        client: &Client,
        (poll, accepted): (&Poll, &RawAnswer),
        bounds: Bounds,
        turns: &dyn Turnstile,
        held: &mut Duration,
    ) -> Result<RawAnswer, Failure> {
        let url = self.poll_url(poll, accepted)?;
        let deadline = Instant::now() + poll.deadline.0;
        // Why the newest look was not sent at all: then nobody knows whether the decision was there.
        let mut unsent = None;
        let late = |unsent: Option<Failure>| {
            unsent.unwrap_or_else(|| Failure::timeout(poll.deadline.0, Phase::Poll))
        };
        let longest = poll.interval.0 * 10;
        let mut next_wait = poll.interval.0;
        let mut asked = Duration::ZERO;
        loop {
            let wait = next_wait.max(asked);
            next_wait = next_wait.mul_f64(1.5).min(longest);
            if timeout_at(deadline, sleep(wait)).await.is_err() {
                return Err(late(unsent));
            }
            let ready = Instant::now();
            turns.turn().await;
            let waited = ready.elapsed();
            *held += waited;
            let left = deadline.saturating_duration_since(Instant::now());
            let bounds = if waited < AT_ONCE {
                Bounds { headers: bounds.headers.min(left), total: bounds.total.min(left), ..bounds }
            } else {
                bounds
            };
            let looked = exchange(client, self.look_at(url.clone(), "poll"), bounds).await;
            unsent = looked.as_ref().err().filter(|failure| failure.is_exhaustion()).cloned();
            let raw = match looked {
                Ok(raw) => raw,
                Err(_) if Instant::now() >= deadline => return Err(late(unsent)),
                // A lost look costs nothing: the decision is still there at the next one.
                Err(failure) if passes(failure.none.reason) => continue,
                Err(failure) => return Err(Failure { phase: Phase::Poll, ..failure }),
            };
            asked = retry_after(&raw.headers, SystemTime::now()).unwrap_or_default();
            match raw.status {
                // Not there yet, too many, or a moment of trouble; the deadline is what ends the waiting.
                404 | 425 | 429 | 500..=599 => continue,
                200..=299 => {}
                _ => return Err(Failure { none: raw.refusal(), phase: Phase::Poll }),
            }
            let scope = self.scope(&raw).map_err(|none| Failure { none, phase: Phase::Poll })?;
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
        let scope = self.scope(accepted).map_err(|none| Failure { none, phase: Phase::Poll })?;
        let Some(Json::String(text)) = poll.url.find(&scope).map_err(malformed)? else {
            return Err(malformed(format!("the accepting answer has no `{}`", poll.url.source())));
        };
        let base = &self.contract.base_url;
        if !text.contains("://") {
            return Ok(self.contract.url(&text));
        }
        match Url::parse(&text) {
            Ok(mut url) if url.origin() == base.origin() => {
                // Who asks is for the contract to say, not for the answer. An http URL always takes these.
                let _ = url.set_username(base.username());
                let _ = url.set_password(base.password());
                Ok(url)
            }
            Ok(_) => Err(malformed("the URL to ask again is on another host".to_owned())),
            Err(_) => Err(malformed("the URL to ask again is no URL".to_owned())),
        }
    }

    fn scope<'a>(&self, raw: &'a RawAnswer) -> Result<Scope<'a>, NoAnswer> {
        Ok(Scope::new(raw.status, &raw.headers, raw.json(self.contract.response.any_content_type)?))
    }
}

/// Whether waiting a little may be enough.
const fn passes(reason: NoAnswerReason) -> bool {
    matches!(reason, NoAnswerReason::Unreachable | NoAnswerReason::ConnectionLost | NoAnswerReason::Timeout)
}

fn holds(rule: Option<&Expression>, scope: &Scope<'_>) -> Result<bool, Failure> {
    rule.map_or(Ok(false), |rule| rule.holds(scope))
        .map_err(|message| Failure::new(NoAnswerReason::Malformed, message, Phase::Poll))
}
