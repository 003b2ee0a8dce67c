//! The reference model's opinion, held against the target's answers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Estimate, Level, LevelSet, Metrics, PairedTest, PhraseSource, Rate, SliceKind, Verdict};

/// What target and reference made of a phrase, in the order in which somebody should read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Disagreement {
    /// The target is wrong and the reference right: read these first.
    OnlyTargetWrong,
    /// Both give the same wrong answer: is the label right?
    BothWrongAlike,
    /// Both are wrong, each in its own way.
    BothWrong,
    /// The reference is wrong and the target right.
    OnlyReferenceWrong,
    /// Both are right.
    BothRight,
    /// The target did not answer, so nothing is compared.
    Unanswered,
}

impl Disagreement {
    /// Every kind, in reading order.
    pub const ALL: [Self; 6] = [
        Self::OnlyTargetWrong,
        Self::BothWrongAlike,
        Self::BothWrong,
        Self::OnlyReferenceWrong,
        Self::BothRight,
        Self::Unanswered,
    ];

    /// Its name in files.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OnlyTargetWrong => "only_target_wrong",
            Self::BothWrongAlike => "both_wrong_alike",
            Self::BothWrong => "both_wrong",
            Self::OnlyReferenceWrong => "only_reference_wrong",
            Self::BothRight => "both_right",
            Self::Unanswered => "unanswered",
        }
    }
}

/// A model, as a record names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceModel {
    /// Its name.
    pub name: String,
    /// Its version, where it tells one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// The file of its weights.
    pub file: String,
    /// SHA-256 over the hashes of every file that decides what it answers.
    pub hash: String,
    /// The engine that ran it, with its version.
    pub engine: String,
    /// Where it really ran: `cpu`, `cuda` or `tensorrt`.
    pub device: String,
    /// Nodes of its graph that ran, by the provider that ran them; empty where the engine has but one.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub nodes: BTreeMap<String, u64>,
    /// Threads that computed.
    pub threads: usize,
    /// Golden phrases that came out as they should when it was loaded.
    pub golden: usize,
}

/// What the reference says of one phrase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceAnswer {
    /// The phrase's id.
    pub id: String,
    /// The level.
    pub level: Level,
    /// The model's own word.
    pub label: String,
    /// How badly, 0 to 1.
    pub score: f64,
    /// What that is worth.
    pub verdict: Verdict,
    /// What target and reference made of the phrase.
    pub disagreement: Disagreement,
}

/// A phrase whose two scores are far apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreGap {
    /// The phrase's id.
    pub id: String,
    /// Its category.
    pub category: String,
    /// The levels that are right.
    pub expected: LevelSet,
    /// The target's level and score.
    pub target: (Level, f64),
    /// The reference's.
    pub reference: (Level, f64),
    /// The target's score less the reference's.
    pub gap: f64,
    /// Where the phrase stands.
    pub source: PhraseSource,
}

/// Target and reference over one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceSlice {
    /// By what it is sliced.
    pub kind: SliceKind,
    /// The slice's name.
    pub name: String,
    /// The same level, of the phrases that both answered.
    pub agreement: Rate,
    /// Right or wrong, the reference being the baseline and the target the candidate.
    pub test: PairedTest,
}

/// Two sets of answers to the same phrases.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceComparison {
    /// Phrases that both answered.
    pub compared: u64,
    /// The same level, of the phrases that both answered.
    pub agreement: Rate,
    /// Agreement beyond chance: Cohen's kappa with quadratic weights.
    pub kappa_quadratic: Option<Estimate>,
    /// Right or wrong, the reference being the baseline and the target the candidate, of the phrases that both answered.
    pub test: PairedTest,
    /// How many phrases are of which kind.
    pub disagreements: BTreeMap<Disagreement, u64>,
    /// Rows: the reference's level; columns: the target's, then "no answer".
    pub levels: Vec<Vec<u64>>,
    /// By category and capability.
    pub slices: Vec<ReferenceSlice>,
    /// The largest gaps between the scores, where the target gives scores.
    pub gaps: Vec<ScoreGap>,
}

/// What the reference found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ReferenceReport {
    /// The model.
    pub model: ReferenceModel,
    /// What the reader should know of it, a sentence each.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Phrases that it should have answered; less were when it was stopped or failed.
    pub planned: u64,
    /// How long loading and checking took, in milliseconds.
    pub load_ms: f64,
    /// How long answering took, in milliseconds.
    pub duration_ms: f64,
    /// Phrases a second.
    pub phrases_per_second: Option<f64>,
    /// Its own numbers, by the same judge.
    pub metrics: Metrics,
    /// Held against the target.
    pub comparison: ReferenceComparison,
    /// Its answers, in the suite's order.
    pub answers: Vec<ReferenceAnswer>,
}

impl ReferenceReport {
    /// Phrases that it answered, whatever the target did.
    pub const fn answered(&self) -> u64 {
        self.metrics.phrases
    }

    /// Whether it answered everything that it should have.
    pub const fn is_whole(&self) -> bool {
        self.planned == self.answered()
    }

    /// Whether the target answered enough of it for the comparison to say something of the whole.
    pub const fn is_compared(&self) -> bool {
        self.comparison.compared * 10 >= self.planned * 9
    }
}

/// The second opinion on a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ReferenceRecord {
    /// It was there.
    Answered(Box<ReferenceReport>),
    /// It was asked for and could not be used, so nothing can be said.
    Missing {
        /// What was asked for.
        wanted: String,
        /// Why it could not be used.
        reason: String,
    },
}

impl ReferenceRecord {
    /// The report, if there is one.
    pub fn report(&self) -> Option<&ReferenceReport> {
        match self {
            Self::Answered(report) => Some(report),
            Self::Missing { .. } => None,
        }
    }
}
