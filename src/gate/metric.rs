//! The numbers that a gate can ask for.

use std::fmt;
use std::str::FromStr;

use super::quantile::Quantile;
use super::variants::Variants;
use crate::document::nearest;
use crate::domain::{Comparison, Metrics, PairedRate, Rate, ReferenceRecord, RunRecord};

/// A number of a record, by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Metric {
    /// (exact + tolerated) of all phrases.
    Accuracy,
    /// (exact + tolerated) of the answered.
    AccuracyAnswered,
    /// Exact of all phrases.
    ExactAccuracy,
    /// False alarms of the negatives answered.
    FalsePositiveRate,
    /// Misses of the positives.
    FalseNegativeRate,
    /// High and critical phrases answered lower, or not.
    SevereMissRate,
    /// Unanswered of all.
    UnansweredRate,
    /// Repeated answers that differ from their phrase's most frequent one.
    RepeatFlipRate,
    /// Contrast pairs with both phrases right, of all of them.
    PairAccuracy,
    /// Variants whose answer flips.
    FlipRate(Variants),
    /// Quadratic-weighted kappa.
    Kappa,
    /// Mean F1 of the classes.
    MacroF1,
    /// Matthews' correlation.
    Mcc,
    /// Accuracy less the best constant answer's.
    Lift,
    /// End-to-end latency at a quantile.
    Latency(Quantile),
    /// Answers that broke an invariant.
    InvariantViolations,
    /// Phrases answered with "I could not analyse this".
    FailOpenAnswers,
    /// Phrases whose answer changed between repeats.
    ChangedAnswers,
    /// Phrases whose answer changed between repeats, or came only sometimes.
    FlakyPhrases,
    /// Answers from a cache.
    CachedAnswers,
    /// The reference model's level is the target's.
    ReferenceAgreement,
    /// The target's accuracy less the reference model's.
    TargetMinusReference,
    /// Under load: requests started of those intended.
    AchievedRate,
    /// Under load: idle accuracy less accuracy under load.
    AccuracyDrop,
    /// Under load: answers not right, of those to phrases that are right when the target is idle.
    LostRate,
    /// Under load: the highest load that held, in requests a second.
    SustainedRate,
    /// Under load: latency from the actual start.
    ServiceTime(Quantile),
    /// Under load: answers that failed a check of the scenario.
    CheckFailures,
}

/// What kind of number a metric is, and so how its limit is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// From 0 to 1, written with `%`.
    Share,
    /// A plain number.
    Number,
    /// A length of time.
    Time,
    /// How many.
    Count,
}

const NAMES: [(&str, Metric); 36] = [
    ("accuracy", Metric::Accuracy),
    ("accuracy_answered", Metric::AccuracyAnswered),
    ("exact_accuracy", Metric::ExactAccuracy),
    ("false_positive_rate", Metric::FalsePositiveRate),
    ("false_negative_rate", Metric::FalseNegativeRate),
    ("severe_miss_rate", Metric::SevereMissRate),
    ("unanswered_rate", Metric::UnansweredRate),
    ("flip_rate", Metric::RepeatFlipRate),
    ("pair_accuracy", Metric::PairAccuracy),
    ("perturbation_flip_rate", Metric::FlipRate(Variants::All)),
    ("kappa", Metric::Kappa),
    ("macro_f1", Metric::MacroF1),
    ("mcc", Metric::Mcc),
    ("lift", Metric::Lift),
    ("latency_p50", Metric::Latency(Quantile::P50)),
    ("latency_p90", Metric::Latency(Quantile::P90)),
    ("latency_p95", Metric::Latency(Quantile::P95)),
    ("latency_p99", Metric::Latency(Quantile::P99)),
    ("latency_max", Metric::Latency(Quantile::Max)),
    ("latency_mean", Metric::Latency(Quantile::Mean)),
    ("invariant_violations", Metric::InvariantViolations),
    ("fail_open_answers", Metric::FailOpenAnswers),
    ("changed_answers", Metric::ChangedAnswers),
    ("flaky_phrases", Metric::FlakyPhrases),
    ("cached_answers", Metric::CachedAnswers),
    ("reference_agreement", Metric::ReferenceAgreement),
    ("target_minus_reference", Metric::TargetMinusReference),
    ("achieved_rate", Metric::AchievedRate),
    ("accuracy_drop", Metric::AccuracyDrop),
    ("lost_rate", Metric::LostRate),
    ("sustained_rate", Metric::SustainedRate),
    ("check_failures", Metric::CheckFailures),
    ("service_time_p50", Metric::ServiceTime(Quantile::P50)),
    ("service_time_p90", Metric::ServiceTime(Quantile::P90)),
    ("service_time_p95", Metric::ServiceTime(Quantile::P95)),
    ("service_time_p99", Metric::ServiceTime(Quantile::P99)),
];

