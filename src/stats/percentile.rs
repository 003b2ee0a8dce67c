//! Percentiles, and which measured values surely enclose the true one.
//!
//! The interval needs no assumption about the distribution: of n independent values, Bin(n, q) lie below the true
//! q-quantile (Conover 1999; David & Nagaraja 2003). Under load, values that follow each other are not
//! independent; say so beside it.

use serde::{Deserialize, Serialize};

use super::Confidence;
use super::special::{binomial_at_least, binomial_at_most};

/// The ranks (1 is the smallest value) whose values enclose a quantile.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RankInterval {
    /// The rank of the lower end; `None` when even the smallest value might be too large.
    pub lower: Option<u64>,
    /// The rank of the upper end; `None` when even the largest value might be too small.
    pub upper: Option<u64>,
    /// P(the interval holds the true quantile), at least the confidence asked for.
    pub coverage: f64,
}

/// The nearest rank ⌈qn⌉, at least 1; `None` without values or when q is not between 0 and 1.
pub fn rank(count: u64, q: f64) -> Option<u64> {
    if count == 0 || !(0.0..=1.0).contains(&q) {
        return None;
    }
    // 0.07 · 100 is a little above 7 in floating point, and its rank is still 7.
    let exact = q * count as f64;
    let slack = 1e-9 + exact * f64::EPSILON;
    Some(((exact - slack).ceil() as u64).clamp(1, count))
}

/// The nearest-rank percentile: a value that was measured. `sorted` ascends.
///
/// `None` without values or when q is not between 0 and 1.
pub fn nearest_rank<T: Copy + PartialOrd>(sorted: &[T], q: f64) -> Option<T> {
    debug_assert!(sorted.is_sorted(), "values must ascend");
    value_at(sorted, rank(sorted.len() as u64, q)?)
}

/// The percentile interpolated between neighbours, type 7 of Hyndman & Fan (1996), numpy's default. `sorted` ascends.
///
/// `None` without values or when q is not between 0 and 1.
pub fn interpolated(sorted: &[f64], q: f64) -> Option<f64> {
    debug_assert!(sorted.is_sorted(), "values must ascend");
    if !(0.0..=1.0).contains(&q) {
        return None;
    }
    let position = q * sorted.len().checked_sub(1)? as f64;
    let below = *sorted.get(position.floor() as usize)?;
    let above = *sorted.get(position.ceil() as usize)?;
    Some(below + (above - below) * position.fract())
}

/// The value of a rank; `None` when there are fewer.
pub fn value_at<T: Copy>(sorted: &[T], rank: u64) -> Option<T> {
    sorted.get(usize::try_from(rank.checked_sub(1)?).ok()?).copied()
}

/// The two-sided interval of the q-quantile by ranks.
///
/// Lower is the largest rank l with P(B ≤ l − 1) ≤ α/2, upper the smallest rank u with P(B ≥ u) ≤ α/2, for
/// B ~ Bin(count, q). `None` without values or when q is not strictly between 0 and 1.
pub fn rank_interval(count: u64, q: f64, confidence: Confidence) -> Option<RankInterval> {
    if count == 0 || !(q > 0.0 && q < 1.0) {
        return None;
    }
    let tail = confidence.alpha() / 2.0;
    let lower = last_rank(count, |rank| binomial_at_most(rank - 1, count, q) <= tail);
    let upper = upper_rank_at(count, q, tail);
    let missed_below = lower.map_or(0.0, |rank| binomial_at_most(rank - 1, count, q));
    let missed_above = upper.map_or(0.0, |rank| binomial_at_least(rank, count, q));
    Some(RankInterval { lower, upper, coverage: 1.0 - missed_below - missed_above })
}

/// The rank whose value is an upper bound of the q-quantile, all of α above it.
///
/// `None` without values, when q is not strictly between 0 and 1, or when even the largest value might be too small.
pub fn upper_bound_rank(count: u64, q: f64, confidence: Confidence) -> Option<u64> {
    if count == 0 || !(q > 0.0 && q < 1.0) {
        return None;
    }
    upper_rank_at(count, q, confidence.alpha())
}

/// The fewest values from which the q-quantile gets a two-sided interval with two ends.
///
/// `None` when q is not strictly between 0 and 1.
pub fn min_count_two_sided(q: f64, confidence: Confidence) -> Option<u64> {
    min_count(q.max(1.0 - q), confidence.alpha() / 2.0)
}

/// The fewest values from which the largest is an upper bound of the q-quantile.
///
/// `None` when q is not strictly between 0 and 1.
pub fn min_count_upper(q: f64, confidence: Confidence) -> Option<u64> {
    min_count(q, confidence.alpha())
}

/// The smallest n with qⁿ ≤ tail.
fn min_count(q: f64, tail: f64) -> Option<u64> {
    (q > 0.0 && q < 1.0).then(|| (tail.ln() / q.ln()).ceil() as u64)
}

fn upper_rank_at(count: u64, q: f64, tail: f64) -> Option<u64> {
    let too_low = |rank| binomial_at_least(rank, count, q) > tail;
    let last_too_low = last_rank(count, too_low).unwrap_or(0);
    (last_too_low < count).then_some(last_too_low + 1)
}

/// The largest rank in 1..=count for which a condition holds that, once false, stays false.
fn last_rank(count: u64, holds: impl Fn(u64) -> bool) -> Option<u64> {
    let (mut yes, mut no) = (0, count + 1);
    while no - yes > 1 {
        let middle = yes.midpoint(no);
        if holds(middle) {
            yes = middle;
        } else {
            no = middle;
        }
    }
    (yes > 0).then_some(yes)
}
