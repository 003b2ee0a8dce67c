//! What a load run found, besides the numbers that every run has.
//!
//! In the record of a load run `metrics` and `slices` count answers, not phrases; `latency` is the response time, from
//! when a request should have started, and `attempt_latency` the service time, from when it did. A request holds one
//! phrase, or a batch of them: latencies, rates and `counts` are then of requests, everything about right and wrong is of
//! phrases.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Estimate, HttpVersion, LatencyReport, LoadSecond, NoAnswerReason, PairedTest, Rate};

/// Who decides when a request starts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LoadModel {
    /// A schedule: requests arrive whether or not the earlier ones are answered (an open model).
    Arrivals,
    /// Users, each of whom waits for the answer before asking again (a closed model).
    Users,
}

impl LoadModel {
    /// What its stages count.
    pub const fn unit(self) -> &'static str {
        match self {
            Self::Arrivals => "/s",
            Self::Users => " users",
        }
    }
}

/// The scenario, as it was run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScenarioRecord {
    /// Its name: of a shipped one, or the file.
    pub name: String,
    /// One line about it.
    pub title: String,
    /// Content hash of all that decides what is sent.
    pub hash: String,
    /// Who decides when a request starts.
    pub model: LoadModel,
    /// What sent the requests.
    pub engine: String,
    /// The length of its stages, in milliseconds, the time scale applied.
    pub planned_ms: f64,
    /// What its lengths of time were multiplied by; 1 is as it is written.
    pub time_scale: f64,
    /// What was said in place of what its file says, by key; it is in the hash.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub overrides: BTreeMap<String, String>,
    /// What started in this time at the beginning is in no number, in milliseconds.
    pub warm_up_ms: f64,
    /// Requests on their way at once, at most.
    pub max_in_flight: usize,
    /// What that was before the target's `limits.concurrency` lowered it, where it did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lowered_from: Option<usize>,
    /// Requests a second, at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_rate: Option<f64>,
    /// What ends it before its time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort_when: Option<AbortRecord>,
    /// Whether connections were used again.
    pub keep_alive: bool,
    /// Which HTTP was spoken, where it says so and not the target's contract.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<HttpVersion>,
    /// Connections over which requests went where HTTP/2 was spoken, at most, where it says how many.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub connections: Option<usize>,
    /// Phrases in a request.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub batch: usize,
    /// The seed of the schedule and of the phrases' order.
    pub seed: u64,
    /// Hash of the body that every request had, where it was one and the same: then no answer was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fixed_body: Option<String>,
}

/// What ends a load before its time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AbortRecord {
    /// More without an answer than this share.
    pub error_rate: f64,
    /// A 95th percentile of the response time above this, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latency_p95_ms: Option<f64>,
}

const fn one() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_one(batch: &usize) -> bool {
    *batch == 1
}

impl ScenarioRecord {
    /// Whether answers were right or wrong.
    pub const fn is_judged(&self) -> bool {
        self.fixed_body.is_none()
    }
}

/// Requests, counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LoadCounts {
    /// Starts that the schedule asked for.
    pub intended: u64,
    /// Requests that started.
    pub started: u64,
    /// Starts that were given up because too many requests were on their way.
    pub dropped: u64,
    /// Starts that had to wait for one of the requests on their way to end.
    pub waited: u64,
    /// Requests that started more than a second after they should have.
    pub late: u64,
    /// Requests that were on their way when the run was ended.
    #[serde(default)]
    pub abandoned: u64,
    /// Requests with an answer; of a batch, to any of its phrases.
    pub answered: u64,
    /// Requests without one, by reason.
    pub no_answer: BTreeMap<NoAnswerReason, u64>,
    /// Their phrases, where a request holds more than one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phrases: Option<PhraseCounts>,
    /// Answers that passed the judge.
    pub right: u64,
    /// Answers that broke an invariant of the contract.
    pub violations: u64,
    /// Answers that came from a cache.
    pub cached: u64,
    /// Connections that were opened.
    pub connections: u64,
}

