//! The settings themselves, as a file holds them.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_yaml::Value;

use super::sense::{DAY, Findings, HOUR, INSTANT};
use super::{NotifySettings, ReferenceSettings, RetentionSettings, ScheduleSettings, ServiceSettings};
use crate::document::Path;
use crate::domain::{BaselineWish, Share, TextPolicy, Wait};
use crate::gate::{Gate, GateProfile};
use crate::suite::perturb::Kinds;
use crate::target::parse_base_url;

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
    /// The file of known failures.
    pub waivers: WaiverSettings,
    /// Ready sets of gates.
    pub gate_profiles: Vec<GateProfile>,
    /// What a run is held against: a run's id, a record file, `latest` or `none`; nothing is the set baseline.
    pub baseline: Option<BaselineWish>,
    /// The reference model.
    pub reference: ReferenceSettings,
    /// Where runs are kept.
    pub store: StoreSettings,
    /// How long they are kept.
    pub retention: RetentionSettings,
    /// The service.
    pub service: ServiceSettings,
    /// The runs that begin by themselves.
    pub schedules: ScheduleSettings,
    /// Who is told when something breaks.
    pub notify: NotifySettings,
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
    /// How often a phrase is sent whose answer is in doubt.
    pub repeat_doubtful: Option<u32>,
    /// Which variants of the phrases are sent as well.
    #[schemars(with = "Vec<String>")]
    pub perturb: Kinds,
    /// How many variants of each phrase.
    pub perturb_per_phrase: u32,
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

/// The file of known failures, and how many of them may be at once.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WaiverSettings {
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// So many may be used in a run, at most; and never more than one phrase in twenty.
    pub most: u64,
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

/// Lets everything in a schema be left out.
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

/// The JSON Schema of a configuration file, for editors: a file may leave out what it does not change.
pub fn schema() -> serde_json::Value {
    let mut schema = schemars::schema_for!(Settings).to_value();
    // A gate has a metric wherever it stands; everything else may be left to the layer below.
    let gate = schema["$defs"]["GateEntry"].clone();
    optional(&mut schema);
    schema["$defs"]["GateEntry"] = gate;
    schema
}

impl Settings {
    /// Notes every value that decodes and still makes no sense.
    pub(super) fn look_for_nonsense(&self, found: &mut Findings) {
        let Self { url, environment, run, suites, reference, store, .. } = self;
        if let Some(Err(message)) = url.as_deref().map(parse_base_url) {
            found.at(Path::of("url"), message).is_secret = true;
        }
        found.note(
            environment.as_ref().is_some_and(|name| name.chars().count() > 100),
            "environment",
            "a name has at most 100 characters",
        );
        found.note(!(1..=1000).contains(&run.concurrency), "run.concurrency", "it must be from 1 to 1000");
        found.note(
            run.rate.is_some_and(|rate| !(0.001..=1e6).contains(&rate)),
            "run.rate",
            "it must be from 0.001 to 1000000 requests a second",
        );
        found.time("run.timeout", run.timeout, INSTANT, DAY);
        found.time("run.patience", run.patience, Duration::ZERO, DAY);
        found.note(!(1..=100).contains(&run.repeat), "run.repeat", "it must be from 1 to 100");
        found.note(
            run.repeat_doubtful.is_some_and(|times| times <= run.repeat || times > 100),
            "run.repeat_doubtful",
            "it must be more than `run.repeat`, and at most 100",
        );
        found.note(
            !(1..=50).contains(&run.perturb_per_phrase),
            "run.perturb_per_phrase",
            "it must be from 1 to 50",
        );
        found.note(!(1..=10_000).contains(&run.batch), "run.batch", "it must be from 1 to 10000");
        found.note(run.retries > 20, "run.retries", "it must be at most 20");
        found.note(run.give_up_after == 0, "run.give_up_after", "it must be at least 1");
        let nothing = "a suite of no phrases shows nothing";
        found.note(suites.quick.phrases == Some(0), "suites.quick.phrases", nothing);
        found.note(suites.comprehensive.phrases == Some(0), "suites.comprehensive.phrases", nothing);
        found.note(!(1..=256).contains(&reference.threads), "reference.threads", "it must be from 1 to 256");
        found.note(
            reference.batch.is_some_and(|batch| !(1..=4096).contains(&batch)),
            "reference.batch",
            "it must be from 1 to 4096",
        );
        found.time("reference.wait", reference.wait, Duration::ZERO, DAY);
        found.time("store.connect_timeout", store.connect_timeout, INSTANT, HOUR);
        self.retention.look_for_nonsense(found);
        self.service.look_for_nonsense(found);
        self.schedules.look_for_nonsense(found);
        self.notify.look_for_nonsense(found);
    }
}
