//! Runs that begin by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Config, ConfigError, Origin};
use crate::document::Path;
use crate::domain::Wait;
use crate::schedule::{CronLine, Plan, Zone};

/// The runs that begin by themselves while the service is there.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ScheduleSettings {
    /// Whether any begin: `false` stops all, `true` begins those that do not say otherwise themselves.
    pub enabled: Option<bool>,
    /// The jobs, by name.
    pub jobs: BTreeMap<String, JobSettings>,
}

/// A run that begins by itself.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct JobSettings {
    /// When.
    pub cron: CronLine,
    /// The suite that is run.
    #[serde(default)]
    pub suite: Option<String>,
    /// Instead of a suite, the load scenario.
    #[serde(default)]
    pub scenario: Option<String>,
    /// The target; nothing means the configured one, or the scenario's own.
    #[serde(default)]
    pub target: Option<String>,
    /// By which clock.
    #[serde(default = "utc")]
    pub zone: Zone,
    /// It starts up to so much later.
    #[serde(default = "at_once")]
    pub jitter: Wait,
    /// How late a run that was missed is still made up for.
    #[serde(default = "six_hours")]
    pub catch_up: Wait,
    /// Whether it begins; nothing means as `schedules.enabled` says, and without that not.
    #[serde(default)]
    pub enabled: Option<bool>,
}

const fn utc() -> Zone {
    Zone::UTC
}

const fn at_once() -> Wait {
    Wait(Duration::ZERO)
}

const fn six_hours() -> Wait {
    Wait(Duration::from_hours(6))
}

/// A configured job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedJob {
    /// When it runs, and its name.
    pub plan: Plan,
    /// The suite that is run.
    pub suite: Option<String>,
    /// Or the scenario.
    pub scenario: Option<String>,
    /// The target, if it names one.
    pub target: Option<String>,
    /// Whether it begins by itself, if nobody says otherwise at run time.
    pub enabled: bool,
}

impl ScheduleSettings {
    /// A value that decodes and still makes no sense: its key, and what is wrong.
    pub(super) fn senseless(&self) -> Option<(&'static str, &'static str)> {
        let is_name = |name: &str| {
            (1..=40).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
        };
        let message = if !self.jobs.keys().all(|name| is_name(name)) {
            "a job's name is of 1 to 40 letters, digits, `-` and `_`"
        } else if !self.jobs.values().all(|job| job.suite.is_some() != job.scenario.is_some()) {
            "a job names either a `suite` or a `scenario`"
        } else if self.jobs.values().any(|job| job.jitter.0 > Duration::from_hours(24)) {
            "`jitter` is at most a day"
        } else if self.jobs.values().any(|job| job.catch_up.0 > Duration::from_hours(24 * 31)) {
            "`catch_up` is at most 31 days"
        } else {
            return None;
        };
        Some(("schedules.jobs", message))
    }
}

impl Config {
    /// The configured jobs, by name.
    pub fn planned_jobs(&self) -> Vec<PlannedJob> {
        let ScheduleSettings { enabled, jobs } = &self.settings.schedules;
        let planned = |(name, job): (&String, &JobSettings)| PlannedJob {
            plan: Plan {
                name: name.clone(),
                line: job.cron.clone(),
                zone: job.zone,
                jitter: job.jitter.0,
                catch_up: job.catch_up.0,
            },
            suite: job.suite.clone(),
            scenario: job.scenario.clone(),
            target: job.target.clone(),
            enabled: job.enabled.unwrap_or(*enabled == Some(true)),
        };
        jobs.iter().map(planned).collect()
    }

    /// What is wrong with a setting of a job, with its place.
    pub fn schedule_error(&self, job: &str, key: &str, message: String, hint: String) -> ConfigError {
        let setting = format!("schedules.jobs.{job}.{key}");
        match self.origin(&setting) {
            Origin::File => {
                let path = Path::root().join("schedules").join("jobs").join(job).join(key);
                ConfigError::Invalid(self.document.problem(&path, message).with_hint(hint).into())
            }
            origin => ConfigError::Setting { key: setting, origin, message: format!("{message}: {hint}") },
        }
    }

    /// Whether all jobs are stopped, whatever they say themselves.
    pub fn schedules_are_off(&self) -> bool {
        self.settings.schedules.enabled == Some(false)
    }
}
