//! From a contract file to a contract that works, or to everything that is wrong with it.

use std::collections::BTreeMap;
use std::fmt::Write;

use reqwest::Method;
use reqwest::header::{HeaderName, HeaderValue};
use serde_json::Value as Json;
use serde_yaml::Value;
use sha2::{Digest, Sha256};

use super::contract::{
    Batch, BatchOrder, Contract, ContractError, HeaderSource, HealthRequest, Poll, Request, ResponseMap,
    parse_base_url,
};
use super::contract_file::{BatchFile, ContractFile, HeaderFile, PollFile, RequestFile, plain_text};
use super::examples;
use super::expression::Expression;
use super::hush::hushed;
use super::template::{Piece, Template, pieces};
use crate::document::{Document, Path, Problem, Problems, nearest};
use crate::domain::Level;

/// What an expression over an answer can see.
const ANSWER: [&str; 3] = ["status", "headers", "body"];
/// What an invariant can see.
const JUDGED: [&str; 6] = ["status", "headers", "body", "level", "score", "confidence"];
/// Headers that are ours: a test must be known as one, and a body has the length it has.
const OURS: [&str; 5] = ["x-thrash-run", "user-agent", "content-length", "transfer-encoding", "connection"];
/// Statuses that never are an answer: they say "later" or "elsewhere".
const NO_ANSWER: [u16; 4] = [429, 502, 503, 504];

impl Contract {
    /// Compiles the contract that stands at `path` in a document and tries it on its examples.
    ///
    /// # Errors
    /// Everything that is wrong with it, with places.
    pub(super) fn compile(
        name: &str,
        document: &Document,
        path: &Path,
        value: &Value,
    ) -> Result<Self, ContractError> {
        let file: ContractFile = document.decode_part(value, path).map_err(|problems| ContractError {
            problems: advised(&hushed(&problems, document, path, value)),
        })?;
        let mut compiler = Compiler { document, base: path.clone(), problems: Problems::default() };
        let contract = compiler.contract(name, file, contract_hash(value));
        match contract {
            Some(contract) if compiler.problems.is_empty() => Ok(contract),
            _ => {
                compiler.problems.sort();
                Err(ContractError { problems: compiler.problems })
            }
        }
    }
}

/// Says how to mend what the bare fact does not say.
fn advised(problems: &Problems) -> Problems {
    let mut advised = Problems::default();
    for problem in problems.iter().cloned() {
        let lacks_examples = problem.message == "the key `examples` is missing";
        advised.push(if lacks_examples { problem.with_hint(examples::HINT) } else { problem });
    }
    advised
}

/// Hash of the parts that decide what an answer means; where the service stands and how to connect are no part of it.
fn contract_hash(value: &Value) -> String {
    const MEANING: [&str; 7] = ["alert_level", "request", "response", "invariants", "cache", "poll", "batch"];
    let parts: BTreeMap<&str, Option<&Value>> =
        MEANING.into_iter().map(|key| (key, value.get(key))).collect();
    let text = serde_json::to_string(&parts).unwrap_or_default();
    Sha256::digest(text).iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// Compiles the parts and collects what is wrong with them.
struct Compiler<'a> {
    document: &'a Document,
    base: Path,
    problems: Problems,
}

