//! What the gates found, and what follows.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Pass, fail, or: the data could not tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CheckOutcome {
    /// It holds.
    Pass,
    /// It does not.
    Fail,
    /// There is too little data to say, and that is never a pass.
    Inconclusive,
}

impl CheckOutcome {
    /// Its name, as it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Fail => "fail",
            Self::Inconclusive => "inconclusive",
        }
    }
}

/// On which side of the limit the number must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Comparison {
    /// At least the limit.
    AtLeast,
    /// At most the limit.
    AtMost,
}

/// What is compared with the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckMode {
    /// The number itself.
    #[default]
    Point,
    /// The worse one-sided confidence limit.
    Bound,
    /// The paired test against the baseline: worse, and not by chance, fails.
    NoRegression,
    /// The paired interval against the baseline: within a margin.
    NonInferior,
    /// How much worse than the baseline it is, as it stands.
    Change,
}

impl CheckMode {
    /// Whether it compares with a baseline.
    pub const fn is_against_baseline(self) -> bool {
        match self {
            Self::Point | Self::Bound => false,
            Self::NoRegression | Self::NonInferior | Self::Change => true,
        }
    }
}

/// Who asked for the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSource {
    /// The configuration's `gates`, defaults included, or a `--gate`.
    Gate,
    /// A category's `target_accuracy`.
    Category,
    /// A phrase's `must_pass`.
    MustPass,
    /// The promises that a run's numbers rest on.
    Integrity,
    /// The file of known failures.
    Waiver,
}

/// What a failed check does to the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSeverity {
    /// It fails the run.
    #[default]
    Fail,
    /// It is shown, and decides nothing.
    Warn,
}

impl CheckSeverity {
    /// Whether a check of this severity decides.
    pub const fn decides(&self) -> bool {
        matches!(self, Self::Fail)
    }
}

/// One check, with everything that is needed to see why it came out as it did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Check {
    /// The check in one line, as a person would write it.
    pub name: String,
    /// Who asked for it.
    pub source: CheckSource,
    /// What it does to the verdict.
    #[serde(default, skip_serializing_if = "CheckSeverity::decides")]
    pub severity: CheckSeverity,
    /// The metric's name.
    pub metric: String,
    /// The slice it is over, as `category=definite_high`; none is the whole run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slice: Option<String>,
    /// What is compared.
    pub mode: CheckMode,
    /// With which side.
    pub comparison: Comparison,
    /// The limit: a share from 0 to 1, a number, or milliseconds for latencies; against a baseline the difference that
    /// is still allowed, and for latencies the part by which they may be longer.
    pub limit: f64,
    /// The confidence of a bound or of a test or interval against a baseline, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confidence: Option<f64>,
    /// The number that was found; against a baseline the difference from it.
    pub value: Option<f64>,
    /// The confidence limit that was compared, for a bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound: Option<f64>,
    /// The number's two-sided interval, where it has one: of 95 %, against a baseline of the `confidence`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<[f64; 2]>,
    /// How many cases it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of: Option<u64>,
    /// How many of them were errors; against a baseline, new ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub errors: Option<u64>,
    /// How many errors would still have passed; none when even zero would not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allowed_errors: Option<u64>,
    /// What came out.
    pub outcome: CheckOutcome,
    /// Why, in a sentence for people.
    pub reason: String,
}

impl Check {
    /// A check that must hold, without any number: at most 0 of the metric over the whole run.
    pub fn new(
        name: &str,
        source: CheckSource,
        metric: &str,
        outcome: CheckOutcome,
        reason: impl Into<String>,
    ) -> Self {
        Self {
            name: name.to_owned(),
            source,
            severity: CheckSeverity::Fail,
            metric: metric.to_owned(),
            slice: None,
            mode: CheckMode::Point,
            comparison: Comparison::AtMost,
            limit: 0.0,
            confidence: None,
            value: None,
            bound: None,
            interval: None,
            of: None,
            errors: None,
            allowed_errors: None,
            outcome,
            reason: reason.into(),
        }
    }
}

/// How a run ended, as one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Conclusion {
    /// Every check passed.
    Passed,
    /// A check failed.
    GateFailed,
    /// The target failed: too many phrases went unanswered for the rest to mean anything.
    TargetFailed,
    /// No check failed, and one could not tell.
    Inconclusive,
    /// Somebody stopped the run.
    Interrupted,
}

impl Conclusion {
    /// Every conclusion.
    pub const ALL: [Self; 5] =
        [Self::Passed, Self::GateFailed, Self::TargetFailed, Self::Inconclusive, Self::Interrupted];

    /// Its name, as it is stored and sent.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::GateFailed => "gate_failed",
            Self::TargetFailed => "target_failed",
            Self::Inconclusive => "inconclusive",
            Self::Interrupted => "interrupted",
        }
    }
}

/// The one verdict on a run: it is printed, stored, rendered and turned into the exit code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RunVerdict {
    /// The verdict as one word.
    pub conclusion: Conclusion,
    /// The verdict in one sentence.
    pub sentence: String,
    /// Every check, failed ones first.
    pub checks: Vec<Check>,
}