/// Short names that people type.
const ALIASES: [(&str, Metric); 3] = [
    ("fpr", Metric::FalsePositiveRate),
    ("fnr", Metric::FalseNegativeRate),
    ("error_rate", Metric::UnansweredRate),
];

impl Metric {
    pub(super) fn unit(self) -> Unit {
        match self {
            Self::Accuracy
            | Self::AccuracyAnswered
            | Self::ExactAccuracy
            | Self::FalsePositiveRate
            | Self::FalseNegativeRate
            | Self::SevereMissRate
            | Self::UnansweredRate
            | Self::RepeatFlipRate
            | Self::PairAccuracy
            | Self::FlipRate(_)
            | Self::ReferenceAgreement
            | Self::AchievedRate
            | Self::CheckFailures
            | Self::AccuracyDrop
            | Self::LostRate => Unit::Share,
            Self::Kappa
            | Self::MacroF1
            | Self::Mcc
            | Self::Lift
            | Self::TargetMinusReference
            | Self::SustainedRate => Unit::Number,
            Self::Latency(_) | Self::ServiceTime(_) => Unit::Time,
            Self::InvariantViolations
            | Self::FailOpenAnswers
            | Self::ChangedAnswers
            | Self::FlakyPhrases
            | Self::CachedAnswers => Unit::Count,
        }
    }

    /// The share in a set of metrics, for the metrics that are shares.
    pub(super) fn rate(self, metrics: &Metrics) -> Option<Rate> {
        match self {
            Self::Accuracy => Some(metrics.accuracy),
            Self::AccuracyAnswered => Some(metrics.accuracy_answered),
            Self::ExactAccuracy => Some(metrics.exact_accuracy),
            Self::FalsePositiveRate => Some(metrics.false_positive_rate),
            Self::FalseNegativeRate => Some(metrics.false_negative_rate),
            Self::SevereMissRate => Some(metrics.severe_miss_rate),
            Self::UnansweredRate => Some(metrics.unanswered_rate),
            Self::RepeatFlipRate
            | Self::PairAccuracy
            | Self::FlipRate(_)
            | Self::Kappa
            | Self::MacroF1
            | Self::Mcc
            | Self::Lift
            | Self::Latency(_)
            | Self::InvariantViolations
            | Self::FailOpenAnswers
            | Self::ChangedAnswers
            | Self::FlakyPhrases
            | Self::CachedAnswers
            | Self::ReferenceAgreement
            | Self::TargetMinusReference
            | Self::AchievedRate
            | Self::AccuracyDrop
            | Self::LostRate
            | Self::SustainedRate
            | Self::CheckFailures
            | Self::ServiceTime(_) => None,
        }
    }

    /// The share over a whole run, for the metrics that only a whole run has.
    pub(super) fn rate_of_run(self, record: &RunRecord) -> Option<Rate> {
        match self {
            // Phrases that were chosen for being in doubt say nothing of the others.
            Self::RepeatFlipRate => {
                let report =
                    record.repeats.as_ref().filter(|_| record.options.repeat > 1 && is_fresh(record));
                Some(report.map_or_else(Rate::default, |report| report.flip_rate))
            }
            Self::PairAccuracy => Some(record.pair_accuracy.unwrap_or_default()),
            Self::FlipRate(variants) => {
                Some(variants.counts(record).map_or_else(Rate::default, |counts| counts.rate))
            }
            Self::ReferenceAgreement => {
                let report = record.reference.as_ref().and_then(ReferenceRecord::report);
                Some(report.map_or_else(Rate::default, |report| report.comparison.agreement))
            }
            Self::AchievedRate => Some(record.load.as_ref().map_or_else(Rate::default, |load| load.achieved)),
            _ => None,
        }
    }

    /// The metric over a slice of its own kind, if it has such.
    pub(super) fn of_variants(self, slice: &str) -> Option<Result<Self, String>> {
        match self {
            Self::FlipRate(_) => Some(Variants::parse(slice).map(Self::FlipRate)),
            _ => None,
        }
    }

