//! The run record: everything that a run found, in one versioned document.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    BaselineRecord, HumanAgreement, Integrity, LatencyReport, Level, LevelSet, LoadRecord, Metrics,
    Observation, PerturbationReport, PhraseSource, Polarity, Rate, ReferenceRecord, RepeatReport, RunId,
    RunVerdict, Selection, Slice, Split, TextPolicy, Verdict, WaiverReport,
};

/// The version of the record's format that this program writes.
pub const SCHEMA_VERSION: u32 = 1;

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunKind {
    /// Sends every phrase of a suite and judges the answers.
    Accuracy,
    /// Sends phrases as a scenario says, and judges every answer.
    Load,
}

impl RunKind {
    /// Its name, as it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Accuracy => "accuracy",
            Self::Load => "load",
        }
    }
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RunStatus {
    /// Every planned phrase was sent.
    Completed,
    /// Somebody stopped it; the record is partial.
    Interrupted,
    /// It gave up because the target stopped answering; the record is partial.
    Aborted,
}

/// The program that made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolRecord {
    /// Its version.
    pub version: String,
    /// The commit that it was built from, where it is known.
    pub commit: Option<String>,
}

/// The machine that made the record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct HostRecord {
    /// Operating system.
    pub os: String,
    /// Processor architecture.
    pub arch: String,
    /// Cores that the program may use.
    pub cores: usize,
}

/// The suite, as it was sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SuiteRecord {
    /// Its name.
    pub name: String,
    /// Content hash of the whole suite, before the selection.
    pub hash: String,
    /// Content hash of the phrases that were selected.
    pub selection_hash: String,
    /// Phrases in the suite.
    pub available: usize,
    /// Phrases selected.
    pub selected: usize,
    /// Selected phrases that were left out because the target cannot be told their earlier messages.
    #[serde(default)]
    pub left_out: usize,
    /// Those of them that must pass.
    #[serde(default)]
    pub left_out_must_pass: usize,
    /// How they were selected.
    pub selection: Selection,
}

/// The target, as it was found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TargetRecord {
    /// Its name.
    pub name: String,
    /// Its base URL, without user, password and query.
    pub url: String,
    /// Content hash of the contract.
    pub contract_hash: String,
    /// The version it reports, by its health answer or its answers.
    pub version: Option<String>,
    /// Levels at or above this one reach a human.
    pub alert_level: Level,
    /// Whether it is the embedded demo detector.
    pub demo: bool,
}

/// How the phrases were sent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunOptionsRecord {
    /// Requests in flight at once, at most.
    pub concurrency: usize,
    /// Requests a second, at most.
    pub rate: Option<f64>,
    /// Deadline of one attempt, in milliseconds.
    pub timeout_ms: u64,
    /// Further attempts after a failure that allows one.
    pub retries: u32,
    /// Times that each phrase is sent.
    pub repeat: u32,
    /// Times that a phrase is sent whose answer is in doubt; none sends it as often as the others.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeat_doubtful: Option<u32>,
    /// Phrases in a request; 1 does without the batch endpoint.
    pub batch: usize,
    /// The seed of the order and of the selection.
    pub seed: u64,
    /// What was kept of the phrases' text.
    pub text: TextPolicy,
}

/// A phrase and all that came back for it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhraseResult {
    /// The phrase's id.
    pub id: String,
    /// Hash of its text and history; with the id it is its identity across runs.
    pub text_hash: String,
    /// Its text, as far as the text policy kept it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// Its category.
    pub category: String,
    /// What it tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Its language; none is English.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// The part of the suite it is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub split: Option<Split>,
    /// The levels that are right.
    pub expected: LevelSet,
    /// The lowest level that passes.
    pub lowest_passing: Level,
    /// The highest level that passes.
    pub highest_passing: Level,
    /// On which side of the alert level it stands.
    pub polarity: Polarity,
    /// Whether its category is critical.
    #[serde(default)]
    pub critical: bool,
    /// Whether it fails the run by itself.
    #[serde(default)]
    pub must_pass: bool,
    /// Its contrast partner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair: Option<String>,
    /// The phrase it is a variant of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seed_of: Option<String>,
    /// Where it stands.
    pub source: PhraseSource,
    /// The level that was judged: the most frequent answer over the passes, the worse one of two; none for no answer.
    pub level: Option<Level>,
    /// What that is worth.
    pub verdict: Verdict,
    /// Everything that came back, one a repeat. Those whose repeat is not below `options.repeat` were sent because the
    /// answer was in doubt, and count in `repeats` and `integrity` alone.
    pub observations: Vec<Observation>,
}

