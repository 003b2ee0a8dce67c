//! Bounds over cases of which some are variants of one another, and so worth fewer.

use crate::domain::{Check, Comparison, Rate};
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

/// Says in the reason what the cases are worth, where that is less than their number.
pub(super) fn tell(check: &mut Check, rate: Rate) {
    if let Some(worth) = rate.effective {
        let worth = format!("; {} cases worth {worth:.0} (families)", rate.of);
        check.reason.push_str(&worth);
    }
}
