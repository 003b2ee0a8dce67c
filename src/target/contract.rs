//! What a detection API expects and answers, as data.

use std::collections::BTreeMap;

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{Method, Url};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;
use serde_yaml::Value;
use sha2::{Digest, Sha256};

use super::client::Connection;
use super::expression::Expression;
use super::reading::Reading;
use super::template::{Piece, Template, pieces};
use crate::document::{Document, Path, Problem, Problems, nearest};
use crate::domain::{Answer, Level, NoAnswerReason, Wait};

/// A contract that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("{problems}")]
pub struct ContractError {
    /// Everything that is wrong with it.
    pub problems: Problems,
}

/// A target contract, as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash target")]
pub(super) struct ContractFile {
    /// One line about the target.
    #[serde(default)]
    title: String,
    /// The preset whose contract this one changes; resolved before this is read.
    #[serde(default)]
    #[expect(dead_code, reason = "part of the format; `preset::merged` has used it by now")]
    extends: Option<String>,
    /// Where the service is, such as `http://127.0.0.1:8881`.
    base_url: String,
    /// Answers at or above this level reach a human.
    #[serde(default = "low")]
    alert_level: Level,
    /// Whether load scenarios may be run against it when it is not on this machine.
    #[serde(default)]
    allow_load: bool,
    /// How to see whether the service is up.
    #[serde(default)]
    health: Option<HealthFile>,
    /// How a phrase is sent.
    request: RequestFile,
    /// How an answer is read.
    response: ResponseFile,
    /// What must hold between the fields of every answer.
    #[serde(default)]
    invariants: Vec<InvariantFile>,
    /// How an answer that comes from a cache is seen.
    #[serde(default)]
    cache: CacheFile,
    /// For a service that accepts now and decides later.
    #[serde(default)]
    poll: Option<PollFile>,
    /// For a service that takes many phrases at once.
    #[serde(default)]
    batch: Option<BatchFile>,
    /// How to connect.
    #[serde(default)]
    connection: Connection,
    /// What the service can bear.
    #[serde(default)]
    limits: Limits,
    /// Real answers, and how they must be read: the mapping is tried on them before anything is sent.
    examples: Vec<ExampleFile>,
}

const fn low() -> Level {
    Level::Low
}

