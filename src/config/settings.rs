//! The settings themselves.

use std::collections::BTreeMap;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Value;

use super::{Config, ConfigError, Origin};
use crate::document::Path;
use crate::domain::{Comparison, Share, TextPolicy, Wait};
use crate::gate::{Gate, GateOptions, Metric};
use crate::suite::Catalog;
use crate::target::{Contract, ContractError, PRESET_NAMES, preset};

/// The embedded default, comments and all.
pub const DEFAULT: &str = include_str!("default.yaml");

/// Every setting.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "thrash configuration")]
pub struct Settings {
    /// A preset, or a name under `targets`.
    pub target: Option<String>,
    /// Where the target is, if not where its contract says.
    pub url: Option<String>,
    /// A folder with `suites.yaml` and phrases.
    pub phrases: Option<PathBuf>,
    /// The name of this environment in records.
    pub environment: Option<String>,
    /// How phrases are sent.
    pub run: RunSettings,
    /// Other sizes of the known suites.
    pub suites: Suites,
    /// The default gates' limits.
    pub thresholds: Thresholds,
    /// More gates.
    pub gates: Vec<Gate>,
    /// Where runs are kept.
    pub store: StoreSettings,
    /// The folder for the database, the spool and reports.
    pub data: Option<PathBuf>,
    /// What is kept of the phrases' text.
    pub text: TextPolicy,
    /// Diagnostics on stderr.
    pub log: LogLevel,
    /// Targets of the user's own.
    #[schemars(with = "BTreeMap<String, serde_json::Map<String, serde_json::Value>>")]
    pub targets: BTreeMap<String, Value>,
}

/// How much is said on stderr.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogLevel {
    /// Failures only.
    Error,
    /// And what may be wrong.
    Warn,
    /// And what happens.
    Info,
    /// And how.
    Debug,
    /// Everything.
    Trace,
}

/// How phrases are sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RunSettings {
    /// Requests in flight at once, at most.
    pub concurrency: usize,
    /// Requests a second, at most.
    pub rate: Option<f64>,
    /// Deadline of one attempt.
    pub timeout: Wait,
    /// Further attempts.
    pub retries: u32,
    /// How long a target may answer nothing but 429.
    pub patience: Wait,
    /// So many unanswered phrases in a row end the run.
    pub give_up_after: usize,
    /// How often each phrase is sent.
    pub repeat: u32,
    /// Phrases in one request.
    pub batch: usize,
    /// The seed of the order and of a draw.
    pub seed: Option<u64>,
}

/// Other sizes of the known suites.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Suites {
    /// Of `quick`.
    pub quick: SuiteSize,
    /// Of `comprehensive`.
    pub comprehensive: SuiteSize,
}

/// How many phrases of a suite are sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SuiteSize {
    /// The number; nothing means as the suite says.
    pub phrases: Option<usize>,
}

/// The default gates' limits.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Thresholds {
    /// Accuracy, at least.
    pub accuracy: Share,
    /// False positives of the negatives, at most.
    pub false_positive_rate: Share,
    /// Unanswered phrases, at most.
    pub unanswered_rate: Share,
    /// Unanswered tries above which the target has failed.
    pub error_budget: Share,
    /// Phrases whose answer may change.
    pub changed_answers: u32,
}

/// Where runs are kept.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct StoreSettings {
    /// The database's URL, or `none`.
    pub database_url: Option<String>,
    /// How long a database may take to answer.
    pub connect_timeout: Wait,
}

/// The JSON Schema of a configuration file, for editors: a file may leave out what it does not change.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    fn optional(value: &mut serde_json::Value) {
        match value {
            serde_json::Value::Object(map) => {
                map.remove("required");
                map.values_mut().for_each(optional);
            }
            serde_json::Value::Array(items) => items.iter_mut().for_each(optional),
            _ => {}
        }
    }
    // A gate has a metric wherever it stands; everything else may be left to the layer below.
    let gate = schema["$defs"]["GateEntry"].clone();
    optional(&mut schema);
    schema["$defs"]["GateEntry"] = gate;
    schema
}

impl Config {
    /// The suites that can be asked for.
    pub fn catalog(&self) -> Catalog {
        self.settings.phrases.clone().map_or_else(Catalog::shipped, Catalog::in_folder)
    }

