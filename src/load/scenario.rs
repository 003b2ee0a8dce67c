//! A scenario that can be run: read, checked, its time scaled.

use std::time::Duration;

use serde_yaml::Value;
use sha2::{Digest, Sha256};

use super::overrides::Overrides;
use super::scenario_check::{Reader, scaled};
use super::scenario_file::{AbortEntry, Beyond, ScenarioFile, Spacing, ThinkTime};
use super::schedule::{Ramp, Schedule};
use super::shard::Shard;
use crate::document::{Document, Path, Problem, Problems};
use crate::domain::{HttpVersion, LoadModel, RunKind, Selection, Wait, count};
use crate::gate::Gate;
use crate::target::{Contract, ContractError};

/// Requests on their way at once where a scenario names no limit.
const IN_FLIGHT: usize = 200;
/// HTTP/2 connections where a scenario does not say how many: servers allow a hundred requests at once over each (RFC
/// 9113, 6.5.2), so that the few which share one wait for no other.
const CONNECTIONS: usize = 100;
/// A target that answers nothing for so long is down, where no gate allows its answers more.
const SILENT: Duration = Duration::from_secs(5);
/// No run sends more than this.
const MOST_REQUESTS: u64 = 1_000_000_000;

/// A scenario that can be run.
#[derive(Debug, Clone)]
pub struct Scenario {
    /// Its name: of a shipped one, or the file.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// Content hash of all that decides what is sent.
    pub hash: String,
    /// The target that it names.
    pub target: Option<String>,
    /// The suite that its phrases are from; empty where there is a body instead.
    pub suite: String,
    /// Which of them.
    pub selection: Selection,
    /// Phrases in every request.
    pub batch: usize,
    /// How often a category is sent beside the others; empty where phrases weigh the same.
    pub weights: Vec<(String, f64)>,
    /// Who decides when a request starts.
    pub model: LoadModel,
    /// The load over time, in steps that have numbers of their own, each with its stage.
    pub steps: Vec<(usize, Ramp)>,
    /// Whether the steps are tried one after the other until a gate breaks.
    pub is_search: bool,
    /// How starts are spaced.
    pub spacing: Spacing,
    /// Requests on their way at once, at most.
    pub max_in_flight: usize,
    /// What it was before the target's own limit lowered it, if it did.
    pub lowered_from: Option<usize>,
    /// What becomes of a start beyond that.
    pub beyond: Beyond,
    /// A user's pause between an answer and the next request.
    pub think_time: ThinkTime,
    /// Requests of a user, at most.
    pub iterations: Option<u64>,
    /// What starts in this time at the beginning is in no number.
    pub warm_up: Duration,
    /// Whether a connection is used again.
    pub keep_alive: bool,
    /// Which HTTP is spoken; what the target's contract says if there is none.
    pub http: Option<HttpVersion>,
    /// Connections over which requests go where HTTP/2 is spoken, where it says how many.
    pub connections: Option<usize>,
    /// What every request carries instead of a phrase: JSON.
    pub body: Option<String>,
    /// Further headers of every request.
    pub headers: Vec<(String, String)>,
    /// Rules that every answer is held against, by name.
    pub checks: Vec<(String, String)>,
    /// Deadline of a request; the target's if there is none.
    pub timeout: Option<Duration>,
    /// Whether every phrase is asked once before the load.
    pub idle_pass: bool,
    /// What the run has to hold.
    pub gates: Vec<Gate>,
    /// When the run ends at once.
    pub abort_when: AbortEntry,
    /// Requests a second, at most.
    pub max_rate: Option<f64>,
    /// The run ends after this time, whatever the rest says.
    pub max_duration: Duration,
    /// And after so many requests.
    pub max_requests: u64,
    /// The seed of the schedule and of the phrases' order.
    pub seed: u64,
    /// What its lengths of time were multiplied by.
    pub time_scale: f64,
    /// What was said in place of what its file says.
    pub overrides: Overrides,
    /// It, as it is written.
    pub text: String,
    /// How its file is called in messages.
    pub file: String,
}

