//! An interval for any measure that has no formula: F1, κ, MCC, cost, a calibration error, a percentile.
//!
//! Cases are drawn with replacement within their stratum (the gold class), so that no class goes missing (Efron &
//! Tibshirani 1993). For a paired comparison the statistic evaluates both runs on the same indices; for clusters
//! the indices stand for clusters. The seed and the generator are part of the result.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::random::Draws;
use super::special::{normal_cdf, normal_quantile};
use super::{Confidence, Interval, percentile};

/// Below this many cases the bootstrap distribution says little about the real one.
pub const MIN_CASES: usize = 20;
/// Below this many cases a stratum is redrawn as much the same few cases.
pub const MIN_STRATUM_CASES: usize = 5;
/// Below this many resamples the tails are noise.
pub const MIN_RESAMPLES: usize = 100;

/// How the interval is read off the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BootstrapKind {
    /// The quantiles of the resampled values.
    #[default]
    Percentile,
    /// Bias-corrected and accelerated (Efron 1987): better for skewed measures, one more evaluation a case.
    Bca,
}

/// The generator behind the draws; its name belongs to the seed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub enum BootstrapRng {
    /// ChaCha with 8 rounds, keyed by the seed.
    #[default]
    ChaCha8,
}

/// How to bootstrap.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapOptions {
    /// How many resamples are drawn, at least [`MIN_RESAMPLES`].
    pub resamples: usize,
    /// Fixes the draws.
    pub seed: u64,
    /// The confidence of the two-sided interval.
    pub confidence: Confidence,
    /// How the interval is read off.
    pub kind: BootstrapKind,
}

impl Default for BootstrapOptions {
    fn default() -> Self {
        Self {
            resamples: 10_000,
            seed: 0,
            confidence: Confidence::PERCENT_95,
            kind: BootstrapKind::Percentile,
        }
    }
}

/// A measure, its bootstrap interval, and all that is needed to draw it again.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct BootstrapEstimate {
    /// The measure on the cases themselves.
    pub estimate: f64,
    /// The two-sided interval.
    pub interval: Interval,
    /// How it was drawn.
    pub options: BootstrapOptions,
    /// The generator.
    pub rng: BootstrapRng,
    /// Resamples on which the measure was undefined; they are left out.
    pub undefined: usize,
}

/// Why there is no bootstrap interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BootstrapError {
    /// Too few cases.
    #[error("{cases} cases are too few for a bootstrap, {MIN_CASES} are needed")]
    TooFewCases {
        /// How many there are.
        cases: usize,
    },
    /// Too few cases of one stratum.
    #[error("{cases} cases of class {stratum} are too few for a bootstrap, {MIN_STRATUM_CASES} are needed")]
    TooFewInStratum {
        /// The stratum.
        stratum: usize,
        /// How many there are.
        cases: usize,
    },
    /// Too few resamples were asked for.
    #[error("{resamples} resamples are too few, {MIN_RESAMPLES} are needed")]
    TooFewResamples {
        /// How many were asked for.
        resamples: usize,
    },
    /// The measure does not exist on the cases themselves.
    #[error("the measure is undefined on these cases")]
    Undefined,
    /// The measure does not exist on more than one resample in a hundred.
    #[error("the measure is undefined on {undefined} of {resamples} resamples")]
    OftenUndefined {
        /// Resamples without a value.
        undefined: usize,
        /// All resamples.
        resamples: usize,
    },
    /// Every resample gave the same value, and an interval without width would claim certainty.
    #[error("every resample gave the same value")]
    NoVariation,
    /// All resamples lie on one side of the estimate, or leaving a case out makes it undefined.
    #[error("the bias correction is undefined on these cases")]
    BcaUndefined,
}

