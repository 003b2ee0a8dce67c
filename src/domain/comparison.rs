//! Two runs over the same phrases, held against each other.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Estimate, Level, LevelSet, LoadComparison, PhraseSource, Rate, RunId, RunStatus, RunVerdict, SliceKind,
    Verdict,
};

/// What became of a phrase between two runs. A phrase is the same one when id and text are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Right in the baseline, wrong in the candidate.
    Regressed,
    /// Wrong in the baseline, right in the candidate.
    Fixed,
    /// Wrong in both.
    StillWrong,
    /// Right and wrong within the baseline, so that a difference shows nothing; or so within the candidate, though right
    /// by majority.
    Flaky,
    /// Only in the candidate.
    New,
    /// Only in the baseline.
    Gone,
}

/// A run, as a comparison names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunBrief {
    /// Its name.
    pub id: RunId,
    /// How far it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<RunStatus>,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// Its suite.
    pub suite: String,
    /// Content hash of the phrases that were selected.
    pub selection_hash: String,
    /// Its target.
    pub target: String,
    /// The version that the target reported.
    pub target_version: Option<String>,
    /// Content hash of the target's contract.
    pub contract_hash: String,
    /// Levels at or above this one reach a human.
    pub alert_level: Level,
    /// Phrases judged.
    pub phrases: u64,
}

/// What one run found for a phrase.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AnswerBrief {
    /// The level that was judged; none for no answer.
    pub level: Option<Level>,
    /// What that is worth.
    pub verdict: Verdict,
    /// Whether some of its repeats passed and some did not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsteady: bool,
    /// The score, where the target gives one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub score: Option<f64>,
    /// End to end in milliseconds, of the first observation.
    pub latency_ms: f64,
    /// All its answers, in a load run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerCounts>,
}

/// The answers to a phrase in a load run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnswerCounts {
    /// Right ones.
    pub right: u64,
    /// How often there was none.
    pub unanswered: u64,
    /// How often it was sent.
    pub of: u64,
}

/// A phrase that is not simply right in both runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PhraseChange {
    /// The phrase's id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// What it tests.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capability: Option<String>,
    /// Its language, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Whether its category is critical.
    #[serde(default)]
    pub critical: bool,
    /// Whether it fails a run by itself.
    #[serde(default)]
    pub must_pass: bool,
    /// The levels that are right.
    pub expected: LevelSet,
    /// What became of it.
    pub change: Change,
    /// What the baseline found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub baseline: Option<AnswerBrief>,
    /// What the candidate found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub candidate: Option<AnswerBrief>,
    /// Where it stands.
    pub source: PhraseSource,
}

/// The same cases, right or wrong in two runs.
///
/// In load runs a case is a phrase with many answers. It changed where the share of right ones did beyond chance, and is
/// else what most answers of both runs are; the difference and the p-values are of all answers, and agree.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct PairedTest {
    /// Right in both.
    pub both_right: u64,
    /// Wrong in the baseline, right in the candidate.
    pub improved: u64,
    /// Right in the baseline, wrong in the candidate.
    pub regressed: u64,
    /// Wrong in both.
    pub both_wrong: u64,
    /// The candidate's rate less the baseline's, with Newcombe's paired 95 % interval.
    pub difference: Option<Estimate>,
    /// Did it get worse? One-sided `McNemar` mid-p.
    pub p_worse: f64,
    /// Did it change? Two-sided `McNemar` mid-p.
    pub p_changed: f64,
    /// [`p_worse`](Self::p_worse) after Holm's correction over the tests of its kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub p_worse_holm: Option<f64>,
    /// How many independent cases they are worth, where some are variants of one another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
    /// All answers, in load runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answers: Option<AnswerShares>,
}

/// All answers of two load runs that count for a rate.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnswerShares {
    /// Those of the baseline that keep it good.
    pub baseline: Rate,
    /// Those of the candidate.
    pub candidate: Rate,
    /// The middle of the difference's interval, which is drawn a little towards none; it and the standard errors make
    /// the interval and the p-values. None where each request is a case of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub middle: Option<f64>,
    /// Standard error of the difference, answers to a phrase being no independent evidence; none where there is no middle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub standard_error: Option<f64>,
    /// The same by changes like those that were seen alone, which makes the p-values; an interval without 0 ends on the side
    /// of 0 where it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub test_error: Option<f64>,
    /// Whether each request is a case of its own: what has no answer has none because of the load, whatever it says.
    pub independent: bool,
}

/// One metric in two runs, over the phrases that both runs hold and that are not flaky.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct MetricComparison {
    /// The metric's name, as gates write it.
    pub metric: String,
    /// In the baseline.
    pub baseline: Rate,
    /// In the candidate.
    pub candidate: Rate,
    /// The cases one by one: right is what keeps the metric good.
    pub test: PairedTest,
}

