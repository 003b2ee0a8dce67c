//! A target contract, as it is written in YAML: the shapes, and what holds where nothing is said.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use serde_json::Value as Json;

use super::client::Connection;
use crate::domain::{Level, Wait};

/// A target contract, as it is written. It has no `Debug`: headers and URLs may hold secrets.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash target")]
pub(super) struct ContractFile {
    /// One line about the target.
    #[serde(default)]
    pub(super) title: String,
    /// The preset whose contract this one changes; resolved before this is read.
    #[serde(default)]
    #[expect(dead_code, reason = "part of the format; `preset::merged` has used it by now")]
    pub(super) extends: Option<String>,
    /// Where the service is, such as `http://127.0.0.1:8881`.
    pub(super) base_url: String,
    /// Answers at or above this level reach a human.
    #[serde(default = "low")]
    pub(super) alert_level: Level,
    /// Whether load scenarios may be run against it when it is not on this machine.
    #[serde(default)]
    pub(super) allow_load: bool,
    /// How to see whether the service is up.
    #[serde(default)]
    pub(super) health: Option<HealthFile>,
    /// How a phrase is sent.
    pub(super) request: RequestFile,
    /// How an answer is read.
    pub(super) response: ResponseFile,
    /// What must hold between the fields of every answer.
    #[serde(default)]
    pub(super) invariants: Vec<InvariantFile>,
    /// Where the service makes the level from the score: the lowest score of each level but `none`.
    #[serde(default)]
    pub(super) bands: Option<BTreeMap<Level, f64>>,
    /// How an answer that comes from a cache is seen.
    #[serde(default)]
    pub(super) cache: CacheFile,
    /// For a service that accepts now and decides later.
    #[serde(default)]
    pub(super) poll: Option<PollFile>,
    /// For a service that takes many phrases at once.
    #[serde(default)]
    pub(super) batch: Option<BatchFile>,
    /// How to connect.
    #[serde(default)]
    pub(super) connection: Connection,
    /// What the service can bear.
    #[serde(default)]
    pub(super) limits: Limits,
    /// Real answers, and how they must be read: the mapping is tried on them before anything is sent.
    pub(super) examples: Vec<ExampleFile>,
}

const fn low() -> Level {
    Level::Low
}

