//! Cases that come in families: variants of one template say less than as many independent cases.
//!
//! Clustered standard error of Miller (2024, arXiv:2411.00640, appendix A) with the C/(C − 1) correction of
//! `inspect_ai`; design effect of Kish (1965); interval of Korn & Graubard (1998).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::proportion::wilson;
use super::special::{beta_cdf, beta_quantile};
use super::{BoundRule, Confidence, Interval, IntervalMethod};

/// The correlation within a family that is taken for granted, before any outcome and whatever the outcomes say.
///
/// A plan has no outcomes, and a handful of errors cannot show that siblings are independent: with one error the
/// estimate is always near 0. `HateCheck`'s templates lie between 0.3 and 0.5.
pub const PLANNED_CORRELATION: f64 = 0.5;

/// A mean over clustered cases, and how many independent cases it is worth.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ClusteredMean {
    /// The mean over all cases.
    pub mean: f64,
    /// Its standard error, clusters taken into account.
    pub standard_error: f64,
    /// How many cases there are.
    pub cases: usize,
    /// How many clusters they come in.
    pub clusters: usize,
    /// Variance over that of as many independent cases; `None` when all cases are alike.
    pub design_effect: Option<f64>,
}

impl ClusteredMean {
    /// The normal interval of the mean.
    pub fn interval(&self, confidence: Confidence) -> Interval {
        let half = confidence.z_two_sided() * self.standard_error;
        Interval { lower: self.mean - half, upper: self.mean + half }
    }
}

/// The mean of (cluster, value) pairs with its clustered standard error; `None` with fewer than two clusters.
///
/// SE² = C/(C − 1) · Σ over clusters of (Σ (x − x̄))² / n².
pub fn clustered_mean(values: &[(usize, f64)]) -> Option<ClusteredMean> {
    let cases = values.len() as f64;
    let mut sums: BTreeMap<usize, f64> = BTreeMap::new();
    let mean = values.iter().map(|(_, value)| value).sum::<f64>() / cases;
    let mut squares = 0.0;
    for (cluster, value) in values {
        *sums.entry(*cluster).or_default() += value - mean;
        squares += (value - mean).powi(2);
    }
    let clusters = sums.len();
    if clusters < 2 {
        return None;
    }
    let correction = clusters as f64 / (clusters - 1) as f64;
    let variance = correction * sums.values().map(|sum| sum * sum).sum::<f64>() / (cases * cases);
    let independent = squares / (cases - 1.0) / cases;
    Some(ClusteredMean {
        mean,
        standard_error: variance.sqrt(),
        cases: values.len(),
        clusters,
        design_effect: (independent > 0.0).then(|| variance / independent),
    })
}

/// 1 + (m − 1)ρ for a mean cluster size m and a correlation ρ within clusters.
///
/// `None` unless m ≥ 1 and ρ lies between 0 and 1.
pub fn design_effect(mean_cluster_size: f64, correlation: f64) -> Option<f64> {
    let valid = mean_cluster_size >= 1.0 && (0.0..=1.0).contains(&correlation);
    valid.then_some(1.0 + (mean_cluster_size - 1.0) * correlation)
}

/// How many independent cases so many clustered ones are worth; `None` unless the design effect is above 0.
pub fn effective_cases(cases: u64, design_effect: f64) -> Option<f64> {
    (design_effect > 0.0).then(|| cases as f64 / design_effect)
}

/// The design effect that [`PLANNED_CORRELATION`] gives clusters of these sizes; `None` without cases.
///
/// With clusters of several sizes the mean is the one over cases, Σm² / Σm: that of Kish (1965, §8.2).
pub fn planned_effect(sizes: impl IntoIterator<Item = u64>) -> Option<f64> {
    let (cases, squares) =
        sizes.into_iter().fold((0, 0), |(cases, squares), size| (cases + size, squares + size * size));
    design_effect(squares as f64 / cases.max(1) as f64, PLANNED_CORRELATION)
}

/// How many independent cases (cluster, value) pairs are worth; `None` without any.
///
/// The design effect is the one of the values, and at least the planned one, so that neither luck nor a lack of errors
/// makes siblings look independent. A lone cluster is worth one case: nothing shows how it differs from others.
pub fn worth(values: &[(usize, f64)]) -> Option<f64> {
    let mut sizes: BTreeMap<usize, u64> = BTreeMap::new();
    for (cluster, _) in values {
        *sizes.entry(*cluster).or_default() += 1;
    }
    let planned = planned_effect(sizes.values().copied())?;
    let Some(seen) = clustered_mean(values) else { return Some(1.0) };
    let effect = seen.design_effect.filter(|effect| effect.is_finite()).map_or(planned, |e| e.max(planned));
    effective_cases(values.len() as u64, effect)
}