/// The accuracy of one slice in two runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SliceComparison {
    /// By what it is sliced.
    pub kind: SliceKind,
    /// The slice's name.
    pub name: String,
    /// Whether the suite calls it critical.
    #[serde(default)]
    pub critical: bool,
    /// Its cases.
    pub test: PairedTest,
}

/// One metric in two runs that hold different phrases: how the two shares differ, whatever they are shares of.
///
/// Weaker than a [`PairedTest`] and not about the service alone: that the phrases of one run are harder is in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct UnpairedRate {
    /// The metric's name, as gates write it.
    pub metric: String,
    /// Over all phrases of the baseline.
    pub baseline: Rate,
    /// Over all phrases of the candidate.
    pub candidate: Rate,
    /// The candidate's rate less the baseline's, with Newcombe's hybrid score 95 % interval.
    pub difference: Estimate,
    /// Is the candidate worse? One-sided Fisher's exact test.
    pub p_worse: f64,
    /// Do they differ? Two-sided Fisher's exact test.
    pub p_differ: f64,
}

/// One percentile of the latency in two runs, in milliseconds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LatencyComparison {
    /// The quantile, 0 to 1.
    pub quantile: f64,
    /// In the baseline, with its rank interval.
    pub baseline: Estimate,
    /// In the candidate, with its rank interval.
    pub candidate: Estimate,
    /// Candidate / baseline, with a bootstrap interval where there is enough data.
    pub ratio: Estimate,
}

/// Two runs over the same phrases: what changed, and whether that can be chance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunComparison {
    /// The older or trusted run.
    pub baseline: RunBrief,
    /// The run that is asked about.
    pub candidate: RunBrief,
    /// What makes the comparison less than it seems, in sentences.
    pub warnings: Vec<String>,
    /// Phrases that both runs hold with the same text, flaky ones not counted.
    pub compared: u64,
    /// Right or wrong over the compared phrases; of load runs over all their answers.
    pub accuracy: PairedTest,
    /// The other rates.
    pub metrics: Vec<MetricComparison>,
    /// Accuracy by category, capability and language.
    pub slices: Vec<SliceComparison>,
    /// Latency, p50, p90, p95 and p99.
    pub latency: Vec<LatencyComparison>,
    /// The loads, of load runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub load: Option<Box<LoadComparison>>,
    /// Every phrase that is not simply right in both, worst first.
    pub changes: Vec<PhraseChange>,
    /// The runs as a whole, where too few phrases are compared for the tests above to speak for them. To be looked at:
    /// no gate reads it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unpaired: Vec<UnpairedRate>,
}

/// So many in a hundred phrases of the larger run must be compared: what is left out may be just what got worse.
pub const LEAST_COMPARED: u64 = 90;

impl RunComparison {
    /// Whether enough phrases of both runs are compared for a comparison of the phrases to speak for the runs.
    pub fn compares_enough(&self) -> bool {
        self.compared > 0 && self.compared * 100 >= self.of_larger() * LEAST_COMPARED
    }

    /// Phrases of the larger run.
    pub fn of_larger(&self) -> u64 {
        let count = |change| self.changed(change).count() as u64;
        self.compared + count(Change::Flaky) + count(Change::New).max(count(Change::Gone))
    }

    /// The phrases that had to pass in the baseline and are gone. One that has another text and still has to pass is not:
    /// a correction of a typing error takes nothing away.
    pub fn lost_must_pass(&self) -> impl Iterator<Item = &PhraseChange> {
        let still = |id: &str| self.changed(Change::New).any(|new| new.must_pass && new.id == id);
        self.changed(Change::Gone).filter(move |gone| gone.must_pass && !still(&gone.id))
    }

    /// The phrases with this fate.
    pub fn changed(&self, change: Change) -> impl Iterator<Item = &PhraseChange> {
        self.changes.iter().filter(move |phrase| phrase.change == change)
    }
}

/// A comparison that was judged: what `thrash compare` finds, in one versioned document.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(title = "thrash comparison")]
pub struct ComparisonRecord {
    /// The format's version, the same as a run record's.
    pub schema_version: u32,
    /// What changed.
    pub comparison: RunComparison,
    /// What the gates make of it.
    pub verdict: RunVerdict,
}

/// The run that this one must not fall behind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum BaselineRecord {
    /// It was there.
    Compared(Box<RunComparison>),
    /// It was asked for and could not be used, so nothing can be said.
    Missing {
        /// What was asked for: a run's id, `latest`, or the set baseline.
        wanted: String,
        /// Why it could not be used.
        reason: String,
    },
}

impl BaselineRecord {
    /// The comparison, if there is one.
    pub fn comparison(&self) -> Option<&RunComparison> {
        match self {
            Self::Compared(comparison) => Some(comparison),
            Self::Missing { .. } => None,
        }
    }
}
