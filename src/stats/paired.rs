//! Two runs over the same cases: did the candidate get worse?
//!
//! McNemar's test (1947) looks only at the cases whose outcome changed. The mid-p variant is the default:
//! Fagerland, Lydersen & Laake (2013, BMC Med Res Methodol 13:91) recommend it over the exact test, which is
//! too cautious. The interval is Newcombe's (1998, Statist. Med. 17:2635) method 10. No test can see one to
//! three flips, so a gate also lists them.

use serde::{Deserialize, Serialize};

use super::special::{binomial_at_least, binomial_at_most, binomial_exactly};
use super::{Confidence, Interval, IntervalMethod, Proportion};

/// The same cases judged in two runs, counted by what happened to each.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct PairedTable {
    /// Right in the baseline and in the candidate.
    pub both_right: u64,
    /// Wrong in the baseline, right in the candidate.
    pub improved: u64,
    /// Right in the baseline, wrong in the candidate.
    pub regressed: u64,
    /// Wrong in both.
    pub both_wrong: u64,
}

impl PairedTable {
    /// All cases.
    pub fn total(self) -> u64 {
        self.both_right + self.improved + self.regressed + self.both_wrong
    }

    /// The cases whose outcome changed.
    pub fn changed(self) -> u64 {
        self.improved + self.regressed
    }

    /// The baseline's rate of right cases.
    pub fn baseline(self) -> Proportion {
        Proportion::from_counts(self.both_right + self.regressed, self.improved + self.both_wrong)
    }

    /// The candidate's rate of right cases.
    pub fn candidate(self) -> Proportion {
        Proportion::from_counts(self.both_right + self.improved, self.regressed + self.both_wrong)
    }

    /// Exact two-sided McNemar p-value: is there any change? 1 when nothing changed.
    pub fn mcnemar_exact(self) -> f64 {
        let fewer = self.improved.min(self.regressed);
        (2.0 * binomial_at_most(fewer, self.changed(), 0.5)).min(1.0)
    }

    /// Mid-p two-sided McNemar p-value: is there any change? 1 when nothing changed.
    ///
    /// With as many improvements as regressions it is 1 − ½·P(X = b), as in R's `contingencytables`.
    pub fn mcnemar_mid_p(self) -> f64 {
        let fewer = self.improved.min(self.regressed);
        let at_fewer = binomial_exactly(fewer, self.changed(), 0.5);
        if self.changed() == 0 {
            1.0
        } else if self.improved == self.regressed {
            1.0 - 0.5 * at_fewer
        } else {
            (self.mcnemar_exact() - at_fewer).clamp(0.0, 1.0)
        }
    }

    /// Exact one-sided McNemar p-value: did it get worse? P(X ≥ regressed); 1 when nothing changed.
    pub fn regression_exact(self) -> f64 {
        binomial_at_least(self.regressed, self.changed(), 0.5)
    }

    /// Mid-p one-sided McNemar p-value: did it get worse? P(X ≥ regressed) − ½·P(X = regressed); 1 when nothing
    /// changed.
    pub fn regression_mid_p(self) -> f64 {
        if self.changed() == 0 {
            return 1.0;
        }
        regression_mid_p(self.regressed, self.changed())
    }

    /// The candidate's rate minus the baseline's: positive is better; `None` without cases.
    pub fn difference(self) -> Option<f64> {
        let total = self.total();
        (total > 0).then(|| (self.improved as f64 - self.regressed as f64) / total as f64)
    }

    /// The two-sided interval of [`difference`](Self::difference), Newcombe's method 10; `None` without cases.
    pub fn difference_interval(self, confidence: Confidence) -> Option<Interval> {
        let difference = self.difference()?;
        let (candidate, baseline) = (self.candidate(), self.baseline());
        let (p1, p2) = (candidate.rate()?, baseline.rate()?);
        let first = candidate.interval(IntervalMethod::Wilson, confidence)?;
        let second = baseline.interval(IntervalMethod::Wilson, confidence)?;
        let phi = self.correlation();
        // Rounding may push the radicand a hair below zero when everything is 0.
        let reach = |x: f64, y: f64| (x * x - 2.0 * phi * x * y + y * y).max(0.0).sqrt();
        Some(Interval {
            lower: (difference - reach(p1 - first.lower, second.upper - p2)).max(-1.0),
            upper: (difference + reach(p2 - second.lower, first.upper - p1)).min(1.0),
        })
    }