impl Scenario {
    /// Reads a scenario; `name` is how it is called, `path` how the file is called in messages. Lengths of time are
    /// multiplied by `time_scale`, and `overrides` hold in place of what it says.
    ///
    /// # Errors
    /// Everything that is wrong with it.
    pub fn parse(
        name: &str,
        path: &str,
        text: &str,
        time_scale: f64,
        overrides: Overrides,
    ) -> Result<Self, Problems> {
        let document = Document::parse(path, text)?;
        if document.value().is_null() {
            let empty = Problem::with_file(path, "the file is empty")
                .with_hint("`thrash scenarios show smoke` prints a scenario to begin with");
            return Err(empty.into());
        }
        let file: ScenarioFile = document.decode()?;
        let mut reader = Reader { document: &document, problems: Problems::default() };
        let file = reader.overridden(file, overrides);
        reader.check(&file);
        let steps = reader.steps(&file, time_scale);
        if !reader.problems.is_empty() {
            reader.problems.sort();
            return Err(reader.problems);
        }
        let length: Duration = steps.iter().map(|(_, ramp)| ramp.duration).sum();
        let at_scale = |wait: Option<Wait>| wait.map(|wait| scaled(wait.0, time_scale));
        let users = steps.iter().map(|(_, ramp)| ramp.from.max(ramp.to)).fold(0.0, f64::max);
        let phrases = file.phrases.unwrap_or_default();
        let scenario = Self {
            name: name.to_owned(),
            hash: hash(document.value(), overrides),
            title: file.title,
            target: file.target,
            suite: phrases.suite,
            selection: Selection {
                categories: phrases.categories,
                tags: phrases.tags,
                limit: phrases.limit,
                seed: file.seed,
                split: None,
            },
            weights: phrases.weights.into_iter().collect(),
            batch: file.batch.unwrap_or(1),
            body: file.body.as_ref().and_then(|body| serde_json::to_string(body).ok()),
            model: file.model,
            is_search: file.search.is_some(),
            spacing: file.spacing.unwrap_or_default(),
            max_in_flight: match file.model {
                LoadModel::Arrivals => file.max_in_flight.unwrap_or(IN_FLIGHT),
                LoadModel::Users => whole(users),
            },
            lowered_from: None,
            beyond: file.beyond.unwrap_or_default(),
            think_time: file
                .think_time
                .unwrap_or(ThinkTime { from: Wait(Duration::ZERO), to: Wait(Duration::ZERO) }),
            iterations: file.iterations,
            warm_up: at_scale(file.warm_up).unwrap_or_default(),
            keep_alive: file.connections.keep_alive,
            http: file.connections.http,
            connections: file.connections.count,
            headers: file.headers.into_iter().collect(),
            checks: file.checks.into_iter().collect(),
            timeout: file.timeout.map(|wait| wait.0),
            idle_pass: file.idle_pass || file.gates.iter().any(Gate::needs_idle),
            abort_when: AbortEntry {
                silent: Some(file.abort_when.silent.unwrap_or_else(|| patience(&file.gates))),
                ..file.abort_when
            },
            gates: file.gates,
            max_rate: file.max_rate.map(|rate| rate.0),
            max_duration: at_scale(file.max_duration).map_or(length, |wait| wait.min(length)),
            max_requests: file.max_requests.unwrap_or(MOST_REQUESTS),
            seed: file.seed,
            time_scale,
            overrides,
            text: text.to_owned(),
            file: path.to_owned(),
            steps,
        };
        Ok(scenario)
    }

    /// Whether a target takes as many phrases in a request as this sends.
    ///
    /// # Errors
    /// It does not; the problem stands at `batch` in the scenario.
    pub fn fits(&self, contract: &Contract) -> Result<(), ContractError> {
        let name = &contract.name;
        let (message, hint) = match contract.batch_limit() {
            _ if self.batch == 1 => return Ok(()),
            Some(most) if self.batch <= most => return Ok(()),
            Some(most) => (
                format!("target `{name}` takes at most {} in a request", count(most, "phrase", "phrases")),
                format!("write `batch: {most}` or less"),
            ),
            None => (
                format!("target `{name}` has no batch endpoint"),
                "leave `batch` out; or, if the service has one, describe it in the target: docs/targets.md"
                    .to_owned(),
            ),
        };
        let at = |document: Document| {
            document.problem(&Path::root().join("batch"), message).with_hint(hint).into()
        };
        Err(ContractError { problems: Document::parse(&self.file, &self.text).map_or_else(|all| all, at) })
    }

    /// What stands for a suite in records, so that its runs are a series of their own.
    pub fn suite_name(&self) -> String {
        let name = RunKind::Load.suite_name(&self.name);
        if self.time_scale.to_bits() == 1.0_f64.to_bits() {
            name
        } else {
            format!("{name} ×{}", self.time_scale)
        }
    }

    /// Which stage a moment of the run is in, where it has several.
    pub fn stage_at(&self, seconds: f64) -> Option<String> {
        let of = self.steps.last().map_or(0, |(stage, _)| stage + 1);
        let mut end = 0.0;
        let mut steps = self.steps.iter().map(|(stage, ramp)| {
            end += ramp.duration.as_secs_f64();
            (*stage, end)
        });
        let (stage, _) = steps.find(|(_, end)| seconds < *end).filter(|_| of > 1)?;
        Some(format!("stage {} of {of}", stage + 1))
    }

