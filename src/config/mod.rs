//! Settings in layers: the embedded default < a file < the environment < flags.
//!
//! This is the only reader of the environment. Every value knows where it came from, so that `thrash doctor` can tell;
//! a value that cannot be used is refused with its place.

mod environment;
mod layers;
mod notify;
mod reference;
mod retention;
mod schedules;
mod sense;
mod service;
mod settings;
mod suites;
mod targets;

use std::path::{Path, PathBuf};

use crate::document::{Document, Problem, Problems};
use crate::domain::{BaselineWish, Comparison, RunKind, RunRecord};
use crate::gate::{Gate, GateOptions, Metric};
use crate::suite::Catalog;
use crate::target::Contract;

pub use environment::{Environment, Meaning, Variable, variables};
use layers::is_within;
pub use layers::{Effective, Origin};
pub use notify::{ChannelSettings, NotifySettings};
pub use reference::ReferenceSettings;
pub use retention::RetentionSettings;
pub use schedules::{JobSettings, PlannedJob, ScheduleSettings};
use sense::{Findings, Nonsense};
pub use service::{KeySettings, RateLimitSettings, Scope, ServiceSettings, TlsSettings};
pub use settings::{
    DEFAULT, LogLevel, RunSettings, Settings, StoreSettings, SuiteSize, Suites, Thresholds, WaiverSettings,
    schema,
};
pub use suites::ListedSuite;

/// Settings that hold, with where each came from.
#[derive(Debug, Clone)]
pub struct Config {
    /// The values.
    pub settings: Settings,
    /// Each value by its path, with its origin.
    pub effective: Vec<Effective>,
    /// The file that was read, if there is one.
    pub file: Option<PathBuf>,
    document: Document,
    environment: Environment,
}

/// Why there are no settings.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file that was named cannot be read.
    #[error("cannot read the configuration `{path}`")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: std::io::Error,
    },
    /// A file says something that cannot be right.
    #[error("{0}")]
    Invalid(Problems),
    /// An environment variable says something that cannot be right.
    #[error("environment variable `{name}`: {message}")]
    Variable {
        /// Its name.
        name: String,
        /// What is wrong.
        message: String,
    },
    /// A setting's value, wherever it came from, cannot be used.
    #[error("`{key}` (from {origin}): {message}")]
    Setting {
        /// The setting.
        key: String,
        /// Where it came from.
        origin: Origin,
        /// What is wrong.
        message: String,
    },
    /// More than one of the last two.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n       "))]
    Several(Vec<ConfigError>),
}

impl ConfigError {
    /// Nothing where nothing is wrong.
    fn all(mut errors: Vec<Self>) -> Result<(), Self> {
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => Err(Self::Several(errors)),
        }
    }

    /// How to mend it, where there is something to say.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Read { .. } => Some("`--config FILE` or THRASH_CONFIG names it"),
            Self::Invalid(_) => {
                Some("`thrash schema config` describes the file; every setting may be left out")
            }
            Self::Variable { .. } | Self::Setting { .. } | Self::Several(_) => None,
        }
    }
}

impl Config {
    /// Variables of the environment that mean nothing here and may be meant to, each with the one that does.
    pub fn misspelt_variables(&self) -> Vec<(String, &'static str)> {
        self.environment.misspelt()
    }

    /// The folder for the database, the spool and reports.
    pub fn data_folder(&self) -> PathBuf {
        if let Some(folder) = &self.settings.data {
            return folder.clone();
        }
        directories::ProjectDirs::from("", "", "thrash")
            // Without a home there is no such place; beside the caller is better than nowhere.
            .map_or_else(|| PathBuf::from(".thrash"), |dirs| dirs.data_local_dir().to_owned())
    }

