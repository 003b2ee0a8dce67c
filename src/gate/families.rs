//! Bounds over cases of which some are much alike, and so worth fewer.

use crate::domain::{Check, Comparison, Rate, RunRecord};
use crate::stats::{BoundRule, Proportion, cluster};

/// The worse confidence limit of a rate, and the most errors with which it would hold.
pub(super) fn bound(rule: BoundRule, comparison: Comparison, rate: Rate) -> (Option<f64>, Option<u64>) {
    let successes = Proportion::new(rate.count, rate.of).unwrap_or_default();
    let errors = match comparison {
        Comparison::AtMost => successes,
        Comparison::AtLeast => successes.complement(),
    };
    let (most_errors, allowed) = match rate.effective {
        None => (errors.upper_bound(rule.method, rule.confidence), rule.max_errors(rate.of)),
        Some(worth) => (
            errors.rate().and_then(|rate| cluster::upper_bound(rate, worth, rule.method, rule.confidence)),
            cluster::max_errors(rule, rate.of, worth),
        ),
    };
    let bound = match comparison {
        Comparison::AtMost => most_errors,
        Comparison::AtLeast => most_errors.map(|rate| 1.0 - rate),
    };
    (bound, allowed)
}

/// Says in the reason what the cases are worth, where that is less than their number, and what joins them.
#[expect(clippy::cast_precision_loss, reason = "requests of a run are few")]
pub(super) fn tell(check: &mut Check, rate: Rate, record: &RunRecord) {
    let Some(worth) = rate.effective else { return };
    let (cases, why) = match &record.load {
        None => ("cases", "families"),
        Some(load) if load.scenario.batch == 1 => ("requests", "answers to one phrase are alike"),
        // More than there were requests they are never worth.
        Some(load) if worth >= load.counts.ended() as f64 => {
            ("phrases", "those of one request fail together")
        }
        Some(_) => ("phrases", "answers to one phrase are alike"),
    };
    let worth = format!("; {} {cases} worth {worth:.0} ({why})", rate.of);
    check.reason.push_str(&worth);
}
