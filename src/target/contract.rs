//! What a detection API expects and answers: a contract that has been compiled.

use std::collections::BTreeMap;
use std::fmt;

use reqwest::header::HeaderName;
use reqwest::{Method, Url};

use super::client::Connection;
use super::contract_file::Limits;
use super::expression::Expression;
use super::template::{Piece, Template};
use crate::document::Problems;
use crate::domain::{Level, Wait};

/// A contract that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{problems}")]
pub struct ContractError {
    /// Everything that is wrong with it.
    pub problems: Problems,
}

#[derive(Debug, Clone)]
pub(super) enum HeaderSource {
    Text(Vec<Piece>),
    Env { variable: String, optional: bool },
}

#[derive(Debug)]
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) path: String,
    pub(super) headers: Vec<(HeaderName, HeaderSource)>,
    pub(super) body: Template,
}

#[derive(Debug)]
pub(super) struct ResponseMap {
    pub(super) statuses: Vec<u16>,
    pub(super) any_content_type: bool,
    pub(super) level: Expression,
    pub(super) levels: BTreeMap<String, Level>,
    pub(super) score: Option<Expression>,
    pub(super) confidence: Option<Expression>,
    pub(super) service_latency_ms: Option<Expression>,
    pub(super) version: Option<Expression>,
    pub(super) fail_open: Option<Expression>,
    pub(super) cache_hit: Option<Expression>,
    pub(super) answer_id: Option<Expression>,
    pub(super) invariants: Vec<(String, Expression)>,
}

impl ResponseMap {
    /// Whether an expression names this variable, or seems to.
    pub(super) fn names(&self, variable: &str) -> bool {
        let optional = [
            &self.score,
            &self.confidence,
            &self.service_latency_ms,
            &self.version,
            &self.fail_open,
            &self.cache_hit,
            &self.answer_id,
        ];
        let rules = self.invariants.iter().map(|(_, rule)| rule);
        let all = std::iter::once(&self.level).chain(optional.into_iter().flatten()).chain(rules);
        all.into_iter().any(|expression| expression.source().contains(variable))
    }
}

#[derive(Debug)]
pub(super) struct HealthRequest {
    pub(super) path: String,
    pub(super) healthy: Option<Expression>,
    pub(super) version: Option<Expression>,
}

#[derive(Debug)]
pub(super) struct Poll {
    pub(super) accept: Vec<u16>,
    pub(super) url: Expression,
    pub(super) done: Expression,
    pub(super) failed: Option<Expression>,
    pub(super) interval: Wait,
    pub(super) deadline: Wait,
}

/// How the answers of a batch find their phrases.
#[derive(Debug)]
pub(super) enum BatchOrder {
    /// By the order in which they come; there must be as many.
    AsSent,
    /// By the place that each names, from 0; there must be as many.
    Index(Expression),
    /// By the phrase's id, which each names.
    Id(Expression),
}

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) path: String,
    pub(super) max: usize,
    pub(super) body: Template,
    pub(super) item: Template,
    pub(super) answers: Expression,
    pub(super) order: BatchOrder,
}

impl Batch {
    /// Whether an expression that finds the answers names this variable, or seems to.
    fn names(&self, variable: &str) -> bool {
        let key = match &self.order {
            BatchOrder::AsSent => None,
            BatchOrder::Index(key) | BatchOrder::Id(key) => Some(key),
        };
        std::iter::once(&self.answers).chain(key).any(|expression| expression.source().contains(variable))
    }
}

/// A compiled contract: it could read all of its examples.
pub struct Contract {
    /// Its name.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// Where the service is.
    pub base_url: Url,
    /// Answers at or above this level reach a human.
    pub alert_level: Level,
    /// Whether load scenarios may be run against it.
    pub allow_load: bool,
    /// Content hash of everything that decides what an answer means.
    pub hash: String,
    /// How to connect.
    pub connection: Connection,
    /// What the service can bear.
    pub limits: Limits,
    /// The scores at which another level begins, where the service makes the level from the score.
    pub band_edges: Vec<f64>,
    pub(super) health: Option<HealthRequest>,
    pub(super) request: Request,
    pub(super) response: ResponseMap,
    pub(super) poll: Option<Poll>,
    pub(super) batch: Option<Batch>,
}

impl fmt::Debug for Contract {
    // The base URL and the headers may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Contract")
            .field("name", &self.name)
            .field("base_url", &self.shown_url())
            .field("hash", &self.hash)
            .finish_non_exhaustive()
    }
}

impl Contract {
    /// Whether phrases can be sent in batches, and how many at once.
    pub fn batch_limit(&self) -> Option<usize> {
        self.batch.as_ref().map(|batch| batch.max)
    }

    /// Whether the service accepts now and decides later.
    pub const fn is_asynchronous(&self) -> bool {
        self.poll.is_some()
    }

    /// Whether there are rules between the fields of an answer.
    pub fn has_invariants(&self) -> bool {
        !self.response.invariants.is_empty()
    }

    /// Whether an answer that says "I could not analyse this" can be recognised.
    pub fn has_fail_open_rule(&self) -> bool {
        self.response.fail_open.is_some()
    }

    /// Whether an answer from a cache can be recognised.
    pub const fn sees_caches(&self) -> bool {
        self.response.cache_hit.is_some() || self.response.answer_id.is_some()
    }

    /// Whether it accepts a phrase now and decides later: then each takes two requests at least.
    pub const fn is_polled(&self) -> bool {
        self.poll.is_some()
    }

    /// Whether an answer is read with its headers.
    pub(super) fn names_headers(&self) -> bool {
        self.response.names("headers") || self.batch.as_ref().is_some_and(|batch| batch.names("headers"))
    }

    /// Whether a phrase's earlier messages are sent.
    pub fn sends_history(&self) -> bool {
        self.request.body.has("history")
    }

    /// Whether a batch carries the phrases' earlier messages.
    pub fn batch_sends_history(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.item.has("history"))
    }

    /// The base URL as it may be shown: without user, password and query.
    pub fn shown_url(&self) -> String {
        let mut url = self.base_url.clone();
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.set_query(None);
        url.set_fragment(None);
        url.to_string().trim_end_matches('/').to_owned()
    }

    /// Points the contract at another place.
    ///
    /// # Errors
    /// What is wrong with the URL.
    pub fn with_base_url(mut self, url: &str) -> Result<Self, String> {
        let url = parse_base_url(url)?;
        // The mark was for the place where it stood.
        self.allow_load &= url.origin() == self.base_url.origin();
        self.base_url = url;
        Ok(self)
    }

    /// The URL of a path of the service.
    pub(super) fn url(&self, path: &str) -> Url {
        let mut url = self.base_url.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let joined =
            format!("{}/{}", self.base_url.path().trim_end_matches('/'), path.trim_start_matches('/'));
        url.set_path(&joined);
        url.set_query(query);
        url
    }
}

/// Reads a base URL.
///
/// # Errors
/// What is wrong with it, without any of it: it may hold a password.
pub(crate) fn parse_base_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text)
        .map_err(|error| format!("the URL cannot be read ({error}); write `http://host:port`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the URL's scheme is `{}`, and only http and https can be tested", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".to_owned());
    }
    if url.port() == Some(0) {
        return Err("the URL's port is 0, and nothing can listen there".to_owned());
    }
    Ok(url)
}
