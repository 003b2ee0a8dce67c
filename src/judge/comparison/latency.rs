//! How slow the same phrases were in two runs.
//!
//! One latency a phrase and run, of its first sending, and only of phrases that were answered in both, and not from a
//! cache: a run must not look faster because its slow phrases failed, or because nobody worked.

use super::pairs::Pair;
use crate::domain::{Estimate, LatencyComparison, LatencyReport, PhraseResult};
use crate::stats::bootstrap::{self, MIN_CASES};
use crate::stats::{BootstrapOptions, Confidence, LatencyHistogram, percentile};

const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Ends that hold within a few percent are enough, and every run with a baseline waits for them.
const RESAMPLES: usize = 1_000;

pub(super) fn compare(pairs: &[Pair<'_>]) -> Vec<LatencyComparison> {
    let answered = |pair: &&Pair<'_>| {
        let first = |result: &PhraseResult| {
            result.observations.first().is_some_and(|seen| seen.answer.level().is_some() && !seen.cached)
        };
        first(pair.before) && first(pair.phrase)
    };
    let pairs: Vec<&Pair<'_>> = pairs.iter().filter(answered).collect();
    let latencies = |of: fn(&Pair<'_>) -> f64| Latencies::new(pairs.iter().map(|pair| of(pair)));
    let baseline = latencies(|pair| pair.baseline.latency_ms);
    let candidate = latencies(|pair| pair.candidate.latency_ms);
    QUANTILES.into_iter().filter_map(|quantile| compared(&baseline, &candidate, quantile)).collect()
}

/// How slow all requests of two load runs were. They are no pairs, and the ratio has no interval.
pub(super) fn compare_histograms(
    baseline: &LatencyReport,
    candidate: &LatencyReport,
) -> Vec<LatencyComparison> {
    let read = |report: &LatencyReport| LatencyHistogram::from_base64(report.histogram.as_deref()?).ok();
    let (Some(before), Some(after)) = (read(baseline), read(candidate)) else { return Vec::new() };
    let at = |histogram: &LatencyHistogram, quantile| {
        let ms = |time: std::time::Duration| time.as_secs_f64() * 1e3;
        let interval = histogram.percentile_interval(quantile, Confidence::PERCENT_95)?;
        let value = ms(histogram.percentile(quantile)?);
        Some(Estimate { value, lower: interval.lower.map(ms), upper: interval.upper.map(ms) })
    };
    let compared = |quantile| {
        let (baseline, candidate) = (at(&before, quantile)?, at(&after, quantile)?);
        let ratio = Estimate { value: candidate.value / baseline.value, lower: None, upper: None };
        ratio.value.is_finite().then_some(LatencyComparison { quantile, baseline, candidate, ratio })
    };
    QUANTILES.into_iter().filter_map(compared).collect()
}

fn compared(baseline: &Latencies, candidate: &Latencies, quantile: f64) -> Option<LatencyComparison> {
    let (before, after) = (baseline.percentile(quantile)?, candidate.percentile(quantile)?);
    let ratio = after.value / before.value;
    if !ratio.is_finite() {
        return None;
    }
    // A percentile that the values do not enclose is not enclosed by its resamples either.
    let enclosed = [before, after].iter().all(|end| end.lower.is_some() && end.upper.is_some());
    let interval = enclosed.then(|| ratio_interval(baseline, candidate, quantile)).flatten();
    Some(LatencyComparison {
        quantile,
        baseline: before,
        candidate: after,
        ratio: Estimate {
            value: ratio,
            lower: interval.map(|(lower, _)| lower),
            upper: interval.map(|(_, upper)| upper),
        },
    })
}

/// Resamples phrases, each with both of its latencies.
fn ratio_interval(baseline: &Latencies, candidate: &Latencies, quantile: f64) -> Option<(f64, f64)> {
    let cases = baseline.ranks.len();
    if cases < MIN_CASES {
        return None;
    }
    let at = usize::try_from(percentile::rank(cases as u64, quantile)?).ok()? - 1;
    let options = BootstrapOptions { resamples: RESAMPLES, ..BootstrapOptions::default() };
    let mut drawn = Vec::with_capacity(cases);
    let found = bootstrap::interval(&vec![0; cases], options, |sample| {
        Some(candidate.drawn(sample, at, &mut drawn)? / baseline.drawn(sample, at, &mut drawn)?)
    });
    found.ok().map(|found| (found.interval.lower, found.interval.upper))
}

/// The latencies of some phrases in one run.
struct Latencies {
    sorted: Vec<f64>,
    /// The place of each phrase's latency in `sorted`.
    ranks: Vec<u32>,
}

impl Latencies {
    fn new(times: impl Iterator<Item = f64>) -> Self {
        let times: Vec<f64> = times.collect();
        let mut order: Vec<usize> = (0..times.len()).collect();
        order.sort_by(|&one, &other| times[one].total_cmp(&times[other]));
        let mut ranks = vec![0; times.len()];
        for (rank, &phrase) in (0..).zip(&order) {
            ranks[phrase] = rank;
        }
        Self { sorted: order.into_iter().map(|phrase| times[phrase]).collect(), ranks }
    }

    /// The percentile, and the values that enclose the true one whatever the distribution is.
    fn percentile(&self, quantile: f64) -> Option<Estimate> {
        let count = self.sorted.len() as u64;
        let ranks = percentile::rank_interval(count, quantile, Confidence::PERCENT_95)?;
        let at = |rank: Option<u64>| percentile::value_at(&self.sorted, rank?);
        Some(Estimate {
            value: percentile::nearest_rank(&self.sorted, quantile)?,
            lower: at(ranks.lower),
            upper: at(ranks.upper),
        })
    }

    /// The latency at a place among those of the drawn phrases. Places are compared instead of numbers: that is faster.
    fn drawn(&self, sample: &[usize], at: usize, drawn: &mut Vec<u32>) -> Option<f64> {
        drawn.clear();
        drawn.extend(sample.iter().map(|&phrase| self.ranks[phrase]));
        let (_, rank, _) = drawn.select_nth_unstable(at);
        self.sorted.get(*rank as usize).copied()
    }
}
