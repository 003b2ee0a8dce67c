//! One look at a target before anything is sent to it.

use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Client;

use super::ask::Target;
use super::client::{Bounds, Connection, ConnectionError, exchange, is_exhaustion, is_no_http2};
use super::expression::Scope;
use super::reading::shown;
use crate::domain::{HttpVersion, NoAnswerReason};

/// A dead target has to be known as dead within five seconds, start and end of the program included.
pub(super) const DEADLINE: Duration = Duration::from_secs(4);

/// A target that answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// The version it reports.
    pub version: Option<String>,
    /// How long the look took.
    pub took: Duration,
}

/// A target that cannot be tested now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HealthError {
    /// It could not be reached.
    #[error("target `{target}` at {url} cannot be reached: {detail}")]
    Unreachable {
        /// The target's name.
        target: String,
        /// Its base URL, without secrets.
        url: String,
        /// What happened.
        detail: String,
        /// The kind of failure.
        reason: NoAnswerReason,
    },
    /// It answers that it is not well.
    #[error("target `{target}` at {url} is not healthy: {detail}")]
    Unhealthy {
        /// The target's name.
        target: String,
        /// Its base URL, without secrets.
        url: String,
        /// What it answered.
        detail: String,
    },
}

impl HealthError {
    /// What happened.
    pub fn detail(&self) -> &str {
        let (Self::Unreachable { detail, .. } | Self::Unhealthy { detail, .. }) = self;
        detail
    }

    /// Whether it took too long to answer.
    pub const fn is_timeout(&self) -> bool {
        matches!(self, Self::Unreachable { reason: NoAnswerReason::Timeout, .. })
    }

    /// Whether it failed as it does at what does not speak HTTP/2.
    pub fn is_no_http2(&self) -> bool {
        matches!(self, Self::Unreachable { detail, reason, .. } if is_no_http2(*reason, detail))
    }

    /// Whether this machine had no port or file left to look with.
    pub fn is_exhaustion(&self) -> bool {
        matches!(self, Self::Unreachable { detail, reason, .. } if is_exhaustion(*reason, detail))
    }
}

impl Target {
    /// Looks once whether the target is there and well; without a health request any HTTP answer will do.
    ///
    /// # Errors
    /// The target cannot be tested now. It takes at most four seconds to know.
    pub async fn look(&self) -> Result<Health, HealthError> {
        self.look_for(DEADLINE).await
    }

    /// The same within another deadline.
    ///
    /// # Errors
    /// As above.
    pub async fn look_for(&self, deadline: Duration) -> Result<Health, HealthError> {
        self.look_by(&self.client, deadline).await
    }

    /// The same over another HTTP than the contract's.
    ///
    /// # Errors
    /// There can be no connection of that kind; within it, as above.
    pub async fn look_over(
        &self,
        http: HttpVersion,
        deadline: Duration,
    ) -> Result<Result<Health, HealthError>, ConnectionError> {
        let contract = self.contract();
        let connection = Connection { http, ..contract.connection.clone() };
        let client = connection.client(&contract.name, &contract.base_url, 0, http == HttpVersion::Http2)?;
        Ok(self.look_by(&client, deadline).await)
    }

    /// The same by another client, whose connections nobody else waits for.
    pub(super) async fn look_by(&self, client: &Client, deadline: Duration) -> Result<Health, HealthError> {
        let contract = self.contract();
        let target = contract.name.clone();
        let url = contract.shown_url();
        let path = contract.health.as_ref().map_or("/", |health| health.path.as_str());
        let start = tokio::time::Instant::now();
        let unhealthy =
            |detail: String| HealthError::Unhealthy { target: target.clone(), url: url.clone(), detail };
        let outgoing = self.look_at(contract.url(path), "health");
        // A key may be in the query.
        let path = path.split('?').next().unwrap_or_default();
        let bounds = Bounds { headers: deadline, total: deadline, max_body: contract.connection.max_body };
        let raw = exchange(client, outgoing, bounds).await.map_err(|failure| HealthError::Unreachable {
            target: target.clone(),
            url: url.clone(),
            detail: failure.none.detail,
            reason: failure.none.reason,
        })?;
        if raw.is_http2 {
            self.spoke_http2.store(true, Ordering::Relaxed);
        }
        let took = start.elapsed();
        let Some(health) = &contract.health else { return Ok(Health { version: None, took }) };
        let body = raw.json(true).unwrap_or(serde_json::Value::Null);
        let scope = Scope::new(raw.status, &raw.headers, body);
        match &health.healthy {
            None if !(200..300).contains(&raw.status) => {
                return Err(unhealthy(format!("{path} answered HTTP {}", raw.status)));
            }
            None => {}
            Some(rule) => match rule.holds(&scope) {
                Ok(true) => {}
                Ok(false) => {
                    let detail =
                        format!("{path} answered HTTP {}, and `{}` does not hold", raw.status, rule.source());
                    return Err(unhealthy(detail));
                }
                Err(message) => {
                    return Err(unhealthy(format!("{path} answered HTTP {}, and {message}", raw.status)));
                }
            },
        }
        let version = health.version.as_ref().and_then(|version| match version.find(&scope) {
            Ok(Some(serde_json::Value::String(text))) => Some(shown(&text)),
            Ok(Some(serde_json::Value::Number(number))) => Some(number.to_string()),
            _ => None,
        });
        Ok(Health { version, took })
    }
}
