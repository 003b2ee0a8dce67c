//! What statistics find, as a record holds it.

use crate::domain::{Estimate, PairedTest};
use crate::stats::{Confidence, Interval, PairedTable};

/// A number with its interval, where it has one.
pub(super) fn estimate(value: f64, interval: Option<Interval>) -> Estimate {
    Estimate {
        value,
        lower: interval.map(|interval| interval.lower),
        upper: interval.map(|interval| interval.upper),
    }
}

/// The tests of a table of right and wrong; `effective` is how many independent cases it is worth, where that is less.
pub(super) fn paired_test(table: PairedTable, effective: Option<f64>) -> PairedTest {
    let interval = table.difference_interval(Confidence::PERCENT_95);
    PairedTest {
        both_right: table.both_right,
        improved: table.improved,
        regressed: table.regressed,
        both_wrong: table.both_wrong,
        difference: table.difference().map(|value| estimate(value, interval)),
        p_worse: table.regression_mid_p(),
        p_changed: table.mcnemar_mid_p(),
        p_worse_holm: None,
        effective,
        answers: None,
    }
}
