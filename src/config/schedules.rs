//! Runs that begin by themselves.

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use super::sense::{DAY, Findings, MONTH, Nonsense, is_name};
use super::{Config, ConfigError};
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
    /// Notes every value that decodes and still makes no sense.
    pub(super) fn look_for_nonsense(&self, found: &mut Findings) {
        for (name, job) in &self.jobs {
            let path = Path::of("schedules.jobs").join(name.as_str());
            if !is_name(name) {
                found.at_key(path.clone(), "a job's name is of 1 to 40 letters, digits, `-` and `_`");
            }
            if job.suite.is_some() == job.scenario.is_some() {
                found.at_key(path.clone(), "a job names either a `suite` or a `scenario`");
            }
            if job.jitter.0 > DAY {
                found.at(path.join("jitter"), "it is at most a day");
            } else if let Some(pause) = job.shortest_pause().filter(|pause| *pause <= job.jitter.0) {
                let message = format!("it must be less than {}, the time between two starts", Wait(pause));
                found.at(path.join("jitter"), message);
            }
            if job.catch_up.0 > MONTH {
                found.at(path.join("catch_up"), "it is at most 31 days");
            }
        }
    }
}

/// Starts that are looked at to see how close they come.
const LOOKED_AT: usize = 50;

impl JobSettings {
    /// The shortest time between two starts, where it matters: those that follow an arbitrary day.
    fn shortest_pause(&self) -> Option<Duration> {
        if self.jitter.0.is_zero() {
            return None;
        }
        let next = |after: &DateTime<Utc>| self.cron.next(*after, self.zone);
        let starts: Vec<_> =
            std::iter::successors(next(&DateTime::UNIX_EPOCH), next).take(LOOKED_AT).collect();
        starts.windows(2).filter_map(|pair| (pair[1] - pair[0]).to_std().ok()).min()
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
        let path = Path::of("schedules.jobs").join(job).join(key);
        self.wrong(Nonsense { path, is_key: false, message, hint: Some(hint), is_secret: false })
    }

    /// Whether all jobs are stopped, whatever they say themselves.
    pub fn schedules_are_off(&self) -> bool {
        self.settings.schedules.enabled == Some(false)
    }
}
