//! A gate as it was written, in one line or as a mapping, before it is known to make sense.

use super::metric::{Metric, Unit};
use super::threshold::Gate;
use crate::domain::{CheckMode, CheckSeverity, Comparison, Share, SliceKind, Wait};
use crate::stats::Confidence;

/// What a number is held against.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Relation {
    AtLeast(String),
    AtMost(String),
    /// At most so much lower than the baseline's.
    Drop(String),
    /// At most so much higher.
    Rise(String),
    NoRegression,
    NonInferior,
}

/// Everything that can be written of a gate.
#[derive(Debug)]
pub(super) struct Draft {
    pub(super) metric: Metric,
    pub(super) slice: Option<(SliceKind, String)>,
    pub(super) relation: Relation,
    pub(super) bound: bool,
    pub(super) margin: Option<Share>,
    pub(super) confidence: Option<Share>,
    pub(super) max_new_failures: Option<u64>,
    pub(super) min_n: Option<u64>,
    pub(super) severity: CheckSeverity,
}

impl Draft {
    pub(super) fn new(metric: Metric, relation: Relation) -> Self {
        Self {
            metric,
            slice: None,
            relation,
            bound: false,
            margin: None,
            confidence: None,
            max_new_failures: None,
            min_n: None,
            severity: CheckSeverity::Fail,
        }
    }

    /// The gate, if all of it makes sense together.
    pub(super) fn gate(self) -> Result<Gate, String> {
        let metric = self.metric;
        let better = metric.better();
        let (mode, comparison, limit) = match &self.relation {
            Relation::AtLeast(text) => (self.fixed_mode(), Comparison::AtLeast, limit(metric, text)?),
            Relation::AtMost(text) => (self.fixed_mode(), Comparison::AtMost, limit(metric, text)?),
            Relation::Drop(_) if better == Comparison::AtMost => {
                return Err(format!("less `{metric}` is better: write `rise`"));
            }
            Relation::Rise(_) if better == Comparison::AtLeast => {
                return Err(format!("more `{metric}` is better: write `drop`"));
            }
            Relation::Drop(text) | Relation::Rise(text) => (CheckMode::Change, better, change(metric, text)?),
            Relation::NoRegression => (CheckMode::NoRegression, better, 0.0),
            Relation::NonInferior => {
                let margin = self.margin.ok_or("how much worse is still as good? write `(margin 1%)`")?;
                (CheckMode::NonInferior, better, margin.value())
            }
        };
        if self.bound && mode != CheckMode::Bound {
            return Err("a `bound` is of a number and its limit, not of a change".to_owned());
        }
        if self.margin.is_some() && mode != CheckMode::NonInferior {
            return Err("a `margin` belongs to `non_inferior`".to_owned());
        }
        if self.max_new_failures.is_some() && mode != CheckMode::NoRegression {
            return Err("new failures are counted by `no_regression`".to_owned());
        }
        if self.confidence.is_some() && matches!(mode, CheckMode::Point | CheckMode::Change) {
            return Err("a `confidence` belongs to a bound, `no_regression` or `non_inferior`".to_owned());
        }
        let confidence = self.confidence.map_or(Ok(Confidence::PERCENT_95), |share| {
            Confidence::new(share.value()).map_err(|error| error.to_string())
        })?;
        let gate = Gate {
            slice: self.slice,
            mode,
            confidence,
            min_n: self.min_n,
            max_new_failures: self.max_new_failures,
            severity: self.severity,
            ..Gate::point(metric, comparison, limit)
        };
        gate.checked()
    }

    fn fixed_mode(&self) -> CheckMode {
        if self.bound { CheckMode::Bound } else { CheckMode::Point }
    }
}

/// Reads a limit in the metric's unit.
fn limit(metric: Metric, text: &str) -> Result<f64, String> {
    let text = text.trim();
    match metric.unit() {
        Unit::Share => text.parse::<Share>().map(Share::value),
        Unit::Number => {
            text.parse().ok().filter(|x: &f64| x.is_finite()).ok_or(format!("`{text}` is no number"))
        }
        Unit::Time => text.parse::<Wait>().map(|wait| wait.0.as_secs_f64() * 1e3),
        Unit::Count => text.parse::<u32>().map(f64::from).map_err(|_| format!("`{text}` is no whole number")),
    }
}

/// Reads how much worse than the baseline's a number may be: points of a share, a part of a latency.
fn change(metric: Metric, text: &str) -> Result<f64, String> {
    let text = text.trim();
    let number = |text: &str| text.trim().parse().ok().filter(|x: &f64| x.is_finite() && *x >= 0.0);
    let read = match metric.unit() {
        Unit::Time => text
            .strip_suffix('%')
            .and_then(number)
            .ok_or_else(|| format!("`{text}` is not a part of the baseline's latency: write `50%`")),
        _ => text
            .strip_suffix("points")
            .or_else(|| text.strip_suffix("point"))
            .and_then(number)
            .filter(|points| *points <= 100.0)
            .ok_or_else(|| format!("`{text}` is no difference of two shares: write `2 points`")),
    }?;
    Ok(read / 100.0)
}

/// Reads a slice as it stands between `[` and `]`.
pub(super) fn slice(text: &str) -> Result<(SliceKind, String), String> {
    let (kind, name) = text.split_once('=').unwrap_or(("category", text));
    let Some(kind) = SliceKind::ALL.into_iter().find(|known| known.as_str() == kind.trim()) else {
        let known = SliceKind::ALL.map(SliceKind::as_str).join(", ");
        return Err(format!("`{}` is not one of {known}", kind.trim()));
    };
    match name.trim() {
        "" => Err("there is no name between `[` and `]`".to_owned()),
        name => Ok((kind, name.to_owned())),
    }
}
