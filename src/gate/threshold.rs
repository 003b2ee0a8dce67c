//! A threshold: a number against a limit, or against what a baseline had.

use std::fmt;
use std::time::Duration;

use super::metric::{Metric, Unit};
use crate::domain::{CheckMode, CheckSeverity, Comparison, Share, SliceKind, Wait};
use crate::stats::Confidence;

/// Stands for every slice of a kind.
pub(super) const EVERY: &str = "*";

/// `accuracy >= 92%`, `accuracy[definite_high] >= 95%`, `false_positive_rate <= 4% (bound 95%)`, `latency_p95 <= 500ms`;
/// and against a baseline: `accuracy no_regression (max 3 new failures)`, `accuracy non_inferior (margin 1%)`,
/// `accuracy[category=*] drop <= 5 points (warn)`, `latency_p95 rise <= 50%`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    /// What is measured.
    pub metric: Metric,
    /// Over which slice; none is the whole run, and the name `*` every slice of the kind.
    pub slice: Option<(SliceKind, String)>,
    /// On which side of the limit it must be.
    pub comparison: Comparison,
    /// The limit: a share from 0 to 1, a number, milliseconds, or a count. Against a baseline: how much worse it may be,
    /// in shares, and for a latency as a share of the baseline's.
    pub limit: f64,
    /// What is compared with the limit.
    pub mode: CheckMode,
    /// The confidence of a bound, a paired test or a paired interval.
    pub confidence: Confidence,
    /// Fewer cases than this are too few to tell.
    pub min_n: Option<u64>,
    /// More cases than this that were right in the baseline and are wrong now fail, chance or not.
    pub max_new_failures: Option<u64>,
    /// What failing does.
    pub severity: CheckSeverity,
}

/// A gate that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no gate: {message}")]
pub struct GateParseError {
    /// What was written.
    pub text: String,
    /// What is wrong with it.
    pub message: String,
}

impl Gate {
    /// A point gate over the whole run.
    pub fn point(metric: Metric, comparison: Comparison, limit: f64) -> Self {
        Self {
            metric,
            slice: None,
            comparison,
            limit,
            mode: CheckMode::Point,
            confidence: Confidence::PERCENT_95,
            min_n: None,
            max_new_failures: None,
            severity: CheckSeverity::Fail,
        }
    }

    /// The paired test over the whole run.
    pub fn no_regression(metric: Metric) -> Self {
        Self { mode: CheckMode::NoRegression, ..Self::point(metric, metric.better(), 0.0) }
    }

    /// The one slice that it is over; none if it is over the whole run or over every slice of a kind.
    pub fn named_slice(&self) -> Option<(SliceKind, &str)> {
        self.slice.as_ref().filter(|(_, name)| name != EVERY).map(|(kind, name)| (*kind, name.as_str()))
    }

    /// The kind of which it is over every slice.
    pub fn every_slice(&self) -> Option<SliceKind> {
        self.slice.as_ref().filter(|(_, name)| name == EVERY).map(|(kind, _)| *kind)
    }

    /// Whether it asks what a load does to answers that are right without it.
    pub fn needs_idle(&self) -> bool {
        matches!(self.metric, Metric::AccuracyDrop | Metric::LostRate)
    }

    /// Whether it asks what only answers that are right or wrong can tell.
    pub fn needs_judging(&self) -> bool {
        !matches!(
            self.metric,
            Metric::UnansweredRate
                | Metric::Latency(_)
                | Metric::ServiceTime(_)
                | Metric::AchievedRate
                | Metric::SustainedRate
                | Metric::CheckFailures
                | Metric::InvariantViolations
                | Metric::FailOpenAnswers
        ) || self.mode.is_against_baseline()
    }

    /// The longest latency that it allows, where it asks for one.
    pub fn longest_latency(&self) -> Option<Duration> {
        let is_limit = matches!(self.metric, Metric::Latency(_) | Metric::ServiceTime(_))
            && !self.mode.is_against_baseline();
        is_limit.then(|| Duration::try_from_secs_f64(self.limit / 1e3).unwrap_or(Duration::MAX))
    }

    /// Whether it asks what became of a schedule.
    pub fn needs_schedule(&self) -> bool {
        self.metric == Metric::AchievedRate
    }

    /// Whether it asks what a search for the highest load found.
    pub fn needs_search(&self) -> bool {
        self.metric == Metric::SustainedRate
    }

    /// Whether the check that it is about, if it is about one, is among those of a scenario.
    ///
    /// # Errors
    /// It is not.
    pub fn fits_checks(&self, names: &[&str]) -> Result<(), String> {
        match self.named_slice() {
            Some((_, name)) if self.metric == Metric::CheckFailures && !names.contains(&name) => {
                Err(format!("the scenario has no check `{name}`"))
            }
            None if self.metric == Metric::CheckFailures && names.is_empty() => {
                Err("the scenario has no checks".to_owned())
            }
            _ => Ok(()),
        }
    }