    /// The rate that two runs are compared by, phrase by phrase.
    pub(super) const fn paired(self) -> Option<PairedRate> {
        match self {
            Self::Accuracy => Some(PairedRate::Accuracy),
            Self::ExactAccuracy => Some(PairedRate::ExactAccuracy),
            Self::FalsePositiveRate => Some(PairedRate::FalsePositiveRate),
            Self::FalseNegativeRate => Some(PairedRate::FalseNegativeRate),
            Self::SevereMissRate => Some(PairedRate::SevereMissRate),
            Self::UnansweredRate => Some(PairedRate::UnansweredRate),
            Self::AccuracyAnswered
            | Self::Kappa
            | Self::MacroF1
            | Self::Mcc
            | Self::Lift
            | Self::Latency(_)
            | Self::InvariantViolations
            | Self::FailOpenAnswers
            | Self::ChangedAnswers
            | Self::FlakyPhrases
            | Self::CachedAnswers
            | Self::PairAccuracy
            | Self::FlipRate(_)
            | Self::RepeatFlipRate
            | Self::ReferenceAgreement
            | Self::TargetMinusReference
            | Self::AchievedRate
            | Self::AccuracyDrop
            | Self::LostRate
            | Self::SustainedRate
            | Self::CheckFailures
            | Self::ServiceTime(_) => None,
        }
    }

    /// On which side of a limit is better.
    pub(super) fn better(self) -> Comparison {
        match self {
            Self::Accuracy
            | Self::AccuracyAnswered
            | Self::ExactAccuracy
            | Self::PairAccuracy
            | Self::Kappa
            | Self::MacroF1
            | Self::Mcc
            | Self::Lift
            | Self::ReferenceAgreement
            | Self::TargetMinusReference
            | Self::AchievedRate
            | Self::SustainedRate => Comparison::AtLeast,
            Self::FalsePositiveRate
            | Self::FalseNegativeRate
            | Self::SevereMissRate
            | Self::UnansweredRate
            | Self::RepeatFlipRate
            | Self::FlipRate(_)
            | Self::Latency(_)
            | Self::ServiceTime(_)
            | Self::CheckFailures
            | Self::AccuracyDrop
            | Self::LostRate
            | Self::InvariantViolations
            | Self::FailOpenAnswers
            | Self::ChangedAnswers
            | Self::FlakyPhrases
            | Self::CachedAnswers => Comparison::AtMost,
        }
    }

    /// The number in a set of metrics; whole-run metrics need the whole record and give none.
    pub(super) fn number(self, metrics: &Metrics) -> Option<f64> {
        match self {
            Self::Kappa => metrics.scores.kappa_quadratic.map(|kappa| kappa.value),
            Self::MacroF1 => metrics.scores.macro_f1,
            Self::Mcc => metrics.scores.mcc,
            Self::Lift => metrics.lift,
            share => share.rate(metrics).and_then(|rate| rate.value),
        }
    }

    /// The number over a whole run, of which these are the metrics.
    #[expect(clippy::cast_precision_loss, reason = "counts of a run are small")]
    pub(super) fn of_run(self, record: &RunRecord, metrics: &Metrics) -> Option<f64> {
        let integrity = &record.integrity;
        let latency = &record.latency;
        match self {
            Self::Latency(quantile) => quantile.of(latency),
            Self::ServiceTime(quantile) => {
                record.load.as_ref().and_then(|_| quantile.of(&record.attempt_latency))
            }
            Self::AccuracyDrop => {
                let idle = record.load.as_ref()?.idle.as_ref()?;
                idle.drop.as_ref().map(|drop| drop.value)
            }
            Self::LostRate => {
                let load = record.load.as_ref()?;
                // A target that did not answer then has nothing to lose.
                load.idle.as_ref()?.drop.as_ref()?;
                let rates = || load.steps.iter().filter_map(|step| step.lost.as_ref());
                let of: u64 = rates().map(|rate| rate.of).sum();
                (of > 0).then(|| rates().map(|rate| rate.count).sum::<u64>() as f64 / of as f64)
            }
            Self::SustainedRate => record.load.as_ref()?.search.as_ref()?.sustained,
            // Under load they are counted by phrase and not listed one by one.
            Self::InvariantViolations if record.load.is_some() => {
                record.load.as_ref().map(|load| load.counts.violations as f64)
            }
            Self::InvariantViolations => Some(integrity.violations.len() as f64),
            Self::FailOpenAnswers => Some(integrity.fail_open.len() as f64),
            Self::ChangedAnswers => changes(record, integrity.changed.len()),
            Self::FlakyPhrases => changes(record, record.repeats.as_ref().map_or(0, |seen| seen.flaky.len())),
            // None seen is none there only where one would be seen, and the target was seen not to keep any.
            Self::CachedAnswers => match (integrity.cached, integrity.target_caches) {
                (0, Some(false)) => Some(0.0),
                (0, _) => None,
                (cached, _) => Some(cached as f64),
            },
            Self::TargetMinusReference => {
                let report = record.reference.as_ref()?.report()?;
                report.comparison.test.difference.map(|difference| difference.value)
            }
            of_metrics => of_metrics.number(metrics),
        }
    }

