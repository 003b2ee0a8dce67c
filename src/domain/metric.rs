//! Numbers over the results of a run.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Level, NoAnswerReason};

/// An interval in which the true value lies with 95 % confidence.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Estimate {
    /// The number itself.
    pub value: f64,
    /// The interval's lower end, where one can be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower: Option<f64>,
    /// The interval's upper end, where one can be given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper: Option<f64>,
}

/// A share: so many of so many, with intervals. Of nothing there is no share.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Rate {
    /// How many.
    pub count: u64,
    /// Of how many.
    pub of: u64,
    /// `count / of`; none when `of` is 0.
    pub value: Option<f64>,
    /// Wilson score interval, 95 %, two-sided.
    pub wilson: Option<[f64; 2]>,
    /// Clopper–Pearson interval, 95 %, two-sided.
    pub exact: Option<[f64; 2]>,
    /// How many independent cases they are worth, where some are variants of one another; both intervals are of so
    /// many. None where each stands for itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective: Option<f64>,
}

/// How many phrases got which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct VerdictCounts {
    /// In the expected set.
    pub exact: u64,
    /// Outside it, allowed.
    pub tolerated: u64,
    /// Too low.
    pub under: u64,
    /// Too high.
    pub over: u64,
    /// No answer.
    pub unanswered: u64,
}

/// The measures that are defined only over answers, and only where there is enough variety.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct AnswerScores {
    /// Cohen's kappa with quadratic weights, over answered phrases.
    pub kappa_quadratic: Option<Estimate>,
    /// Mean of the classes' F1, over answered phrases.
    pub macro_f1: Option<f64>,
    /// Matthews' correlation coefficient of the five classes, over answered phrases.
    pub mcc: Option<f64>,
    /// Mean distance in levels from the nearest expected level, over answered phrases.
    pub mean_distance: Option<f64>,
    /// Mean signed distance in levels: below 0 is under-calling.
    pub bias: Option<f64>,
}

/// The numbers over a set of results.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Metrics {
    /// Phrases judged.
    pub phrases: u64,
    /// Verdicts, counted.
    pub verdicts: VerdictCounts,
    /// (exact + tolerated) of all phrases: unanswered is wrong.
    pub accuracy: Rate,
    /// (exact + tolerated) of the answered.
    pub accuracy_answered: Rate,
    /// Exact of all phrases.
    pub exact_accuracy: Rate,
    /// Negatives answered at or above the alert level, of the negatives answered.
    pub false_positive_rate: Rate,
    /// Positives answered below it or not at all, of the positives.
    pub false_negative_rate: Rate,
    /// Phrases that are high or critical answered below high or not at all, of those phrases.
    pub severe_miss_rate: Rate,
    /// Unanswered of all phrases.
    pub unanswered_rate: Rate,
    /// Phrases whose expected set lies on both sides of the alert level; in neither rate.
    pub straddling: u64,
    /// Rows: the primary expected level; columns: the answered level, then "no answer".
    pub confusion: Vec<Vec<u64>>,
    /// Agreement beyond chance.
    pub scores: AnswerScores,
    /// The answer that would do best if it were given to every phrase.
    pub best_constant: Option<Level>,
    /// That answer's accuracy.
    pub best_constant_accuracy: Option<f64>,
    /// Accuracy less the best constant answer's.
    pub lift: Option<f64>,
}

/// How far the people who labelled the phrases agree with each other.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct HumanAgreement {
    /// Krippendorff's alpha for ordered levels: 1 is full agreement, 0 is chance; none where all said the same.
    pub alpha: Option<f64>,
    /// Phrases that two people or more labelled.
    pub phrases: u64,
    /// Their labels, one a person and phrase.
    pub annotations: u64,
}

/// By what the results are sliced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum SliceKind {
    /// The file's category.
    Category,
    /// A tag.
    Tag,
    /// What the phrase tests.
    Capability,
    /// The text's language.
    Language,
    /// The part of the suite: `dev` or `held`.
    Split,
}

impl SliceKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Category, Self::Tag, Self::Capability, Self::Language, Self::Split];

    /// The kind's name, in lower case.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Tag => "tag",
            Self::Capability => "capability",
            Self::Language => "language",
            Self::Split => "split",
        }
    }
}

/// The numbers of one slice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Slice {
    /// By what it is sliced.
    pub kind: SliceKind,
    /// The slice's name.
    pub name: String,
    /// The accuracy that the suite asks of it, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target_accuracy: Option<f64>,
    /// Whether the suite calls it critical.
    #[serde(default)]
    pub critical: bool,
    /// Its numbers.
    pub metrics: Metrics,
}

/// An answer that broke an invariant of the contract.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Violation {
    /// The phrase's id.
    pub phrase: String,
    /// The pass over the suite, from 0.
    pub repeat: u32,
    /// The invariant's name.
    pub invariant: String,
}

/// Signs that the numbers may not mean what they seem to mean.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Integrity {
    /// Answers that broke an invariant, each.
    pub violations: Vec<Violation>,
    /// Phrases that were answered with "I could not analyse this", by id.
    pub fail_open: Vec<String>,
    /// Phrases whose answer changed between repeats, by id.
    pub changed: Vec<String>,
    /// Answers seen to come from a cache.
    pub cached: u64,
    /// Whether the target was seen to cache answers of a phrase that is not in the suite.
    pub target_caches: Option<bool>,
    /// Attempts beyond the first.
    pub retries: u64,
    /// Attempts answered with 429.
    pub rate_limited: u64,
    /// Unanswered observations by reason.
    pub no_answer: BTreeMap<NoAnswerReason, u64>,
    /// Phrases that were planned and never sent.
    pub not_sent: u64,
    /// Answers that a bug in this program lost.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub lost: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
const fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Latency in milliseconds; percentiles by HDR histogram at three significant digits.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct LatencyReport {
    /// How many were measured.
    pub count: u64,
    /// Smallest.
    pub min_ms: Option<f64>,
    /// Mean.
    pub mean_ms: Option<f64>,
    /// Median.
    pub p50_ms: Option<f64>,
    /// 90th percentile.
    pub p90_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
    /// Largest.
    pub max_ms: Option<f64>,
    /// The whole histogram in microseconds: HDR V2, base64.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub histogram: Option<String>,
}