    /// φ between the runs with Newcombe's continuity correction; 0 when a margin is empty.
    fn correlation(self) -> f64 {
        let [a, b, c, d] =
            [self.both_right, self.improved, self.regressed, self.both_wrong].map(|count| count as f64);
        let margins = (a + b) * (c + d) * (a + c) * (b + d);
        if margins <= 0.0 {
            return 0.0;
        }
        let determinant = a * d - b * c;
        let corrected =
            if determinant > 0.0 { (determinant - (a + b + c + d) / 2.0).max(0.0) } else { determinant };
        corrected / margins.sqrt()
    }
}

impl FromIterator<(bool, bool)> for PairedTable {
    /// Counts pairs of (baseline right, candidate right).
    fn from_iter<I: IntoIterator<Item = (bool, bool)>>(pairs: I) -> Self {
        let mut table = Self::default();
        for (baseline, candidate) in pairs {
            match (baseline, candidate) {
                (true, true) => table.both_right += 1,
                (false, true) => table.improved += 1,
                (true, false) => table.regressed += 1,
                (false, false) => table.both_wrong += 1,
            }
        }
        table
    }
}

/// The fewest regressions that the one-sided mid-p test notices beside so many improvements.
///
/// Without an improvement and at α = 0.05 that is 4: no test can see one to three flips.
pub fn smallest_regression(improved: u64, alpha: f64) -> u64 {
    // Of n changes that all are regressions the p-value is 0.5ⁿ⁺¹, so that this ends for any α above 0.
    let seen = |regressed: &u64| regression_mid_p(*regressed, improved + regressed) <= alpha;
    (1..=improved + 1100).find(seen).unwrap_or(u64::MAX)
}

/// P(the one-sided mid-p test notices) when cases improve and regress with these true rates.
///
/// The test is [`PairedTable::regression_mid_p`] at α = 1 − confidence. `None` when a rate is not a
/// probability or both together exceed 1.
pub fn regression_power(cases: u64, improving: f64, regressing: f64, confidence: Confidence) -> Option<f64> {
    let mut needed = 0;
    regression_chance(cases, improving, regressing, |changed| {
        if changed == 0 {
            return 1;
        }
        // The critical number of regressions never falls as more cases change.
        while needed <= changed && regression_mid_p(needed, changed) > confidence.alpha() {
            needed += 1;
        }
        needed
    })
}

/// P(so many of the changed cases are regressions that somebody is alarmed) when cases improve and regress with these
/// true rates; `alarms_from` tells from how many regressions on, given how many cases changed; it is asked in ascending
/// order.
///
/// `None` when a rate is not a probability or both together exceed 1.
pub fn regression_chance(
    cases: u64,
    improving: f64,
    regressing: f64,
    mut alarms_from: impl FnMut(u64) -> u64,
) -> Option<f64> {
    let changing = improving + regressing;
    if !(improving >= 0.0 && regressing >= 0.0 && changing <= 1.0) {
        return None;
    }
    if regressing <= 0.0 && improving <= 0.0 {
        return Some(0.0);
    }
    let mut chance = 0.0;
    for changed in 0..=cases {
        let so_many = binomial_exactly(changed, cases, changing);
        // All the parts that are left out are below 1e-9 together.
        if so_many > 1e-15 {
            chance += so_many * binomial_at_least(alarms_from(changed), changed, regressing / changing);
        }
    }
    Some(chance.min(1.0))
}

fn regression_mid_p(regressed: u64, changed: u64) -> f64 {
    binomial_at_least(regressed, changed, 0.5) - 0.5 * binomial_exactly(regressed, changed, 0.5)
}
