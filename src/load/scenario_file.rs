//! A scenario, as it is written.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::domain::{HttpVersion, LoadModel, Share, Wait};
use crate::gate::Gate;

/// A load scenario: what is sent, how much of it, and when it is too much.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash load scenario")]
pub(super) struct ScenarioFile {
    /// One line about it.
    pub(super) title: String,
    /// The target; the configured one if there is none.
    #[serde(default)]
    pub(super) target: Option<String>,
    /// What is sent.
    #[serde(default)]
    pub(super) phrases: Option<PhrasesEntry>,
    /// Phrases in every request, for targets with a batch endpoint; all rates stay requests a second. 1 if nothing is said.
    #[serde(default)]
    pub(super) batch: Option<usize>,
    /// Instead of phrases: the JSON that every request carries. No answer is judged then.
    #[serde(default)]
    #[schemars(with = "Option<serde_json::Value>")]
    pub(super) body: Option<serde_yaml::Value>,
    /// Who decides when a request starts.
    pub(super) model: LoadModel,
    /// Arrivals: requests a second at the start, as `50/s`; without `stages` all the time.
    #[serde(default)]
    pub(super) rate: Option<Rate>,
    /// Users: how many; with `stages` at the start.
    #[serde(default)]
    pub(super) users: Option<u32>,
    /// Without `stages`: how long.
    #[serde(default)]
    pub(super) duration: Option<Wait>,
    /// Loads, one after the other; each is reached evenly within its duration.
    #[serde(default)]
    pub(super) stages: Vec<StageEntry>,
    /// Raise the load until a gate breaks.
    #[serde(default)]
    pub(super) search: Option<SearchEntry>,
    /// Arrivals: how the starts are spaced.
    #[serde(default)]
    pub(super) spacing: Option<Spacing>,
    /// Arrivals: requests on their way at once, at most.
    #[serde(default)]
    pub(super) max_in_flight: Option<usize>,
    /// Arrivals: what becomes of a start beyond that.
    #[serde(default)]
    pub(super) beyond: Option<Beyond>,
    /// Users: how many begin in a second, where no stage says it.
    #[serde(default)]
    pub(super) hatch_rate: Option<Rate>,
    /// Users: the pause between an answer and the next request, as `1s` or `500ms..2s`.
    #[serde(default)]
    pub(super) think_time: Option<ThinkTime>,
    /// Users: requests of each of them, at most.
    #[serde(default)]
    pub(super) iterations: Option<u64>,
    /// What starts in this time at the beginning is in no number.
    #[serde(default)]
    pub(super) warm_up: Option<Wait>,
    /// How connections are used.
    #[serde(default)]
    pub(super) connections: ConnectionsEntry,
    /// Further headers of every request.
    #[serde(default)]
    pub(super) headers: BTreeMap<String, String>,
    /// What every answer has to be besides right: a rule over `status`, `headers` and `body` by name. Failures are counted.
    #[serde(default)]
    pub(super) checks: BTreeMap<String, String>,
    /// Deadline of a request; the target's if there is none.
    #[serde(default)]
    pub(super) timeout: Option<Wait>,
    /// Ask every phrase once before the load, to know what is right when idle. Where a gate needs it, it is done anyway.
    #[serde(default)]
    pub(super) idle_pass: bool,
    /// What the run has to hold.
    #[serde(default)]
    pub(super) gates: Vec<Gate>,
    /// When the run ends at once.
    #[serde(default)]
    pub(super) abort_when: AbortEntry,
    /// Requests a second, at most, whatever the rest says.
    #[serde(default)]
    pub(super) max_rate: Option<Rate>,
    /// The run ends after this time, whatever the rest says.
    #[serde(default)]
    pub(super) max_duration: Option<Wait>,
    /// And after so many requests.
    #[serde(default)]
    pub(super) max_requests: Option<u64>,
    /// The seed of the schedule and of the phrases' order.
    #[serde(default)]
    pub(super) seed: u64,
}

/// What is sent.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct PhrasesEntry {
    /// A suite, a phrase file or a folder of them.
    pub(super) suite: String,
    /// Only these categories.
    #[serde(default)]
    pub(super) categories: Vec<String>,
    /// Only phrases with one of these tags.
    #[serde(default)]
    pub(super) tags: Vec<String>,
    /// At most so many, drawn evenly over the categories.
    #[serde(default)]
    pub(super) limit: Option<usize>,
    /// How often a category is sent beside the others; 1 where nothing is said. Without any, phrases weigh the same.
    #[serde(default)]
    pub(super) weights: BTreeMap<String, f64>,
}

/// A load that is reached, evenly, from the one before.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct StageEntry {
    /// How long it takes; `0s` is a jump.
    pub(super) duration: Wait,
    /// Requests a second, or users, at its end.
    pub(super) target: f64,
}