    /// Whether what has no answer makes the number worse.
    pub(super) const fn counts_unanswered(self) -> bool {
        matches!(
            self,
            Self::Accuracy
                | Self::ExactAccuracy
                | Self::FalseNegativeRate
                | Self::SevereMissRate
                | Self::UnansweredRate
                | Self::AccuracyDrop
                | Self::LostRate
                | Self::Lift
        )
    }

    /// Why nothing can be said on this run, where that is known before looking.
    pub(super) fn obstacle(self, record: &RunRecord) -> Option<String> {
        if !self.is_of_reference() {
            return None;
        }
        match &record.reference {
            None => Some("no reference model was asked".to_owned()),
            Some(ReferenceRecord::Missing { reason, .. }) => {
                Some(format!("the reference model could not be used: {reason}"))
            }
            Some(ReferenceRecord::Answered(report)) if report.planned * 10 < record.metrics.phrases * 9 => {
                Some(format!(
                    "the reference model reads {} of {} phrases, for the others have earlier messages, and nine tenths are needed",
                    report.planned, record.metrics.phrases
                ))
            }
            // A part is like the whole at best.
            Some(ReferenceRecord::Answered(report)) if !report.is_whole() => Some(format!(
                "the reference model answered {} of {} phrases",
                report.answered(),
                report.planned
            )),
            Some(ReferenceRecord::Answered(report)) if !report.is_compared() => Some(format!(
                "the target answered {} of the {} phrases that the reference model did, and nine tenths are needed",
                report.comparison.compared, report.planned
            )),
            Some(ReferenceRecord::Answered(_)) => None,
        }
    }

    const fn is_of_reference(self) -> bool {
        matches!(self, Self::ReferenceAgreement | Self::TargetMinusReference)
    }

    /// Whether the metric exists for a slice.
    pub(super) fn has_slices(self) -> bool {
        match self {
            Self::RepeatFlipRate
            | Self::PairAccuracy
            | Self::FlipRate(_)
            | Self::ReferenceAgreement
            | Self::TargetMinusReference
            | Self::AchievedRate
            | Self::AccuracyDrop
            | Self::LostRate
            | Self::SustainedRate => false,
            _ => matches!(self.unit(), Unit::Share | Unit::Number),
        }
    }

    /// Whether a confidence limit of the metric can be compared.
    pub(super) fn has_bound(self) -> bool {
        match self {
            Self::Latency(quantile) => quantile.fraction().is_some(),
            Self::AccuracyDrop | Self::LostRate => false,
            _ => self.unit() == Unit::Share,
        }
    }
}

/// So many phrases changed. That none did is known only where each was asked more than once, or those again whose
/// answer was in doubt, and where no cache said the first answer again.
#[expect(clippy::cast_precision_loss, reason = "phrases of a run are few")]
fn changes(record: &RunRecord, changed: usize) -> Option<f64> {
    let options = &record.options;
    let repeated = options.repeat > 1 || options.repeat_doubtful.is_some();
    (repeated && (changed > 0 || is_fresh(record))).then_some(changed as f64)
}

/// Whether no answer is known to come from a cache.
fn is_fresh(record: &RunRecord) -> bool {
    record.integrity.cached == 0 && record.integrity.target_caches != Some(true)
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plain = match self {
            Self::FlipRate(_) => Self::FlipRate(Variants::All),
            other => *other,
        };
        let name = NAMES.iter().find(|(_, metric)| *metric == plain).map_or("?", |(name, _)| name);
        f.pad(name)
    }
}

impl FromStr for Metric {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        if let Some((_, metric)) = NAMES.iter().chain(&ALIASES).find(|(name, _)| *name == word) {
            return Ok(*metric);
        }
        let known: Vec<&str> = NAMES.iter().chain(&ALIASES).map(|(name, _)| *name).collect();
        Err(match nearest(word, &known) {
            Some(near) => format!("there is no metric `{word}`; did you mean `{near}`?"),
            None => format!("there is no metric `{word}`; there are {}", known.join(", ")),
        })
    }
}