impl LoadCounts {
    /// Requests that ended without an answer.
    pub fn unanswered(&self) -> u64 {
        self.no_answer.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Requests that ended.
    pub fn ended(&self) -> u64 {
        self.answered.saturating_add(self.unanswered())
    }

    /// Phrases without an answer, by reason.
    pub fn silent_phrases(&self) -> &BTreeMap<NoAnswerReason, u64> {
        self.phrases.as_ref().map_or(&self.no_answer, |phrases| &phrases.no_answer)
    }

    /// Phrases without an answer.
    pub fn unanswered_phrases(&self) -> u64 {
        self.silent_phrases().values().sum()
    }

    /// Phrases of the requests that ended.
    pub fn ended_phrases(&self) -> u64 {
        self.phrases.as_ref().map_or(self.answered, |phrases| phrases.answered) + self.unanswered_phrases()
    }
}

/// Phrases, counted.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PhraseCounts {
    /// Those with an answer.
    pub answered: u64,
    /// Those without one, by reason.
    pub no_answer: BTreeMap<NoAnswerReason, u64>,
}

/// A part of the run under one load.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadStep {
    /// The stage it belongs to, from 0; a ramp is cut into several steps.
    pub stage: usize,
    /// When it began, in milliseconds after the run's start.
    pub from_ms: f64,
    /// When it ended.
    pub to_ms: f64,
    /// Requests a second or users at its beginning.
    pub load_from: f64,
    /// And at its end.
    pub load_to: f64,
    /// Its requests, by their intended start.
    pub counts: LoadCounts,
    /// Requests started within a second of when they should have, of those intended.
    pub achieved: Rate,
    /// Requests started a second, in the time that their starts really took.
    pub rate: f64,
    /// Right answers of all phrases sent.
    pub accuracy: Rate,
    /// From the intended start to the answer.
    pub response: LatencyReport,
    /// From the actual start to the answer.
    pub service: LatencyReport,
    /// Of the answers to phrases that are right when the target is idle, those not right here; none without an idle
    /// pass.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lost: Option<Rate>,
}

/// Whether the machine that made the load could.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct GeneratorRecord {
    /// Threads that sent.
    pub threads: usize,
    /// Processor time that they took, in milliseconds.
    pub cpu_ms: f64,
    /// Processor time a request, in microseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu_per_request_us: Option<f64>,
    /// How long due starts waited for this program, apart from waiting for a free connection.
    pub lag: LatencyReport,
    /// How long asking an asynchronous target again for its decision waited for `max_rate`, all waits for one together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<LatencyReport>,
    /// Requests that failed because this machine, or another that sent, had no port or file left.
    #[serde(default)]
    pub exhausted: u64,
    /// What made this machine slow, a sentence each; with any of them a slow answer is not the target's fault.
    pub limits: Vec<String>,
    /// Whether it could not make the load that the scenario asks for: then nothing is shown of the target.
    pub starved: bool,
}

/// One of several machines that sent a load together.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ShardRecord {
    /// Its number, from 0.
    pub index: usize,
    /// Why not all of its part is in the numbers, if so: then they are of another load than the one that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<String>,
    /// Requests that it started, the warm-up left out.
    pub started: u64,
    /// Of those, with an answer.
    pub answered: u64,
    /// Threads that sent.
    pub threads: usize,
    /// Processor time that they took, in milliseconds.
    pub cpu_ms: f64,
    /// How long due starts waited for it, in milliseconds, 99th percentile.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lag_p99_ms: Option<f64>,
    /// How far its clock was ahead of the database's, in milliseconds. All began by the database's clock.
    pub clock_ms: f64,
    /// How far it may have begun from the common start, in milliseconds.
    pub clock_error_ms: f64,
}

/// Why a run was ended before its time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadAbort {
    /// The rule of the scenario, as it is written.
    pub rule: String,
    /// What was seen.
    pub seen: String,
    /// When, in milliseconds after the run's start.
    pub at_ms: f64,
    /// Whether what was seen is that no answer to a look at the health came in time, while requests were sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub timed_out: bool,
}