impl Compiler<'_> {
    fn at(&self, keys: &[&str]) -> Path {
        keys.iter().fold(self.base.clone(), |path, key| path.join(*key))
    }

    fn problem(&mut self, path: &Path, message: impl Into<String>) {
        let problem = self.document.problem(path, message);
        self.problems.push(problem);
    }

    /// A problem whose line is not shown, because it may hold a secret.
    fn secret_problem(&mut self, path: &Path, message: impl Into<String>) {
        let problem = self.document.problem(path, message);
        self.problems.push(Problem { line: String::new(), ..problem });
    }

    fn expression(&mut self, keys: &[&str], source: &str, variables: &[&str]) -> Option<Expression> {
        match Expression::compile(source, variables) {
            Ok(expression) => Some(expression),
            Err(message) => {
                let path = self.at(keys);
                self.problem(&path, message);
                None
            }
        }
    }

    fn optional(&mut self, keys: &[&str], source: Option<&String>) -> Option<Expression> {
        source.and_then(|source| self.expression(keys, source, &ANSWER))
    }

    fn template(&mut self, keys: &[&str], value: &Json, item: &Json) -> Option<Template> {
        match Template::compile(value, item) {
            Ok(template) => Some(template),
            Err(message) => {
                let path = self.at(keys);
                self.problem(&path, message);
                None
            }
        }
    }

    fn contract(&mut self, name: &str, file: ContractFile, hash: String) -> Option<Contract> {
        let base_url = match parse_base_url(&file.base_url) {
            Ok(url) => Some(url),
            Err(message) => {
                let path = self.at(&["base_url"]);
                self.secret_problem(&path, message);
                None
            }
        };
        let request = self.request(&file.request);
        let response = self.response(&file);
        if let Some(response) = &response {
            for problem in
                examples::problems(self.document, &self.at(&["examples"]), response, &file.examples)
            {
                self.problems.push(problem);
            }
        }
        let health = file.health.as_ref().map(|health| HealthRequest {
            path: self.path(&["health", "path"], &health.path),
            healthy: self.optional(&["health", "healthy"], health.healthy.as_ref()),
            version: self.optional(&["health", "version"], health.version.as_ref()),
        });
        let poll = file.poll.as_ref().and_then(|poll| self.poll(poll));
        let batch = file.batch.as_ref().and_then(|batch| self.batch(batch));
        self.limits(&file);
        let bands = file.bands.unwrap_or_default();
        self.bands(&bands);
        Some(Contract {
            name: name.to_owned(),
            title: file.title,
            base_url: base_url?,
            alert_level: file.alert_level,
            allow_load: file.allow_load,
            hash,
            connection: file.connection,
            limits: file.limits,
            band_edges: bands.into_values().collect(),
            health,
            request: request?,
            response: response?,
            poll,
            batch,
        })
    }

    /// A path of the service.
    fn path(&mut self, keys: &[&str], path: &str) -> String {
        if !path.starts_with('/') {
            let at = self.at(keys);
            self.problem(&at, format!("the path `{path}` does not begin with `/`"));
        }
        path.to_owned()
    }

    fn statuses(&mut self, keys: &[&str], statuses: &[u16]) {
        let bad = statuses
            .iter()
            .find(|status| !matches!(status, 200..=299 | 400..=599) || NO_ANSWER.contains(status));
        let at = self.at(keys);
        match bad {
            Some(status) => self.problem(&at, format!("HTTP {status} can never be an answer")),
            None if statuses.is_empty() => self.problem(&at, "without a status nothing can be an answer"),
            None => {}
        }
    }

    fn limits(&mut self, file: &ContractFile) {
        if file.limits.rate.is_some_and(|rate| !(rate > 0.0 && rate.is_finite())) {
            let path = self.at(&["limits", "rate"]);
            self.problem(&path, "the rate must be above 0 requests a second");
        }
        if file.limits.concurrency == Some(0) {
            let path = self.at(&["limits", "concurrency"]);
            self.problem(&path, "with no request in flight nothing can be sent");
        }
        let connection = &file.connection;
        let waits = [
            ("connect_timeout", Some(connection.connect_timeout)),
            ("headers_timeout", connection.headers_timeout),
            ("timeout", connection.timeout),
        ];
        for (key, wait) in waits {
            if wait.is_some_and(|wait| wait.0.is_zero()) {
                let path = self.at(&["connection", key]);
                self.problem(&path, "a deadline must be above zero");
            }
        }
        if connection.max_body == 0 {
            let path = self.at(&["connection", "max_body"]);
            self.problem(&path, "an answer has at least one byte");
        }
    }

    fn bands(&mut self, bands: &BTreeMap<Level, f64>) {
        let mut below = 0.0;
        for (level, score) in bands {
            let message = match level {
                Level::None => "the band of `none` begins at 0 and is not named",
                _ if !(0.0..=1.0).contains(score) => "a band begins at a score from 0 to 1",
                _ if *score <= below => "the bands must rise with the levels",
                _ => {
                    below = *score;
                    continue;
                }
            };
            let path = self.at(&["bands", level.as_str()]);
            self.problem(&path, message);
        }
    }

    fn request(&mut self, file: &RequestFile) -> Option<Request> {
        let method = Method::from_bytes(file.method.as_bytes())
            .ok()
            .filter(|m| matches!(*m, Method::POST | Method::PUT));
        if method.is_none() {
            let path = self.at(&["request", "method"]);
            self.problem(&path, format!("`{}` is not POST or PUT", file.method));
        }
        let mut headers = Vec::new();
        for (name, value) in &file.headers {
            match header(name, value) {
                Ok(header) => headers.push(header),
                Err(message) => {
                    let path = self.at(&["request", "headers", name]);
                    self.secret_problem(&path, message);
                }
            }
        }
        let path = self.path(&["request", "path"], &file.path);
        let body = self.template(&["request", "body"], &file.body, &file.history_item)?;
        if !body.has("text") {
            let path = self.at(&["request", "body"]);
            self.problem(
                &path,
                "the body has no `${text}`, so every phrase would be sent as the same request",
            );
        }
        Some(Request { method: method?, path, headers, body })
    }

    fn response(&mut self, file: &ContractFile) -> Option<ResponseMap> {
        let map = &file.response;
        let level = self.expression(&["response", "level"], &map.level, &ANSWER);
        self.statuses(&["response", "statuses"], &map.statuses);
        let mut levels = map.levels.clone();
        for own in Level::ALL {
            // A service may use one of the five words for something else; it has to say so.
            levels.entry(own.as_str().to_owned()).or_insert(own);
        }
        let mut invariants: Vec<(String, Expression)> = Vec::new();
        for (i, invariant) in file.invariants.iter().enumerate() {
            let path = self.at(&["invariants"]).join(i);
            if invariants.iter().any(|(name, _)| *name == invariant.name) {
                self.problem(&path.join("name"), format!("there is another invariant `{}`", invariant.name));
            }
            match Expression::compile(&invariant.rule, &JUDGED) {
                Ok(rule) => invariants.push((invariant.name.clone(), rule)),
                Err(message) => self.problem(&path.join("rule"), message),
            }
        }
        Some(ResponseMap {
            statuses: map.statuses.clone(),
            any_content_type: map.any_content_type,
            score: self.optional(&["response", "score"], map.score.as_ref()),
            confidence: self.optional(&["response", "confidence"], map.confidence.as_ref()),
            service_latency_ms: self
                .optional(&["response", "service_latency_ms"], map.service_latency_ms.as_ref()),
            version: self.optional(&["response", "version"], map.version.as_ref()),
            fail_open: self.optional(&["response", "fail_open"], map.fail_open.as_ref()),
            cache_hit: self.optional(&["cache", "hit"], file.cache.hit.as_ref()),
            answer_id: self.optional(&["cache", "answer_id"], file.cache.answer_id.as_ref()),
            level: level?,
            levels,
            invariants,
        })
    }

    fn poll(&mut self, file: &PollFile) -> Option<Poll> {
        self.statuses(&["poll", "accept"], &file.accept);
        let url = self.expression(&["poll", "url"], &file.url, &ANSWER);
        let done = self.expression(&["poll", "done"], &file.done, &ANSWER);
        let failed = self.optional(&["poll", "failed"], file.failed.as_ref());
        if file.interval.0.is_zero() || file.deadline.0.is_zero() {
            let path = self.at(&["poll"]);
            self.problem(&path, "`interval` and `deadline` must be above zero");
        }
        Some(Poll {
            accept: file.accept.clone(),
            url: url?,
            done: done?,
            failed,
            interval: file.interval,
            deadline: file.deadline,
        })
    }

    fn batch(&mut self, file: &BatchFile) -> Option<Batch> {
        let body = self.template(&["batch", "body"], &file.body, &Json::Null)?;
        let item = self.template(&["batch", "item"], &file.item, &plain_text())?;
        if !body.has("items") || !item.has("text") {
            let path = self.at(&["batch"]);
            self.problem(&path, "`body` needs `${items}` and `item` needs `${text}`");
        }
        if file.max < 2 {
            let path = self.at(&["batch", "max"]);
            self.problem(&path, "a batch holds at least 2 phrases");
        }
        let path = self.path(&["batch", "path"], &file.path);
        let answers = self.expression(&["batch", "answers"], &file.answers, &ANSWER);
        let id = self.optional(&["batch", "answer_id"], file.answer_id.as_ref());
        let index = self.optional(&["batch", "answer_index"], file.answer_index.as_ref());
        let order = match (id, index) {
            (Some(_), Some(_)) => {
                let path = self.at(&["batch", "answer_index"]);
                self.problem(&path, "an answer is found by its id or by its index, not by both");
                BatchOrder::AsSent
            }
            (Some(id), None) => BatchOrder::Id(id),
            (None, Some(index)) => BatchOrder::Index(index),
            (None, None) => BatchOrder::AsSent,
        };
        Some(Batch { path, max: file.max, body, item, answers: answers?, order })
    }
}

/// A header of every request, or what is wrong with it.
fn header(name: &str, value: &HeaderFile) -> Result<(HeaderName, HeaderSource), String> {
    let header =
        HeaderName::from_bytes(name.as_bytes()).map_err(|_| format!("`{name}` is no header name"))?;
    if OURS.contains(&header.as_str()) {
        return Err(format!("`{name}` is not for a contract to set"));
    }
    let source = match value {
        HeaderFile::Text(text) => {
            if !text.is_ascii() || HeaderValue::from_str(text).is_err() {
                return Err("a header holds visible ASCII only".to_owned());
            }
            let pieces = pieces(text)?;
            if pieces.contains(&Piece::Place("text")) {
                return Err("the text of a phrase does not belong into a header".to_owned());
            }
            HeaderSource::Text(pieces)
        }
        HeaderFile::Env(from) => HeaderSource::Env { variable: from.env.clone(), optional: from.optional },
    };
    Ok((header, source))
}

/// A problem for a contract file that is not there.
pub(super) fn missing(name: &str, known: &[&str]) -> Problem {
    let problem = Problem::with_file("targets", format!("there is no target `{name}`"));
    match nearest(name, known) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint(format!("known here: {}", known.join(", "))),
    }
}
