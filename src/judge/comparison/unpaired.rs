//! Two runs over different phrases: each as a whole, for want of phrases to compare.

use super::pairs::answer;
use crate::domain::{Level, PairedRate, PhraseResult, RunRecord, UnpairedRate};
use crate::judge::estimate::estimate;
use crate::judge::family::plain_rate;
use crate::stats::unpaired::{difference_interval, fisher_exact, fisher_exact_lower};
use crate::stats::{Confidence, Proportion};

/// Every rate that both runs have a case of, each run by its own phrases and labels.
pub(super) fn rates(baseline: &RunRecord, candidate: &RunRecord, alert_level: Level) -> Vec<UnpairedRate> {
    let right = |run: &RunRecord, of: PairedRate| -> Proportion {
        let right =
            |result: &PhraseResult| of.is_right(result.expected, alert_level, &answer(result, result));
        run.results.iter().filter_map(right).collect()
    };
    let rates = PairedRate::ALL.into_iter();
    rates.filter_map(|of| compared(of, right(baseline, of), right(candidate, of))).collect()
}

/// From the cases that are right in each run.
fn compared(of: PairedRate, before: Proportion, after: Proportion) -> Option<UnpairedRate> {
    let shown = |right: Proportion| if of.counts_errors() { right.complement() } else { right };
    let (baseline, candidate) = (shown(before), shown(after));
    let interval = difference_interval(candidate, baseline, Confidence::PERCENT_95);
    let rate = |shares: Proportion| plain_rate(shares.successes(), shares.trials());
    Some(UnpairedRate {
        metric: of.as_str().to_owned(),
        baseline: rate(baseline),
        candidate: rate(candidate),
        difference: estimate(candidate.rate()? - baseline.rate()?, interval),
        p_worse: fisher_exact_lower(after, before),
        p_differ: fisher_exact(after, before),
    })
}