/// Everything that a run found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "thrash run record")]
pub struct RunRecord {
    /// The format's version: [`SCHEMA_VERSION`].
    pub schema_version: u32,
    /// The run's name.
    pub id: RunId,
    /// What it did.
    pub kind: RunKind,
    /// How far it came.
    pub status: RunStatus,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub finished_at: DateTime<Utc>,
    /// From the first phrase's sending to the last one's answer, in milliseconds; of a load without its pass before it.
    /// What is prepared before that, and what a reference model still has to answer after it, is not the target's time.
    pub duration_ms: f64,
    /// The name of the environment (`TEST_ENVIRONMENT`), if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,
    /// The program.
    pub tool: ToolRecord,
    /// The machine.
    pub host: HostRecord,
    /// The suite.
    pub suite: SuiteRecord,
    /// The target.
    pub target: TargetRecord,
    /// How the phrases were sent.
    pub options: RunOptionsRecord,
    /// Every setting that held, by its path, without secrets.
    #[serde(default)]
    pub configuration: BTreeMap<String, String>,
    /// The numbers over all results.
    pub metrics: Metrics,
    /// Contrast pairs of which both phrases are right; none where the run holds no whole pair.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pair_accuracy: Option<Rate>,
    /// How far the people who labelled the phrases agree, where the suite says what each of them said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub human_agreement: Option<HumanAgreement>,
    /// What repeats showed, where phrases were sent more than once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeats: Option<RepeatReport>,
    /// The run that this one was held against, where one was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<BaselineRecord>,
    /// The reference model's opinion, where one was wanted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<ReferenceRecord>,
    /// Known failures, where there is a file of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waivers: Option<WaiverReport>,
    /// What only a load run finds. Its results hold the most frequent answers, and no observations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Box<LoadRecord>>,
    /// What variants of the phrases did to the answers, where there were any; counted in no other number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub perturbations: Option<PerturbationReport>,
    /// The numbers by category, tag, capability and language.
    pub slices: Vec<Slice>,
    /// Signs that the numbers may not mean what they seem to.
    pub integrity: Integrity,
    /// End to end, retries included, of answered phrases.
    pub latency: LatencyReport,
    /// Every attempt that got an answer.
    pub attempt_latency: LatencyReport,
    /// What the target says it took.
    pub service_latency: LatencyReport,
    /// Until an asynchronous target had accepted the phrase.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accept_latency: Option<LatencyReport>,
    /// The verdict.
    pub verdict: RunVerdict,
    /// When the answers, times and texts of the phrases were removed for their age. Everything else is as it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers_removed_at: Option<DateTime<Utc>>,
    /// Every phrase that was sent, in the suite's order.
    pub results: Vec<PhraseResult>,
}

impl RunRecord {
    /// Which part of its suite was sent: so many phrases as were drawn from it, or 0 where they were chosen by what they
    /// are. None for the whole suite, and for a load, whose scenario says what it sends.
    pub fn part(&self) -> Option<u64> {
        if self.kind == RunKind::Load {
            return None;
        }
        let Selection { categories, tags, split, limit, seed: _ } = &self.suite.selection;
        if !categories.is_empty() || !tags.is_empty() || split.is_some() {
            return Some(0);
        }
        limit.filter(|_| self.suite.selected < self.suite.available).map(|limit| limit as u64)
    }

    /// The slice of the given kind and name.
    pub fn slice(&self, kind: super::SliceKind, name: &str) -> Option<&Slice> {
        self.slices.iter().find(|slice| slice.kind == kind && slice.name == name)
    }
}