/// Whose doing it was that a load ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// The target's: what ended it was seen of the target, and this program kept up.
    Target,
    /// This program's, one of its workers', or that of the machines that they run on.
    ThisProgram,
    /// It could not be told: this program was slow itself, or lacked something.
    Unknown,
}

impl EndedBy {
    /// Its name in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::ThisProgram => "this_program",
            Self::Unknown => "unknown",
        }
    }

    /// The same in words.
    pub const fn in_words(self) -> &'static str {
        match self {
            Self::Target => "that was the target's doing",
            Self::ThisProgram => "that was the doing of this program or its machines, not of the target",
            Self::Unknown => "it could not be told whether that was the target's doing or this program's",
        }
    }
}

/// The phrases under load, held against the same phrases before it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct IdleComparison {
    /// Right answers when idle, of the phrases that both passes sent.
    pub accuracy: Rate,
    /// Idle accuracy less accuracy under load, each phrase weighing the same; below 0 the load did no harm.
    pub drop: Option<Estimate>,
    /// Right or wrong, phrase by phrase: the idle answer against the most frequent one under load.
    pub test: PairedTest,
    /// Phrases right when idle and mostly not under load, by id.
    pub lost: Vec<String>,
    /// Response time when idle.
    pub latency: LatencyReport,
}

/// What came back for a phrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhraseLoad {
    /// The phrase's id.
    pub id: String,
    /// Answers from `none` to `critical`, then no answer.
    pub answers: [u64; 6],
}

/// What became of one of the scenario's checks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadCheck {
    /// Its name.
    pub name: String,
    /// Its rule, as it is written.
    pub rule: String,
    /// Answers that failed it, of those that came.
    pub failures: Rate,
}

/// What a search for the highest load that holds found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SearchRecord {
    /// The highest load at which every gate held; none where not even the first did.
    pub sustained: Option<f64>,
    /// The lowest at which one did not; none where the search ended before.
    pub broken: Option<f64>,
    /// The gate that broke there, and what was seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// That a load may not have been the only one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Beside {
    /// Whether its place in the queue was lost, or its lease over and nobody there to ask; else nobody could be asked.
    pub place_lost: bool,
    /// What happened, for people.
    pub reason: String,
}

/// Everything that only a load run finds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LoadRecord {
    /// The scenario.
    pub scenario: ScenarioRecord,
    /// The requests, the warm-up left out.
    pub counts: LoadCounts,
    /// The requests of the warm-up.
    pub warm_up: u64,
    /// Requests started within a second of when they should have, of those intended.
    pub achieved: Rate,
    /// Of the users' time, the part that they waited for `max_rate`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<f64>,
    /// Parts of the run, in their order.
    pub steps: Vec<LoadStep>,
    /// The run second by second, the warm-up included; longer slices in a run over an hour.
    pub seconds: Vec<LoadSecond>,
    /// How long one of them is, in seconds.
    pub second_s: f64,
    /// Response time by category.
    pub categories: BTreeMap<String, LatencyReport>,
    /// Service time by category; none in records of earlier versions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub category_services: BTreeMap<String, LatencyReport>,
    /// This machine, or all that sent.
    pub generator: GeneratorRecord,
    /// Each of the machines that sent, where it was not this one.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub shards: Vec<ShardRecord>,
    /// The scenario's checks, by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<LoadCheck>,
    /// Why it was ended before its time, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub abort: Option<LoadAbort>,
    /// Whose doing it was that it ended before its time; none where it did not, or in a record of an earlier version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Why another load may have been sent beside this one, where that is so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub beside: Option<Beside>,
    /// Which of its own limits ended it before its stages did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cut: Option<String>,
    /// The same phrases before the load, where they were asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<IdleComparison>,
    /// What a search found, where it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub search: Option<SearchRecord>,
    /// The answers, phrase by phrase, in the suite's order.
    pub phrases: Vec<PhraseLoad>,
}