/// A search for the highest load that holds.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SearchEntry {
    /// The load it begins with: requests a second.
    pub(super) from: Rate,
    /// The load it ends with at the latest.
    pub(super) to: Rate,
    /// What each load is multiplied by for the next one.
    pub(super) factor: f64,
    /// How long each is held.
    pub(super) hold: Wait,
}

/// How starts are spaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// Evenly.
    #[default]
    Even,
    /// At random, as independent people do (a Poisson process).
    Poisson,
}

/// What becomes of a start while too many requests are on their way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Beyond {
    /// It waits, and the wait counts.
    #[default]
    Wait,
    /// It is dropped, and counted.
    Drop,
}

/// How connections are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct ConnectionsEntry {
    /// Whether a connection is used again.
    pub(super) keep_alive: bool,
    /// Which HTTP is spoken, whatever the target's contract says.
    pub(super) http: Option<HttpVersion>,
    /// HTTP/2: connections over which requests go, at most. If nothing is said, one for each request on its way, and 100
    /// at most.
    pub(super) count: Option<usize>,
}

impl Default for ConnectionsEntry {
    fn default() -> Self {
        Self { keep_alive: true, http: None, count: None }
    }
}

/// When a run ends at once. Each looks at the requests of the last `over`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct AbortEntry {
    /// More of them without an answer than this.
    pub error_rate: Share,
    /// A 95th percentile of the response time above this; requests still on their way count with their age.
    pub latency_p95: Option<Wait>,
    /// Nothing at all is answered for so long, and something is on its way all the time; 5s if nothing is said, or as
    /// long as a gate on latency allows.
    pub silent: Option<Wait>,
    /// The target's health request fails twice in a row.
    pub unhealthy: bool,
    /// The time that is looked at.
    pub over: Wait,
    /// Fewer requests than this tell nothing; of slow ones no more are needed than can be on their way at once.
    pub at_least: u64,
}

impl Default for AbortEntry {
    fn default() -> Self {
        Self {
            error_rate: Share::percent(50.0).unwrap_or_else(|| unreachable!("a share")),
            latency_p95: None,
            silent: None,
            unhealthy: true,
            over: Wait(std::time::Duration::from_secs(1)),
            at_least: 10,
        }
    }
}

/// So many a second, written `50/s`.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Rate(pub f64);

/// More requests a second than one machine can send, by far.
const HIGHEST: f64 = 1e6;
/// One request in three hours.
const LOWEST: f64 = 1e-4;

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (number, seconds) = match text.trim().rsplit_once('/') {
            Some((number, "s")) => (number, 1.0),
            Some((number, "min" | "m")) => (number, 60.0),
            _ => return Err(format!("`{text}` is no rate: write `50/s` or `30/min`")),
        };
        let rate = number.trim().parse::<f64>().ok().map(|number| number / seconds);
        rate.filter(|rate| (LOWEST..=HIGHEST).contains(rate)).map(Self).ok_or_else(|| {
            format!("`{text}` is no rate: write `50/s` or `30/min`, from {LOWEST}/s to {HIGHEST}/s")
        })
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/s", (self.0 * 1e3).round() / 1e3)
    }
}

impl Serialize for Rate {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // All of it, where people are shown a few digits.
        serializer.collect_str(&format_args!("{}/s", self.0))
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a rate such as `50/s`")
    }
}

impl JsonSchema for Rate {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "RatePerTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "pattern": "^[0-9.]+ ?/(s|min|m)$"})
    }
}

/// A pause, or the ends between which it is drawn evenly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ThinkTime {
    /// The shortest.
    pub from: Wait,
    /// The longest.
    pub to: Wait,
}

impl FromStr for ThinkTime {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (from, to) = text.split_once("..").unwrap_or((text, text));
        let (from, to): (Wait, Wait) = (from.trim().parse()?, to.trim().parse()?);
        if from > to {
            return Err(format!("`{text}` begins with the longer pause"));
        }
        Ok(Self { from, to })
    }
}

impl<'de> Deserialize<'de> for ThinkTime {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        text(deserializer, "a pause such as `1s` or `500ms..2s`")
    }
}

impl JsonSchema for ThinkTime {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "ThinkTime".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string"})
    }
}

/// A value that is written as text.
fn text<'de, D: Deserializer<'de>, T: FromStr<Err = String>>(
    deserializer: D,
    what: &'static str,
) -> Result<T, D::Error> {
    struct Visitor<T>(&'static str, std::marker::PhantomData<T>);
    impl<T: FromStr<Err = String>> serde::de::Visitor<'_> for Visitor<T> {
        type Value = T;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(self.0)
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<T, E> {
            text.parse().map_err(E::custom)
        }
    }
    deserializer.deserialize_any(Visitor(what, std::marker::PhantomData))
}