    /// The length of its stages.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|(_, ramp)| ramp.duration).sum()
    }

    /// Connections over which a shard's requests go where HTTP/2 is spoken, at most.
    pub fn connections_of(&self, shard: Shard) -> usize {
        shard.share(self.connections.unwrap_or(CONNECTIONS).min(self.max_in_flight)).max(1)
    }

    /// The highest load of its stages.
    pub fn peak(&self) -> f64 {
        self.steps.iter().map(|(_, ramp)| ramp.from.max(ramp.to)).fold(0.0, f64::max)
    }

    /// Requests that it starts: by its schedule where it has one, else at most.
    pub fn planned(&self) -> Option<f64> {
        match self.model {
            LoadModel::Arrivals => Some(
                self.steps.iter().map(|(_, ramp)| ramp.requests()).sum::<f64>().min(self.max_requests as f64),
            ),
            LoadModel::Users => {
                self.iterations.map(|each| (each as f64 * self.peak()).min(self.max_requests as f64))
            }
        }
    }

    /// Whether more requests are asked for than may be sent, by these steps or by users who ask as often as they can.
    fn asks_for_too_many(&self, steps: &[(usize, Ramp)]) -> bool {
        match self.model {
            LoadModel::Arrivals => {
                let ramps = steps.iter().map(|(_, ramp)| *ramp).collect();
                let most = usize::try_from(self.max_requests).unwrap_or(usize::MAX);
                Schedule::new(ramps, self.spacing, self.seed).nth(most).is_some()
            }
            LoadModel::Users => {
                self.iterations.is_none_or(|each| each as f64 * self.peak() > self.max_requests as f64)
            }
        }
    }

    /// Which of its own limits ended it before its stages did, with so many requests asked for. A search says that itself.
    pub fn limit_that_ended_it(&self, asked: u64) -> Option<String> {
        if self.is_search {
            return None;
        }
        let too_many = asked >= self.max_requests && self.asks_for_too_many(&self.steps);
        self.limit_below(too_many, self.length())
    }

    /// The same beforehand, whatever the target answers: then a run shows nothing. A search shows what it has tried until
    /// then, if that is one load at least.
    pub fn limit_that_ends_it(&self) -> Option<String> {
        let tried = if self.is_search { &self.steps[..self.steps.len().min(1)] } else { &self.steps[..] };
        let length: Duration = tried.iter().map(|(_, ramp)| ramp.duration).sum();
        let too_many = match self.model {
            LoadModel::Arrivals => self.asks_for_too_many(tried),
            // Each of them asks once.
            LoadModel::Users => self.peak() > self.max_requests as f64,
        };
        self.limit_below(too_many, length)
    }

    /// The limit that ends so much, or so long a load.
    fn limit_below(&self, too_many: bool, length: Duration) -> Option<String> {
        if too_many {
            Some(format!("max_requests: {}", self.max_requests))
        } else if self.max_duration < length {
            Some(format!("max_duration: {}", Wait(self.max_duration)))
        } else {
            None
        }
    }
}

/// How long nothing may be answered: as long as the scenario itself calls fast enough.
fn patience(gates: &[Gate]) -> Wait {
    let allowed = gates.iter().filter_map(Gate::longest_latency);
    Wait(allowed.fold(SILENT, Duration::max))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "checked to be a small number from 0 on"
)]
fn whole(users: f64) -> usize {
    users.ceil() as usize
}

/// Hash of what the file says, or what holds in its place; comments and the order of keys do not matter.
fn hash(value: &Value, overrides: Overrides) -> String {
    use std::fmt::Write;
    fn sorted(value: &Value, text: &mut String) {
        match value {
            Value::Mapping(entries) => {
                let mut entries: Vec<(String, &Value)> =
                    entries.iter().map(|(key, value)| (format!("{key:?}"), value)).collect();
                entries.sort_by(|(one, _), (other, _)| one.cmp(other));
                for (key, value) in entries {
                    let _ = write!(text, "{{{key}:");
                    sorted(value, text);
                    text.push('}');
                }
            }
            Value::Sequence(items) => {
                text.push('[');
                for item in items {
                    sorted(item, text);
                    text.push(',');
                }
                text.push(']');
            }
            other => {
                let _ = write!(text, "{other:?}");
            }
        }
    }
    let mut value = value.clone();
    if let Some(entries) = value.as_mapping_mut() {
        entries.extend(overrides.entries());
    }
    let mut text = String::new();
    sorted(&value, &mut text);
    Sha256::digest(text).iter().take(8).fold(String::with_capacity(16), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