/// The JSON Schema of a target, for editors.
pub fn schema() -> Json {
    schemars::schema_for!(ContractFile).to_value()
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct HealthFile {
    /// The path, such as `/health`.
    path: String,
    /// Rule over `status`, `headers` and `body` that is true for a healthy service.
    #[serde(default)]
    healthy: Option<String>,
    /// Expression for the service's version.
    #[serde(default)]
    version: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct RequestFile {
    /// The method; POST if nothing is said.
    #[serde(default = "post")]
    method: String,
    /// The path, such as `/analyze`.
    path: String,
    /// Headers: text, or `{env: NAME}` for a secret from the environment.
    #[serde(default)]
    headers: BTreeMap<String, HeaderFile>,
    /// The body, with `${text}`, `${history}`, `${id}`, `${nonce}`, `${run}` and `${timestamp}` where they belong.
    body: Json,
    /// One earlier message inside `${history}`.
    #[serde(default = "plain_text")]
    history_item: Json,
}

fn post() -> String {
    "POST".to_owned()
}

fn plain_text() -> Json {
    Json::from("${text}")
}

#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "expected text, or `{env: NAME}` for a value from the environment")]
enum HeaderFile {
    Text(String),
    #[serde(rename_all = "snake_case")]
    Env {
        /// The variable's name.
        env: String,
        /// Whether the header is left out when the variable is not set.
        #[serde(default)]
        optional: bool,
    },
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ResponseFile {
    /// Statuses of an answer; 200 if nothing is said.
    #[serde(default = "ok")]
    statuses: Vec<u16>,
    /// Whether an answer may say that it is something other than JSON.
    #[serde(default)]
    any_content_type: bool,
    /// Expression for the service's word for the level.
    level: String,
    /// What the service's words mean; the five levels' own names always mean themselves.
    #[serde(default)]
    levels: BTreeMap<String, Level>,
    /// Expression for the score, 0 to 1.
    #[serde(default)]
    score: Option<String>,
    /// Expression for the confidence, 0 to 1.
    #[serde(default)]
    confidence: Option<String>,
    /// Expression for the service's own time in milliseconds.
    #[serde(default)]
    service_latency_ms: Option<String>,
    /// Expression for the version.
    #[serde(default)]
    version: Option<String>,
    /// Rule that is true for an answer that only says "I could not analyse this".
    #[serde(default)]
    fail_open: Option<String>,
}

fn ok() -> Vec<u16> {
    vec![200]
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct InvariantFile {
    /// Its name in reports.
    name: String,
    /// Rule that must be true for every answer; it also sees `level`, `score` and `confidence`.
    rule: String,
}

#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct CacheFile {
    /// Rule that is true for an answer from a cache.
    #[serde(default)]
    hit: Option<String>,
    /// Expression for something that is different in every fresh answer.
    #[serde(default)]
    answer_id: Option<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct PollFile {
    /// Statuses that accept a phrase; 202 if nothing is said.
    #[serde(default = "accepted")]
    accept: Vec<u16>,
    /// Expression for the URL or path to ask again, over the accepting answer.
    url: String,
    /// Rule that is true once the decision is there.
    done: String,
    /// Rule that is true when there will never be one.
    #[serde(default)]
    failed: Option<String>,
    /// The first wait; later ones grow to ten times that.
    #[serde(default = "poll_interval")]
    interval: Wait,
    /// When to stop asking.
    #[serde(default = "poll_deadline")]
    deadline: Wait,
}

fn accepted() -> Vec<u16> {
    vec![202]
}

const fn poll_interval() -> Wait {
    Wait(std::time::Duration::from_millis(100))
}

const fn poll_deadline() -> Wait {
    Wait(std::time::Duration::from_secs(60))
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct BatchFile {
    /// The path, such as `/analyze/batch`.
    path: String,
    /// Phrases in a request, at most.
    max: usize,
    /// The body, with `${items}` where the phrases belong.
    body: Json,
    /// One phrase inside `${items}`.
    #[serde(default = "plain_text")]
    item: Json,
    /// Expression for the list of answers.
    answers: String,
    /// Expression over one answer (`body`) for the id it answers; without it the answers must be in order and complete.
    #[serde(default)]
    answer_id: Option<String>,
}

/// What a service can bear.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests in flight at once, at most.
    #[serde(default)]
    pub concurrency: Option<usize>,
    /// Requests a second, at most.
    #[serde(default)]
    pub rate: Option<f64>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ExampleFile {
    /// The answer's status; 200 if nothing is said.
    #[serde(default = "status_200")]
    status: u16,
    /// The answer's body.
    body: Json,
    /// The level that it must be read as, or `fail_open`.
    reads: String,
    /// The invariants that it must be seen to break.
    #[serde(default)]
    breaks: Vec<String>,
}

const fn status_200() -> u16 {
    200
}

/// A header whose value is known or still in the environment.
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

#[derive(Debug)]
pub(super) struct Batch {
    pub(super) path: String,
    pub(super) max: usize,
    pub(super) body: Template,
    pub(super) item: Template,
    pub(super) answers: Expression,
    pub(super) answer_id: Option<Expression>,
}

/// A compiled contract: it could read all of its examples.
#[derive(Debug)]
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
    pub(super) health: Option<HealthRequest>,
    pub(super) request: Request,
    pub(super) response: ResponseMap,
    pub(super) poll: Option<Poll>,
    pub(super) batch: Option<Batch>,
}

const ANSWER: [&str; 3] = ["status", "headers", "body"];
const JUDGED: [&str; 6] = ["status", "headers", "body", "level", "score", "confidence"];

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
        let file: ContractFile =
            document.decode_part(value, path).map_err(|problems| ContractError { problems })?;
        let mut compiler = Compiler { document, base: path.clone(), problems: Problems::default() };
        let hash = contract_hash(value);
        let contract = compiler.contract(name, file, hash);
        match contract {
            Some(contract) if compiler.problems.is_empty() => Ok(contract),
            _ => {
                compiler.problems.sort();
                Err(ContractError { problems: compiler.problems })
            }
        }
    }

    /// Whether phrases can be sent in batches, and how many at once.
    pub fn batch_limit(&self) -> Option<usize> {
        self.batch.as_ref().map(|batch| batch.max)
    }

    /// Whether the service accepts now and decides later.
    pub const fn is_asynchronous(&self) -> bool {
        self.poll.is_some()
    }

    /// Whether an answer from a cache can be recognised.
    pub const fn sees_caches(&self) -> bool {
        self.response.cache_hit.is_some() || self.response.answer_id.is_some()
    }

    /// Whether a phrase's earlier messages are sent.
    pub fn sends_history(&self) -> bool {
        self.request.body.has("history")
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
        self.base_url = parse_base_url(url)?;
        Ok(self)
    }

    /// The URL of a path of the service.
    pub(super) fn url(&self, path: &str) -> Result<Url, String> {
        let mut url = self.base_url.clone();
        let (path, query) = path.split_once('?').map_or((path, None), |(path, query)| (path, Some(query)));
        let joined =
            format!("{}/{}", self.base_url.path().trim_end_matches('/'), path.trim_start_matches('/'));
        url.set_path(&joined);
        url.set_query(query);
        Ok(url)
    }
}

/// Hash of the parts that decide what an answer means; where the service stands and how to connect are no part of it.
fn contract_hash(value: &Value) -> String {
    const MEANING: [&str; 7] = ["alert_level", "request", "response", "invariants", "cache", "poll", "batch"];
    let parts: BTreeMap<&str, Option<&Value>> =
        MEANING.into_iter().map(|key| (key, value.get(key))).collect();
    let text = serde_json::to_string(&parts).unwrap_or_default();
    Sha256::digest(text).iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn parse_base_url(text: &str) -> Result<Url, String> {
    // A URL may hold a password, so it is never quoted.
    let url = Url::parse(text)
        .map_err(|error| format!("the URL cannot be read ({error}); write `http://host:port`"))?;
    if !matches!(url.scheme(), "http" | "https") {
        return Err(format!("the URL's scheme is `{}`, and only http and https can be tested", url.scheme()));
    }
    if url.host_str().is_none_or(str::is_empty) {
        return Err("the URL names no host".to_owned());
    }
    Ok(url)
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
                self.problem(&path, message);
                None
            }
        };
        let request = self.request(&file.request);
        let response = self.response(&file);
        let health = file.health.as_ref().map(|health| HealthRequest {
            path: health.path.clone(),
            healthy: self.optional(&["health", "healthy"], health.healthy.as_ref()),
            version: self.optional(&["health", "version"], health.version.as_ref()),
        });
        let poll = file.poll.as_ref().and_then(|poll| self.poll(poll));
        let batch = file.batch.as_ref().and_then(|batch| self.batch(batch));
        if let Some(rate) = file.limits.rate
            && !(rate > 0.0 && rate.is_finite())
        {
            let path = self.at(&["limits", "rate"]);
            self.problem(&path, "the rate must be above 0 requests a second");
        }
        let contract = Contract {
            name: name.to_owned(),
            title: file.title,
            base_url: base_url?,
            alert_level: file.alert_level,
            allow_load: file.allow_load,
            hash,
            connection: file.connection,
            limits: file.limits,
            health,
            request: request?,
            response: response?,
            poll,
            batch,
        };
        self.try_examples(&contract, &file.examples);
        Some(contract)
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
            let path = self.at(&["request", "headers", name]);
            let Ok(header) = HeaderName::from_bytes(name.as_bytes()) else {
                self.problem(&path, format!("`{name}` is no header name"));
                continue;
            };
            let source = match value {
                HeaderFile::Text(text) if HeaderValue::from_str(text).is_err() => {
                    self.problem(&path, "a header holds visible ASCII only");
                    continue;
                }
                HeaderFile::Text(text) => match pieces(text) {
                    Ok(pieces) if !pieces.contains(&Piece::Place("text")) => HeaderSource::Text(pieces),
                    Ok(_) => {
                        self.problem(&path, "the text of a phrase does not belong into a header");
                        continue;
                    }
                    Err(message) => {
                        self.problem(&path, message);
                        continue;
                    }
                },
                HeaderFile::Env { env, optional } => {
                    HeaderSource::Env { variable: env.clone(), optional: *optional }
                }
            };
            headers.push((header, source));
        }
        let body = self.template(&["request", "body"], &file.body, &file.history_item)?;
        if !body.has("text") {
            let path = self.at(&["request", "body"]);
            self.problem(
                &path,
                "the body has no `${text}`, so every phrase would be sent as the same request",
            );
        }
        Some(Request { method: method?, path: file.path.clone(), headers, body })
    }

    fn response(&mut self, file: &ContractFile) -> Option<ResponseMap> {
        let map = &file.response;
        let level = self.expression(&["response", "level"], &map.level, &ANSWER);
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
        let answers = self.expression(&["batch", "answers"], &file.answers, &ANSWER);
        let answer_id = self.optional(&["batch", "answer_id"], file.answer_id.as_ref());
        Some(Batch { path: file.path.clone(), max: file.max, body, item, answers: answers?, answer_id })
    }

    /// A mapping that cannot read the service's own answers would only be found out at the first phrase, or never.
    fn try_examples(&mut self, contract: &Contract, examples: &[ExampleFile]) {
        if examples.is_empty() {
            let path = self.at(&["examples"]);
            let problem = self
                .document
                .problem(&path, "there is no example")
                .with_hint("paste one real answer as `body` and say what level it `reads`");
            self.problems.push(problem);
        }
        let mut words: Vec<&str> = Level::ALL.map(Level::as_str).to_vec();
        words.push("fail_open");
        for (i, example) in examples.iter().enumerate() {
            let path = self.at(&["examples"]).join(i);
            if !words.contains(&example.reads.as_str()) {
                let problem = self.document.problem(
                    &path.join("reads"),
                    format!("`{}` is not one of {}", example.reads, words.join(", ")),
                );
                self.problems.push(match nearest(&example.reads, &words) {
                    Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
                    None => problem,
                });
                continue;
            }
            let reading = Reading::of_json(&contract.response, example.status, &[], example.body.clone());
            let found = match &reading.answer {
                Answer::Prediction(prediction) => prediction.level.to_string(),
                Answer::NoAnswer(none) if none.reason == NoAnswerReason::FailOpen => "fail_open".to_owned(),
                Answer::NoAnswer(none) => none.detail.clone(),
            };
            if found != example.reads {
                self.problem(
                    &path,
                    format!("this example must read `{}`, and it reads: {found}", example.reads),
                );
            }
            let mut expected = example.breaks.clone();
            let mut broken = reading.violations.clone();
            expected.sort();
            broken.sort();
            if broken != expected {
                let list =
                    |names: &[String]| if names.is_empty() { "none".to_owned() } else { names.join(", ") };
                self.problem(
                    &path,
                    format!(
                        "this example must break these invariants: {}; it breaks: {}",
                        list(&expected),
                        list(&broken)
                    ),
                );
            }
        }
    }
}

/// A problem for a contract file that is not there.
pub(super) fn missing(name: &str, known: &[&str]) -> Problem {
    let problem = Problem::with_file("targets", format!("there is no target `{name}`"));
    match nearest(name, known) {
        Some(near) => problem.with_hint(format!("did you mean `{near}`?")),
        None => problem.with_hint(format!("known here: {}", known.join(", "))),
    }
}