    /// The configured size of a suite, if it has one.
    pub fn suite_size(&self, suite: &str) -> Option<usize> {
        match suite {
            "quick" => self.settings.suites.quick.phrases,
            "comprehensive" => self.settings.suites.comprehensive.phrases,
            _ => None,
        }
    }

    /// The name of the target that holds.
    pub fn target_name(&self) -> &str {
        match (&self.settings.target, &self.settings.url) {
            (Some(name), _) => name,
            (None, Some(_)) => "ash-v5",
            (None, None) => "demo",
        }
    }

    /// Whether the embedded demo detector has to be started for this target.
    pub fn wants_demo(&self) -> bool {
        self.target_name() == "demo" && self.settings.url.is_none()
    }

    /// The names of every target: presets and the user's own.
    pub fn target_names(&self) -> Vec<String> {
        let own = self.settings.targets.keys().cloned();
        let mut names: Vec<String> = PRESET_NAMES.map(str::to_owned).into_iter().chain(own).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The contract of a target, pointed at the configured URL if that belongs to it.
    ///
    /// # Errors
    /// There is no such target, or its contract cannot be used.
    pub fn contract(&self, name: &str) -> Result<Contract, ContractError> {
        let contract = match self.settings.targets.get(name) {
            Some(value) => {
                let path = Path::root().join("targets").join(name);
                Contract::configured(name, &self.document, &path, value)?
            }
            None => preset(name).map_err(|_| self.no_such_target(name))?,
        };
        Ok(contract)
    }

    fn no_such_target(&self, name: &str) -> ContractError {
        use crate::document::{Problem, nearest};
        let names = self.target_names();
        let known: Vec<&str> = names.iter().map(String::as_str).collect();
        let hint = match nearest(name, &known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known here: {}", known.join(", ")),
        };
        let origin = self.effective.iter().find(|value| value.key == "target").map_or(Origin::Default, |v| v.origin);
        let problem = Problem::with_file(&origin.to_string(), format!("there is no target `{name}`")).with_hint(hint);
        ContractError { problems: problem.into() }
    }

    /// The gates that hold: the default ones with their limits, then the configured ones.
    pub fn gates(&self) -> GateOptions {
        let thresholds = &self.settings.thresholds;
        let at_most = |metric, limit| Gate::point(metric, Comparison::AtMost, limit);
        let mut gates = vec![
            Gate::point(Metric::Accuracy, Comparison::AtLeast, thresholds.accuracy.value()),
            at_most(Metric::FalsePositiveRate, thresholds.false_positive_rate.value()),
            at_most(Metric::UnansweredRate, thresholds.unanswered_rate.value()),
            at_most(Metric::InvariantViolations, 0.0),
            at_most(Metric::FailOpenAnswers, 0.0),
            at_most(Metric::ChangedAnswers, f64::from(thresholds.changed_answers)),
        ];
        gates.extend(self.settings.gates.iter().cloned());
        GateOptions { gates, error_budget: thresholds.error_budget.value() }
    }

    /// Refuses values that decode and still make no sense.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        let run = &self.settings.run;
        let fail = |key: &str, message: &str| {
            let origin = self.effective.iter().find(|value| value.key == key).map_or(Origin::Default, |v| v.origin);
            Err(ConfigError::Setting { key: key.to_owned(), origin, message: message.to_owned() })
        };
        if !(1..=1000).contains(&run.concurrency) {
            return fail("run.concurrency", "it must be from 1 to 1000");
        }
        if run.rate.is_some_and(|rate| !(rate.is_finite() && rate > 0.0)) {
            return fail("run.rate", "it must be above 0 requests a second");
        }
        if run.timeout.0.is_zero() {
            return fail("run.timeout", "it must be above zero");
        }
        if !(1..=100).contains(&run.repeat) {
            return fail("run.repeat", "it must be from 1 to 100");
        }
        if run.batch == 0 {
            return fail("run.batch", "it must be at least 1");
        }
        if run.retries > 20 {
            return fail("run.retries", "it must be at most 20");
        }
        if run.give_up_after == 0 {
            return fail("run.give_up_after", "it must be at least 1");
        }
        for (key, size) in [
            ("suites.quick.phrases", self.settings.suites.quick.phrases),
            ("suites.comprehensive.phrases", self.settings.suites.comprehensive.phrases),
        ] {
            if size == Some(0) {
                return fail(key, "a suite of no phrases shows nothing");
            }
        }
        Ok(())
    }
}