    pub(super) fn checked(self) -> Result<Self, String> {
        let Self { metric, .. } = self;
        if self.mode.is_against_baseline() {
            return self.checked_against_baseline();
        }
        if self.slice.is_some() && !metric.has_slices() {
            return Err(format!("`{metric}` is measured over the whole run only"));
        }
        if self.every_slice().is_some() {
            return Err("over every slice there are only gates against a baseline, such as \
                        `accuracy[category=*] drop <= 5 points`"
                .to_owned());
        }
        if self.mode == CheckMode::Bound && !metric.has_bound() {
            return Err(format!("`{metric}` has no confidence limit; use mode `point`"));
        }
        // The wrong sign makes a gate that passes exactly what it should stop.
        match (metric.better(), self.comparison) {
            (Comparison::AtLeast, Comparison::AtMost) => {
                Err(format!("more `{metric}` is better: write `>=` or `at_least`"))
            }
            (Comparison::AtMost, Comparison::AtLeast) => {
                Err(format!("less `{metric}` is better: write `<=` or `at_most`"))
            }
            (Comparison::AtLeast, Comparison::AtLeast) | (Comparison::AtMost, Comparison::AtMost) => Ok(()),
        }?;
        Ok(self)
    }

    /// A comparison holds the paired rates, the latency's percentiles, and the accuracy of some slices.
    fn checked_against_baseline(self) -> Result<Self, String> {
        let Self { metric, .. } = self;
        let percentile = matches!(metric, Metric::Latency(quantile) if quantile.fraction().is_some());
        if metric.paired().is_none() && !(percentile && self.mode == CheckMode::Change) {
            return Err(if percentile {
                format!("`{metric}` can only be held as `{metric} rise <= 50%`")
            } else {
                format!("`{metric}` is not compared with a baseline; accuracy and other rates are")
            });
        }
        match &self.slice {
            Some(_) if metric != Metric::Accuracy => {
                Err(format!("`{metric}` is compared with a baseline over the whole run only"))
            }
            Some((kind @ (SliceKind::Tag | SliceKind::Split), _)) => Err(format!(
                "a baseline is compared by category, capability and language, not by {}",
                kind.as_str()
            )),
            _ => Ok(self),
        }
    }

    /// The limit as it is written.
    pub(super) fn limit_text(&self) -> String {
        match self.metric.unit() {
            Unit::Time if self.mode == CheckMode::Change => format!("{}%", hundredths(self.limit)),
            _ if self.mode == CheckMode::Change => points(self.limit),
            Unit::Share => {
                Share::new(self.limit).map_or_else(|| self.limit.to_string(), |share| share.to_string())
            }
            Unit::Number | Unit::Count => self.limit.to_string(),
            // Parts of a millisecond are no number that a length of time is written with.
            Unit::Time if self.limit.fract() != 0.0 => {
                Wait(Duration::try_from_secs_f64(self.limit / 1e3).unwrap_or_default()).to_string()
            }
            Unit::Time => format!("{}ms", self.limit),
        }
    }

    /// The slice as it is written.
    pub(super) fn slice_text(&self) -> Option<String> {
        match (&self.slice, self.metric) {
            (Some((kind, name)), _) => Some(format!("{}={name}", kind.as_str())),
            (None, Metric::FlipRate(variants)) => variants.slice_text(),
            (None, _) => None,
        }
    }

    /// What stands in parentheses behind the limit.
    fn options(&self) -> Vec<String> {
        let mut options = Vec::new();
        let confidence = Share::new(self.confidence.level()).map_or_else(String::new, |c| c.to_string());
        match self.mode {
            CheckMode::Point | CheckMode::Change => {}
            CheckMode::Bound => options.push(format!("bound {confidence}")),
            CheckMode::NonInferior => options.push(format!("margin {}", self.limit_text())),
            CheckMode::NoRegression => {
                options.extend(
                    self.max_new_failures
                        .map(|most| format!("max {most} new failure{}", if most == 1 { "" } else { "s" })),
                );
            }
        }
        let tested = matches!(self.mode, CheckMode::NoRegression | CheckMode::NonInferior);
        if tested && self.confidence != Confidence::PERCENT_95 {
            options.push(format!("confidence {confidence}"));
        }
        options
            .extend(self.min_n.map(|cases| format!("min {cases} case{}", if cases == 1 { "" } else { "s" })));
        options.extend((!self.severity.decides()).then(|| "warn".to_owned()));
        options
    }
}

/// A share in hundredths, rounded to what people write.
pub(super) fn hundredths(share: f64) -> f64 {
    (share * 1e8).round() / 1e6
}

/// A difference of two shares in percentage points.
pub(super) fn points(difference: f64) -> String {
    match hundredths(difference).to_string().as_str() {
        "1" => "1 point".to_owned(),
        points => format!("{points} points"),
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.metric)?;
        match &self.slice {
            Some((SliceKind::Category, name)) if name != EVERY => write!(f, "[{name}]")?,
            Some((kind, name)) => write!(f, "[{}={name}]", kind.as_str())?,
            None => {
                if let Metric::FlipRate(variants) = self.metric {
                    write!(f, "{variants}")?;
                }
            }
        }
        let limit = self.limit_text();
        match (self.mode, self.comparison) {
            (CheckMode::NoRegression, _) => write!(f, " no_regression"),
            (CheckMode::NonInferior, _) => write!(f, " non_inferior"),
            (CheckMode::Change, Comparison::AtLeast) => write!(f, " drop <= {limit}"),
            (CheckMode::Change, Comparison::AtMost) => write!(f, " rise <= {limit}"),
            (CheckMode::Point | CheckMode::Bound, Comparison::AtLeast) => write!(f, " >= {limit}"),
            (CheckMode::Point | CheckMode::Bound, Comparison::AtMost) => write!(f, " <= {limit}"),
        }?;
        match self.options() {
            options if options.is_empty() => Ok(()),
            options => write!(f, " ({})", options.join(", ")),
        }
    }
}