/// The JSON Schema of a target, for editors.
pub fn schema() -> Json {
    schemars::schema_for!(ContractFile).to_value()
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct HealthFile {
    /// The path, such as `/health`.
    pub(super) path: String,
    /// Rule over `status`, `headers` and `body` that is true for a healthy service.
    #[serde(default)]
    pub(super) healthy: Option<String>,
    /// Expression for the service's version.
    #[serde(default)]
    pub(super) version: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RequestFile {
    /// The method; POST if nothing is said.
    #[serde(default = "post")]
    pub(super) method: String,
    /// The path, such as `/analyze`.
    pub(super) path: String,
    /// Headers: text, or `{env: NAME}` for a secret from the environment.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, HeaderFile>,
    /// The body, with `${text}`, `${history}`, `${id}`, `${nonce}`, `${run}` and `${timestamp}` where they belong.
    pub(super) body: Json,
    /// One earlier message inside `${history}`.
    #[serde(default = "plain_text")]
    pub(super) history_item: Json,
}

fn post() -> String {
    "POST".to_owned()
}

pub(super) fn plain_text() -> Json {
    Json::from("${text}")
}

/// A header's value, as it is written.
#[derive(JsonSchema)]
#[schemars(untagged)]
pub(super) enum HeaderFile {
    /// The value itself.
    Text(String),
    /// Where the value is.
    Env(EnvironmentFile),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct EnvironmentFile {
    /// The variable's name.
    pub(super) env: String,
    /// Whether the header is left out when the variable is not set.
    #[serde(default)]
    pub(super) optional: bool,
}

// Written out, because a derived one would not say which key is unknown.
impl<'de> Deserialize<'de> for HeaderFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = HeaderFile;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("text, or `{env: NAME}` for a value from the environment")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<HeaderFile, E> {
                Ok(HeaderFile::Text(text.to_owned()))
            }

            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<HeaderFile, A::Error> {
                EnvironmentFile::deserialize(de::value::MapAccessDeserializer::new(map)).map(HeaderFile::Env)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ResponseFile {
    /// Statuses of an answer; 200 if nothing is said. 429, 502, 503, 504 and redirects are never one.
    #[serde(default = "ok")]
    pub(super) statuses: Vec<u16>,
    /// Whether an answer may say that it is something other than JSON.
    #[serde(default)]
    pub(super) any_content_type: bool,
    /// Expression for the service's word for the level.
    pub(super) level: String,
    /// What the service's words mean; the five levels' own names always mean themselves.
    #[serde(default)]
    pub(super) levels: BTreeMap<String, Level>,
    /// Expression for the score, 0 to 1.
    #[serde(default)]
    pub(super) score: Option<String>,
    /// Expression for the confidence, 0 to 1.
    #[serde(default)]
    pub(super) confidence: Option<String>,
    /// Expression for the service's own time in milliseconds.
    #[serde(default)]
    pub(super) service_latency_ms: Option<String>,
    /// Expression for the version.
    #[serde(default)]
    pub(super) version: Option<String>,
    /// Rule that is true for an answer that only says "I could not analyse this".
    #[serde(default)]
    pub(super) fail_open: Option<String>,
}

fn ok() -> Vec<u16> {
    vec![200]
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct InvariantFile {
    /// Its name in reports.
    pub(super) name: String,
    /// Rule that must be true for every answer; it also sees `level`, `score` and `confidence`.
    pub(super) rule: String,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct CacheFile {
    /// Rule that is true for an answer from a cache.
    #[serde(default)]
    pub(super) hit: Option<String>,
    /// Expression for something that is different in every fresh answer: one that comes again was kept.
    #[serde(default)]
    pub(super) answer_id: Option<String>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PollFile {
    /// Statuses that accept a phrase; 202 if nothing is said.
    #[serde(default = "accepted")]
    pub(super) accept: Vec<u16>,
    /// Expression for the URL or path to ask again, over the accepting answer.
    pub(super) url: String,
    /// Rule that is true once the decision is there.
    pub(super) done: String,
    /// Rule that is true when there will never be one.
    #[serde(default)]
    pub(super) failed: Option<String>,
    /// The first wait; later ones grow to ten times that.
    #[serde(default = "poll_interval")]
    pub(super) interval: Wait,
    /// When to stop asking, counted from the accepting answer.
    #[serde(default = "poll_deadline")]
    pub(super) deadline: Wait,
}

fn accepted() -> Vec<u16> {
    vec![202]
}

const fn poll_interval() -> Wait {
    Wait(std::time::Duration::from_millis(100))
}

const fn poll_deadline() -> Wait {
    Wait(std::time::Duration::from_mins(1))
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct BatchFile {
    /// The path, such as `/analyze/batch`.
    pub(super) path: String,
    /// Phrases in a request, at most.
    pub(super) max: usize,
    /// The body, with `${items}` where the phrases belong.
    pub(super) body: Json,
    /// One phrase inside `${items}`.
    #[serde(default = "plain_text")]
    pub(super) item: Json,
    /// Expression for the list of answers.
    pub(super) answers: String,
    /// Expression over one answer (`body`) for the id it answers; without it the answers must be in order and complete.
    #[serde(default)]
    pub(super) answer_id: Option<String>,
    /// Expression over one answer (`body`) for the place, from 0, of the phrase it answers; the answers must be complete.
    #[serde(default)]
    pub(super) answer_index: Option<String>,
}

/// What a service can bear.
#[derive(Debug, Clone, Copy, PartialEq, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Requests in flight at once, at most; asking again for a decision needs no place of its own.
    #[serde(default)]
    pub concurrency: Option<usize>,
    /// Requests a second, at most, asking again for a decision included.
    #[serde(default)]
    pub rate: Option<f64>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct ExampleFile {
    /// The answer's status; 200 if nothing is said.
    #[serde(default = "status_200")]
    pub(super) status: u16,
    /// The answer's body.
    pub(super) body: Json,
    /// The level that it must be read as, or `fail_open`.
    pub(super) reads: String,
    /// The invariants that it must be seen to break.
    #[serde(default)]
    pub(super) breaks: Vec<String>,
}

const fn status_200() -> u16 {
    200
}