/// As [`worth`], for yes-or-no cases in clusters that are given as their cases and those that count.
pub fn worth_of_counts(clusters: &[(u64, u64)]) -> Option<f64> {
    let (cases, hits) = clusters.iter().fold((0, 0), |sums, (cases, hits)| (sums.0 + cases, sums.1 + hits));
    let planned = planned_effect(clusters.iter().map(|(cases, _)| *cases))?;
    if cases == 0 {
        return None;
    }
    if clusters.len() < 2 {
        return Some(1.0);
    }
    let (n, rate, groups) = (cases as f64, hits as f64 / cases as f64, clusters.len() as f64);
    let squares: f64 =
        clusters.iter().map(|(cases, hits)| (*hits as f64 - rate * *cases as f64).powi(2)).sum();
    let variance = groups / (groups - 1.0) * squares / (n * n);
    let independent = rate * (1.0 - rate) / (n - 1.0);
    let effect = if independent > 0.0 { (variance / independent).max(planned) } else { planned };
    effective_cases(cases, effect)
}

/// The interval of a rate at an effective number of cases that need not be whole; half of α on each side.
///
/// By Clopper–Pearson this is the one of Korn & Graubard. `None` unless the rate lies between 0 and 1 and there are
/// effective cases.
pub fn rate_interval(
    rate: f64,
    effective_cases: f64,
    method: IntervalMethod,
    confidence: Confidence,
) -> Option<Interval> {
    let (z, tail) = (confidence.z_two_sided(), confidence.alpha() / 2.0);
    Some(Interval {
        lower: 1.0 - upper_limit(1.0 - rate, effective_cases, method, z, tail)?,
        upper: upper_limit(rate, effective_cases, method, z, tail)?,
    })
}

/// The one-sided upper bound of a rate at an effective number of cases, all of α above it.
pub fn upper_bound(
    rate: f64,
    effective_cases: f64,
    method: IntervalMethod,
    confidence: Confidence,
) -> Option<f64> {
    upper_limit(rate, effective_cases, method, confidence.z_one_sided(), confidence.alpha())
}

fn upper_limit(rate: f64, cases: f64, method: IntervalMethod, z: f64, tail: f64) -> Option<f64> {
    if !((0.0..=1.0).contains(&rate) && cases > 0.0 && cases.is_finite()) {
        return None;
    }
    let (hits, misses) = (rate * cases, (1.0 - rate) * cases);
    Some(match method {
        _ if misses <= 0.0 => 1.0,
        IntervalMethod::Wilson => wilson(hits, cases, z),
        IntervalMethod::ClopperPearson => beta_quantile(hits + 1.0, misses, 1.0 - tail),
    })
}

/// The most errors among `cases` worth `effective_cases` with which the rule holds; `None` when even none proves it.
pub fn max_errors(rule: BoundRule, cases: u64, effective_cases: f64) -> Option<u64> {
    let proves = |errors: u64| {
        let rate = errors as f64 / cases as f64;
        upper_bound(rate, effective_cases, rule.method, rule.confidence)
            .is_some_and(|bound| bound <= rule.max_rate)
    };
    if cases == 0 || !proves(0) {
        return None;
    }
    // Fewer errors never prove less.
    let (mut passing, mut failing) = (0, cases);
    while failing - passing > 1 {
        let middle = passing.midpoint(failing);
        *(if proves(middle) { &mut passing } else { &mut failing }) = middle;
    }
    Some(passing)
}

/// P(at most `max_errors` among `cases`) when each fails with `true_rate` and all are worth `effective_cases`: the
/// binomial distribution at that number, which need not be whole. `None` when something is no number of its kind.
pub fn pass_probability(max_errors: u64, cases: u64, effective_cases: f64, true_rate: f64) -> Option<f64> {
    if cases == 0 || !(effective_cases > 0.0 && (0.0..=1.0).contains(&true_rate)) {
        return None;
    }
    let errors = max_errors as f64 / cases as f64 * effective_cases;
    let rest = effective_cases - errors;
    Some(if rest <= 0.0 { 1.0 } else { beta_cdf(rest, errors + 1.0, 1.0 - true_rate) })
}