    /// The value of an environment variable, for contracts that keep a secret there.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment.get(name)
    }

    /// The suites that can be asked for.
    pub fn catalog(&self) -> Catalog {
        self.settings.phrases.clone().map_or_else(Catalog::shipped, Catalog::in_folder)
    }

    /// Whether a run sent less of its suite than is configured: it says nothing of the rest.
    pub fn is_partial(&self, record: &RunRecord) -> bool {
        self.is_part(&record.suite.name, record.part())
    }

    /// Whether this part of a suite ([`RunRecord::part`]) is less than is configured.
    pub fn is_part(&self, suite: &str, part: Option<u64>) -> bool {
        part.is_some_and(|part| self.suite_size(suite).is_none_or(|size| size as u64 != part))
    }

    /// The configured size of a suite, if it has one.
    pub fn suite_size(&self, suite: &str) -> Option<usize> {
        match suite {
            "quick" => self.settings.suites.quick.phrases,
            "comprehensive" => self.settings.suites.comprehensive.phrases,
            _ => None,
        }
    }

    /// The suites of which so many phrases are the whole.
    pub fn suite_sizes(&self) -> Vec<(String, u64)> {
        let size = |suite: &str| Some((suite.to_owned(), self.suite_size(suite)? as u64));
        ["quick", "comprehensive"].into_iter().filter_map(size).collect()
    }

    /// The gates that hold for a contract: the default ones with their limits, then the configured ones.
    ///
    /// A promise that the contract does not make is not gated by default: a pass would claim that somebody looked.
    pub fn gates_for(&self, contract: &Contract) -> GateOptions {
        let mut options = self.gates();
        let configured = options.gates.split_off(options.gates.len() - self.settings.gates.len());
        options.gates.retain(|gate| match gate.metric {
            Metric::InvariantViolations => contract.has_invariants(),
            Metric::FailOpenAnswers => contract.has_fail_open_rule(),
            // With one answer a phrase nothing can change.
            Metric::ChangedAnswers => {
                self.settings.run.repeat > 1 || self.settings.run.repeat_doubtful.is_some()
            }
            _ => true,
        });
        options.gates.extend(configured);
        options
    }

    /// The default gates with their limits, then those of the profiles, then the configured ones.
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
        gates.extend(self.settings.gate_profiles.iter().flat_map(|profile| profile.gates()));
        gates.extend(self.settings.gates.iter().cloned());
        GateOptions {
            gates,
            error_budget: thresholds.error_budget.value(),
            needs_baseline: self.needs_baseline(),
        }
    }

    /// Whether somebody asked for a baseline.
    pub fn needs_baseline(&self) -> bool {
        match &self.settings.baseline {
            Some(BaselineWish::Latest | BaselineWish::Run(_) | BaselineWish::File(_)) => true,
            Some(BaselineWish::Nothing) | None => false,
        }
    }

    /// The configured gates that compare with a baseline, those of the profiles first.
    pub fn gates_against_baseline(&self) -> GateOptions {
        let mut options = self.gates();
        options.gates.retain(|gate| gate.mode.is_against_baseline());
        options
    }

    /// What two runs have to hold against each other: the configured gates against a baseline and those that were asked
    /// for, and the paired test of the accuracy where none of them decides anything against the baseline; of load runs
    /// the one of what has no answer, too.
    pub fn gates_of_a_comparison(&self, asked: Vec<Gate>, kind: RunKind) -> GateOptions {
        let mut options = self.gates_against_baseline();
        options.gates.extend(asked);
        let decides = |gate: &Gate| gate.mode.is_against_baseline() && gate.severity.decides();
        if !options.gates.iter().any(decides) {
            options.gates.insert(0, Gate::no_regression(Metric::Accuracy));
            if kind == RunKind::Load {
                options.gates.insert(1, Gate::no_regression(Metric::UnansweredRate));
            }
        }
        options
    }

    /// Where a value came from, or the newest word on what it holds.
    fn origin(&self, key: &str) -> Origin {
        let of = |value: &Effective| value.origin;
        let around = self.effective.iter().find(|value| is_within(key, &value.key)).map(of);
        let mut within = self.effective.iter().filter(|value| is_within(&value.key, key)).map(of);
        let said = || within.rfind(|origin| *origin != Origin::Default);
        around.or_else(said).unwrap_or(Origin::Default)
    }

    /// What is wrong with settings, where they stand: those of the file together, else the first.
    fn refuse(&self, findings: Findings) -> Result<(), ConfigError> {
        let mut problems = Problems::default();
        let mut others = Vec::new();
        for found in findings.0 {
            match self.wrong(found) {
                ConfigError::Invalid(more) => problems.extend(more),
                error => others.push(error),
            }
        }
        problems.sort();
        if !problems.is_empty() {
            return Err(ConfigError::Invalid(problems));
        }
        // Of two that do not go together, the one is meant that somebody set.
        let is_default =
            |error: &ConfigError| matches!(error, ConfigError::Setting { origin: Origin::Default, .. });
        if !others.iter().all(is_default) {
            others.retain(|error| !is_default(error));
        }
        ConfigError::all(others)
    }

    fn wrong(&self, found: Nonsense) -> ConfigError {
        let Nonsense { path, is_key, message, hint, is_secret } = found;
        let key = path.to_string();
        match self.origin(&key) {
            Origin::File => {
                let message = format!("`{key}`: {message}");
                let problem = if is_key {
                    self.document.key_problem(&path, message)
                } else {
                    self.document.problem(&path, message)
                };
                let line = if is_secret { String::new() } else { problem.line.clone() };
                ConfigError::Invalid(Problem { hint, line, ..problem }.into())
            }
            origin @ (Origin::Default | Origin::Environment(_) | Origin::Flag) => {
                let message = hint.map_or(message.clone(), |hint| format!("{message}: {hint}"));
                ConfigError::Setting { key, origin, message }
            }
        }
    }
}

/// Where a configuration file is looked for when none is named, first to last.
fn usual_places() -> Vec<PathBuf> {
    let mut places = vec![Path::new("thrash.yaml").to_owned()];
    places.extend(
        directories::ProjectDirs::from("", "", "thrash").map(|dirs| dirs.config_dir().join("config.yaml")),
    );
    // Where a service has no home.
    places.push(Path::new("/etc/thrash/thrash.yaml").to_owned());
    places
}
