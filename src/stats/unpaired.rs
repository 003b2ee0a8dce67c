//! Two proportions over different cases: the fallback when two runs share no suite.
//!
//! Less sharp than [`PairedTable`](super::PairedTable), because the cases' own difficulty stays in the noise.

use super::special::ln_choose;
use super::{Confidence, Interval, IntervalMethod, Proportion};

/// Tables this little likelier than the observed one still count as equally likely (as in R and scipy).
const TIE: f64 = 1.0 + 1e-7;

/// The interval of `first − second` by Newcombe's hybrid score (1998, Statist. Med. 17:873, method 10).
///
/// `None` when either has no trials.
pub fn difference_interval(
    first: Proportion,
    second: Proportion,
    confidence: Confidence,
) -> Option<Interval> {
    let (p1, p2) = (first.rate()?, second.rate()?);
    let one = first.interval(IntervalMethod::Wilson, confidence)?;
    let two = second.interval(IntervalMethod::Wilson, confidence)?;
    Some(Interval {
        lower: (p1 - p2 - (p1 - one.lower).hypot(two.upper - p2)).max(-1.0),
        upper: (p1 - p2 + (one.upper - p1).hypot(p2 - two.lower)).min(1.0),
    })
}

/// Fisher's exact two-sided p-value: do the proportions differ? 1 when there is nothing to compare.
///
/// Sums the tables with the same margins that are no likelier than the observed one (Fisher 1935).
pub fn fisher_exact(first: Proportion, second: Proportion) -> f64 {
    let observed = table_probability(first.successes(), first, second);
    let p: f64 = possible_successes(first, second)
        .map(|successes| table_probability(successes, first, second))
        .filter(|&probability| probability <= observed * TIE)
        .sum();
    p.min(1.0)
}

/// Fisher's exact one-sided p-value: is the first proportion lower? 1 when there is nothing to compare.
pub fn fisher_exact_lower(first: Proportion, second: Proportion) -> f64 {
    let p: f64 = possible_successes(first, second)
        .take_while(|&successes| successes <= first.successes())
        .map(|successes| table_probability(successes, first, second))
        .sum();
    p.min(1.0)
}

/// The successes that the first sample can have when all margins are fixed.
fn possible_successes(first: Proportion, second: Proportion) -> std::ops::RangeInclusive<u64> {
    let successes = first.successes() + second.successes();
    successes.saturating_sub(second.trials())..=successes.min(first.trials())
}

/// The hypergeometric probability of so many successes in the first sample.
fn table_probability(successes: u64, first: Proportion, second: Proportion) -> f64 {
    let all = first.successes() + second.successes();
    (ln_choose(first.trials(), successes) + ln_choose(second.trials(), all - successes)
        - ln_choose(first.trials() + second.trials(), all))
    .exp()
}