/// The bootstrap interval of `statistic`.
///
/// `strata[i]` is the gold class of case `i`. The statistic receives case indices, some of them repeated, and
/// answers `None` where it is undefined (`NaN` counts as `None`).
///
/// # Errors
/// [`BootstrapError`] says what was too little.
pub fn interval<F>(
    strata: &[usize],
    options: BootstrapOptions,
    mut statistic: F,
) -> Result<BootstrapEstimate, BootstrapError>
where
    F: FnMut(&[usize]) -> Option<f64>,
{
    let groups = group(strata, options.resamples)?;
    let mut evaluate = |cases: &[usize]| statistic(cases).filter(|value| value.is_finite());

    let all: Vec<usize> = (0..strata.len()).collect();
    let estimate = evaluate(&all).ok_or(BootstrapError::Undefined)?;
    let mut values = resample(&groups, options, &mut evaluate);
    let undefined = options.resamples - values.len();
    if undefined * 100 > options.resamples {
        return Err(BootstrapError::OftenUndefined { undefined, resamples: options.resamples });
    }
    values.sort_by(f64::total_cmp);
    if values.first() == values.last() {
        return Err(BootstrapError::NoVariation);
    }
    let tail = options.confidence.alpha() / 2.0;
    let (low, high) = match options.kind {
        BootstrapKind::Percentile => (tail, 1.0 - tail),
        BootstrapKind::Bca => bca_tails(&values, estimate, &all, tail, &mut evaluate)?,
    };
    let (Some(lower), Some(upper)) =
        (percentile::interpolated(&values, low), percentile::interpolated(&values, high))
    else {
        return Err(BootstrapError::BcaUndefined);
    };
    Ok(BootstrapEstimate {
        estimate,
        interval: Interval { lower, upper },
        options,
        rng: BootstrapRng::ChaCha8,
        undefined,
    })
}

/// The case indices of each stratum, or why there are too few.
fn group(strata: &[usize], resamples: usize) -> Result<Vec<Vec<usize>>, BootstrapError> {
    if resamples < MIN_RESAMPLES {
        return Err(BootstrapError::TooFewResamples { resamples });
    }
    if strata.len() < MIN_CASES {
        return Err(BootstrapError::TooFewCases { cases: strata.len() });
    }
    let mut groups: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (case, &stratum) in strata.iter().enumerate() {
        groups.entry(stratum).or_default().push(case);
    }
    match groups.iter().find(|(_, cases)| cases.len() < MIN_STRATUM_CASES) {
        Some((&stratum, cases)) => Err(BootstrapError::TooFewInStratum { stratum, cases: cases.len() }),
        None => Ok(groups.into_values().collect()),
    }
}

/// The measure on every resample on which it exists.
fn resample(
    groups: &[Vec<usize>],
    options: BootstrapOptions,
    evaluate: &mut impl FnMut(&[usize]) -> Option<f64>,
) -> Vec<f64> {
    let mut draws = Draws::new(options.seed);
    let mut cases = Vec::with_capacity(groups.iter().map(Vec::len).sum());
    let mut values = Vec::with_capacity(options.resamples);
    for _ in 0..options.resamples {
        cases.clear();
        for group in groups {
            cases.extend(group.iter().map(|_| group[draws.below(group.len())]));
        }
        values.extend(evaluate(&cases));
    }
    values
}

/// The tails that correct for bias and skewness.
///
/// Values equal to the estimate count half below it, as in scipy: measures of counts are full of ties.
fn bca_tails(
    sorted: &[f64],
    estimate: f64,
    all: &[usize],
    tail: f64,
    evaluate: &mut impl FnMut(&[usize]) -> Option<f64>,
) -> Result<(f64, f64), BootstrapError> {
    let below = sorted.partition_point(|value| *value < estimate);
    let not_above = sorted.partition_point(|value| *value <= estimate);
    let share = (below + not_above) as f64 / (2 * sorted.len()) as f64;
    if share <= 0.0 || share >= 1.0 {
        return Err(BootstrapError::BcaUndefined);
    }
    let bias = normal_quantile(share);
    let acceleration = acceleration(all, evaluate).ok_or(BootstrapError::BcaUndefined)?;
    let corrected = |tail: f64| {
        let shifted = bias + normal_quantile(tail);
        normal_cdf(bias + shifted / (1.0 - acceleration * shifted))
    };
    Ok((corrected(tail), corrected(1.0 - tail)))
}

/// Skewness of the jackknife values, divided by 6; `None` when leaving a case out makes the measure undefined.
fn acceleration(all: &[usize], evaluate: &mut impl FnMut(&[usize]) -> Option<f64>) -> Option<f64> {
    let mut left_out = Vec::with_capacity(all.len());
    let mut others = all.get(1..)?.to_vec();
    for case in 0..all.len() {
        // `others` always lacks exactly the case whose turn it is.
        left_out.push(evaluate(&others)?);
        if case < others.len() {
            others[case] = all[case];
        }
    }
    let mean = left_out.iter().sum::<f64>() / left_out.len() as f64;
    let squares: f64 = left_out.iter().map(|value| (mean - value).powi(2)).sum();
    let cubes: f64 = left_out.iter().map(|value| (mean - value).powi(3)).sum();
    Some(if squares > 0.0 { cubes / (6.0 * squares.powf(1.5)) } else { 0.0 })
}
